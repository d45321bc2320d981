package apigroup

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestPatch(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("echo", func(f *v1alpha1.PulsarFunction) { f.Labels = map[string]string{"team": "blue"} })

	for _, test := range []struct {
		name  string
		kind  types.PatchType
		patch string
		// path of the custom resource must then have the value want.
		path string
		want any
	}{
		{"JSON", types.JSONPatchType,
			`[{"op":"test","path":"/spec/parallelism","value":1},{"op":"replace","path":"/spec/parallelism","value":2}]`, "spec.replicas", int64(2)},
		{"JSON, of a list", types.JSONPatchType,
			`[{"op":"add","path":"/spec/inputs/-","value":"persistent://public/default/in2"}]`,
			"spec.input.topics", []any{"persistent://public/default/in", "persistent://public/default/in2"}},
		{"merge", types.MergePatchType, `{"spec":{"parallelism":3}}`, "spec.replicas", int64(3)},
		{"merge, a label away", types.MergePatchType, `{"metadata":{"labels":{"team":null}}}`, "metadata.labels.team", nil},
		{"merge, a field set", types.MergePatchType, `{"spec":{"logTopic":"persistent://public/default/log"}}`, "spec.logTopic", "persistent://public/default/log"},
		{"merge, a field away", types.MergePatchType, `{"spec":{"logTopic":null}}`, "spec.logTopic", nil},
		{"apply", types.ApplyYAMLPatchType, functionJSON(t, "echo"), "spec.replicas", int64(3)},
	} {
		t.Run(test.name, func(t *testing.T) {
			options := metav1.PatchOptions{FieldManager: "tester"}
			if _, err := s.author.Patch(s.ctx, "echo", test.kind, []byte(test.patch), options); err != nil {
				t.Fatal(err)
			}
			if got := field(s.cr("echo"), strings.Split(test.path, ".")...); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("%s of the custom resource is %v, not %v", test.path, got, test.want)
			}
		})
	}
	// Types without a strategy, such as the tags in the Go type, have none here either.
	t.Run("strategic", func(t *testing.T) {
		patched, err := s.author.Patch(s.ctx, "echo", types.StrategicMergePatchType, []byte(`{"spec":{"parallelism":4}}`), metav1.PatchOptions{})
		if err != nil || *patched.Spec.Parallelism != 4 {
			t.Errorf("the patch: %v, %v", patched, err)
		}
	})
}

func TestPatchAnswers(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("echo")
	before := s.cr("echo").GetResourceVersion()
	patch := func(name string, kind types.PatchType, body string) error {
		_, err := s.author.Patch(s.ctx, name, kind, []byte(body), metav1.PatchOptions{})
		return err
	}
	checkRefusal(t, patch("echo", types.MergePatchType, `{"spec":{"parallelism":0}}`), refusal{
		reason: metav1.StatusReasonInvalid, fields: []string{"spec.parallelism"}, text: "spec.parallelism",
		pulsar: "Function parallelism must be a positive number",
	})
	err := patch("echo", types.MergePatchType, `{"spec":{"tenant":"acme"}}`)
	checkRefusal(t, err, refusal{
		reason: metav1.StatusReasonInvalid, fields: []string{"spec.tenant"}, text: "immutable",
		pulsar: `spec.tenant: Invalid value: "acme": is immutable: delete the function and create another`,
	})
	if err := patch("echo", types.JSONPatchType, `[{"op":"test","path":"/spec/parallelism","value":7}]`); !apierrors.IsInvalid(err) {
		t.Errorf("a JSON patch whose test fails: %v", err)
	}
	if err := patch("absent", types.MergePatchType, `{"spec":{"parallelism":2}}`); !apierrors.IsNotFound(err) {
		t.Errorf("a patch of nothing: %v", err)
	} else {
		noCRNames(t, err)
	}
	stale := fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"spec":{"parallelism":5}}`, before)
	s.check(patch("echo", types.MergePatchType, `{"spec":{"parallelism":2}}`))
	checkRefusal(t, patch("echo", types.MergePatchType, stale), refusal{reason: metav1.StatusReasonConflict, text: "the object has been modified"})
	if got := field(s.cr("echo"), "spec", "replicas"); got != int64(2) {
		t.Errorf("the custom resource has %v replicas", got)
	}
}

// TestConcurrentPatches lets everybody write at once: nothing may be lost.
func TestConcurrentPatches(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("echo")
	const writers, writes = 6, 8
	var group sync.WaitGroup
	errs := make(chan error, 2*writers*writes)
	for writer := range writers {
		group.Go(func() {
			for write := range writes {
				body, err := json.Marshal(map[string]any{"metadata": map[string]any{
					"labels": map[string]string{fmt.Sprintf("writer-%d-%d", writer, write): "here"},
				}})
				if err != nil {
					errs <- err
					return
				}
				_, err = s.author.Patch(s.ctx, "echo", types.MergePatchType, body, metav1.PatchOptions{})
				errs <- err
				// The other side writes as well.
				body = fmt.Appendf(nil, `{"metadata":{"annotations":{"example.org/writer-%d-%d":"here"}}}`, writer, write)
				_, err = s.crs.Patch(s.ctx, "echo", types.MergePatchType, body, metav1.PatchOptions{})
				errs <- err
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	function, cr := s.get("echo"), s.cr("echo")
	for writer := range writers {
		for write := range writes {
			key := fmt.Sprintf("writer-%d-%d", writer, write)
			if function.Labels[key] != "here" || cr.GetLabels()[key] != "here" {
				t.Errorf("label %s is lost", key)
			}
			if function.Annotations["example.org/"+key] != "here" || cr.GetAnnotations()["example.org/"+key] != "here" {
				t.Errorf("annotation %s is lost", key)
			}
		}
	}
}

// TestConcurrentUpdates replaces one object from many sides. With a resource version
// one of each round wins, without one all do.
func TestConcurrentUpdates(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo")
	const writers = 8
	for _, test := range []struct {
		name    string
		version string
		wins    int
	}{
		{"with a resource version", created.ResourceVersion, 1},
		{"without", "", writers},
	} {
		t.Run(test.name, func(t *testing.T) {
			errs := make([]error, writers)
			var group sync.WaitGroup
			for writer := range writers {
				group.Go(func() {
					function := newFunction("echo")
					function.ResourceVersion = test.version
					function.Labels = map[string]string{"writer": fmt.Sprint(writer)}
					_, errs[writer] = s.author.Update(s.ctx, function, metav1.UpdateOptions{})
				})
			}
			group.Wait()
			wins := 0
			for _, err := range errs {
				switch {
				case err == nil:
					wins++
				case !apierrors.IsConflict(err):
					t.Error(err)
				}
			}
			if wins != test.wins {
				t.Errorf("%d of %d updates succeeded, not %d", wins, writers, test.wins)
			}
		})
	}
}
