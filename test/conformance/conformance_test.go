package conformance

import (
	"testing"
	"time"
)

// minimumSteps keeps the script from shrinking unnoticed.
const minimumSteps = 150

func TestConformance(t *testing.T) {
	chosen := must[mode](t)(chosenMode())
	whole := must[script](t)(loadScript("steps"))
	if len(whole) < minimumSteps {
		t.Fatalf("the script has %d steps", len(whole))
	}
	script := must[script](t)(whole.chosen())
	listed := must[[]*difference](t)(loadDifferences("differences.yaml"))
	hasJava := must[bool](t)(canRunJava(t, chosen))
	oracle := openOracle(t, chosen, hasJava, whole, script)
	shim := newRunner(t, startShim(t, oracle.web), startJava(t, hasJava), oracle.kept.Answers)
	began := time.Now()
	got := must[map[string]answer](t)(shim.runAll(t.Context(), script))
	t.Logf("%d steps answered by the shim in %.0f s", len(got), time.Since(began).Seconds())
	want := must[map[string]answer](t)(oracle.answers())
	if !hasJava {
		want = withoutCommands(script, want)
	}
	compare(t, script, listed, want, got)
	if len(got) < len(whole) {
		t.Logf("%d of %d steps were compared: %d weren't chosen, and of %d commands it wasn't recorded what pulsar-admin sent",
			len(got), len(whole), len(whole)-len(script), len(script)-len(got))
		return
	}
	for _, d := range listed {
		if !d.used {
			t.Errorf("no answer differs as %q says", d.Name)
		}
	}
}

func compare(t *testing.T, script script, listed []*difference, pulsar, shim map[string]answer) {
	t.Helper()
	differ := 0
	for _, step := range script {
		got, ran := shim[step.Name]
		if !ran {
			continue
		}
		want, known := pulsar[step.Name]
		if !known {
			t.Errorf("%s: Pulsar's answer is not recorded", step.Name)
			continue
		}
		if want.same(got) {
			continue
		}
		differ++
		if explain(listed, step.Name, want, got) == nil {
			t.Errorf("%s\n--- Pulsar:\n%s--- the shim:\n%s", step.Name, want.text(), got.text())
		}
	}
	t.Logf("%d steps compared, %d of which differ as listed or failed", len(shim), differ)
}
