// Package credentials looks at the Secrets by which functions prove who they are: whether
// they are there and can be used, and whether they have changed since pods started.
package credentials

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/kubernetes"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

const (
	// Again is after what time a credential is looked at again: nothing tells of a
	// change, since Secrets aren't watched.
	Again = time.Minute
	// keptFor is how long an answer counts, for all objects with one Secret.
	keptFor    = 20 * time.Second
	maxAnswers = 16 << 10

	pluginKey     = "clientAuthenticationPlugin"
	parametersKey = "clientAuthenticationParameters"
)

// Reader looks at credentials. Of their content it keeps the keyed hash and the time of
// expiry.
type Reader struct {
	client  kubernetes.Interface
	hashKey []byte
	answers *cache.LRUExpireCache
}

// NewReader returns a reader. Without a key for hashes it makes none.
func NewReader(client kubernetes.Interface, hashKey []byte) *Reader {
	return &Reader{client: client, hashKey: hashKey, answers: cache.NewLRUExpireCache(maxAnswers)}
}

// look is what a look at a Secret told.
type look struct {
	credential status.Credential
	// hash is of the content, empty where it isn't known.
	hash string
}

// Check returns what is known of an object's credential, nil if it has none.
func (r *Reader) Check(ctx context.Context, object *component.Component) *status.Credential {
	if object.Credential == nil {
		return nil
	}
	known := r.look(ctx, object.Namespace, *object.Credential).credential
	return &known
}

func (r *Reader) look(ctx context.Context, namespace string, of component.Credential) look {
	type key struct {
		namespace string
		of        component.Credential
	}
	if known, ok := r.answers.Get(key{namespace, of}); ok {
		return known.(look)
	}
	found := look{credential: status.Credential{Secret: of.Secret, Field: of.Field}}
	secret, err := r.client.CoreV1().Secrets(namespace).Get(ctx, of.Secret, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		found.credential.Missing = true
	case apierrors.IsForbidden(err):
		found.credential.Unchecked = "this server may not read Secrets in the namespace"
	case err != nil:
		found.credential.Unchecked = "it could not be read"
		return found
	case of.Key != "":
		r.ofAccount(secret, of.Key, &found)
	default:
		r.ofToken(secret, &found)
	}
	r.answers.Add(key{namespace, of}, found, keptFor)
	return found
}

// ofAccount looks at the key file of an account.
func (r *Reader) ofAccount(secret *corev1.Secret, key string, found *look) {
	var file map[string]json.RawMessage
	data, has := secret.Data[key]
	switch {
	case !has:
		found.credential.Invalid = "it has no key " + key
	case json.Unmarshal(data, &file) != nil:
		found.credential.Invalid = "key " + key + " is no JSON object"
	}
	found.hash = r.hash(secret, key)
}

// ofToken looks at a Secret that is passed to Pulsar's clients as it is.
func (r *Reader) ofToken(secret *corev1.Secret, found *look) {
	for _, key := range []string{pluginKey, parametersKey} {
		if _, has := secret.Data[key]; !has {
			found.credential.Invalid = "it has no key " + key
		}
	}
	if strings.HasSuffix(string(secret.Data[pluginKey]), ".AuthenticationToken") {
		found.credential.Expires = expiry(strings.TrimPrefix(string(secret.Data[parametersKey]), "token:"))
	}
	found.hash = r.hash(secret, pluginKey, parametersKey)
}

// expiry returns when a token ends, zero if it doesn't say. Its signature is Pulsar's to
// check.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expires float64 `json:"exp"`
	}
	// Later than that is never.
	const latest = 253402300799
	if json.Unmarshal(payload, &claims) != nil || claims.Expires <= 0 || claims.Expires > latest {
		return time.Time{}
	}
	return time.Unix(int64(claims.Expires), 0)
}

// hash returns a keyed hash of some keys of a Secret: without the key nobody can find a
// short secret by trying.
func (r *Reader) hash(secret *corev1.Secret, keys ...string) string {
	if len(r.hashKey) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, r.hashKey)
	part := func(data []byte) {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(data))))
		mac.Write(data)
	}
	part([]byte(secret.Namespace))
	part([]byte(secret.Name))
	for _, key := range keys {
		part([]byte(key))
		part(secret.Data[key])
	}
	return hex.EncodeToString(mac.Sum(nil))
}
