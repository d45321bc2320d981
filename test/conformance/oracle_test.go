package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// oracle is where Pulsar's answers come from.
type oracle struct {
	kept recording
	// web is the base URL where the shim can ask for what exists.
	web string
	// answers returns the answers, when they are all there.
	answers func() (map[string]answer, error)
}

// openOracle has the steps of script, which are some of all, answered by a real Pulsar,
// or takes the recorded answers.
func openOracle(t *testing.T, chosen mode, hasJava bool, all, script script) *oracle {
	t.Helper()
	o := &oracle{kept: must[recording](t)(loadRecording())}
	var pulsar *pulsarstandalone.Pulsar
	if hasJava && chosen != recorded {
		// All namespaces, also when a few steps are recorded: which there are is recorded too.
		pulsar = startPulsar(t, chosen, all)
	}
	if pulsar == nil {
		t.Logf("THE ORACLE: answers that Pulsar %s gave on %s", o.kept.Pulsar, o.kept.Recorded)
		o.web = replayExistence(t, o.kept.Existence)
		o.answers = func() (map[string]answer, error) { return o.kept.Answers, nil }
		return o
	}
	t.Logf("THE ORACLE: a real Pulsar %s", pulsarstandalone.Version)
	o.web = pulsar.URL()
	runner := newRunner(t, pulsar.URL(), startJava(t, hasJava), nil)
	var got map[string]answer
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		got, err = runner.runAll(t.Context(), script)
	}()
	o.answers = func() (map[string]answer, error) {
		<-done
		if err != nil {
			return nil, err
		}
		if chosen == record {
			return got, o.record(t.Context(), pulsar, all, got)
		}
		o.compareRecording(t, script, got)
		return got, nil
	}
	return o
}

// compareRecording checks that what is recorded is what Pulsar answers, or it is no use
// to others.
func (o *oracle) compareRecording(t *testing.T, script script, got map[string]answer) {
	t.Helper()
	for _, step := range script {
		if kept := o.kept.Answers[step.Name]; !kept.same(got[step.Name]) {
			t.Errorf("%s: recorded on %s (PULSAR_CONFORMANCE=record does it again):\n%snow:\n%s",
				step.Name, o.kept.Recorded, kept.text(), got[step.Name].text())
		}
	}
}

// record keeps new answers, and of the others those to steps that there still are.
func (o *oracle) record(ctx context.Context, pulsar *pulsarstandalone.Pulsar, all script, got map[string]answer) error {
	existence, err := askExistence(ctx, pulsar.URL())
	if err != nil {
		return err
	}
	kept := recording{
		Recorded: time.Now().UTC().Format(time.DateOnly), Pulsar: pulsarstandalone.Version,
		Existence: existence, Answers: map[string]answer{},
	}
	for _, step := range all {
		for _, answers := range []map[string]answer{o.kept.Answers, got} {
			if answer, ok := answers[step.Name]; ok {
				kept.Answers[step.Name] = answer
			}
		}
	}
	return kept.save()
}

// withoutCommands leaves of the answers to commands of pulsar-admin what a server can be
// compared by.
func withoutCommands(script script, answers map[string]answer) map[string]answer {
	bare := maps.Clone(answers)
	for _, step := range script {
		if full, ok := answers[step.Name]; ok && step.java() {
			bare[step.Name] = answer{Exchanges: full.Exchanges}
		}
	}
	return bare
}

// answersFile holds what a real Pulsar answered the last time somebody had it recorded.
const answersFile = "answers.json"

// recording is the content of answersFile.
type recording struct {
	// Recorded is the day.
	Recorded string `json:"recorded"`
	// Pulsar is its version.
	Pulsar string `json:"pulsar"`
	// Existence is what was answered to questions for tenants and namespaces, by path.
	Existence map[string]exchange `json:"existence"`
	Answers   map[string]answer   `json:"answers"`
}

func loadRecording() (recording, error) {
	var kept recording
	text, err := os.ReadFile(answersFile)
	if err != nil {
		return kept, fmt.Errorf("could not read recorded answers: %w", err)
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return kept, fmt.Errorf("could not read %s: %w", answersFile, err)
	}
	return kept, nil
}

// save writes the file, a line for each answer, so that changes can be reviewed.
func (r recording) save() error {
	var buffer bytes.Buffer
	existence, err := json.Marshal(r.Existence)
	if err != nil {
		return fmt.Errorf("could not encode answers: %w", err)
	}
	fmt.Fprintf(&buffer, "{\"recorded\":%q,\"pulsar\":%q,\"existence\":%s,\"answers\":{", r.Recorded, r.Pulsar, existence)
	for i, name := range slices.Sorted(maps.Keys(r.Answers)) {
		if i > 0 {
			buffer.WriteByte(',')
		}
		line, err := json.Marshal(name)
		if err != nil {
			return fmt.Errorf("could not encode the name of a step: %w", err)
		}
		buffer.WriteString("\n" + string(line) + ":")
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r.Answers[name]); err != nil {
			return fmt.Errorf("could not encode answers: %w", err)
		}
		buffer.Truncate(buffer.Len() - 1)
	}
	buffer.WriteString("\n}}\n")
	if err := os.WriteFile(answersFile, buffer.Bytes(), 0o644); err != nil {
		return fmt.Errorf("could not record answers: %w", err)
	}
	return nil
}
