package shim

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

func newTestFunction(object string, age time.Duration, name identity.Name) *v1alpha1.PulsarFunction {
	return &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "pulsar", Name: object, ResourceVersion: "1", UID: "u",
			CreationTimestamp: metav1.NewTime(time.Unix(1e9, 0).Add(-age)),
			Annotations:       map[string]string{"large": "x"},
		},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name, ClassName: "large", Parallelism: ptr.To[int32](1),
			},
			InputConfig: v1alpha1.InputConfig{
				Inputs: []string{"large"},
			},
		},
	}
}

func newTestIndex(t *testing.T) *index {
	t.Helper()
	client, err := versioned.NewForConfig(&rest.Config{Host: "https://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	result, err := newIndex(client)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestIndex(t *testing.T) {
	index := newTestIndex(t)
	mine, others := identity.Name{Tenant: "t", Namespace: "n", Name: "f"}, identity.Name{Tenant: "t", Namespace: "n", Name: "g"}
	for _, function := range []*v1alpha1.PulsarFunction{
		newTestFunction("younger", time.Hour, mine),
		newTestFunction("same-age-b", 2*time.Hour, mine),
		newTestFunction("same-age-a", 2*time.Hour, mine),
		newTestFunction("not-mine", 9*time.Hour, others),
	} {
		stripped, err := strip(function)
		if err != nil {
			t.Fatal(err)
		}
		if kept := stripped.(*entry); len(kept.Annotations) > 0 {
			t.Errorf("kept %+v", kept)
		}
		if err := index.informers[v1alpha1.FunctionKind].GetIndexer().Add(stripped); err != nil {
			t.Fatal(err)
		}
	}
	if got := index.objectNames(v1alpha1.FunctionKind, "pulsar", mine); !slices.Equal(got, []string{"same-age-a", "same-age-b", "younger"}) {
		t.Errorf("got %q", got)
	}
	if got := index.objectNames(v1alpha1.FunctionKind, "pulsar", identity.Name{Tenant: "t", Namespace: "n", Name: "h"}); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	if got := index.objectNames(v1alpha1.FunctionKind, "elsewhere", mine); len(got) > 0 {
		t.Errorf("of another namespace got %q", got)
	}
	if got := index.objectNames(v1alpha1.SinkKind, "pulsar", mine); len(got) > 0 {
		t.Errorf("of another kind got %q", got)
	}
}

func TestNotReadyBeforeTheIndexIs(t *testing.T) {
	ready := &readiness{places: fixedPlaces{}, index: newTestIndex(t), ping: func(context.Context) error { return errors.New("not asked") }}
	if err := ready.check(t.Context()); err == nil || err.Error() == "not asked" {
		t.Errorf("got %v", err)
	}
}

func TestIsComponent(t *testing.T) {
	name := identity.Name{Tenant: "t", Namespace: "n", Name: "f"}
	tests := []struct {
		name   string
		change func(*v1alpha1.PulsarFunction)
		want   bool
	}{
		{"as it is", func(*v1alpha1.PulsarFunction) {}, true},
		{"other tenant", func(f *v1alpha1.PulsarFunction) { f.Spec.Tenant = "u" }, false},
		{"other namespace", func(f *v1alpha1.PulsarFunction) { f.Spec.Namespace = "u" }, false},
		{"other name", func(f *v1alpha1.PulsarFunction) { f.Spec.Name = "F" }, false},
		{"being deleted", func(f *v1alpha1.PulsarFunction) { f.DeletionTimestamp = ptr.To(metav1.Now()) }, false},
		{"not translated", func(f *v1alpha1.PulsarFunction) {
			f.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionTranslated, Status: metav1.ConditionFalse}}
		}, false},
		{"of another's identity", func(f *v1alpha1.PulsarFunction) {
			f.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: "DuplicateIdentity"}}
		}, false},
		{"not served", func(f *v1alpha1.PulsarFunction) {
			f.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: "NotServed"}}
		}, false},
		{"not accepted otherwise", func(f *v1alpha1.PulsarFunction) {
			f.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: "SecretMissing"}}
		}, true},
		{"translated", func(f *v1alpha1.PulsarFunction) {
			f.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionTranslated, Status: metav1.ConditionTrue}}
		}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			function := newTestFunction("f-1", 0, name)
			test.change(function)
			if got := isComponent(function, name); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
