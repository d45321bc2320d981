package revision

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	kjson "sigs.k8s.io/json"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// function returns a function with something of everything that matters here.
func function(change func(*v1alpha1.PulsarFunction)) *v1alpha1.PulsarFunction {
	function := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: "f", Labels: map[string]string{"a": "b"}}}
	spec := &function.Spec
	spec.ClassName, spec.Package = "org.example.F", &v1alpha1.Package{Location: "function://t/n/f@1"}
	spec.Parallelism, spec.Auth = ptr.To(int32(2)), &v1alpha1.Auth{SecretName: "mine"}
	spec.UserConfig = &runtime.RawExtension{Raw: []byte(`{"n":9007199254740993}`)}
	if change != nil {
		change(function)
	}
	return function
}

func contentOf(t *testing.T, component v1alpha1.Component) string {
	t.Helper()
	content, err := Of(component)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestOf says what makes a revision and what doesn't.
func TestOf(t *testing.T) {
	was := contentOf(t, function(nil))
	for what, test := range map[string]struct {
		change func(*v1alpha1.PulsarFunction)
		same   bool
	}{
		"parallelism": {func(f *v1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr.To(int32(3)) }, true},
		"suspend":     {func(f *v1alpha1.PulsarFunction) { f.Spec.Suspend = true }, true},
		"autoscaling": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.MinReplicas, f.Spec.MaxReplicas = ptr.To(int32(1)), ptr.To(int32(9))
		}, true},
		"its rules": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.Pod = &v1alpha1.Pod{HPA: &v1alpha1.HorizontalPodAutoscaling{}}
		}, true},
		"credential":    {func(f *v1alpha1.PulsarFunction) { f.Spec.Auth = &v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{}} }, true},
		"labels":        {func(f *v1alpha1.PulsarFunction) { f.Labels = nil }, true},
		"status":        {func(f *v1alpha1.PulsarFunction) { f.Status.Phase = "Ready" }, true},
		"who it was":    {func(f *v1alpha1.PulsarFunction) { f.Spec.Change = &v1alpha1.SpecChange{User: "u"} }, true},
		"code":          {func(f *v1alpha1.PulsarFunction) { f.Spec.Package.Location = "function://t/n/f@2" }, false},
		"configuration": {func(f *v1alpha1.PulsarFunction) { f.Spec.UserConfig.Raw = []byte(`{"n":9007199254740992}`) }, false},
		"account":       {func(f *v1alpha1.PulsarFunction) { f.Spec.Pod = &v1alpha1.Pod{ServiceAccountName: "a"} }, false},
	} {
		if got := contentOf(t, function(test.change)); (got == was) != test.same {
			t.Errorf("another %s is %s", what, got)
		}
	}
	if strings.Contains(was, "mine") {
		t.Errorf("the credential is in %s", was)
	}
}

// TestRestore restores all that a revision holds, and nothing else.
func TestRestore(t *testing.T) {
	former := function(func(f *v1alpha1.PulsarFunction) { f.Spec.Pod = &v1alpha1.Pod{ServiceAccountName: "a"} })
	now := function(func(f *v1alpha1.PulsarFunction) {
		f.Spec.ClassName, f.Spec.Java, f.Spec.LogTopic = "org.example.G", &v1alpha1.JavaRuntime{}, "log"
		f.Spec.Parallelism, f.Spec.Suspend, f.Spec.MaxReplicas = ptr.To(int32(7)), true, ptr.To(int32(9))
		f.Spec.Pod = &v1alpha1.Pod{HPA: &v1alpha1.HorizontalPodAutoscaling{}}
		f.Spec.Auth, f.Labels = &v1alpha1.Auth{SecretName: "now"}, map[string]string{"now": "here"}
		f.Status.Phase = "Ready"
	})
	want := now.DeepCopy()
	want.Spec.ClassName, want.Spec.Java, want.Spec.LogTopic = former.Spec.ClassName, nil, ""
	want.Spec.Pod = &v1alpha1.Pod{ServiceAccountName: "a", HPA: &v1alpha1.HorizontalPodAutoscaling{}}
	if err := Restore(now, []byte(contentOf(t, former))); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(now, want) {
		t.Errorf("got %+v, not %+v", now.Spec, want.Spec)
	}
	if contentOf(t, now) != contentOf(t, former) {
		t.Error("what was restored is another revision")
	}
}

// TestRestoreRefuses what wasn't written by this version of this server for the kind.
func TestRestoreRefuses(t *testing.T) {
	for _, content := range []string{
		``, `{`, `{"spec":{}}`,
		`{"version":"admin.functionmesh.io/v1alpha1","component":"PulsarSink","spec":{}}`,
		`{"version":"admin.functionmesh.io/v1","component":"PulsarFunction","spec":{}}`,
		`{"version":"admin.functionmesh.io/v1alpha1","component":"PulsarFunction","spec":{"unheardOf":1}}`,
		`{"version":"admin.functionmesh.io/v1alpha1","component":"PulsarFunction","spec":{"parallelism":"x"}}`,
	} {
		was := function(nil)
		if err := Restore(was, []byte(content)); err == nil || !reflect.DeepEqual(was, function(nil)) {
			t.Errorf("%s: %v", content, err)
		}
	}
}

// TestVerify takes nothing but what a resource's record names.
func TestVerify(t *testing.T) {
	content := []byte(`{"spec":{}}`)
	found := func(owner types.UID, data string) *appsv1.ControllerRevision {
		return &appsv1.ControllerRevision{
			ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{UID: owner, Controller: ptr.To(owner != "nobody")}}},
			Data:       runtime.RawExtension{Raw: []byte(data)},
		}
	}
	if data, ok := Verify(found("u", string(content)), "u", Hash(content)); !ok || string(data) != string(content) {
		t.Error("a revision isn't taken")
	}
	if _, ok := Verify(found("nobody", string(content)), "nobody", Hash(content)); ok {
		t.Error("one that nobody controls is taken")
	}
	if _, ok := Verify(found("u", string(content)), "v", Hash(content)); ok {
		t.Error("one of another resource is taken")
	}
	if _, ok := Verify(found("u", `{"spec":{"a":1}}`), "u", Hash(content)); ok {
		t.Error("one with another content is taken")
	}
}

// TestName is one name for each content of each resource, and always one.
func TestName(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{
		Name("f", "function", "u", "1"), Name("f", "function", "u", "2"), Name("f", "function", "v", "1"),
		Name("f", "sink", "u", "1"), Name(strings.Repeat("a", 253), "function", "u", "1"), Name(strings.Repeat("a.", 126), "function", "u", "1"),
	} {
		if len(name) > 253 || seen[name] || strings.Contains(name, ".-") {
			t.Errorf("the name is %s", name)
		}
		seen[name] = true
	}
}

func TestRecorded(t *testing.T) {
	entries := []Entry{{1, "a"}, {4, "b"}}
	text, err := Record(entries)
	if err != nil {
		t.Fatal(err)
	}
	if got := Recorded(map[string]string{RecordAnnotation: text}); !reflect.DeepEqual(got, entries) {
		t.Errorf("got %v", got)
	}
	for _, text := range []string{"", "{", `{"version":2,"revisions":[{"revision":1,"hash":"a"}]}`} {
		if got := Recorded(map[string]string{RecordAnnotation: text}); got != nil {
			t.Errorf("%s has %v", text, got)
		}
	}
}

// TestSorted has members in the order in which kube-apiserver writes them, in all objects.
func TestSorted(t *testing.T) {
	was := function(nil)
	was.Spec.Tenant, was.Spec.ClassName = "t", "c"
	content, err := Of(was)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(content, &value); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(content) {
		t.Errorf("got %s, not %s", content, again)
	}
}

// TestDigestOf has the digest of code written as elsewhere, where it can be told.
func TestDigestOf(t *testing.T) {
	digest := strings.Repeat("0123456789abcdef", 4)
	for location, want := range map[string]string{
		"function://t/n/f@sha256-" + digest:              digest,
		"sink://t/n/f@sha256-" + strings.ToUpper(digest): digest,
		"function://t/n/f@1.0":                           "",
		"function://t/n/f":                               "",
		"https://example.com/f.jar@sha256-" + digest:     "",
		"builtin://f":                                    "",
	} {
		if got := DigestOf(location); got != want {
			t.Errorf("%s has the digest %q, not %q", location, got, want)
		}
	}
}
