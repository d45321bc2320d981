package component

import (
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func sink() *v1alpha1.PulsarSink {
	s := &v1alpha1.PulsarSink{ObjectMeta: metav1.ObjectMeta{Name: "echo", Labels: map[string]string{"a": "b"}}}
	s.Spec.Parallelism = ptr.To[int32](2)
	s.Spec.Inputs = []string{"in"}
	s.Status.Phase = "Reconciled"
	return s
}

func TestSameSpec(t *testing.T) {
	a, b := sink(), sink()
	b.Labels, b.Status.Phase = nil, "Pending"
	if !sameSpec(a, b) {
		t.Error("another label and phase make another spec")
	}
	b.Spec.Inputs = []string{"out"}
	if sameSpec(a, b) {
		t.Error("another input makes no other spec")
	}
	copySpec(a, b)
	if a.Spec.Inputs[0] != "out" || a.Labels["a"] != "b" || a.Status.Phase != "Reconciled" {
		t.Errorf("with a copied spec it is %+v", a)
	}
	if b.Spec.Inputs[0] = "other"; a.Spec.Inputs[0] != "out" {
		t.Error("a copied spec is shared")
	}
}

func TestStartFirst(t *testing.T) {
	running := sink()
	if first, _ := startFirst(running); first != nil {
		t.Errorf("what runs is created in steps, first %+v", first)
	}
	running.Spec.Suspend = true
	first, finish := startFirst(running)
	if got := first.(*v1alpha1.PulsarSink).Spec; got.Suspend || *got.Parallelism != 2 || !running.Spec.Suspend {
		t.Errorf("the first step creates %+v", got)
	}
	if finish(first); !first.(*v1alpha1.PulsarSink).Spec.Suspend {
		t.Error("the second step doesn't suspend it")
	}
}

func TestReplicasOfView(t *testing.T) {
	s := sink()
	if got := replicasOfView(s); got != 2 {
		t.Errorf("%d should run", got)
	}
	if s.Spec.Suspend = true; replicasOfView(s) != 0 {
		t.Error("some should run of what is suspended")
	}
}

// resource is a custom resource with one manager of its fields.
func resource(t *testing.T, manager, operation, subresource, fields, annotations string) map[string]any {
	t.Helper()
	var decoded map[string]any
	err := json.Unmarshal([]byte(`{"metadata":{"annotations":`+annotations+`,"managedFields":[{"manager":"`+manager+`","operation":"`+operation+
		`","subresource":"`+subresource+`","apiVersion":"compute.functionmesh.io/v1alpha1","fieldsType":"FieldsV1","fieldsV1":`+fields+`}]},"spec":{"replicas":2}}`), &decoded)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestCheckReplicasWriter(t *testing.T) {
	const owned, other, none = `{"f:spec":{"f:replicas":{}}}`, `{"f:spec":{"f:className":{}}}`, `{}`
	const claimed = `{"meta.helm.sh/release-name":"x"}`
	replicas := func(n int64) map[string]any { return map[string]any{"spec": map[string]any{"replicas": n}} }
	for name, test := range map[string]struct {
		stored  map[string]any
		after   int64
		refused bool
	}{
		"applied":                    {resource(t, "argocd", "Apply", "", owned, none), 0, true},
		"applied, but not that":      {resource(t, "argocd", "Apply", "", other, none), 0, false},
		"applied, and unchanged":     {resource(t, "argocd", "Apply", "", owned, none), 2, false},
		"updated":                    {resource(t, "worker", "Update", "", owned, none), 0, false},
		"updated, and claimed":       {resource(t, "helm", "Update", "", owned, claimed), 0, true},
		"scaled":                     {resource(t, "hpa", "Update", "scale", owned, claimed), 0, false},
		"scaled by apply":            {resource(t, "hpa", "Apply", "scale", owned, none), 0, false},
		"written by this server":     {resource(t, "functionmesh-apiserver", "Update", "", owned, claimed), 0, false},
		"with fields that are wrong": {resource(t, "argocd", "Apply", "", `{"x":1}`, none), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			cause := checkReplicasWriter(test.stored, replicas(2), replicas(test.after))
			if (cause != nil) != test.refused {
				t.Errorf("the cause is %+v", cause)
			}
			if cause != nil && !strings.Contains(cause.Message, "field manager") {
				t.Errorf("it says %s", cause.Message)
			}
		})
	}
}

func TestUnknownTypes(t *testing.T) {
	function := &v1alpha1.PulsarFunction{}
	function.Spec.Java = &v1alpha1.JavaRuntime{}
	function.Spec.InputTypeClassName, function.Spec.OutputTypeClassName = "[B", "[B"
	if got := unknownTypes(function); !strings.HasPrefix(got, "spec.inputTypeClassName, spec.outputTypeClassName: [B") {
		t.Errorf("it says %q", got)
	}
	if function.Spec.OutputTypeClassName = "java.lang.String"; !strings.HasPrefix(unknownTypes(function), "spec.inputTypeClassName: [B") {
		t.Errorf("of a named output it says %q", unknownTypes(function))
	}
	function.Spec.Package = &v1alpha1.Package{Location: "builtin://echo"}
	if got := unknownTypes(function); got != "" {
		t.Errorf("of what the catalogue knows it says %q", got)
	}
	function.Spec.Package, function.Spec.Java = nil, nil
	if got := unknownTypes(function); got != "" {
		t.Errorf("of what isn't Java it says %q", got)
	}
}

func TestTable(t *testing.T) {
	kind := Kind{ComponentKind: v1alpha1.SinkKind, New: func() v1alpha1.Component { return &v1alpha1.PulsarSink{} }}
	list := &v1alpha1.PulsarSinkList{ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: "more"}, Items: []v1alpha1.PulsarSink{*sink(), *sink()}}
	list.Items[0].Spec.InputSpecs = map[string]v1alpha1.ConsumerSpec{"z": {}, "in": {}}
	list.Items[0].Spec.TopicsPattern = "p.*"
	list.Items[1].Spec.Suspend = true
	printed, err := newTable(kind).ConvertToTable(t.Context(), list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if printed.ResourceVersion != "7" || printed.Continue != "more" || len(printed.Rows) != 2 {
		t.Errorf("it prints %+v", printed)
	}
	cells := map[string]any{}
	for i, column := range printed.ColumnDefinitions {
		cells[column.Name] = printed.Rows[0].Cells[i]
	}
	if cells["Replicas"] != int64(2) || cells["Inputs"] != "in,p.*,z" || cells["Status"] != "Reconciled" {
		t.Errorf("the first row is %v", cells)
	}
	if _, found := cells["Output"]; found {
		t.Error("a sink has a column of outputs")
	}
	if _, err := newTable(kind).ConvertToTable(t.Context(), &v1alpha1.PulsarSource{}, nil); err == nil {
		t.Error("a source is printed as a sink")
	}
}
