package packageservice

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const (
	// propertyManager and manager mark the packages that are ours.
	propertyManager = "managedBy"
	manager         = "functionmesh-apiserver"

	propertyDigest = "sha256"
)

// NewPackage returns a package of ours, named after its content. description says what
// it is, and the identity is that of the component that it was first stored for. Digest
// is the content's, in hexadecimal.
func NewPackage(description string, name identity.PackageURL, of identity.Name, digest string, content io.ReaderAt, size int64) Package {
	name.Version = VersionOf(digest)
	return Package{
		Name: name,
		Metadata: Metadata{
			Description: description,
			Contact:     manager,
			Properties: map[string]string{
				propertyManager: manager, propertyDigest: digest, "fileSize": strconv.FormatInt(size, 10),
				"tenant": of.Tenant, "namespace": of.Namespace, "functionName": of.Name,
			},
		},
		Content: content,
		Size:    size,
		Owned:   Managed,
	}
}

// Managed tells whether a package is ours.
func Managed(metadata Metadata) bool { return metadata.Properties[propertyManager] == manager }

// DigestIn returns the digest that metadata say a package's content has, in hexadecimal,
// or "". It is as good as the word of whoever stored the package.
func DigestIn(metadata Metadata) string {
	digest := metadata.Properties[propertyDigest]
	if decoded, err := hex.DecodeString(digest); err != nil || len(decoded) != sha256.Size {
		return ""
	}
	return digest
}
