package shim

import (
	"crypto/x509"
	"errors"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	x509request "k8s.io/apiserver/pkg/authentication/request/x509"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
)

// newCertificates returns what knows clients by certificates that an authority has signed
// for clients to use. As in Pulsar, the role is the common name; an organisation is no
// group.
func newCertificates(ca dynamiccertificates.CAContentProvider) authenticator.Request {
	return x509request.NewDynamic(ca.VerifyOptions, x509request.UserConversionFunc(
		func(chain []*x509.Certificate) (*authenticator.Response, bool, error) {
			name := chain[0].Subject.CommonName
			if name == "" {
				return nil, false, errors.New("the certificate has no common name")
			}
			return &authenticator.Response{User: &user.DefaultInfo{Name: name}}, true, nil
		}))
}
