// Package statestore reads and writes what functions, sources and sinks keep: state, in
// BookKeeper's table service, where Pulsar's own instances put it.
//
// It speaks the part of that service's protocol that Pulsar's own clients do: a request
// names the table and the key, and the service finds out by itself which of the table's
// ranges has the key and which of its servers has the range. So this is the only address
// that is ever dialled, the one that an administrator configured: no hash is computed
// here, and no address is taken from an answer. The service has neither TLS nor accounts.
package statestore
