package tokens

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"gopkg.in/go-jose/go-jose.v2"
)

// TestHostileTokens has tokens that are made to be misread, or to cost more than they are
// worth. Those that are to count are signed: a size alone makes none bad.
func TestHostileTokens(t *testing.T) {
	provider := newProvider(t, ProviderConfig{SecretKeyFile: writeFile(t, testSecret), Audience: "cluster"})
	signed := func(claims string) string { return sign(t, jose.HS256, testSecret, claims) }
	good := signed(`{"sub":"a","aud":"cluster"}`)
	parts := strings.Split(good, ".")
	last := parts[2][len(parts[2])-1]
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	// A signature of 32 bytes leaves two bits of its last letter, which say nothing.
	spare := parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-1] + string(alphabet[strings.IndexByte(alphabet, last)^1])
	deep := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	var audiences []string
	for n := range 1000 {
		audiences = append(audiences, fmt.Sprintf("%q", fmt.Sprint("other-", n)))
	}
	encode := base64.RawURLEncoding.EncodeToString
	unsigned := func(header string) string {
		return encode([]byte(header)) + "." + parts[1] + "." + parts[2]
	}
	for name, test := range map[string]struct {
		token string
		role  string
	}{
		"nested":                          {signed(`{"sub":"a","aud":"cluster","x":` + deep(5000) + `}`), "a"},
		"one of many audiences":           {signed(`{"sub":"a","aud":[` + strings.Join(audiences, ",") + `,"cluster"]}`), "a"},
		"spare bits of the signature":     {spare, "a"},
		"many audiences":                  {signed(`{"sub":"a","aud":[` + strings.Join(audiences, ",") + `]}`), ""},
		"an audience that holds ours":     {signed(`{"sub":"a","aud":"cluster,other"}`), ""},
		"an audience in a list in a list": {signed(`{"sub":"a","aud":[["cluster"]]}`), ""},
		"nested, unsigned":                {assemble(`{"alg":"HS256"}`, `{"sub":`+deep(5000)+`}`, "AAAA"), ""},
		"nested header":                   {unsigned(`{"alg":"HS256","x":` + deep(5000) + `}`), ""},
		"large key identifier":            {unsigned(`{"alg":"HS256","kid":"` + strings.Repeat("../", 3000) + `"}`), ""},
		"key identifier that is no text":  {unsigned(`{"alg":"HS256","kid":{"a":1}}`), ""},
		"address of keys":                 {unsigned(`{"alg":"HS256","jku":"http://127.0.0.1:1/keys","x5u":"http://127.0.0.1:1/"}`), ""},
		"algorithm twice":                 {unsigned(`{"alg":"none","alg":"HS256"}`), ""},
		"algorithm that is a list":        {unsigned(`{"alg":["HS256"]}`), ""},
		"compressed":                      {unsigned(`{"alg":"HS256","zip":"DEF"}`), ""},
		"payload as it is":                {unsigned(`{"alg":"HS256","b64":false,"crit":["b64"]}`), ""},
		"encrypted":                       {encode([]byte(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`)) + "..AAAA.AAAA.AAAA", ""},
		"padded":                          {parts[0] + "." + parts[1] + "." + parts[2] + "=", ""},
		"other alphabet":                  {parts[0] + "." + parts[1] + "+/." + parts[2], ""},
		"new line inside":                 {parts[0] + "." + parts[1] + "." + parts[2][:4] + "\n" + parts[2][4:], ""},
		"end beyond all numbers":          {signed(`{"sub":"a","aud":"cluster","exp":1e999}`), ""},
		"end as a text":                   {signed(`{"sub":"a","aud":"cluster","exp":"1900000000"}`), ""},
		"end in a list":                   {signed(`{"sub":"a","aud":"cluster","exp":[1900000000]}`), ""},
		"end twice":                       {signed(`{"sub":"a","aud":"cluster","exp":1,"exp":1900000000}`), ""},
		"end before all time":             {signed(`{"sub":"a","aud":"cluster","exp":-9223372036854775809}`), ""},
		"begin after all time":            {signed(`{"sub":"a","aud":"cluster","nbf":18446744073709551617}`), ""},
		"end after all time":              {signed(`{"sub":"a","aud":"cluster","exp":18446744073709551617}`), "a"},
		"claims that are a list":          {signed(`["sub","a"]`), ""},
		"claims that are nothing":         {signed(`null`), ""},
		"more behind the claims":          {signed(`{"sub":"a","aud":"cluster"}{"sub":"b"}`), ""},
		"role that is an object":          {signed(`{"sub":{"name":"a"},"aud":"cluster"}`), ""},
	} {
		response, known, err := provider.AuthenticateToken(t.Context(), test.token)
		role := ""
		if known && err == nil {
			role = response.User.GetName()
		}
		if role != test.role {
			t.Errorf("%s: it is taken for one of %q, %v", name, role, err)
		}
	}
}
