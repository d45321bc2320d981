package pulsarclients

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// hostileRounds is how often each race is run.
const hostileRounds = 8

// putting returns a function that sends an update and keeps its answer.
func putting(t *testing.T, name identity.Name, update string, into *answer) func() {
	t.Helper()
	body, contentType := encodeForm(t, config(update))
	return func() {
		got, err := rest().try(t, http.MethodPut, functionPath(name), contentType, body)
		if err != nil {
			t.Error(err)
		}
		*into = got
	}
}

// patching returns a function that patches an object as kubectl does, and keeps the error.
func patching(t *testing.T, name identity.Name, patch string, into *error) func() {
	t.Helper()
	return func() {
		_, *into = world.views.Patch(t.Context(), name.ObjectName(), types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	}
}

// expectLanded checks that an update landed or that its caller was told to try again,
// and says which.
func expectLanded(t *testing.T, what string, got answer) bool {
	t.Helper()
	if got.code == http.StatusNoContent {
		return true
	}
	refused := got.code == http.StatusConflict || got.code == http.StatusTooManyRequests
	if !refused || !strings.Contains(got.reason, "Please try again") {
		t.Errorf("%s: %s", what, got)
	}
	return false
}

// TestSameMemberAtOnce lets updates of one member race: it ends as one of those that
// landed said.
func TestSameMemberAtOnce(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "hostile", Namespace: "same", Name: "f"}
	someFunction(t, name)
	for round := range hostileRounds {
		answers, functions, values := make([]answer, 4), []func(){}, []string{}
		for i := range answers {
			values = append(values, fmt.Sprintf("r%d-%d", round, i))
			functions = append(functions, putting(t, name, `{"userConfig":{"by":"`+values[i]+`"},"logTopic":"`+values[i]+`"}`, &answers[i]))
		}
		atOnce(functions...)
		landed := []string{}
		for i, got := range answers {
			if expectLanded(t, values[i], got) {
				landed = append(landed, values[i])
			}
		}
		seen := rest().read(t, name)
		topic, _ := seen["logTopic"].(string)
		if !slices.Contains(landed, topic) {
			t.Errorf("the topic is %q, none of %v, which landed", topic, landed)
		}
		expectFields(t, "of one update both members", seen, map[string]any{"userConfig.by": topic})
	}
}

// TestUpdateAgainstStopAndScale lets updates race a stop, a resumption and a scaling:
// none undoes another.
func TestUpdateAgainstStopAndScale(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "hostile", Namespace: "scale", Name: "f"}
	someFunction(t, name)
	for round := range hostileRounds {
		var updated answer
		var patched, scaled error
		value := fmt.Sprintf("r%d", round)
		suspend := round%2 == 0
		atOnce(
			putting(t, name, `{"logTopic":"`+value+`"}`, &updated),
			patching(t, name, fmt.Sprintf(`{"spec":{"suspend":%t}}`, suspend), &patched),
		)
		expectLanded(t, "update against a stop", updated)
		if patched != nil {
			t.Error(patched)
		}
		seen := view(t, name)
		if seen.Spec.Suspend != suspend || updated.code == http.StatusNoContent && seen.Spec.LogTopic != value {
			t.Errorf("in round %d suspend is %t and the topic %s", round, seen.Spec.Suspend, seen.Spec.LogTopic)
		}
		if suspend {
			continue
		}
		replicas := 2 + round
		scale := fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)
		atOnce(
			putting(t, name, `{"className":"org.example.`+value+`"}`, &updated),
			func() {
				_, stderr, err := kubectl(t, "", "patch", "pulsarfunction", name.ObjectName(), "--subresource=scale", "--type=merge", "-p", scale)
				if err != nil {
					scaled = fmt.Errorf("%w: %s", err, stderr)
				}
			},
		)
		expectLanded(t, "update against a scaling", updated)
		seen = view(t, name)
		if scaled != nil || *seen.Spec.Parallelism != int32(replicas) || updated.code == http.StatusNoContent && seen.Spec.ClassName != "org.example."+value {
			t.Errorf("in round %d (%v) parallelism is %d and the class %s", round, scaled, *seen.Spec.Parallelism, seen.Spec.ClassName)
		}
	}
	// Other members of what an autoscaler has scaled leave the number alone.
	before := *view(t, name).Spec.Parallelism
	expectOK(t, "update", rest().update(t, name, config(`{"maxMessageRetries":3}`)))
	if got := *view(t, name).Spec.Parallelism; got != before {
		t.Errorf("an update of something else scaled from %d to %d", before, got)
	}
	// A number of instances that is said counts, as in Pulsar, until the autoscaler's next.
	expectOK(t, "update", rest().update(t, name, config(`{"parallelism":1}`)))
	expectFields(t, "get", rest().read(t, name), map[string]any{"parallelism": 1, "maxMessageRetries": 3})
}

// TestUpdateAgainstApply lets updates race a server-side apply of other fields.
func TestUpdateAgainstApply(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "hostile", Namespace: "apply", Name: "f"}
	someFunction(t, name)
	for round := range hostileRounds {
		var updated answer
		var applied error
		value := fmt.Sprintf("r%d", round)
		manifest := fmt.Sprintf(`{"apiVersion":"admin.functionmesh.io/v1alpha1","kind":"PulsarFunction","metadata":{"name":%q,"labels":{"by":%q}},`+
			`"spec":{"pod":{"nodeSelector":{"zone":%q}}}}`, name.ObjectName(), value, value)
		atOnce(
			putting(t, name, `{"userConfig":{"by":"`+value+`"}}`, &updated),
			func() {
				_, applied = world.views.Patch(t.Context(), name.ObjectName(), types.ApplyPatchType, []byte(manifest),
					metav1.PatchOptions{FieldManager: "gitops", Force: ptr.To(true)})
			},
		)
		landed := expectLanded(t, "update against an apply", updated)
		seen := view(t, name)
		if applied != nil || seen.Labels["by"] != value || seen.Spec.Pod == nil || seen.Spec.Pod.NodeSelector["zone"] != value {
			t.Errorf("in round %d (%v) the apply was lost: %s", round, applied, encode(t, seen))
		}
		if landed && string(seen.Spec.UserConfig.Raw) != `{"by":"`+value+`"}` {
			t.Errorf("in round %d the update was lost: %s", round, seen.Spec.UserConfig.Raw)
		}
	}
}

// TestUpdateAgainstRecreation lets updates race a deletion and a new creation: what an
// answer says happened to one of both functions, and never half of it.
func TestUpdateAgainstRecreation(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "hostile", Namespace: "recreate", Name: "f"}
	for round := range hostileRounds {
		someFunction(t, name)
		var updated, deleted, created answer
		body, contentType := encodeForm(t, config(javaConfig))
		value := fmt.Sprintf("r%d", round)
		atOnce(
			putting(t, name, `{"logTopic":"`+value+`","userConfig":{"by":"`+value+`"}}`, &updated),
			func() {
				deleted = rest().remove(t, name)
				created = rest().send(t, http.MethodPost, functionPath(name), contentType, body)
			},
		)
		switch {
		case deleted.code == http.StatusNoContent:
			expectOK(t, "create after delete", created)
		case deleted.code != http.StatusBadRequest || !strings.Contains(deleted.reason, "out of date"):
			t.Errorf("delete: %s", deleted)
		}
		if updated.code == http.StatusBadRequest {
			expect(t, "update of what is gone", updated, 400, "Function f doesn't exist")
		} else {
			expectLanded(t, "update against a recreation", updated)
		}
		seen := rest().read(t, name)
		if topic := seen["logTopic"]; topic != nil && topic != "" {
			expectFields(t, "an update as a whole", seen, map[string]any{"logTopic": value, "userConfig.by": value})
		}
		expectOK(t, "delete", rest().remove(t, name))
	}
}

// TestStaleView writes with kubectl what was read before somebody else's update: it is
// a conflict, and the update stays.
func TestStaleView(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "hostile", Namespace: "stale", Name: "f"}
	someFunction(t, name)
	stale := view(t, name)
	expectOK(t, "update", rest().update(t, name, config(`{"logTopic":"new"}`)))
	stale.Spec.Parallelism = ptr.To[int32](9)
	if _, err := world.views.Update(t.Context(), stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("a stale PUT: %v", err)
	}
	expectFields(t, "after it", rest().read(t, name), map[string]any{"logTopic": "new", "parallelism": 1})
}

// TestKindsAtOnce creates functions, sinks and sources of one name side by side: what is
// there in the end is what authors were told, and no more than one.
func TestKindsAtOnce(t *testing.T) {
	t.Parallel()
	forms := map[string]part{
		"functions": config(javaConfig),
		"sinks":     {name: "sinkConfig", content: `{"className":"org.example.S","inputs":["in"],"archive":"sink://public/default/s@1"}`},
		"sources":   {name: "sourceConfig", content: `{"className":"org.example.S","topicName":"out","archive":"source://public/default/s@1"}`},
	}
	all := 0
	for round := range hostileRounds {
		name := fmt.Sprintf("f%d", round)
		answers := map[string]*answer{}
		var functions []func()
		for kind, form := range forms {
			body, contentType := encodeForm(t, form)
			got := &answer{}
			answers[kind] = got
			functions = append(functions, func() {
				var err error
				if *got, err = rest().try(t, http.MethodPost, "/admin/v3/"+kind+"/hostile/kinds/"+name, contentType, body); err != nil {
					t.Error(err)
				}
			})
		}
		atOnce(functions...)
		created := 0
		for kind, got := range answers {
			path := "/admin/v3/" + kind + "/hostile/kinds/" + name
			if got.code == http.StatusNoContent {
				created++
			} else if got.code != http.StatusBadRequest || !strings.HasSuffix(got.reason, name+" already exists") {
				t.Errorf("POST %s: %s", path, got)
			}
			eventually(t, path+" to be as its author was told", func(context.Context) error {
				seen := rest().send(t, http.MethodGet, path, "", nil)
				if (seen.code == http.StatusOK) != (got.code == http.StatusNoContent) {
					return fmt.Errorf("GET answers %s", seen)
				}
				return nil
			})
		}
		if created > 1 {
			t.Errorf("in round %d %d kinds were created", round, created)
		}
		all += created
	}
	if all == 0 {
		t.Error("in no round was there one in the end")
	}
}

// TestUpdateForms sends updates that say little or nothing.
func TestUpdateForms(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "hostile", Namespace: "forms", Name: "f"}
	expectOK(t, "create", rest().create(t, name, config(joined(javaConfig,
		`{"userConfig":{"a":{"x":1,"y":2},"b":null},"secrets":{"S":{"path":"p","key":"k"}},"logTopic":"log","parallelism":3,"retainOrdering":true}`))))
	initial := rest().read(t, name)
	for _, update := range []string{
		`{}`, `null`, `{"parallelism":null,"userConfig":null,"secrets":null,"logTopic":null,"inputs":null,"output":null,"resources":null}`,
		`{"parallelism":3}`, `{"logTopic":"log"}`,
	} {
		got := rest().update(t, name, config(update))
		reason := "Update contains no change"
		if update == `null` {
			reason = "Function config is not provided"
		}
		expect(t, update, got, 400, reason)
	}
	if seen := rest().read(t, name); encode(t, seen) != encode(t, initial) {
		t.Errorf("updates without a change made it %s", encode(t, seen))
	}
	// Maps are replaced as a whole, as by Pulsar's own worker.
	expectOK(t, "nested map", rest().update(t, name, config(`{"userConfig":{"a":{"x":9},"n":null,"big":9007199254740993}}`)))
	seen := rest().read(t, name)
	if got := encode(t, seen["userConfig"]); strings.Contains(got, `"y"`) || strings.Contains(got, `"b"`) || !strings.Contains(got, `"x":9`) {
		t.Errorf("userConfig is %s", got)
	}
	if raw := view(t, name).Spec.UserConfig.Raw; !strings.Contains(string(raw), "9007199254740993") || !strings.Contains(string(raw), `"n":null`) {
		t.Errorf("stored is %s", raw)
	}
	expectFields(t, "the rest", seen, map[string]any{"parallelism": 3, "logTopic": "log", "secrets.S.path": "p"})
	// Back to defaults.
	expectOK(t, "reset", rest().update(t, name, config(`{"parallelism":1,"userConfig":{},"secrets":{}}`)))
	expectFields(t, "reset", rest().read(t, name), map[string]any{"parallelism": 1, "logTopic": "log", "userConfig": map[string]any{}})
	options := func(text string) part { return part{name: "updateOptions", content: text} }
	for _, text := range []string{`{}`, `null`, `{"updateAuthData":false}`} {
		expect(t, "options "+text, rest().update(t, name, config(`{}`), options(text)), 400, "Update contains no change")
	}
	for _, text := range []string{`{"updateAuthData":true}`, `{"update-auth-data":true}`} {
		expectOK(t, "options "+text, rest().update(t, name, config(`{}`), options(text)))
	}
}
