package credential

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// hidden is what no error may have.
const hidden = "s3cr3t-of-the-client"

var testIssuers = Issuers{
	{IssuerURL: "https://issuer.example.org/", Audience: "default-audience", Scope: "default-scope"},
	{IssuerURL: "https://bare.example.org"},
}

func secretWith(data map[string]string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "alice"}, Data: map[string][]byte{}}
	for key, value := range data {
		secret.Data[key] = []byte(value)
	}
	return secret
}

const goodKey = `{"type":"client_credentials","client_id":"alice","client_secret":"` + hidden + `","issuer_url":"https://issuer.example.org"}`

// TestDocumentedSecret takes a Secret exactly as the Java worker's documentation 0.6.0
// has it.
func TestDocumentedSecret(t *testing.T) {
	account, err := testIssuers.Parse(secretWith(map[string]string{
		KeyFile:       goodKey,
		ParametersKey: `{"audience":"urn:sn:pulsar:o:i","issuerUrl":"https://issuer.example.org/","privateKey":"file:///mnt/secrets/auth.json","type":"client_credentials","scope":"read"}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if account.IssuerURL != "https://issuer.example.org/" || account.Audience != "urn:sn:pulsar:o:i" || account.Scope != "read" {
		t.Errorf("the account is %+v", account)
	}
	if !account.IsOf("alice@project.iam") || !account.IsOf("alice") || account.IsOf("bob") || account.IsOfExactly("alice@project.iam") {
		t.Error("the account is not alice's alone")
	}
}

func TestServerSaysTheRest(t *testing.T) {
	for name, data := range map[string]map[string]string{
		"no parameters":     {KeyFile: goodKey},
		"bare parameters":   {KeyFile: goodKey, ParametersKey: `{"issuerUrl":"https://issuer.example.org"}`},
		"unknown parameter": {KeyFile: goodKey, ParametersKey: `{"issuerUrl":"https://issuer.example.org","tls":true}`},
	} {
		account, err := testIssuers.Parse(secretWith(data))
		if err != nil || account.Audience != "default-audience" || account.Scope != "default-scope" {
			t.Errorf("%s: %+v, %v", name, account, err)
		}
	}
}

func TestWrongSecrets(t *testing.T) {
	key := func(issuer string) string {
		return `{"client_id":"alice","client_secret":"` + hidden + `","issuer_url":"` + issuer + `"}`
	}
	parameters := func(more string) string { return `{"issuerUrl":"https://issuer.example.org"` + more + `}` }
	for name, test := range map[string]struct {
		data map[string]string
		want string
	}{
		"no key file":         {map[string]string{ParametersKey: parameters("")}, "has no key auth.json"},
		"no JSON":             {map[string]string{KeyFile: `{"client_secret":` + hidden}, "is no JSON object"},
		"a list":              {map[string]string{KeyFile: `["` + hidden + `"]`}, "is no JSON object"},
		"a number":            {map[string]string{KeyFile: `{"client_id":1,"client_secret":"` + hidden + `"}`}, "is no JSON object"},
		"no client":           {map[string]string{KeyFile: `{"client_secret":"` + hidden + `","issuer_url":"x"}`}, "has no client_id"},
		"no client secret":    {map[string]string{KeyFile: `{"client_id":"alice","issuer_url":"x"}`}, "has no client_secret"},
		"no issuer":           {map[string]string{KeyFile: `{"client_id":"alice","client_secret":"` + hidden + `"}`}, "has no issuer_url"},
		"foreign issuer":      {map[string]string{KeyFile: key("https://evil.example.org")}, "is of issuer https://evil.example.org, which this server is not configured"},
		"longer issuer":       {map[string]string{KeyFile: key("https://issuer.example.org.evil.org")}, "is not configured"},
		"plain text issuer":   {map[string]string{KeyFile: key("http://issuer.example.org")}, "is not configured"},
		"issuer of a shell":   {map[string]string{KeyFile: key("https://issuer.example.org/$(id)")}, "can't quote"},
		"issuer with user":    {map[string]string{KeyFile: key("https://" + hidden + "@issuer.example.org")}, "can't quote"},
		"two issuers":         {map[string]string{KeyFile: goodKey, ParametersKey: `{"issuerUrl":"https://bare.example.org"}`}, "names two issuers"},
		"bad parameters":      {map[string]string{KeyFile: goodKey, ParametersKey: hidden}, "is no JSON object"},
		"no parameter issuer": {map[string]string{KeyFile: goodKey, ParametersKey: `{"audience":"a"}`}, "has no issuerUrl"},
		"audience with quote": {map[string]string{KeyFile: goodKey, ParametersKey: parameters(`,"audience":"a\"b"`)}, "the audience in key"},
		"audience of a shell": {map[string]string{KeyFile: goodKey, ParametersKey: parameters(`,"audience":"a;id"`)}, "the audience in key"},
		"scope with a blank":  {map[string]string{KeyFile: goodKey, ParametersKey: parameters(`,"scope":"a b"`)}, "the scope in key"},
		"scope, backslash":    {map[string]string{KeyFile: goodKey, ParametersKey: parameters(`,"scope":"a\\b"`)}, "the scope in key"},
		"line break":          {map[string]string{KeyFile: goodKey, ParametersKey: parameters(`,"scope":"a\n"`)}, "the scope in key"},
		"no audience":         {map[string]string{KeyFile: key("https://bare.example.org")}, "has no audience"},
		"huge":                {map[string]string{KeyFile: goodKey + strings.Repeat(" ", maxKeyFile)}, "has more than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := testIssuers.Parse(secretWith(test.data))
			var problem *Problem
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `"alice"`) {
				t.Errorf("got %v, want one with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), hidden) {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}

func TestCallers(t *testing.T) {
	for _, test := range []struct{ user, prefix, role string }{
		{"pulsar:alice", "", "alice"},
		{"pulsar:alice@project", "oidc:", "alice@project"},
		{"pulsar:anonymous", "", ""},
		{"alice@example.org", "", "alice@example.org"},
		{"oidc:alice", "oidc:", "alice"},
		{"alice", "oidc:", ""},
		{"system:serviceaccount:default:pulsar", "", ""},
		{"system:admin", "", ""},
		{"pulsar:" + strings.Repeat("a", maxRole), "", ""},
	} {
		if got := CallerOf(&user.DefaultInfo{Name: test.user}, test.prefix); got.Role != test.role || got.User != test.user {
			t.Errorf("%q with prefix %q is %+v", test.user, test.prefix, got)
		}
	}
	for role, want := range map[string]string{
		"alice": "alice", "alice@p1.iam.gserviceaccount.com": "alice", "api://1234-ab": "1234-ab", "a@b@c": "a", "@": "", "api://x@y": "x",
	} {
		if got := Strip(role); got != want {
			t.Errorf("%q is stripped to %q, not %q", role, got, want)
		}
	}
}

func TestOwns(t *testing.T) {
	byName := &v1alpha1.CredentialBinding{SecretName: "alice", User: "pulsar:alice", Role: "alice", Rule: v1alpha1.CredentialByName}
	explicit := &v1alpha1.CredentialBinding{SecretName: "etl", User: "alice", Role: "alice", Rule: v1alpha1.CredentialExplicit}
	for _, test := range []struct {
		user    string
		binding *v1alpha1.CredentialBinding
		want    bool
	}{
		{"pulsar:alice", byName, true}, {"alice", byName, true}, {"pulsar:bob", byName, false}, {"pulsar:alice@p2", byName, false},
		{"alice", explicit, true}, {"pulsar:alice", explicit, false}, {"pulsar:alice", nil, false},
		{"pulsar:anonymous", &v1alpha1.CredentialBinding{SecretName: "x", User: "pulsar:anonymous", Rule: v1alpha1.CredentialExplicit}, false},
	} {
		if got := CallerOf(&user.DefaultInfo{Name: test.user}, "").Owns(test.binding); got != test.want {
			t.Errorf("%s owns %+v: %t", test.user, test.binding, got)
		}
	}
}

func TestCheckIssuerURL(t *testing.T) {
	for text, good := range map[string]bool{
		"https://a.example.org": true, "https://a.example.org:8443/realms/x/": true, "http://127.0.0.1:5556/dex": true, "http://localhost": true,
		"http://a.example.org": false, "ftp://a": false, "https://u:p@a": false, "https://a?b=c": false, "https://a#b": false, "https://a b": false, "": false, "a": false,
	} {
		if err := CheckIssuerURL(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
