package status

import (
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// What the operator fails on it only tells its log, and nobody would wait there.
func TestSilentOperator(t *testing.T) {
	in := running()
	in.Generation = 4
	first, _ := Compute(in)
	in.Previous, in.Now = first, now.Add(4*time.Minute)
	if again, recheck := Compute(in); again.Is(v1alpha1.ConditionStalled) || recheck.Round(time.Second) != time.Minute {
		t.Errorf("after 4 minutes: %s, again in %s", text(again.Conditions), recheck)
	}
	in.Now = now.Add(5 * time.Minute)
	stalled, recheck := Compute(in)
	const want = "Ready=False:OperatorSilent Stalled=True:OperatorSilent Accepted=True:Accepted Reconciled=Unknown:Pending Available=True:Ready"
	if got := text(stalled.Conditions); got != want || stalled.Phase != PhaseUpdating || recheck != 0 {
		t.Errorf("after 5 minutes: %s: %s, again in %s", stalled.Phase, got, recheck)
	}
	in.Previous, in.OperatorGeneration = stalled, 4
	if acted, _ := Compute(in); !acted.Is(v1alpha1.ConditionReady) || acted.Is(v1alpha1.ConditionStalled) {
		t.Errorf("when it has acted: %s", text(acted.Conditions))
	}
}
