package oauth2

import (
	"testing"

	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// TestReinvoked has admission asked twice for one request, as where a webhook changes the
// object meanwhile, which loses what isn't sent to webhooks.
func TestReinvoked(t *testing.T) {
	for name, test := range map[string]struct {
		asked     *v1alpha1.Auth
		meanwhile func(*v1alpha1.PulsarFunction)
		secret    string
	}{
		"nothing was asked":    {nil, func(*v1alpha1.PulsarFunction) {}, "alice"},
		"the caller's own was": {named(""), func(*v1alpha1.PulsarFunction) {}, "alice"},
		"sent to a webhook":    {nil, func(f *v1alpha1.PulsarFunction) { f.Spec.Auth = named("alice") }, "alice"},
		"a webhook took it":    {nil, func(f *v1alpha1.PulsarFunction) { f.Spec.Auth = nil }, "alice"},
		"a webhook gave other": {nil, func(f *v1alpha1.PulsarFunction) { f.Spec.Auth = named("other") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlugin(secretsOf(account("alice", "alice"), account("other", "other")), nil)
			function := echo(test.asked)
			kind := function.ComponentKind()
			attributes := admission.NewAttributesRecord(function, nil, v1alpha1.SchemeGroupVersion.WithKind(kind.Kind), "n", function.Name,
				v1alpha1.SchemeGroupVersion.WithResource(kind.Resource), "", admission.Create, nil, true, &user.DefaultInfo{Name: "pulsar:alice"})
			if err := p.Admit(t.Context(), attributes, nil); err != nil {
				t.Fatal(err)
			}
			test.meanwhile(function)
			attributes.GetReinvocationContext().SetIsReinvoke()
			err := p.Admit(t.Context(), attributes, nil)
			if test.secret == "" {
				if err == nil {
					t.Error("an account that somebody else named is given")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			auth := function.Spec.Auth
			if auth == nil || auth.OAuth2 == nil || auth.OAuth2.SecretName != test.secret || auth.Resolved == nil || auth.Resolved.Binding.Rule != v1alpha1.CredentialByName {
				t.Errorf("got %+v", auth)
			}
		})
	}
}
