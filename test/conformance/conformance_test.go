package conformance

import (
	"reflect"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// minimumSteps keeps the script from shrinking unnoticed.
const minimumSteps = 150

func TestConformance(t *testing.T) {
	chosen := must[mode](t)(chosenMode())
	script := must[script](t)(loadScript("steps"))
	if len(script) < minimumSteps {
		t.Fatalf("the script has %d steps", len(script))
	}
	listed := must[[]*difference](t)(loadDifferences("differences.yaml"))
	root := must[string](t)(repository())
	java := javaclient.New(root, root+"/bin")
	t.Cleanup(func() {
		if err := java.Stop(); err != nil {
			t.Error(err)
		}
	})
	began := time.Now()
	pulsar, web := pulsarAnswers(t, chosen, script, java)
	t.Logf("%d steps answered by Pulsar after %.0f s", len(pulsar), time.Since(began).Seconds())
	shim := answers(t, newRunner(t, startShim(t, web), java), script)
	t.Logf("%d steps answered by the shim after %.0f s", len(shim), time.Since(began).Seconds())
	compare(t, script, listed, pulsar, shim)
}

// pulsarAnswers returns a real Pulsar's answers, or the recorded ones, and the base URL
// where the shim can ask for what exists.
func pulsarAnswers(t *testing.T, chosen mode, script script, java *javaclient.Client) (all map[string]answer, web string) {
	t.Helper()
	pulsar := startPulsar(t, chosen, script)
	if pulsar == nil {
		kept := must[recording](t)(loadRecording())
		t.Logf("comparing with answers that Pulsar %s gave on %s", kept.Pulsar, kept.Recorded)
		return kept.Answers, replayExistence(t, kept.Existence)
	}
	got := answers(t, newRunner(t, pulsar.URL(), java), script)
	if chosen == record {
		kept := recording{
			Recorded: time.Now().UTC().Format(time.DateOnly), Pulsar: pulsarstandalone.Version,
			Existence: must[map[string]exchange](t)(askExistence(t.Context(), pulsar.URL())), Answers: got,
		}
		if err := kept.save(); err != nil {
			t.Fatal(err)
		}
		return got, pulsar.URL()
	}
	// What is recorded has to be what Pulsar answers, or it is no use to others.
	kept := must[recording](t)(loadRecording())
	for _, step := range script {
		if !reflect.DeepEqual(kept.Answers[step.Name], got[step.Name]) {
			t.Errorf("%s: recorded on %s (PULSAR_CONFORMANCE=record does it again):\n%snow:\n%s",
				step.Name, kept.Recorded, kept.Answers[step.Name].text(), got[step.Name].text())
		}
	}
	return got, pulsar.URL()
}

// answers runs the script.
func answers(t *testing.T, runner *runner, script script) map[string]answer {
	t.Helper()
	all := map[string]answer{}
	for _, step := range script {
		if step.java() && javaclient.Off() {
			continue
		}
		got, err := runner.run(t.Context(), step)
		if err != nil {
			t.Fatalf("%s: %v", step.Name, err)
		}
		all[step.Name] = got
	}
	return all
}

func compare(t *testing.T, script script, listed []*difference, pulsar, shim map[string]answer) {
	t.Helper()
	differ := 0
	for _, step := range script {
		want, known := pulsar[step.Name]
		got, ran := shim[step.Name]
		if !ran {
			continue
		}
		if !known {
			t.Errorf("%s: Pulsar's answer is not recorded", step.Name)
			continue
		}
		if reflect.DeepEqual(want, got) {
			continue
		}
		differ++
		if explain(listed, step.Name, want, got) == nil {
			t.Errorf("%s\n--- Pulsar:\n%s--- the shim:\n%s", step.Name, want.text(), got.text())
		}
	}
	for _, d := range listed {
		if !d.used && !javaclient.Off() {
			t.Errorf("no answer differs as %q says", d.Name)
		}
	}
	t.Logf("%d steps compared, %d of which differ as listed or failed", len(shim), differ)
}
