package apigroup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/informers/externalversions"
)

// TestKubectlConnectors reads the sample catalogue, as somebody with rights in one
// namespace.
func TestKubectlConnectors(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	mongo := connectors.ObjectName("mongo_db")
	rows := func(args ...string) []string {
		var lines []string
		for line := range strings.Lines(k.run("", args...)) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		return lines
	}
	want := []string{
		"NAME VERSION SOURCE SINK FUNCTION IMAGE",
		"data-generator 2.10.0.0-rc10 true true false docker.io/streamnative/pulsar-io-data-generator:2.10.0.0-rc10",
		"elastic-search 2.10.0.0-rc10 false true false registry.example/io/pulsar-io-elastic-search:2.10",
	}
	for _, name := range []string{"pulsarconnectors", "pulsarconnector", "pcon"} {
		if got := rows("get", name, "data-generator", "elastic-search"); !slices.Equal(got, want) {
			t.Errorf("get %s prints %q", name, got)
		}
	}
	if got := rows("get", "pcon", mongo, "-o", "wide"); !strings.Contains(got[1], "builtin://mongo_db connectors/pulsar-io-mongo-2.10.0.0-rc10.nar") {
		t.Errorf("get -o wide prints %q", got)
	}
	if got := rows("get", "pcon", "--chunk-size=1", "-o", "name"); len(got) < 3 || got[0] != "pulsarconnector.admin.functionmesh.io/data-generator" {
		t.Errorf("in chunks it prints %q", got)
	}
	if got := k.run("", "get", "pcon", "data-generator", "-o", "yaml"); !strings.HasPrefix(got, "apiVersion: admin.functionmesh.io/v1alpha1\nkind: PulsarConnector\n") {
		t.Errorf("get -o yaml prints %s", got)
	}
	if got := k.run("", "get", "pcon", "--field-selector", "metadata.name=exclamation", "-o", "jsonpath={.items[*].spec.functionClass}"); got != "org.apache.pulsar.functions.api.examples.ExclamationFunction" {
		t.Errorf("by a field selector it prints %s", got)
	}
	if got := k.run("", "describe", "pcon", "data-generator"); !strings.Contains(got, "Source Class:") || !strings.Contains(got, "Help:") {
		t.Errorf("describe prints %s", got)
	}
	if got := k.run("", "explain", "pulsarconnector.spec.functionClass"); !strings.Contains(got, "The class of the function.") {
		t.Errorf("explain prints %s", got)
	}
	if got := k.try("", "get", "pcon", "absent"); !strings.Contains(got.stderr, `pulsarconnectors.admin.functionmesh.io "absent" not found`) {
		t.Errorf("one that isn't there: %+v", got)
	}
	if got := k.try("", "get", "pcon", "--field-selector", "spec.version=1"); got.code == 0 || !strings.Contains(got.stderr, "is not a known field selector") {
		t.Errorf("another field selector: %+v", got)
	}
}

func TestConnectorsAreReadOnly(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	client := s.restClient(adminConfig)
	for verb, err := range map[string]error{
		"create": client.Post().Resource("pulsarconnectors").Body(&v1alpha1.PulsarConnector{}).Do(s.ctx).Error(),
		"update": client.Put().Resource("pulsarconnectors").Name("data-generator").Body(&v1alpha1.PulsarConnector{}).Do(s.ctx).Error(),
		"delete": client.Delete().Resource("pulsarconnectors").Name("data-generator").Do(s.ctx).Error(),
	} {
		if !apierrors.IsMethodNotSupported(err) {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

// TestConnectorsFollowTheirFile changes the file. A watch of kubectl and an informer
// have to see it, and a file that can't be accepted must change nothing.
func TestConnectorsFollowTheirFile(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	original, err := os.ReadFile(env.ConnectorsFile())
	k.check(err)
	t.Cleanup(func() { writeConnectors(t, string(original)) })

	seen := newConnectorLog(k.ctx, t)
	cmd := k.command("get", "pcon", "--watch", "--output-watch-events", "--no-headers")
	output, err := cmd.StdoutPipe()
	k.check(err)
	k.check(cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(output)
	prints := func(want string) {
		t.Helper()
		for lines.Scan() {
			got := strings.Join(strings.Fields(lines.Text())[:3], " ")
			if got == want {
				return
			}
			if !strings.HasPrefix(got, "ADDED") || strings.Contains(got, " added ") {
				t.Errorf("the watch prints %s before %s", got, want)
			}
		}
		t.Fatalf("the watch ends before it prints %s: %v", want, lines.Err())
	}
	prints("ADDED exclamation 2.10.0.0-rc10")
	for i, want := range []string{"ADDED added 1.0", "MODIFIED added 1.10"} {
		version := []string{"1.0", "1.10"}[i]
		writeConnectors(t, fmt.Sprintf("%s\n- {name: added, id: a, version: %s, sinkClass: org.example.Sink}\n", original, version))
		prints(want)
		seen.wait("added " + version)
	}

	writeConnectors(t, "- {name: added}\n")
	k.eventually("the bad file to be told of", func() error {
		log, err := os.ReadFile(env.ControlPlane.LogPath(env.APIServer.Process().Name()))
		if err != nil {
			return err
		}
		if !strings.Contains(string(log), "Could not load the connectors file") {
			return errors.New("the log has nothing of it")
		}
		return nil
	})
	if got := k.run("", "get", "pcon", "added", "-o", "jsonpath={.spec.version}"); got != "1.10" {
		t.Errorf("after a bad file the version is %s", got)
	}
	writeConnectors(t, string(original))
	prints("DELETED added 1.10")
	seen.wait("deleted added")
}

// writeConnectors replaces the file at once, so that nobody reads half of it.
func writeConnectors(t *testing.T, text string) {
	t.Helper()
	fresh := env.ConnectorsFile() + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, env.ConnectorsFile()); err != nil {
		t.Fatal(err)
	}
}

// connectorLog is what an informer of the generated client sees.
type connectorLog struct {
	t   *testing.T
	ctx context.Context

	mu      sync.Mutex
	entries []string
	grown   chan struct{}
}

func newConnectorLog(ctx context.Context, t *testing.T) *connectorLog {
	t.Helper()
	client, err := versioned.NewForConfig(authorConfig)
	if err != nil {
		t.Fatal(err)
	}
	log := &connectorLog{t: t, ctx: ctx, grown: make(chan struct{})}
	factory := externalversions.NewSharedInformerFactory(client, 0)
	informer := factory.Admin().V1alpha1().PulsarConnectors().Informer()
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { log.add(describe(object)) },
		UpdateFunc: func(_, object any) { log.add(describe(object)) },
		DeleteFunc: func(object any) { log.add("deleted " + strings.Fields(describe(object))[0]) },
	}); err != nil {
		t.Fatal(err)
	}
	factory.Start(ctx.Done())
	log.wait("exclamation 2.10.0.0-rc10")
	return log
}

func describe(object any) string {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	connector, ok := object.(*v1alpha1.PulsarConnector)
	if !ok {
		return fmt.Sprintf("%T ", object)
	}
	return connector.Name + " " + connector.Spec.Version
}

func (l *connectorLog) add(entry string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry)
	close(l.grown)
	l.grown = make(chan struct{})
}

// wait returns when an entry was seen.
func (l *connectorLog) wait(entry string) {
	l.t.Helper()
	for {
		l.mu.Lock()
		found, grown, entries := slices.Contains(l.entries, entry), l.grown, slices.Clone(l.entries)
		l.mu.Unlock()
		if found {
			return
		}
		select {
		case <-grown:
		case <-l.ctx.Done():
			l.t.Fatalf("the informer never sees %s, but %q", entry, entries)
		}
	}
}
