package packageservice

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const (
	// PropertyManager is the property of a package that says who looks after it.
	PropertyManager = "managedBy"
	// Manager looks after the packages that came with a component, or were pinned for one.
	// They go when no component names them any more.
	Manager = "functionmesh-apiserver"
)

// Describe returns the metadata of a package, without who looks after it. of is the
// component that it is of, and digest its content's, in hexadecimal.
func Describe(description string, of identity.Name, digest string, size int64) Metadata {
	return Metadata{
		Description: description,
		Properties: map[string]string{
			PropertyDigest: digest, PropertySize: strconv.FormatInt(size, 10),
			"tenant": of.Tenant, "namespace": of.Namespace, "functionName": of.Name,
		},
	}
}

// Managed tells whether a package is one that Manager looks after.
func Managed(metadata Metadata) bool { return metadata.Properties[PropertyManager] == Manager }

// DigestIn returns the digest that metadata say a package's content has, in hexadecimal,
// or "". It is as good as the word of whoever stored the package.
func DigestIn(metadata Metadata) string {
	digest := metadata.Properties[PropertyDigest]
	if decoded, err := hex.DecodeString(digest); err != nil || len(decoded) != sha256.Size {
		return ""
	}
	return digest
}
