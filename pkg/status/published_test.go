package status

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

func TestDecode(t *testing.T) {
	const conditions = `[{"type":"Available","status":"True"},{"type":"Ready","status":"True"},{"type":"Ready","status":"False"},{"type":"Other","status":"True"}]`
	for name, test := range map[string]struct {
		text *string
		err  error
		// readable is false where an error without a name is expected.
		readable bool
	}{
		"absent":        {nil, ErrNone, true},
		"of a copy":     {new(`{"version":1,"uid":"another"}`), ErrNone, true},
		"later version": {new(`{"version":2,"conditions":"of another type"}`), ErrNewer, true},
		"no JSON":       {new(`{`), nil, false},
		"too long":      {new(`{"version":1,"uid":"` + uid + `","phase":"` + strings.Repeat("x", maxSize) + `"}`), nil, false},
		"good":          {new(`{"version":1,"uid":"` + uid + `","conditions":` + conditions + `}`), nil, true},
	} {
		resource := &metav1.ObjectMeta{UID: uid}
		if test.text != nil {
			resource.Annotations = map[string]string{Annotation: *test.text}
		}
		published, err := Decode(resource)
		switch {
		case test.err != nil:
			if !errors.Is(err, test.err) {
				t.Errorf("%s: %v", name, err)
			}
		case !test.readable:
			if err == nil || errors.Is(err, ErrNone) || errors.Is(err, ErrNewer) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			// One of each known type, in a fixed order.
			if got := len(published.Conditions); got != 2 || published.Conditions[0].Type != v1alpha1.ConditionReady || !published.Is(v1alpha1.ConditionReady) {
				t.Errorf("%s: %v", name, published.Conditions)
			}
		}
	}
}

func TestProject(t *testing.T) {
	published, _ := Compute(running())
	data, err := published.Encode()
	if err != nil {
		t.Fatal(err)
	}
	deleted := metav1.NewTime(now)
	observed := &computev1alpha1.Status{ObservedGeneration: 3, Replicas: 2, Selector: "name=f"}
	for name, test := range map[string]struct {
		generation int64
		deleted    *metav1.Time
		text       string
		phase      string
		conditions string
		generated  int64
	}{
		"published":    {3, nil, data, PhaseRunning, "Ready=True:Ready Accepted=True:Accepted Reconciled=True:Reconciled Available=True:Ready", 3},
		"changed":      {4, nil, data, PhaseUpdating, "Ready=True:Ready Reconciling=True:NewGeneration Accepted=True:Accepted Reconciled=True:Reconciled Available=True:Ready", 3},
		"deleted":      {4, &deleted, data, PhaseTerminating, "Ready=True:Ready Reconciling=True:NewGeneration Accepted=True:Accepted Reconciled=True:Reconciled Available=True:Ready", 3},
		"newer":        {3, nil, `{"version":2}`, PhaseReconciled, "Ready=Unknown:NewerVersion Reconciled=True:Reconciled", 3},
		"nothing":      {3, nil, "", PhaseReconciled, "Ready=Unknown:NotObserved Reconciled=True:Reconciled", 3},
		"not readable": {4, nil, "?", PhasePending, "Ready=Unknown:Pending Reconciling=True:Pending Reconciled=Unknown:Pending", 3},
	} {
		resource := &metav1.ObjectMeta{UID: uid, Generation: test.generation, DeletionTimestamp: test.deleted}
		if test.text != "" {
			resource.Annotations = map[string]string{Annotation: test.text}
		}
		status := Project(resource, observed)
		if got := text(status.Conditions); status.Phase != test.phase || got != test.conditions {
			t.Errorf("%s: got  %s: %s\nwant %s: %s", name, status.Phase, got, test.phase, test.conditions)
		}
		if status.ObservedGeneration != test.generated || !strings.HasPrefix(status.Selector, "name=f") || status.Replicas != 2 {
			t.Errorf("%s: %+v", name, status)
		}
	}
}
