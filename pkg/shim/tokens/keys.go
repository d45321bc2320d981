package tokens

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"gopkg.in/go-jose/go-jose.v2"
	"k8s.io/client-go/util/keyutil"
)

const (
	// minSecret is what Pulsar's library demands of a secret, in bytes.
	minSecret = 32
	minRSA    = 2048
	// dataURL begins what Pulsar's configuration has instead of a file.
	dataURL = "data:;base64,"
)

// key verifies signatures, with algorithms of its own kind only: a public key that
// served as an HMAC secret would let everybody sign.
type key struct {
	algorithms []jose.SignatureAlgorithm
	material   any
}

// parseSecret returns the keys that a secret in a file may stand for. Pulsar takes the
// content as it is, while what its own tool writes with --base64 is decoded by whoever
// configures it; a secret that is base64 text may be meant either way.
func parseSecret(content []byte) ([]key, error) {
	text, isData := bytes.CutPrefix(bytes.TrimSpace(content), []byte(dataURL))
	var candidates [][]byte
	if !isData {
		candidates = append(candidates, content)
	}
	if decoded, err := base64.StdEncoding.DecodeString(string(text)); err == nil {
		candidates = append(candidates, decoded)
	} else if isData {
		return nil, errors.New("what follows " + dataURL + " is not base64")
	}
	var keys []key
	for _, secret := range candidates {
		if len(secret) < minSecret {
			continue
		}
		algorithms := []jose.SignatureAlgorithm{jose.HS256}
		// As in Pulsar, a secret is at least as long as the hash.
		if len(secret) >= 48 {
			algorithms = append(algorithms, jose.HS384)
		}
		if len(secret) >= 64 {
			algorithms = append(algorithms, jose.HS512)
		}
		keys = append(keys, key{algorithms, secret})
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("a secret of less than %d bytes", minSecret)
	}
	return keys, nil
}

// parsePublic returns the public keys in a file: one in DER, as Pulsar's own tool writes
// it, the same in base64, or any number in PEM.
func parsePublic(content []byte) ([]key, error) {
	trimmed := bytes.TrimSpace(content)
	if bytes.HasPrefix(trimmed, []byte("-----BEGIN")) {
		if bytes.Contains(trimmed, []byte("PRIVATE KEY-----")) {
			return nil, errors.New("a private key is nothing that this server should have")
		}
		parsed, err := keyutil.ParsePublicKeysPEM(trimmed)
		if err != nil {
			return nil, fmt.Errorf("could not read public keys in PEM: %w", err)
		}
		return publicKeys(parsed)
	}
	der := content
	if decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimPrefix(trimmed, []byte(dataURL)))); err == nil {
		der = decoded
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("could not read a public key in DER: %w", err)
	}
	return publicKeys([]any{parsed})
}

func publicKeys(parsed []any) ([]key, error) {
	var keys []key
	for _, material := range parsed {
		switch public := material.(type) {
		case *rsa.PublicKey:
			if public.N.BitLen() < minRSA {
				return nil, fmt.Errorf("an RSA key of %d bits: at least %d are needed", public.N.BitLen(), minRSA)
			}
			keys = append(keys, key{[]jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}, public})
		case *ecdsa.PublicKey:
			algorithm, known := map[int]jose.SignatureAlgorithm{256: jose.ES256, 384: jose.ES384, 521: jose.ES512}[public.Curve.Params().BitSize]
			if !known {
				return nil, fmt.Errorf("a key on curve %s, which no algorithm of tokens uses", public.Curve.Params().Name)
			}
			keys = append(keys, key{[]jose.SignatureAlgorithm{algorithm}, public})
		case ed25519.PublicKey:
			return nil, errors.New("an Ed25519 key, which Pulsar's token provider doesn't use")
		default:
			return nil, fmt.Errorf("a %T, which no algorithm of tokens uses", material)
		}
	}
	return keys, nil
}
