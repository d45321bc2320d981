package tokens

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"gopkg.in/go-jose/go-jose.v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

func TestParseSecret(t *testing.T) {
	text := []byte(base64.StdEncoding.EncodeToString(testSecret))
	for name, test := range map[string]struct {
		content []byte
		// signed are the secrets whose tokens are taken.
		signed [][]byte
	}{
		"raw":                {testSecret, [][]byte{testSecret}},
		"raw with an end":    {append([]byte(nil), append(testSecret, '\n')...), [][]byte{append(append([]byte(nil), testSecret...), '\n')}},
		"base64":             {text, [][]byte{testSecret, text}},
		"base64 with an end": {append(append([]byte(nil), text...), '\n'), [][]byte{testSecret}},
		"data URL":           {append([]byte(dataURL), text...), [][]byte{testSecret}},
		"too short":          {testSecret[:minSecret-1], nil},
		"short in base64":    {[]byte(dataURL + base64.StdEncoding.EncodeToString(testSecret[:31])), nil},
		"no base64":          {[]byte(dataURL + "!" + strings.Repeat("x", 64)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseSecret(test.content); (err == nil) != (test.signed != nil) {
				t.Fatalf("got %v", err)
			}
			if test.signed == nil {
				return
			}
			provider := newProvider(t, ProviderConfig{SecretKeyFile: writeFile(t, test.content)})
			for _, secret := range test.signed {
				if _, known, err := provider.AuthenticateToken(t.Context(), sign(t, jose.HS256, secret, `{"sub":"a"}`)); !known || err != nil {
					t.Errorf("signed with %q: %v", secret, err)
				}
			}
		})
	}
	// An HMAC is no stronger than its secret.
	short := newProvider(t, ProviderConfig{SecretKeyFile: writeFile(t, testSecret[:minSecret])})
	if _, known, _ := short.AuthenticateToken(t.Context(), sign(t, jose.HS512, testSecret[:minSecret], `{"sub":"a"}`)); known {
		t.Error("a secret of 32 bytes signs with HS512")
	}
}

func TestParsePublic(t *testing.T) {
	generate := func(key any, err error) any {
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	weak := generate(rsa.GenerateKey(rand.Reader, 1024)).(*rsa.PrivateKey)
	p224 := generate(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)).(*ecdsa.PrivateKey)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der := publicDER(t, &rsaKey().PublicKey)
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey())})
	for name, test := range map[string]struct {
		content []byte
		keys    int
	}{
		"DER":                  {der, 1},
		"EC in DER":            {publicDER(t, &ecKey().PublicKey), 1},
		"base64 of DER":        {[]byte(base64.StdEncoding.EncodeToString(der) + "\n"), 1},
		"data URL":             {[]byte(dataURL + base64.StdEncoding.EncodeToString(der)), 1},
		"PEM":                  {publicPEM(t, &rsaKey().PublicKey), 1},
		"several in PEM":       {publicPEM(t, &rsaKey().PublicKey, &ecKey().PublicKey), 2},
		"a weak key":           {publicDER(t, &weak.PublicKey), 0},
		"one weak of several":  {publicPEM(t, &rsaKey().PublicKey, &weak.PublicKey), 0},
		"a curve of no tokens": {publicDER(t, &p224.PublicKey), 0},
		"Ed25519":              {publicPEM(t, ed.Public()), 0},
		"a private key":        {private, 0},
		"a private key, too":   {append(publicPEM(t, &rsaKey().PublicKey), private...), 0},
		"a secret":             {testSecret, 0},
		"half of it":           {der[:len(der)/2], 0},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := parsePublic(test.content)
			if len(keys) != test.keys || (err == nil) != (test.keys > 0) {
				t.Errorf("got %d keys, %v", len(keys), err)
			}
			if err != nil && bytes.Contains(test.content, []byte(err.Error())) {
				t.Error("the error tells the key")
			}
		})
	}
}

func TestFilesMustBeThere(t *testing.T) {
	for name, content := range map[string][]byte{"empty": nil, "blank": []byte(" \n"), "huge": bytes.Repeat([]byte("x"), maxFile+1)} {
		if _, err := NewProvider(ProviderConfig{SecretKeyFile: writeFile(t, content)}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := NewIssuers(writeFile(t, content)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewProvider(ProviderConfig{PublicKeyFile: "/does/not/exist"}); err == nil {
		t.Error("no error")
	}
}

// TestSample reads the example that the repository ships.
func TestSample(t *testing.T) {
	issuers, err := NewIssuers("../../../artifacts/samples/authentication-config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(issuers.first.JWT) != 2 {
		t.Errorf("%d issuers", len(issuers.first.JWT))
	}
	// Before they run nobody knows whose a token is.
	if _, known, err := issuers.AuthenticateToken(t.Context(), "a.b.c"); known || !errors.Is(err, caller.ErrUnavailable) {
		t.Errorf("got %v, %v", known, err)
	}
}
