package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// TestRunWithPulsar proves that a Pulsar that is there is used: the sample's code is
// uploaded, known, and can be downloaded, and what is created by name has to be there.
func TestRunWithPulsar(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	pulsar, err := pulsarstandalone.Start(ctx, pulsarstandalone.Options{Repository: root, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pulsar.Stop)
	dir := filepath.Join(t.TempDir(), "state")
	r := startWith(t, dir, []string{"-pulsar-url", pulsar.URL(), "-pulsar-service-url", pulsar.ServiceURL()})
	eventually(t, "everything to be ready", func() bool { return r.ready() || r.ended() })
	if r.ended() {
		t.Fatalf("it ended: %v", r.err)
	}
	typed := func(line string) string {
		output, err := exec.CommandContext(ctx, "bash", "-c", "source "+quote(filepath.Join(dir, envName))+" && "+line).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", line, err, output)
		}
		return string(output)
	}
	// The lines that it says to type, and what they print.
	for line, want := range map[string]string{
		`kubectl get pulsarfunctions -o jsonpath='{range .items[*]}{.spec.name} {.status.package}{"\n"}{end}'`: `"pinned":true`,
		"curl -s $PULSAR_ADMIN_URL" + functionsPath + "/wordcount/download":                                    sampleCode,
	} {
		if !strings.Contains(r.output.String(), "  "+line+"\n") {
			t.Errorf("it doesn't say %s", line)
		}
		eventually(t, want+" of "+line, func() bool { return strings.Contains(typed(line), want) })
	}
	for member, want := range map[string]string{"webServiceURL": pulsar.URL(), "brokerServiceURL": pulsar.ServiceURL()} {
		if got := typed(fmt.Sprintf("kubectl get configmap dev-function-mesh-config -o jsonpath='{.data.%s}'", member)); got != want {
			t.Errorf("functions are told %s %q, not %q", member, got, want)
		}
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-r.done
	if r.err != nil {
		t.Errorf("it ended with %v", r.err)
	}
}

// TestPulsarURL has what is no URL of an admin API refused before anything starts, and
// the other URL follow from it.
func TestPulsarURL(t *testing.T) {
	for _, text := range []string{"localhost:8080", "pulsar://localhost:6650", "http://", "://"} {
		if err := (&pulsar{adminURL: text}).resolve(); err == nil || !strings.Contains(err.Error(), "is not the URL of Pulsar's admin API") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]string{"": "", "http://pulsar:8080": "pulsar://pulsar:6650", "https://[::1]:8443/": "pulsar://[::1]:6650"} {
		p := pulsar{adminURL: text}
		if err := p.resolve(); err != nil || p.serviceURL != want {
			t.Errorf("%s: %q (%v)", text, p.serviceURL, err)
		}
	}
}

// TestPulsarWithoutPackages proves that what can't be used is named before anything starts.
func TestPulsarWithoutPackages(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	for _, test := range []struct {
		what, want string
		prepare    func()
	}{
		{"no packages", "has no packages", func() {}},
		{"no server", "no Pulsar can be reached", server.Close},
	} {
		test.prepare()
		cmd, out := command(t, filepath.Join(t.TempDir(), "state"), freePort(t), []string{"-pulsar-url", server.URL})
		if err := cmd.Run(); err == nil || !strings.Contains(out.String(), test.want) || strings.Contains(out.String(), "==>") {
			t.Errorf("%s: %v: %s", test.what, err, out)
		}
	}
}
