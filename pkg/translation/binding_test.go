package translation

import (
	"testing"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func resolved(secret string) *adminv1alpha1.ResolvedCredential {
	return &adminv1alpha1.ResolvedCredential{
		Binding:   adminv1alpha1.CredentialBinding{SecretName: secret, User: "pulsar:alice", Role: "alice", Rule: adminv1alpha1.CredentialByName},
		IssuerURL: "https://issuer", Audience: "pulsar", Key: "auth.json", SecretVersion: "7",
	}
}

// An account is written as a whole by who resolved it, and left alone by everybody
// else. Taking it away leaves other ways to prove who one is.
func TestAccount(t *testing.T) {
	kind := testedKinds()[0]
	raw := toJSONMap(javaFunction())
	raw["spec"].(map[string]any)["pulsar"] = object("pulsarConfig", "c", "authConfig", object(
		"genericAuth", object("clientAuthenticationPlugin", "p"),
		"oauth2Config", object("audience", "a", "issuerUrl", "i", "scope", "o", "keySecretName", "s", "keySecretKey", "k")))
	for _, step := range []struct {
		name string
		auth func(*adminv1alpha1.Auth) *adminv1alpha1.Auth
		want any
	}{
		{"as a client sends it", func(*adminv1alpha1.Auth) *adminv1alpha1.Auth {
			return &adminv1alpha1.Auth{OAuth2: &adminv1alpha1.OAuth2{SecretName: "s"}}
		}, object("audience", "a", "issuerUrl", "i", "scope", "o", "keySecretName", "s", "keySecretKey", "k")},
		{"another", func(auth *adminv1alpha1.Auth) *adminv1alpha1.Auth {
			auth.OAuth2.SecretName, auth.Resolved = "t", resolved("t")
			return auth
		}, object("audience", "pulsar", "issuerUrl", "https://issuer", "scope", "", "keySecretName", "t", "keySecretKey", "auth.json")},
		{"none", func(*adminv1alpha1.Auth) *adminv1alpha1.Auth { return nil }, nil},
	} {
		view := mustTranslate(t, kind, raw)
		view.Common().Auth = step.auth(view.Common().Auth)
		if _, err := updateOf(kind, raw, view); err != nil {
			t.Fatal(err)
		}
		want := object("genericAuth", object("clientAuthenticationPlugin", "p"))
		if step.want != nil {
			want["oauth2Config"] = step.want
		}
		assertSame(t, step.name, want, member(raw, []string{"spec", "pulsar", "authConfig"}))
	}
}

// A binding is kept by whoever knows nothing of it, and counts for its Secret alone.
func TestBinding(t *testing.T) {
	kind := testedKinds()[0]
	raw := toJSONMap(javaFunction())
	view := mustTranslate(t, kind, raw)
	view.Common().Auth = &adminv1alpha1.Auth{OAuth2: &adminv1alpha1.OAuth2{SecretName: "alice"}, Resolved: resolved("alice")}
	if _, err := updateOf(kind, raw, view); err != nil {
		t.Fatal(err)
	}
	bound := func() *adminv1alpha1.CredentialBinding { return mustTranslate(t, kind, raw).Common().Auth.Bound }
	want := resolved("alice").Binding
	assertSame(t, "binding", &want, bound())
	view = mustTranslate(t, kind, raw)
	view.Common().Auth.Bound = nil
	view.Common().ClassName = "a.Other"
	if _, ok := view.GetAnnotations()[CredentialBindingAnnotation]; ok {
		t.Error("the view shows the annotation")
	}
	view.SetAnnotations(map[string]string{CredentialBindingAnnotation: `{"version":1,"secretName":"alice","user":"mallory","rule":"name"}`})
	if _, err := updateOf(kind, raw, view); err != nil {
		t.Fatal(err)
	}
	assertSame(t, "binding after an update", &want, bound())
	spec := raw["spec"].(map[string]any)["pulsar"].(map[string]any)["authConfig"].(map[string]any)["oauth2Config"].(map[string]any)
	spec["keySecretName"] = "bob"
	if got := bound(); got != nil {
		t.Errorf("the binding of another Secret counts: %+v", got)
	}
	spec["keySecretName"] = "alice"
	for _, broken := range []string{"{", `{"version":2,"secretName":"alice","user":"a"}`, `{"version":1,"secretName":"alice"}`} {
		raw["metadata"].(map[string]any)["annotations"].(map[string]any)[CredentialBindingAnnotation] = broken
		if got := bound(); got != nil {
			t.Errorf("%s counts: %+v", broken, got)
		}
	}
}
