package tokens

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/go-jose/go-jose.v2"
)

var (
	testSecret = []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
	testTime   = time.Unix(1_800_000_000, 0)

	rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, minRSA)
		if err != nil {
			panic(err)
		}
		return key
	})
	ecKey = sync.OnceValue(func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return key
	})
)

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func publicDER(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func publicPEM(t *testing.T, keys ...any) []byte {
	t.Helper()
	var result []byte
	for _, key := range keys {
		result = append(result, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER(t, key)})...)
	}
	return result
}

func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// assemble makes a token of a header, claims and a signature.
func assemble(header, claims, signature string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + signature
}

func newProvider(t *testing.T, config ProviderConfig) *Provider {
	t.Helper()
	if config.RoleClaim == "" {
		config.RoleClaim = "sub"
	}
	if config.AudienceClaim == "" {
		config.AudienceClaim = "aud"
	}
	provider, err := NewProvider(config)
	if err != nil {
		t.Fatal(err)
	}
	provider.now = func() time.Time { return testTime }
	return provider
}

func TestProvider(t *testing.T) {
	var (
		secret   = newProvider(t, ProviderConfig{SecretKeyFile: writeFile(t, testSecret)})
		public   = newProvider(t, ProviderConfig{PublicKeyFile: writeFile(t, publicPEM(t, &rsaKey().PublicKey, &ecKey().PublicKey))})
		claimed  = newProvider(t, ProviderConfig{SecretKeyFile: writeFile(t, testSecret), RoleClaim: "role", AudienceClaim: "for", Audience: "cluster"})
		both     = newProvider(t, ProviderConfig{SecretKeyFile: writeFile(t, testSecret), PublicKeyFile: writeFile(t, publicDER(t, &rsaKey().PublicKey))})
		withHMAC = func(claims string) string { return sign(t, jose.HS256, testSecret, claims) }
		good     = withHMAC(`{"sub":"alice"}`)
		parts    = strings.Split(good, ".")
	)
	const (
		ours    = "ours"
		bad     = "bad"
		nobodys = "nobody's"
	)
	// What an attacker can do who knows the public key: sign with its text as a secret.
	confusedPEM := sign(t, jose.HS256, publicPEM(t, &rsaKey().PublicKey, &ecKey().PublicKey), `{"sub":"alice"}`)
	confusedDER := sign(t, jose.HS256, publicDER(t, &rsaKey().PublicKey), `{"sub":"alice"}`)
	for name, test := range map[string]struct {
		by    *Provider
		token string
		want  string
		role  string
	}{
		"HMAC":         {secret, good, ours, "alice"},
		"HMAC 384":     {secret, sign(t, jose.HS384, testSecret, `{"sub":"a"}`), ours, "a"},
		"HMAC 512":     {secret, sign(t, jose.HS512, testSecret, `{"sub":"a"}`), ours, "a"},
		"RSA":          {public, sign(t, jose.RS256, rsaKey(), `{"sub":"a"}`), ours, "a"},
		"RSA-PSS":      {public, sign(t, jose.PS512, rsaKey(), `{"sub":"a"}`), ours, "a"},
		"EC":           {public, sign(t, jose.ES256, ecKey(), `{"sub":"a"}`), ours, "a"},
		"either, HMAC": {both, good, ours, "alice"},
		"either, RSA":  {both, sign(t, jose.RS512, rsaKey(), `{"sub":"a"}`), ours, "a"},
		"dates":        {secret, withHMAC(`{"sub":"a","exp":1800000001,"nbf":1800000000,"iat":9e99}`), ours, "a"},
		"fraction":     {secret, withHMAC(`{"sub":"a","exp":1800000001.5}`), ours, "a"},
		"never ends":   {secret, withHMAC(`{"sub":"a","exp":1e300,"nbf":-1e300}`), ours, "a"},
		"some issuer":  {secret, withHMAC(`{"sub":"a","iss":"me"}`), ours, "a"},
		"first role":   {secret, withHMAC(`{"sub":["a","b"]}`), ours, "a"},
		"other claims": {claimed, withHMAC(`{"sub":"a","role":"b","for":["x","cluster"]}`), ours, "b"},
		"one audience": {claimed, withHMAC(`{"role":"b","for":"cluster"}`), ours, "b"},

		"expired":                          {secret, withHMAC(`{"sub":"a","exp":1800000000}`), bad, ""},
		"expired long ago":                 {secret, withHMAC(`{"sub":"a","exp":-1e300}`), bad, ""},
		"no time":                          {secret, withHMAC(`{"sub":"a","exp":"never"}`), bad, ""},
		"null time":                        {secret, withHMAC(`{"sub":"a","exp":null}`), bad, ""},
		"not valid yet":                    {secret, withHMAC(`{"sub":"a","nbf":1800000001}`), bad, ""},
		"no role":                          {secret, withHMAC(`{"exp":1900000000}`), bad, ""},
		"number for a role":                {secret, withHMAC(`{"sub":7}`), bad, ""},
		"no text among roles":              {secret, withHMAC(`{"sub":["a",7]}`), bad, ""},
		"empty roles":                      {secret, withHMAC(`{"sub":[]}`), bad, ""},
		"role twice":                       {secret, withHMAC(`{"sub":"a","sub":"b"}`), bad, ""},
		"role in another case":             {secret, withHMAC(`{"Sub":"a"}`), bad, ""},
		"no audience":                      {claimed, withHMAC(`{"role":"b"}`), bad, ""},
		"wrong audience":                   {claimed, withHMAC(`{"role":"b","for":"clusters","aud":"cluster"}`), bad, ""},
		"wrong key":                        {secret, sign(t, jose.HS256, []byte(strings.Repeat("x", 64)), `{"sub":"a"}`), bad, ""},
		"no algorithm":                     {secret, assemble(`{"alg":"none"}`, `{"sub":"a"}`, ""), bad, ""},
		"None":                             {secret, assemble(`{"alg":"None","typ":"JWT"}`, `{"sub":"a"}`, ""), bad, ""},
		"none with our signature":          {secret, assemble(`{"alg":"none"}`, `{"sub":"alice"}`, parts[2]), bad, ""},
		"public key's PEM as a secret":     {public, confusedPEM, bad, ""},
		"public key's DER as a secret":     {both, confusedDER, bad, ""},
		"RSA without its key":              {secret, sign(t, jose.RS256, rsaKey(), `{"sub":"a"}`), bad, ""},
		"key in the token":                 {public, embedKey(t), bad, ""},
		"other claims under the signature": {secret, parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"admin"}`)) + "." + parts[2], bad, ""},
		"unknown critical header":          {secret, critical(t), bad, ""},

		"another issuer's":           {secret, sign(t, jose.RS256, rsaKey(), `{"sub":"a","iss":"https://kubernetes.default.svc"}`), nobodys, ""},
		"another issuer's, unsigned": {secret, assemble(`{"alg":"none"}`, `{"sub":"a","iss":"https://kubernetes.default.svc"}`, ""), nobodys, ""},
		"opaque":                     {secret, "abcdef.0123456789abcdef", nobodys, ""},
		"empty":                      {secret, "", nobodys, ""},
		"dots":                       {secret, "..", bad, ""},
		"not base64":                 {secret, "!.!.!", nobodys, ""},
		"JSON form":                  {secret, `{"payload":"e30","signatures":[]}`, nobodys, ""},
		"four parts":                 {secret, good + ".", nobodys, ""},
	} {
		t.Run(name, func(t *testing.T) {
			response, known, err := test.by.AuthenticateToken(t.Context(), test.token)
			got := map[bool]string{true: ours, false: nobodys}[known]
			if err != nil {
				got = bad
				if strings.Contains(err.Error(), test.token) {
					t.Errorf("the error tells the token: %v", err)
				}
			}
			if got != test.want || known && response.User.GetName() != test.role {
				t.Errorf("got %s, %v, %v", got, response, err)
			}
		})
	}
}

// embedKey returns a token that brings the key along with which to verify it.
func embedKey(t *testing.T) string {
	t.Helper()
	own, err := rsa.GenerateKey(rand.Reader, minRSA)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: own}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"sub":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// critical returns a token with a header that must be understood and isn't.
func critical(t *testing.T) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: testSecret},
		(&jose.SignerOptions{}).WithHeader("crit", []string{"exp-at"}).WithHeader("exp-at", 1))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"sub":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The order is that of questions: whoever knows a token decides.
func TestUnion(t *testing.T) {
	other := newProvider(t, ProviderConfig{SecretKeyFile: writeFile(t, []byte(strings.Repeat("x", 64)))})
	first := newProvider(t, ProviderConfig{SecretKeyFile: writeFile(t, testSecret)})
	foreign := sign(t, jose.HS256, []byte(strings.Repeat("x", 64)), `{"sub":"a","iss":"x"}`)
	if _, known, err := (Union{first, other}).AuthenticateToken(t.Context(), foreign); !known || err != nil {
		t.Errorf("got %v, %v", known, err)
	}
	// What names no issuer is the first one's, and bad there.
	nameless := sign(t, jose.HS256, []byte(strings.Repeat("x", 64)), `{"sub":"a"}`)
	if _, known, err := (Union{first, other}).AuthenticateToken(t.Context(), nameless); known || err == nil {
		t.Errorf("got %v, %v", known, err)
	}
	if _, known, err := (Union{}).AuthenticateToken(t.Context(), foreign); known || err != nil {
		t.Errorf("got %v, %v", known, err)
	}
}

func FuzzProvider(f *testing.F) {
	path := filepath.Join(f.TempDir(), "key")
	if err := os.WriteFile(path, testSecret, 0o600); err != nil {
		f.Fatal(err)
	}
	provider, err := NewProvider(ProviderConfig{SecretKeyFile: path, RoleClaim: "sub", AudienceClaim: "aud"})
	if err != nil {
		f.Fatal(err)
	}
	header, _ := json.Marshal(map[string]any{"alg": "HS256"})
	f.Add(assemble(string(header), `{"sub":"a"}`, "AAAA"))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if response, known, _ := provider.AuthenticateToken(t.Context(), token); known {
			t.Errorf("%q is taken for one of %v", token, response)
		}
	})
}
