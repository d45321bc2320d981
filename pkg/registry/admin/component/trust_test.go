package component

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// trusting returns a sink that has its brokers verified by what the server keeps for it.
func trusting() *v1alpha1.PulsarSink {
	s := sink()
	s.Spec.TLS = &v1alpha1.TLS{Enabled: true, CertSecretName: translation.TrustSecretName(v1alpha1.SinkKind, s.Name), CertSecretKey: translation.TrustKey}
	return s
}

// A Secret with certificates that somebody else made is nobody's to trust, also where an
// update names it.
func TestCheckTrust(t *testing.T) {
	ctx := genericapirequest.WithNamespace(t.Context(), "default")
	own := metav1.OwnerReference{APIVersion: computev1alpha1.SchemeGroupVersion.String(), Kind: computev1alpha1.SinkKind, Name: "echo", UID: "1"}
	otherKind, otherGroup, otherName := own, own, own
	otherKind.Kind, otherGroup.APIVersion, otherName.Name = computev1alpha1.SourceKind, "v1", "other"
	off := trusting()
	off.Spec.TLS.Enabled = false
	for name, test := range map[string]struct {
		secret    bool
		owners    []metav1.OwnerReference
		component v1alpha1.Component
		before    v1alpha1.Component
		refused   bool
	}{
		"new":                     {false, nil, trusting(), nil, false},
		"new, of a former one":    {true, []metav1.OwnerReference{own}, trusting(), nil, false},
		"new, of nobody":          {true, nil, trusting(), nil, true},
		"new, of another kind":    {true, []metav1.OwnerReference{otherKind}, trusting(), nil, true},
		"new, of another group":   {true, []metav1.OwnerReference{otherGroup}, trusting(), nil, true},
		"new, of another":         {true, []metav1.OwnerReference{otherName}, trusting(), nil, true},
		"without TLS":             {true, nil, off, nil, false},
		"kept":                    {true, []metav1.OwnerReference{own}, trusting(), trusting(), false},
		"switched on":             {true, nil, trusting(), off, true},
		"switched on, of its own": {true, []metav1.OwnerReference{own}, trusting(), off, false},
	} {
		client := fake.NewClientset()
		if test.secret {
			client = fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				Namespace: "default", Name: trusting().Spec.TLS.CertSecretName, OwnerReferences: test.owners,
			}})
		}
		c := &checks{config: Config{Secrets: client}, owner: computev1alpha1.SchemeGroupVersion.WithKind(computev1alpha1.SinkKind)}
		if err := c.checkTrust(ctx, test.component, test.before); (err != nil) != test.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// trustGiver gives every component certificates.
type trustGiver struct{ defaults }

func (trustGiver) server(v1alpha1.Component) v1alpha1.Component { return trusting() }

// Whoever names the Secret in an update needs the right to it.
func TestGivenTrust(t *testing.T) {
	c := &checks{defaults: trustGiver{}}
	for name, test := range map[string]struct {
		before v1alpha1.Component
		given  bool
	}{"new": {nil, true}, "kept": {trusting(), true}, "switched on": {sink(), false}} {
		if given := translation.HasTrustSecret(c.given(trusting(), test.before)); given != test.given {
			t.Errorf("%s: given is %t", name, given)
		}
	}
}

// servesAll is where every namespace serves everything.
type servesAll struct{ Tenancy }

func (servesAll) Serves(context.Context, string, tenancy.PulsarNamespace) (bool, error) {
	return true, nil
}

// An update that switches TLS on is checked as a new component is.
func TestUpdateChecksTrust(t *testing.T) {
	var asked []string
	authorize := authorizer.AuthorizerFunc(func(_ context.Context, attributes authorizer.Attributes) (authorizer.Decision, string, error) {
		asked = append(asked, attributes.GetVerb()+" "+attributes.GetResource()+" "+attributes.GetName())
		return authorizer.DecisionAllow, "", nil
	})
	secret := trusting().Spec.TLS.CertSecretName
	ctx := genericapirequest.WithUser(genericapirequest.WithNamespace(t.Context(), "default"), &user.DefaultInfo{Name: "a"})
	c := &checks{
		config:   Config{Tenancy: servesAll{}, Authorizer: authorize, Secrets: fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: secret}})},
		defaults: trustGiver{}, owner: computev1alpha1.SchemeGroupVersion.WithKind(computev1alpha1.SinkKind),
	}
	off := trusting()
	off.Spec.TLS.Enabled = false
	if err := c.update(ctx, trusting(), off, true); !apierrors.IsConflict(err) {
		t.Errorf("a Secret of somebody else: %v", err)
	}
	bare := sink()
	_ = c.update(ctx, trusting(), bare, true)
	if !slices.Contains(asked, "get secrets "+secret) {
		t.Errorf("asked for the rights %q", asked)
	}
}
