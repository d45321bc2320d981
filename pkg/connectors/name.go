package connectors

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
)

// nameDigits is how many base32 digits of a hash tell two names apart that look the
// same when what Kubernetes doesn't accept is replaced.
const nameDigits = 10

// ObjectName returns the name of the Kubernetes object that stands for an entry: the
// entry's own where Kubernetes accepts it, else <readable part>-<hash>.
func ObjectName(name string) string {
	if len(utilvalidation.IsDNS1123Subdomain(name)) == 0 {
		return name
	}
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	sum := sha256.Sum256([]byte(name))
	digits := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:nameDigits]
	return strings.TrimLeft(readable+"-"+digits, "-")
}
