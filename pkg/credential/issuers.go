package credential

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// The operator makes JSON and a shell command of an issuer, an audience and a scope,
// and quotes neither for all ways in which packages are fetched: none of these matches
// what means something to JSON or a shell.
var (
	issuerText = regexp.MustCompile(`\Ahttps?://[-.\w]+(:[0-9]{1,5})?(/[-.~%+=:@,\w]*)*\z`)
	plainText  = regexp.MustCompile(`\A[-=:.,+@%/~\w]*\z`)
)

// maxText bounds an issuer, an audience and a scope, in bytes.
const maxText = 1024

// Issuers are those whose accounts are taken.
type Issuers []configv1alpha1.OAuth2Issuer

// find returns the issuer of a URL. A slash at the end makes no difference: issuers
// differ in whether they have it, and so do those who write it down.
func (i Issuers) find(issuerURL string) *configv1alpha1.OAuth2Issuer {
	for n := range i {
		if sameIssuer(i[n].IssuerURL, issuerURL) {
			return &i[n]
		}
	}
	return nil
}

func sameIssuer(a, b string) bool {
	return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

// CheckIssuerURL returns what is wrong with the URL of an issuer in a configuration.
func CheckIssuerURL(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || !issuerText.MatchString(text) || len(text) > maxText:
		return fmt.Errorf("must be a URL of letters, digits and - . _ ~ %% + = : @ , / without credentials, query and fragment")
	case parsed.Scheme == "http" && !isLoopback(parsed.Hostname()):
		return fmt.Errorf("must be https: a client secret is sent there")
	}
	return nil
}

// CheckText returns what is wrong with an audience or a scope.
func CheckText(text string) error {
	if len(text) > maxText || !plainText.MatchString(text) {
		return fmt.Errorf("may hold only letters of a to z in either case, digits and - = : . , + @ %% / ~ _: Function Mesh puts it into a shell command and into JSON without quoting it")
	}
	return nil
}

func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}
