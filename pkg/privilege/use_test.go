package privilege

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
)

// nobody owns no credential.
var nobody = credential.Caller{}

// free are the fields whose change uses nothing that a component holds.
var freeToChange = []string{
	"parallelism", "suspend", "minReplicas", "maxReplicas", "showPreciseParallelism",
	"resources.requests", "resources.limits", "resources.claims", "resources.disk",
	"auth.secretName", "auth.oauth2.secretName",
	"pod.tolerations", "pod.terminationGracePeriodSeconds", "pod.nodeSelector", "pod.affinity", "pod.disableDefaultAffinity",
	"pod.liveness.periodSeconds", "pod.liveness.initialDelaySeconds", "pod.liveness.successThreshold", "pod.liveness.failureThreshold",
	"pod.hpa.builtinRules", "pod.hpa.metrics", "pod.hpa.behavior",
	"pod.vpa.updatePolicy.updateMode", "pod.vpa.updatePolicy.minReplicas",
	"pod.vpa.updatePolicy.evictionRequirements.resources", "pod.vpa.updatePolicy.evictionRequirements.changeRequirement",
	"pod.vpa.resourcePolicy.containerPolicies.containerName", "pod.vpa.resourcePolicy.containerPolicies.mode",
	"pod.vpa.resourcePolicy.containerPolicies.minAllowed", "pod.vpa.resourcePolicy.containerPolicies.maxAllowed",
	"pod.vpa.resourcePolicy.containerPolicies.controlledResources", "pod.vpa.resourcePolicy.containerPolicies.controlledValues",
}

// TestEveryFieldCounts changes one field after another of a component that runs as
// somebody else. A field that is new is in the list of TestEveryField, or fails there;
// here it counts unless somebody decides otherwise.
func TestEveryFieldCounts(t *testing.T) {
	seen := map[string]bool{}
	for _, empty := range []v1alpha1.Component{&v1alpha1.PulsarFunction{}, &v1alpha1.PulsarSource{}, &v1alpha1.PulsarSink{}} {
		for _, leaf := range leaves(reflect.ValueOf(empty).Elem().FieldByName("Spec").Type(), "") {
			seen[leaf.path] = true
			t.Run(empty.ComponentKind().Title+"/"+leaf.path, func(t *testing.T) {
				before := empty.DeepCopyObject().(v1alpha1.Component)
				before.SetName("echo")
				after := before.DeepCopyObject().(v1alpha1.Component)
				leaf.set(reflect.ValueOf(after).Elem().FieldByName("Spec"))
				if after.Common().Auth == nil {
					for _, component := range []v1alpha1.Component{before, after} {
						component.Common().Auth = aliceAccount()
					}
				}
				uses := slices.ContainsFunc(Required(after, before, bob), func(right Right) bool { return right.Name == "alice" && right.Changed != "" })
				if free := slices.Contains(freeToChange, leaf.path); uses == free {
					t.Errorf("it uses the account: %t", uses)
				}
				for _, right := range Required(after, before, alice) {
					if right.Name == "alice" {
						t.Errorf("whose account it is needs %+v", right)
					}
				}
			})
		}
	}
	for _, path := range freeToChange {
		if !seen[path] {
			t.Errorf("there is no field %s", path)
		}
	}
}

var (
	alice = credential.Caller{User: "pulsar:alice", Role: "alice"}
	bob   = credential.Caller{User: "pulsar:bob", Role: "bob"}
)

func aliceAccount() *v1alpha1.Auth {
	return &v1alpha1.Auth{
		OAuth2: &v1alpha1.OAuth2{SecretName: "alice"},
		Bound:  &v1alpha1.CredentialBinding{SecretName: "alice", User: alice.User, Role: alice.Role, Rule: v1alpha1.CredentialByName},
	}
}

func TestUse(t *testing.T) {
	fromSecret := func(name string) []corev1.EnvVar {
		return []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "auth.json"}}}}
	}
	resolved := func(secret string, caller credential.Caller) *v1alpha1.Auth {
		return &v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{SecretName: secret}, Resolved: &v1alpha1.ResolvedCredential{
			Binding: v1alpha1.CredentialBinding{SecretName: secret, User: caller.User, Role: caller.Role, Rule: v1alpha1.CredentialByName}}}
	}
	const account = "get secrets alice (spec.auth.oauth2.secretName)"
	large := func(number string) *v1alpha1.PulsarFunction {
		f := &v1alpha1.PulsarFunction{}
		f.Spec.Auth, f.Spec.UserConfig = aliceAccount(), &runtime.RawExtension{Raw: []byte(`{"n":` + number + `}`)}
		return f
	}
	if rights := Required(large("9007199254740993"), large("9007199254740992"), bob); len(rights) != 1 {
		t.Errorf("another large number needs %v", texts(rights))
	}
	for name, test := range map[string]struct {
		caller credential.Caller
		before func(*v1alpha1.ComponentSpec)
		after  func(*v1alpha1.ComponentSpec)
		want   []string
	}{
		"other code":          {bob, nil, func(s *v1alpha1.ComponentSpec) { s.ClassName = "evil.Code" }, []string{account}},
		"other code, scaled":  {bob, nil, func(s *v1alpha1.ComponentSpec) { s.ClassName, s.Parallelism = "evil.Code", ptr.To[int32](3) }, []string{account}},
		"own code":            {alice, nil, func(s *v1alpha1.ComponentSpec) { s.ClassName = "better.Code" }, nil},
		"another broker":      {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Cluster = "evil" }, []string{account}},
		"another authority":   {bob, nil, func(s *v1alpha1.ComponentSpec) { s.TLS = &v1alpha1.TLS{AllowInsecure: true} }, []string{account}},
		"scaled":              {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Parallelism = ptr.To[int32](3) }, nil},
		"stopped":             {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Suspend = true }, nil},
		"larger":              {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Resources = &v1alpha1.Resources{} }, nil},
		"elsewhere":           {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Pod = &v1alpha1.Pod{NodeSelector: map[string]string{"a": "b"}} }, nil},
		"read by the code":    {alice, nil, func(s *v1alpha1.ComponentSpec) { s.Pod = &v1alpha1.Pod{Env: fromSecret("alice")} }, []string{"get secrets alice (spec.pod.env[A].valueFrom.secretKeyRef)"}},
		"another's account":   {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Auth.OAuth2.SecretName = "carol" }, []string{"get secrets carol (spec.auth.oauth2.secretName)"}},
		"rebound":             {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Auth = resolved("bob", bob) }, nil},
		"rebound, other code": {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Auth, s.ClassName = resolved("bob", bob), "bobs.Code" }, nil},
		"for somebody else":   {bob, nil, func(s *v1alpha1.ComponentSpec) { s.Auth = resolved("carol", alice) }, []string{"get secrets carol (spec.auth.oauth2.secretName)"}},
		"forged by the writer": {bob, nil, func(s *v1alpha1.ComponentSpec) {
			s.ClassName, s.Auth.Bound = "evil.Code", resolved("alice", bob).Resolved.Binding.DeepCopy()
		}, []string{account}},
		"one more Secret": {alice, func(s *v1alpha1.ComponentSpec) {
			s.Secrets = map[string]v1alpha1.SecretRef{"P": {Path: "db", Key: "k"}}
		},
			func(s *v1alpha1.ComponentSpec) { s.ClassName = "evil.Code" }, []string{"get secrets db (spec.secrets[P])"}},
		"a service account": {alice, func(s *v1alpha1.ComponentSpec) { s.Pod = &v1alpha1.Pod{ServiceAccountName: "builder"} },
			func(s *v1alpha1.ComponentSpec) { s.ClassName = "evil.Code" }, []string{"use serviceaccounts builder (spec.pod.serviceAccountName)"}},
		"unbound": {alice, func(s *v1alpha1.ComponentSpec) { s.Auth.Bound = nil },
			func(s *v1alpha1.ComponentSpec) { s.ClassName = "other.Code" }, []string{account}},
	} {
		t.Run(name, func(t *testing.T) {
			before := function(v1alpha1.Pod{})
			before.Spec.Pod, before.Spec.Auth = nil, aliceAccount()
			if test.before != nil {
				test.before(&before.Spec.ComponentSpec)
			}
			after := before.DeepCopy()
			// No client sends it.
			after.Spec.Auth.Bound = nil
			test.after(&after.Spec.ComponentSpec)
			if got := texts(Required(after, before, test.caller)); !slices.Equal(got, test.want) {
				t.Errorf("it needs %s, not %s", strings.Join(got, ", "), strings.Join(test.want, ", "))
			}
		})
	}
}

// TestUseOfDefaults has a function that holds what the server gives every function: that
// isn't anybody's to use.
func TestUseOfDefaults(t *testing.T) {
	given := function(v1alpha1.Pod{ServiceAccountName: "runner"})
	before := function(v1alpha1.Pod{ServiceAccountName: "runner"})
	after := before.DeepCopy()
	after.Spec.ClassName = "other.Code"
	if rights := RequiredBeyond(given, after, before, nobody); len(rights) != 0 {
		t.Errorf("it needs %q", texts(rights))
	}
	if rights := RequiredBeyond(nil, after, before, nobody); len(rights) != 1 {
		t.Errorf("without a default it needs %q", texts(rights))
	}
}

// TestSecretOfVariablesCounts changes nothing but the Secret of the credential, every key
// of which becomes a variable: that can be where Pulsar is, and what is run.
func TestSecretOfVariablesCounts(t *testing.T) {
	before := &v1alpha1.PulsarFunction{}
	before.SetName("echo")
	before.Spec.Pod = &v1alpha1.Pod{ServiceAccountName: "builder"}
	before.Spec.Secrets = map[string]v1alpha1.SecretRef{"PASSWORD": {Path: "database", Key: "password"}}
	after := before.DeepCopy()
	after.Spec.Auth = &v1alpha1.Auth{SecretName: "mine"}
	has := func(component v1alpha1.Component, name string) bool {
		return slices.ContainsFunc(Required(component, before, bob), func(right Right) bool { return right.Name == name })
	}
	for _, name := range []string{"mine", "builder", "database"} {
		if !has(after, name) {
			t.Errorf("no right to %s is asked for", name)
		}
	}
	// The server's own Secret of a token holds nothing else.
	token := after.DeepCopy()
	token.Spec.Auth.Resolved = &v1alpha1.ResolvedCredential{Binding: v1alpha1.CredentialBinding{SecretName: "mine", Rule: v1alpha1.CredentialToken}}
	if has(token, "builder") || has(token, "database") {
		t.Error("a token that is handed over counts as a use of other credentials")
	}
	// One that stays is no change.
	before.Spec.Auth = &v1alpha1.Auth{SecretName: "mine"}
	if has(after, "builder") || has(after, "mine") {
		t.Error("what stays counts as a change")
	}
}
