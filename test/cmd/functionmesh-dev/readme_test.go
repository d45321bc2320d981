package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

var (
	// age is how old kubectl says that something is.
	age = regexp.MustCompile(`(\d+[hms])+$`)
	// columns are apart by as much as the widest value takes.
	columns = regexp.MustCompile(` {2,}`)
)

// testSession types what README.md says to type, and compares what is printed with what it
// says is printed.
func testSession(t *testing.T, stateDir string) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```console\n$ source .run/env\n")
	session, _, _ := strings.Cut(rest, "```\n")
	if !found || session == "" {
		t.Fatal("README.md has no session")
	}
	path := pulsarAdmin(t, root)
	for _, step := range strings.Split("\n"+session, "\n$ ")[1:] {
		lines := strings.Split(strings.TrimSuffix(step, "\n"), "\n")
		command := lines[:1]
		lines = lines[1:]
		for len(lines) > 0 && strings.HasPrefix(lines[0], "> ") {
			command, lines = append(command, strings.TrimPrefix(lines[0], "> ")), lines[1:]
		}
		script := fmt.Sprintf("source %s; PATH=%s:$PATH\n%s\n", quote(filepath.Join(stateDir, envName)), quote(path), strings.Join(command, "\n"))
		// What ends with an error is part of the session.
		output, _ := exec.CommandContext(t.Context(), "bash", "-c", script).CombinedOutput()
		if got, want := printed(string(output)), printed(strings.Join(lines, "\n")); got != want {
			t.Errorf("%s\nprints\n%s\nand in README.md\n%s", strings.Join(command, "\n"), got, want)
		}
	}
}

// printed is what counts of an output.
func printed(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, " \n")
		// The logger of Pulsar's client, which a Pulsar brings along.
		if !strings.HasPrefix(line, "SLF4J") {
			lines = append(lines, columns.ReplaceAllString(age.ReplaceAllString(line, "AGE"), "  "))
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// pulsarAdmin returns a folder with a program pulsar-admin.
func pulsarAdmin(t *testing.T, root string) string {
	t.Helper()
	classpath, err := javaclient.Classpath(t.Context(), filepath.Join(root, "test", "javaclient", "java", "pom.xml"), filepath.Join(root, "bin"), "pulsar-admin")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nexec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp " + quote(classpath) +
		" org.apache.pulsar.admin.cli.PulsarAdminTool /dev/null \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "pulsar-admin"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
