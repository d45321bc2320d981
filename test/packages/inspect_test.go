package packages

import (
	"os"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/inspect"
)

// TestTypesAsPulsar asks Pulsar's own code, and ours, what each class of the real
// packages takes and gives.
func TestTypesAsPulsar(t *testing.T) {
	asked := 0
	for _, file := range env.archives {
		for _, line := range strings.Split(java(t, "Types.java", file), "\n") {
			parts := strings.Split(line, "|")
			if len(parts) != 3 {
				continue // The NAR reader's log.
			}
			asked++
			class, question, want := parts[0], parts[1], parts[2]
			if got := types(t, file, class, question); got != want {
				t.Errorf("%s as a %s: got %q, Pulsar says %q", class, question, got, want)
			}
		}
	}
	if asked < 200 {
		t.Errorf("only %d questions were asked", asked)
	}
}

// types returns what a class takes and gives, as Types.java prints it.
func types(t *testing.T, file, class, question string) string {
	t.Helper()
	var component v1alpha1.Component
	switch question {
	case "function", "window":
		function := &v1alpha1.PulsarFunction{}
		if question == "window" {
			function.Spec.WindowConfig = &v1alpha1.WindowConfig{}
		}
		component = function
	case "source":
		source := &v1alpha1.PulsarSource{}
		source.Spec.BatchSourceConfig = &v1alpha1.BatchSourceConfig{}
		component = source
	case "sink":
		component = &v1alpha1.PulsarSink{}
	default:
		t.Fatalf("unknown question %q", question)
	}
	component.Common().ClassName = class
	content, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := inspect.Complete(t.Context(), component, content, info.Size()); err != nil {
		return ""
	}
	var found []string
	if input := component.Input(); input != nil {
		found = append(found, input.InputTypeClassName)
	}
	if output := component.Output(); output != nil {
		found = append(found, output.OutputTypeClassName)
	}
	return strings.TrimSpace(strings.Join(found, " "))
}
