package credentials

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
)

const annotation = "admin.functionmesh.io/credential-hash"

func secret(data map[string]string) *corev1.Secret {
	made := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "s"}, Data: map[string][]byte{}}
	for key, value := range data {
		made.Data[key] = []byte(value)
	}
	return made
}

func token(claims string) string {
	return "h." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".s"
}

func TestExpiry(t *testing.T) {
	for text, want := range map[string]int64{
		token(`{"exp":1700000000}`): 1700000000, token(`{"exp":1700000000.5}`): 1700000000,
		token(`{}`): 0, token(`{"exp":-1}`): 0, token(`{"exp":1e300}`): 0, token(`{"exp":"x"}`): 0, "a.b.c": 0, "a.b": 0, "": 0, token(`[`): 0,
	} {
		got := expiry(text)
		if want == 0 && !got.IsZero() || want != 0 && got.Unix() != want {
			t.Errorf("%s ends at %v", text, got)
		}
	}
}

func TestLooks(t *testing.T) {
	r := NewReader(nil, []byte("key"))
	const plugin = "org.apache.pulsar.client.impl.auth.AuthenticationToken"
	for name, test := range map[string]struct {
		data    map[string]string
		account bool
		invalid string
		expires bool
	}{
		"account":        {map[string]string{"auth.json": `{"client_secret":"x"}`}, true, "", false},
		"no key file":    {map[string]string{"other": "{}"}, true, "it has no key auth.json", false},
		"no JSON":        {map[string]string{"auth.json": "s3cr3t"}, true, "key auth.json is no JSON object", false},
		"token":          {map[string]string{pluginKey: plugin, parametersKey: "token:" + token(`{"exp":1700000000}`)}, false, "", true},
		"raw token":      {map[string]string{pluginKey: plugin, parametersKey: token(`{"exp":1700000000}`)}, false, "", true},
		"other plugin":   {map[string]string{pluginKey: "x", parametersKey: token(`{"exp":1700000000}`)}, false, "", false},
		"half of it":     {map[string]string{pluginKey: plugin}, false, "it has no key " + parametersKey, false},
		"nothing at all": {nil, false, "it has no key " + parametersKey, false},
	} {
		var found look
		if test.account {
			r.ofAccount(secret(test.data), "auth.json", &found)
		} else {
			r.ofToken(secret(test.data), &found)
		}
		if found.credential.Invalid != test.invalid || found.credential.Expires.IsZero() == test.expires || found.hash == "" {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// TestHash depends on the key and on what is hashed, and tells neither.
func TestHash(t *testing.T) {
	one, other := NewReader(nil, []byte("one")), NewReader(nil, []byte("other"))
	seen := map[string]string{}
	note := func(what, hash string) {
		if before, known := seen[hash]; known || hash == "" {
			t.Errorf("the hash of %s is that of %s: %q", what, before, hash)
		}
		seen[hash] = what
	}
	note("a content", one.hash(secret(map[string]string{"a": "b", "c": "d"}), "a", "c"))
	note("another content", one.hash(secret(map[string]string{"a": "x", "c": "d"}), "a", "c"))
	note("parts moved", one.hash(secret(map[string]string{"a": "bc", "c": ""}), "a", "c"))
	note("another key", other.hash(secret(map[string]string{"a": "b", "c": "d"}), "a", "c"))
	elsewhere := secret(map[string]string{"a": "b", "c": "d"})
	elsewhere.Name = "t"
	note("another Secret", one.hash(elsewhere, "a", "c"))
	if same := one.hash(secret(map[string]string{"a": "b", "c": "d", "more": "x"}), "a", "c"); seen[same] != "a content" {
		t.Error("a key that nobody reads changes the hash")
	}
	if hash := NewReader(nil, nil).hash(secret(nil), "a"); hash != "" {
		t.Errorf("without a key there is hash %q", hash)
	}
}

func TestPatchFor(t *testing.T) {
	pods := map[string]any{"pod": map[string]any{"annotations": map[string]any{annotation: "2"}}}
	noted := map[string]any{annotation: "s:2"}
	for name, test := range map[string]struct {
		noted string
		want  *work.Patch
	}{
		"the first one":  {"", &work.Patch{Annotations: noted}},
		"the same":       {"s:2", nil},
		"changed":        {"s:1", &work.Patch{Annotations: noted, Spec: pods}},
		"another Secret": {"t:1", &work.Patch{Annotations: noted}},
	} {
		if got := patchFor(test.noted, "s", "2"); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestNoSecretInTexts(t *testing.T) {
	r := NewReader(nil, []byte("key"))
	var found look
	r.ofAccount(secret(map[string]string{"auth.json": `{"client_secret":"s3cr3t"`}), "auth.json", &found)
	if text := fmt.Sprintf("%+v", found); strings.Contains(text, "s3cr3t") {
		t.Errorf("it tells %s", text)
	}
}
