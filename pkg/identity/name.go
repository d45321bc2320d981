package identity

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"
)

const (
	// LabelIdentity is the label whose value is Name.Label: it finds an object by
	// its Pulsar identity, which can be too long for a label value.
	LabelIdentity = "admin.functionmesh.io/identity"

	// MaxObjectNameLength is the longest name in bytes that the webhook of the
	// Function Mesh operator takes.
	MaxObjectNameLength = 43

	labelDigits      = 40 // 160 bits in hexadecimal digits
	objectNameDigits = 12 // 60 bits in base32 digits
)

// Name is the identity of a function, source or sink in Pulsar. The three kinds
// share one name space.
type Name struct {
	Tenant    string
	Namespace string
	Name      string
}

// String returns the identity as Pulsar writes it: tenant/namespace/name.
func (n Name) String() string {
	return n.Tenant + "/" + n.Namespace + "/" + n.Name
}

// Label returns the value of LabelIdentity. It is the same for equal identities
// only, as far as a hash can promise it: whoever looks up by it verifies the hit.
func (n Name) Label() string {
	sum := n.sum()
	return hex.EncodeToString(sum[:])[:labelDigits]
}

// ObjectName returns the name of the Kubernetes object that stands for the
// identity where nobody chose one: <readable part>-<hash>, at most
// MaxObjectNameLength characters. It is a DNS label that begins with a letter, as
// the operator makes Service names of it.
func (n Name) ObjectName() string {
	sum := n.sum()
	hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:objectNameDigits]
	return readablePart(n.Name, MaxObjectNameLength-objectNameDigits-1) + "-" + hash
}

// sum hashes the parts with their lengths, so that ("a-b", "c") and ("a", "b-c")
// differ whatever characters the parts have.
func (n Name) sum() [sha256.Size]byte {
	var joined strings.Builder
	for _, part := range []string{n.Tenant, n.Namespace, n.Name} {
		joined.WriteString(strconv.Itoa(len(part)))
		joined.WriteByte(':')
		joined.WriteString(part)
	}
	return sha256.Sum256([]byte(joined.String()))
}

// readablePart makes a DNS label of at most limit characters of a Pulsar name.
func readablePart(name string, limit int) string {
	part := strings.Map(func(r rune) rune {
		if isLowerAlphanumeric(r) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	part = strings.TrimLeft(part, "-")
	if part == "" || part[0] >= '0' && part[0] <= '9' {
		part = "p-" + part
	}
	if len(part) > limit {
		part = part[:limit]
	}
	return strings.TrimRight(part, "-")
}

// WorkerObjectName returns the name that the Java worker (Function Mesh Worker
// Service) gives the object of a component, for looking up what it made. The
// joined string that it hashes is ambiguous, so two identities can have one name:
// verify the identity of what is found.
func WorkerObjectName(cluster, tenant, namespace, name string) string {
	sum := sha1.Sum([]byte(cluster + "-" + tenant + "-" + namespace + "-" + name))
	return SanitizeWorkerName(name) + "-" + hex.EncodeToString(sum[:])[:8]
}

// SanitizeWorkerName returns a name as the Java worker puts it in object names:
// in lower case, with a hyphen for all but letters, digits, hyphens and dots.
func SanitizeWorkerName(name string) string {
	return strings.Map(func(r rune) rune {
		if isLowerAlphanumeric(r) || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
}

func isLowerAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
}
