package apigroup

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestPatch(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.create("echo", "metadata: {labels: {team: blue}}")
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
			{"merge", types.MergePatchType, `{"spec":{"parallelism":3}}`, "spec.replicas", int64(3)},
			{"merge, a label away", types.MergePatchType, `{"metadata":{"labels":{"team":null}}}`, "metadata.labels.team", nil},
			{"merge, a field set", types.MergePatchType, `{"spec":{"logTopic":"persistent://public/default/log"}}`, "spec.logTopic", "persistent://public/default/log"},
			{"merge, a field away", types.MergePatchType, `{"spec":{"logTopic":null}}`, "spec.logTopic", nil},
			{"merge, an element", types.MergePatchType, `{"spec":{"pod":{"env":[{"name":"A","value":"1"}]}}}`,
				"spec.pod.env", []any{map[string]any{"name": "A", "value": "1"}}},
			{"JSON, of a list", types.JSONPatchType, `[{"op":"add","path":"/spec/pod/env/-","value":{"name":"B","value":"2"}}]`,
				"spec.pod.env", []any{map[string]any{"name": "A", "value": "1"}, map[string]any{"name": "B", "value": "2"}}},
			{"apply", types.ApplyYAMLPatchType, text(t, k.object("echo", "")), "spec.replicas", int64(3)},
			// Types without a strategy, such as the tags in the Go type, have none here either.
			{"strategic", types.StrategicMergePatchType, `{"spec":{"parallelism":4}}`, "spec.replicas", int64(4)},
		} {
			t.Run(test.name, func(t *testing.T) {
				options := metav1.PatchOptions{FieldManager: "tester"}
				if _, err := k.views.Patch(k.ctx, "echo", test.kind, []byte(test.patch), options); err != nil {
					t.Fatal(err)
				}
				if got := member(k.behind("echo"), test.path); !sameJSON(t, got, test.want) {
					t.Errorf("%s of the custom resource is %v, not %v", test.path, got, test.want)
				}
			})
		}
	})
}

func TestPatchAnswers(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.create("echo", "")
		before := k.behind("echo").GetResourceVersion()
		patch := func(name string, kind types.PatchType, body string) error {
			_, err := k.views.Patch(k.ctx, name, kind, []byte(body), metav1.PatchOptions{})
			return err
		}
		checkRefusal(t, patch("echo", types.MergePatchType, `{"spec":{"parallelism":0}}`), refusal{
			reason: metav1.StatusReasonInvalid, fields: []string{"spec.parallelism"}, text: "spec.parallelism",
			pulsar: k.kind.Title + " parallelism must be a positive number",
		})
		err := patch("echo", types.MergePatchType, `{"spec":{"tenant":"acme"}}`)
		checkRefusal(t, err, refusal{
			reason: metav1.StatusReasonInvalid, fields: []string{"spec.tenant"}, text: "immutable",
			pulsar: `spec.tenant: Invalid value: "acme": is immutable: delete the ` + k.kind.Type + ` and create another`,
		})
		if err := patch("echo", types.JSONPatchType, `[{"op":"test","path":"/spec/parallelism","value":7}]`); !apierrors.IsInvalid(err) {
			t.Errorf("a JSON patch whose test fails: %v", err)
		}
		checkRefusal(t, patch("absent", types.MergePatchType, `{"spec":{"parallelism":2}}`), k.notFound("absent"))
		stale := fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"spec":{"parallelism":5}}`, before)
		k.check(patch("echo", types.MergePatchType, `{"spec":{"parallelism":2}}`))
		checkRefusal(t, patch("echo", types.MergePatchType, stale), modified)
		if got := member(k.behind("echo"), "spec.replicas"); got != int64(2) {
			t.Errorf("the custom resource has %v replicas", got)
		}
	})
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
