// Package credential knows what the accounts are by which functions prove to Pulsar who
// they are: whose a Secret is, what is in it, and whether its issuer takes it.
//
// What it says about a Secret that is wrong never has a part of the content.
package credential

import (
	"strings"

	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const (
	// pulsarPrefix begins the names of users whom the shim vouches for; the rest is
	// their role in Pulsar.
	pulsarPrefix = "pulsar:"
	// anonymous is nobody, whom the shim may let in.
	anonymous = "pulsar:anonymous"
	// systemPrefix begins the names of Kubernetes' own users, service accounts among
	// them. They are no people, and no client of an issuer.
	systemPrefix = "system:"
	// maxRole bounds a role, in bytes.
	maxRole = 512
)

// Caller is who makes a request.
type Caller struct {
	// User is the user name, Role the role in Pulsar, "" for who has none.
	User, Role string
}

// CallerOf returns the caller that a user is. The role of a user of the shim is what
// the shim calls it by. That of a Kubernetes user is the name without prefix, if it
// begins with it: prefix may be empty.
func CallerOf(info user.Info, prefix string) Caller {
	name := info.GetName()
	caller := Caller{User: name}
	role, ofPulsar := strings.CutPrefix(name, pulsarPrefix)
	switch {
	case name == anonymous, strings.HasPrefix(name, systemPrefix), len(name) > maxRole:
	case ofPulsar:
		caller.Role = role
	case strings.HasPrefix(name, prefix):
		caller.Role = strings.TrimPrefix(name, prefix)
	}
	return caller
}

// Owns tells whether a credential is bound to the caller. One that was found by a role
// is that of whoever has the role, by whichever door he comes: he would find it again.
func (c Caller) Owns(binding *v1alpha1.CredentialBinding) bool {
	if binding == nil || binding.User == "" {
		return false
	}
	if binding.User == c.User {
		return c.User != anonymous
	}
	return binding.ByRole() && binding.Role != "" && binding.Role == c.Role
}

// Strip returns a role as Secrets of the name rule are called: the part before the first
// @ (Google's service accounts), without a leading api:// (Azure's applications).
func Strip(role string) string {
	stripped, _, _ := strings.Cut(role, "@")
	return strings.TrimPrefix(stripped, "api://")
}
