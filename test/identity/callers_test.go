package identity

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// TestCallers shows each kind of credential to the shim, of somebody who has the right to
// list functions and of somebody who hasn't.
func TestCallers(t *testing.T) {
	for name, test := range map[string]struct {
		call    call
		allowed bool
	}{
		"issuer's token":                       {bearing(issuedToken(t, world.issuer, "oidc-author")), true},
		"issuer's token, allowed by group":     {bearing(issuedToken(t, world.issuer, "oidc-member")), true},
		"issuer's token without a right":       {bearing(issuedToken(t, world.issuer, "oidc-nobody")), false},
		"Pulsar's token":                       {bearing(pulsarToken(t, "author")), true},
		"Pulsar's token with any letters":      {bearing(pulsarToken(t, "Schrödinger, Erwin")), true},
		"Pulsar's token without a right":       {bearing(pulsarToken(t, "nobody")), false},
		"Pulsar's token without an end":        {bearing(sign(t, map[string]any{"sub": "author", "aud": []string{"x", audience}})), true},
		"certificate":                          {call{}.showing(certificate(t, world.clients, "tls-author")), true},
		"certificate without a right":          {call{}.showing(certificate(t, world.clients, "nobody")), false},
		"certificate's organisation":           {call{}.showing(certificate(t, world.clients, "nobody", "authors", "system:masters")), false},
		"Kubernetes' token":                    {bearing(serviceAccountToken(t, "author")), true},
		"Kubernetes' token without a right":    {bearing(serviceAccountToken(t, "nobody")), false},
		"a token and a stranger's certificate": {bearing(pulsarToken(t, "author")).showing(certificate(t, world.strangers, "x")), true},
		// The token decides, whatever else there is.
		"a token and an author's certificate": {bearing(pulsarToken(t, "nobody")).showing(certificate(t, world.clients, "tls-author")), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.call.do(t); test.allowed {
				expectAllowed(t, name, got)
			} else {
				expectUnauthorized(t, name, got)
			}
		})
	}
}

// TestRefused shows what is no credential, or no longer one, to a shim that lets anonymous
// callers in: none of these is one. The anonymous may do everything there, so that
// whoever is taken for one is seen.
func TestRefused(t *testing.T) {
	author := pulsarToken(t, "author")
	parts := strings.Split(author, ".")
	encode := base64.RawURLEncoding.EncodeToString
	issued := issuedToken(t, world.issuer, "oidc-author")
	issuedParts := strings.Split(issued, ".")
	publicKey := must[[]byte](t)(x509.MarshalPKIXPublicKey(world.issuer.PublicKey()))
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicKey})
	claims := map[string]any{"sub": "oidc-author", "iss": world.issuer.Issuer(), "aud": audience, "groups": []string{"authors"}, "exp": time.Now().Add(time.Hour).Unix()}
	clusterCA := world.env.ControlPlane
	frontProxy := certificate(t, clusterCA.FrontProxyCA(), "front-proxy-client")
	for name, call := range map[string]call{
		"expired":                               bearing(sign(t, map[string]any{"sub": "author", "aud": audience, "exp": time.Now().Add(-time.Second).Unix()})),
		"not valid yet":                         bearing(sign(t, map[string]any{"sub": "author", "aud": audience, "nbf": time.Now().Add(time.Hour).Unix()})),
		"wrong audience":                        bearing(sign(t, map[string]any{"sub": "author", "aud": "another-cluster"})),
		"no audience":                           bearing(sign(t, map[string]any{"sub": "author"})),
		"no role":                               bearing(sign(t, map[string]any{"aud": audience})),
		"role with space":                       bearing(sign(t, map[string]any{"sub": "author ", "aud": audience})),
		"role with a new line":                  bearing(sign(t, map[string]any{"sub": "x\r\nX-Remote-Group: pulsar:authors", "aud": audience})),
		"wrong secret":                          bearing(signWith(t, jose.HS256, []byte(strings.Repeat("x", 32)), map[string]any{"sub": "author", "aud": audience})),
		"no algorithm":                          bearing(encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."),
		"no algorithm, our signature":           bearing(encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + "." + parts[2]),
		"other claims":                          bearing(parts[0] + "." + encode([]byte(`{"sub":"`+proxyRole+`","aud":"`+audience+`"}`)) + "." + parts[2]),
		"cut":                                   bearing(author[:len(author)-1]),
		"garbage":                               bearing("garbage"),
		"dots":                                  bearing(".."),
		"garbage with dots":                     bearing("a.b.c"),
		"JSON":                                  bearing(`{"payload":"e30"}`),
		"the secret itself":                     bearing(encode(world.secret)),
		"issuer's, expired":                     bearing(issuedToken(t, world.issuer, "oidc-late")),
		"issuer's, wrong audience":              bearing(issuedToken(t, world.issuer, "oidc-other")),
		"issuer's, refused by a rule":           bearing(issuedToken(t, world.issuer, "oidc-banned")),
		"issuer's, group with space":            bearing(issuedToken(t, world.issuer, "oidc-space")),
		"issuer's, other claims":                bearing(issuedParts[0] + "." + encode([]byte(`{"sub":"oidc-author","iss":"`+world.issuer.Issuer()+`"}`)) + "." + issuedParts[2]),
		"issuer's, no algorithm":                bearing(encode([]byte(`{"alg":"none"}`)) + "." + issuedParts[1] + "."),
		"issuer's, signed with Pulsar's secret": bearing(sign(t, claims)),
		"issuer's, public key as a secret":      bearing(signWith(t, jose.HS256, publicPEM, claims)),
		"issuer's, public key in DER as a secret": bearing(signWith(t, jose.HS256, publicKey, claims)),
		"a stranger issuer's":                     bearing(issuedToken(t, world.stranger, "oidc-author")),
		"a stranger in the issuer's name":         bearing(signWith(t, jose.RS256, strangerKey(t), claims)),
		"two tokens":                              bearing(author, author),
		"two tokens of which one is good":         bearing("garbage", author),
		"two tokens in one header":                bearing(author + ", Bearer " + author),
		"Basic":                                   call{}.with("Authorization", "Basic YWRtaW46YWRtaW4="),
		"empty header":                            call{}.with("Authorization", ""),
		"no token":                                call{}.with("Authorization", "Bearer"),
		"in the URL":                              {query: url.Values{"token": {author}}},
		"in the URL and the header":               {query: url.Values{"token": {author}}, header: bearing(author).header},
		"16 KiB":                                  bearing(strings.Repeat("x", 16<<10)),
		"larger":                                  bearing(strings.Repeat("x", 16<<10+1)),
		"60 KiB of a good token":                  bearing(author + strings.Repeat("x", 60<<10)),
		"60 KiB with our issuer":                  bearing(encode([]byte(`{"alg":"RS256","kid":"key"}`)) + "." + encode([]byte(`{"iss":"`+world.issuer.Issuer()+`","x":"`+strings.Repeat("x", 40<<10)+`"}`)) + ".AAAA"),
		"stranger's certificate":                  call{}.showing(certificate(t, world.strangers, "tls-author")),
		"aggregator's certificate":                call{}.showing(frontProxy).with("X-Remote-User", "admin").with("X-Remote-Group", "system:masters"),
		"shim's own certificate":                  call{}.showing(certificate(t, world.env.ShimCA, "pulsar-admin-shim")).with("X-Remote-User", "pulsar:author"),
		"a bad token and a good certificate":      bearing(author[:len(author)-1]).showing(certificate(t, world.clients, "tls-author")),
		"another's token and a good certificate":  bearing("garbage").showing(certificate(t, world.clients, "tls-author")),
		"server's certificate":                    call{}.showing(servingOf(t)),
		"nameless certificate":                    call{}.showing(certificate(t, world.clients, "")),
		"certificate's name with space":           call{}.showing(certificate(t, world.clients, "tls-author ")),
	} {
		t.Run(name, func(t *testing.T) { expectUnauthorized(t, name, call.at(&world.open).do(t)) })
	}
	t.Run("more than headers may have", func(t *testing.T) {
		if got := bearing(strings.Repeat("x", 80<<10)).at(&world.open).do(t); got.code != 431 && got.code != 401 {
			t.Errorf("got %s", got)
		}
	})
	t.Run("none at all", func(t *testing.T) {
		expectUnauthorized(t, "strict", call{}.do(t))
		expectAllowed(t, "open", call{}.at(&world.open).do(t))
	})
}

// TestSmuggledIdentities puts identities of others into headers that front proxies use.
func TestSmuggledIdentities(t *testing.T) {
	nobody := bearing(pulsarToken(t, "nobody"))
	for _, name := range []string{"X-Remote-User", "x-remote-user", "X_Remote_User", "X-Remote-Group", "X-Remote-Extra-Scopes", "X-Remote-Uid", "Impersonate-User", "Impersonate-Group",
		"X-Forwarded-User", "X-Original-Auth-Data", "X-Original-Auth-Method", "X-Pulsar-Auth-Method-Name", "Proxy-Authorization", "Cookie"} {
		for _, value := range []string{"pulsar:author", "pulsar:authors", "author", "system:masters", "Bearer " + pulsarToken(t, "author"), "none", "tls"} {
			expectUnauthorized(t, name+": "+value, nobody.with(name, value).do(t))
			expectUnauthorized(t, name+" alone: "+value, call{}.with(name, value).do(t))
		}
	}
	// Headers that a connection is told to drop, or that are said to be others.
	expectUnauthorized(t, "Connection", nobody.with("Connection", "Authorization").do(t))
	expectUnauthorized(t, "method override", nobody.with("X-Http-Method-Override", "DELETE").do(t))
}

func strangerKey(t *testing.T) any {
	t.Helper()
	return must[any](t)(newRSAKey())
}

func servingOf(t *testing.T) tls.Certificate {
	t.Helper()
	pair, err := world.clients.SignServer("tls-author")
	if err != nil {
		t.Fatal(err)
	}
	return must[tls.Certificate](t)(tls.X509KeyPair(pair.CertPEM, pair.KeyPEM))
}
