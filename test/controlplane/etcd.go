package controlplane

import "crypto/tls"

// Etcd returns etcd's URL and the TLS configuration of a client with all rights,
// for tests that do what only etcd can: compact its history, or let the global
// revision grow without an object.
func (cp *ControlPlane) Etcd() (url string, config *tls.Config) {
	return httpsURL(cp.etcd.Port()), cp.pki.etcd.client.Clone()
}
