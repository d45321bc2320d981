// Package tenancy knows which Kubernetes namespace serves which Pulsar namespace.
//
// Kubernetes namespaces are the unit of access: who may write functions in one may
// run code as whatever Pulsar namespace it serves. So that isn't for the author of a
// function to say but for whoever may change the Namespace, in an annotation. Both
// servers read it here, the shim to find out where something is, and the API server to
// refuse what is in the wrong place.
package tenancy

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	// Annotation has, on a Namespace, the Pulsar namespaces that it serves:
	// tenant/namespace, or tenant/* for what nobody else claims of a tenant,
	// separated by commas.
	Annotation = "admin.functionmesh.io/pulsar-namespaces"

	// wildcard stands for every namespace of a tenant.
	wildcard = "*"
	// maxClaims and maxLength bound what one Namespace may claim. The admission policy in
	// artifacts/ has the same bounds.
	maxClaims = 128
	maxLength = 8192
)

// claimPattern is what Pulsar takes for the names of tenants and namespaces. The
// admission policy in artifacts/ has the same pattern: what it can't read it refuses.
var claimPattern = regexp.MustCompile(`\A[-=:.\w]+/([-=:.\w]+|\*)\z`)

// PulsarNamespace is a namespace of Pulsar. In a claim its Namespace may be "*".
type PulsarNamespace struct {
	Tenant, Namespace string
}

// String returns it as Pulsar writes it.
func (p PulsarNamespace) String() string { return p.Tenant + "/" + p.Namespace }

// Whole tells whether a claim is of everything in its tenant.
func (p PulsarNamespace) Whole() bool { return p.Namespace == wildcard }

// all is the claim of everything in its tenant.
func (p PulsarNamespace) all() PulsarNamespace {
	return PulsarNamespace{Tenant: p.Tenant, Namespace: wildcard}
}

// Parse reads the value of the annotation. No value claims nothing. Of one that can't
// be read nothing counts: half of what somebody meant could be the wrong half.
func Parse(text string) ([]PulsarNamespace, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxLength {
		return nil, fmt.Errorf("it has %d characters, of which there may be %d", len(text), maxLength)
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxClaims {
		return nil, fmt.Errorf("it has %d entries, of which there may be %d", len(parts), maxClaims)
	}
	var claims []PulsarNamespace
	seen := map[PulsarNamespace]bool{}
	for _, part := range parts {
		part = strings.TrimSpace(part)
		if !claimPattern.MatchString(part) {
			return nil, fmt.Errorf("%q is neither tenant/namespace nor tenant/*", shortened(part))
		}
		tenant, namespace, _ := strings.Cut(part, "/")
		claim := PulsarNamespace{Tenant: tenant, Namespace: namespace}
		if !seen[claim] {
			claims = append(claims, claim)
		}
		seen[claim] = true
	}
	return claims, nil
}

// shortened keeps a message readable.
func shortened(text string) string {
	const limit = 80
	if len(text) <= limit {
		return text
	}
	return text[:limit] + "…"
}
