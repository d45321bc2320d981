package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// testExamples takes each example as its README says, right after a start: on trial
// first, each by itself, then all of them for good.
func testExamples(t *testing.T, stateDir string) {
	dir, err := filepath.Abs("../../../artifacts/examples")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples in %s: %v", dir, err)
	}
	kubectl := func(args string) (string, error) {
		script := fmt.Sprintf("source %s && kubectl %s", quote(filepath.Join(stateDir, envName)), args)
		output, err := exec.CommandContext(t.Context(), "bash", "-c", script).CombinedOutput()
		return string(output), err
	}
	t.Run("on trial", func(t *testing.T) {
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				output, err := kubectl("apply --dry-run=server --validate=strict -f " + quote(file))
				if err != nil {
					t.Fatalf("%v: %s", err, output)
				}
				// What an example does must be worth imitating. That nobody has looked at
				// its package is no fault of it.
				for line := range strings.Lines(output) {
					if strings.HasPrefix(line, "Warning:") && !strings.Contains(line, "no package service is configured") {
						t.Errorf("it prints %s", line)
					}
				}
			})
		}
	})
	output, err := kubectl("apply --validate=strict -f " + quote(dir))
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		for _, kind := range []string{"function", "source", "sink"} {
			if line := fmt.Sprintf("pulsar%s.admin.functionmesh.io/%s created\n", kind, name); strings.HasPrefix(name, kind+"-") && !strings.Contains(output, line) {
				t.Errorf("it doesn't print %s, but %s", line, output)
			}
		}
	}
}
