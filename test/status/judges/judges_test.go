package judges

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

const generation = 3

// situation is what an object can be in, and what judges have to say of it.
type situation struct {
	// input is what is observed; nil where nobody observes.
	input *status.Input
	// changed is true when the object has changed since.
	changed, deleted bool

	kstatus kstatus.Status
	argo    string
	// message is part of what both say.
	message string
}

func situations() map[string]situation {
	observed := func(change func(*status.Input)) *status.Input {
		in := &status.Input{
			UID: "uid", Generation: generation, OperatorGeneration: generation, Replicas: 2,
			Now: time.Unix(1_800_000_000, 0), StatefulSet: statefulSet(2, 2),
		}
		change(in)
		return in
	}
	ready := func(*status.Input) {}
	return map[string]situation{
		"running":     {input: observed(ready), kstatus: kstatus.CurrentStatus, argo: "Healthy", message: "2 of 2 instances are ready"},
		"changed":     {input: observed(ready), changed: true, kstatus: kstatus.InProgressStatus, argo: "Progressing"},
		"deleted":     {input: observed(ready), deleted: true, kstatus: kstatus.TerminatingStatus, argo: "Progressing"},
		"not seen":    {kstatus: kstatus.InProgressStatus, argo: "Progressing"},
		"no operator": {input: observed(func(in *status.Input) { in.OperatorGeneration = 0 }), kstatus: kstatus.InProgressStatus, argo: "Progressing", message: "has not acted"},
		"starting":    {input: observed(func(in *status.Input) { in.StatefulSet = statefulSet(2, 1) }), kstatus: kstatus.InProgressStatus, argo: "Progressing", message: "1 of 2"},
		"scaling":     {input: observed(func(in *status.Input) { in.Replicas = 3 }), kstatus: kstatus.InProgressStatus, argo: "Progressing", message: "2 of 3"},
		"suspended": {input: observed(func(in *status.Input) { in.Replicas, in.StatefulSet = 0, statefulSet(0, 0) }),
			kstatus: kstatus.CurrentStatus, argo: "Suspended", message: "No instance should run"},
		"crash loop": {input: observed(func(in *status.Input) {
			in.StatefulSet = statefulSet(2, 1)
			in.Pods = []*corev1.Pod{crashing("f-function-1")}
		}), kstatus: kstatus.FailedStatus, argo: "Degraded", message: "Pod f-function-1, container pulsar-function: CrashLoopBackOff"},
		"duplicate": {input: observed(func(in *status.Input) {
			in.Replicas, in.StatefulSet = 0, statefulSet(0, 0)
			in.Elder = &status.Elder{Kind: "PulsarSink", Name: "older", Identity: "a/b/c"}
		}), kstatus: kstatus.FailedStatus, argo: "Degraded", message: "PulsarSink older"},
		"missing for a moment": {input: observed(func(in *status.Input) {
			in.StatefulSet = statefulSet(2, 0)
			in.Missing = []status.Reference{{Kind: status.SecretKind, Name: "db", Field: "spec.secrets"}}
		}), kstatus: kstatus.InProgressStatus, argo: "Progressing"},
		"missing for long": {input: observed(func(in *status.Input) {
			in.StatefulSet = statefulSet(2, 0)
			in.Missing = []status.Reference{{Kind: status.SecretKind, Name: "db", Field: "spec.secrets"}}
			in.Previous = &status.Published{Conditions: []metav1.Condition{{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse}}}
		}), kstatus: kstatus.FailedStatus, argo: "Degraded", message: "Secret db (spec.secrets)"},
	}
}

func statefulSet(replicas, ready int32) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		Spec:   appsv1.StatefulSetSpec{Replicas: &replicas},
		Status: appsv1.StatefulSetStatus{Replicas: replicas, ReadyReplicas: ready},
	}
}

func crashing(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.PodStatus{
		ContainerStatuses: []corev1.ContainerStatus{{
			Name:  "pulsar-function",
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		}},
	}}
}

// view returns the object as a client reads it.
func (s *situation) view(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	meta := metav1.ObjectMeta{Name: "f", UID: "uid", Generation: generation}
	if s.input != nil {
		published, _ := status.Compute(*s.input)
		text, err := published.Encode()
		if err != nil {
			t.Fatal(err)
		}
		meta.Annotations = map[string]string{status.Annotation: text}
	}
	if s.changed {
		meta.Generation++
	}
	if s.deleted {
		meta.DeletionTimestamp = ptr.To(metav1.Unix(1_800_000_000, 0))
	}
	view := &v1alpha1.PulsarFunction{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "PulsarFunction"},
		ObjectMeta: meta,
		Status:     status.Project(&meta, nil),
	}
	data, err := json.Marshal(view)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestKstatus(t *testing.T) {
	for name, situation := range situations() {
		result, err := kstatus.Compute(situation.view(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if result.Status != situation.kstatus || !situation.changed && !strings.Contains(result.Message, situation.message) && result.Status != kstatus.CurrentStatus {
			t.Errorf("%s: kstatus says %s, %q; want %s, %q", name, result.Status, result.Message, situation.kstatus, situation.message)
		}
	}
}

func TestArgoCD(t *testing.T) {
	script, err := os.ReadFile("../../../artifacts/argo-cd/health.lua")
	if err != nil {
		t.Fatal(err)
	}
	for name, situation := range situations() {
		if got, message := judge(t, string(script), situation.view(t)); got != situation.argo || !strings.Contains(message, situation.message) || message == "" {
			t.Errorf("%s: Argo CD says %s, %q; want %s, %q", name, got, message, situation.argo, situation.message)
		}
	}
	unobserved := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"generation": int64(1)},
		"status": map[string]any{"observedGeneration": int64(1), "conditions": []any{
			map[string]any{"type": "Ready", "status": "Unknown", "reason": "NotObserved", "message": "m"},
		}},
	}}
	if got, _ := judge(t, string(script), unobserved); got != "Unknown" {
		t.Errorf("of what nobody observes Argo CD says %s", got)
	}
	untranslated := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"generation": int64(1)},
		"status": map[string]any{"conditions": []any{
			map[string]any{"type": "Translated", "status": "False", "reason": "NotTranslatable", "message": "m"},
		}},
	}}
	if got, _ := judge(t, string(script), untranslated); got != "Degraded" {
		t.Errorf("of what can't be shown Argo CD says %s", got)
	}
	if got, _ := judge(t, string(script), &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{}}}); got != "Progressing" {
		t.Errorf("of an object without a status Argo CD says %s", got)
	}
}

// judge runs a script as Argo CD does: with few libraries, and the object as the
// global obj.
func judge(t *testing.T, script string, object *unstructured.Unstructured) (health, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.StringLibName: lua.OpenString,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), NRet: 0, Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", luaValue(state, object.Object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	result, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script returned %v", state.Get(-1))
	}
	return result.RawGetString("status").String(), result.RawGetString("message").String()
}

func luaValue(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, member := range value {
			table.RawSetString(key, luaValue(state, member))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, member := range value {
			table.Append(luaValue(state, member))
		}
		return table
	case string:
		return lua.LString(value)
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	}
	return lua.LNil
}
