package apigroup

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// kubectl runs the real thing in one namespace, as the author.
type kubectl struct {
	*space
	kubeconfig, dir string
}

func newKubectl(t *testing.T) *kubectl {
	t.Helper()
	k := &kubectl{space: newSpace(t), dir: t.TempDir()}
	k.kubeconfig = filepath.Join(k.dir, "kubeconfig")
	k.check(controlplane.WriteKubeconfig(k.kubeconfig, authorConfig))
	return k
}

func (k *kubectl) command(args ...string) *exec.Cmd {
	cmd := env.Kubectl(k.ctx, append([]string{"--namespace", k.namespace}, args...)...)
	cmd.Env = append(cmd.Env, "KUBECONFIG="+k.kubeconfig, "KUBE_EDITOR="+filepath.Join(k.dir, "editor"), "TMPDIR="+k.dir)
	return cmd
}

// result is what a command printed, and how it ended.
type result struct {
	stdout, stderr string
	code           int
}

func (k *kubectl) try(input string, args ...string) result {
	k.t.Helper()
	cmd := k.command(args...)
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		k.t.Fatal(err)
	}
	got := result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	noCRNames(k.t, got.stderr)
	return got
}

// run returns what a command that has to succeed printed.
func (k *kubectl) run(input string, args ...string) string {
	k.t.Helper()
	got := k.try(input, args...)
	if got.code != 0 {
		k.t.Fatalf("kubectl %s ended with %d: %s%s", strings.Join(args, " "), got.code, got.stdout, got.stderr)
	}
	return got.stdout
}

// editor makes a program that edits files by a sed expression.
func (k *kubectl) editor(expression string) {
	k.t.Helper()
	script := "#!/bin/sh\nexec sed -i '" + expression + "' \"$1\"\n"
	k.check(os.WriteFile(filepath.Join(k.dir, "editor"), []byte(script), 0o700))
}

func TestKubectlApply(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	manifest := functionYAML("echo")
	if out := k.run(manifest, "apply", "-f", "-"); out != "pulsarfunction.admin.functionmesh.io/echo created\n" {
		t.Errorf("at first it prints %s", out)
	}
	version := k.get("echo").ResourceVersion
	if out := k.run(manifest, "apply", "-f", "-"); !strings.HasSuffix(out, "echo unchanged\n") || k.get("echo").ResourceVersion != version {
		t.Errorf("again it prints %s", out)
	}
	changed := strings.Replace(manifest, "  output:", "  parallelism: 3\n  logTopic: persistent://public/default/log\n  output:", 1)
	if got := k.try(changed, "diff", "-f", "-"); got.code != 1 || !strings.Contains(got.stdout, "+  parallelism: 3") {
		t.Errorf("the difference is %+v", got)
	}
	if got := k.try(changed, "diff", "--server-side", "--force-conflicts", "-f", "-"); got.code != 1 || !strings.Contains(got.stdout, "+  parallelism: 3") {
		t.Errorf("on the server the difference is %+v", got)
	}
	k.run(changed, "apply", "-f", "-")
	if got := k.try(changed, "diff", "-f", "-"); got.code != 0 || got.stdout != "" {
		t.Errorf("afterwards the difference is %+v", got)
	}
	if spec := k.get("echo").Spec; *spec.Parallelism != 3 || spec.LogTopic == "" {
		t.Errorf("it applied %+v", spec)
	}
	// What the manifest no longer has goes, by the view's own last-applied.
	k.run(manifest, "apply", "-f", "-")
	if spec := k.get("echo").Spec; *spec.Parallelism != 1 || spec.LogTopic != "" {
		t.Errorf("it did not prune: %+v", spec)
	}
	const applied = "kubectl.kubernetes.io/last-applied-configuration"
	if got := k.cr("echo").GetAnnotations()[applied]; got != "" {
		t.Errorf("the custom resource has the view's %s: %s", applied, got)
	}
	if out := k.run("", "apply", "view-last-applied", "pfn", "echo"); !strings.Contains(out, "className: org.example.Echo") {
		t.Errorf("what was applied last is %s", out)
	}

	// The administrator's kubectl owns the custom resource meanwhile.
	cr := newCR(t, "by-both", "")
	data, err := cr.MarshalJSON()
	k.check(err)
	admin := env.Kubectl(k.ctx, "--namespace", k.namespace, "apply", "-f", "-")
	admin.Stdin = bytes.NewReader(data)
	if out, err := admin.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	k.run(strings.Replace(functionYAML("by-both"), "org.example.Echo", "org.example.Changed", 1), "apply", "-f", "-")
	got := k.cr("by-both")
	if !strings.Contains(got.GetAnnotations()[applied], "org.example.ByHand") || field(got, "spec", "className") != "org.example.Changed" {
		t.Errorf("the custom resource is now %v", got.Object)
	}

	if out := k.run(manifest, "apply", "--server-side", "--force-conflicts", "-f", "-"); !strings.HasSuffix(out, "echo serverside-applied\n") {
		t.Errorf("on the server it prints %s", out)
	}
	if out := k.run(manifest, "delete", "-f", "-"); out != "pulsarfunction.admin.functionmesh.io \"echo\" deleted from "+k.namespace+" namespace\n" {
		t.Errorf("the end prints %s", out)
	}
	k.gone("echo")
}

func TestKubectlChanges(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	k.run(functionYAML("echo"), "create", "-f", "-")

	k.editor("s/parallelism: 1/parallelism: 4/")
	k.run("", "edit", "pulsarfunction", "echo")
	if got := *k.get("echo").Spec.Parallelism; got != 4 {
		t.Errorf("after an edit the parallelism is %d", got)
	}
	k.editor("s/parallelism: 4/parallelism: -1/")
	if got := k.try("", "edit", "pulsarfunction", "echo"); got.code == 0 || !strings.Contains(got.stderr, `"echo" is invalid`) {
		t.Errorf("a wrong edit: %+v", got)
	}
	k.run("", "label", "pfn", "echo", "team=blue")
	k.run("", "annotate", "pfn", "echo", "example.org/note=hello world")
	k.run("", "label", "pfn", "echo", "team-")
	if f := k.get("echo"); len(f.Labels) != 0 || f.Annotations["example.org/note"] != "hello world" {
		t.Errorf("labels and annotations are %v and %v", f.Labels, f.Annotations)
	}
	k.run("", "patch", "pfn", "echo", "--type=merge", "-p", `{"spec":{"parallelism":5}}`)
	k.run("", "patch", "pfn", "echo", "--type=json", "-p", `[{"op":"replace","path":"/spec/parallelism","value":6}]`)
	// The default, strategic, works as well.
	k.run("", "patch", "pfn", "echo", "-p", `{"spec":{"logTopic":"persistent://public/default/log"}}`)
	if spec := k.get("echo").Spec; *spec.Parallelism != 6 || spec.LogTopic == "" {
		t.Errorf("after the patches it is %+v", spec)
	}
	k.run(functionYAML("echo"), "replace", "-f", "-")
	if got := *k.get("echo").Spec.Parallelism; got != 1 {
		t.Errorf("after a replacement the parallelism is %d", got)
	}
	exported := k.run("", "get", "pfn", "echo", "-o", "yaml")
	k.run(exported, "replace", "-f", "-")
	k.run("", "label", "pfn", "echo", "a=b")
	if got := k.try(exported, "replace", "-f", "-"); got.code == 0 || !strings.Contains(got.stderr, "the object has been modified") {
		t.Errorf("an old export: %+v", got)
	}
	uid := k.get("echo").UID
	k.run(functionYAML("echo"), "replace", "--force", "-f", "-")
	if k.get("echo").UID == uid {
		t.Error("a forced replacement is no new object")
	}
	k.run("", "wait", "pfn/echo", "--for=condition=Reconciled=Unknown", "--timeout=60s")
	k.run("", "delete", "pfn", "echo", "--wait")
	k.gone("echo")
}

func TestKubectlAnswers(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	bogus := functionYAML("echo") + "  bogus: 1\n"
	if got := k.try(bogus, "create", "-f", "-"); got.code == 0 || !strings.Contains(got.stderr, `unknown field "spec.bogus"`) {
		t.Errorf("an unknown field: %+v", got)
	}
	if got := k.try(bogus, "create", "--validate=warn", "--dry-run=server", "-f", "-"); got.code != 0 || !strings.Contains(got.stderr, `unknown field "spec.bogus"`) {
		t.Errorf("an unknown field, with a warning: %+v", got)
	}
	wrong := strings.Replace(functionYAML("echo"), "  java: {}\n", "  parallelism: many\n", 1)
	if got := k.try(wrong, "create", "-f", "-"); got.code == 0 || !strings.Contains(got.stderr, "parallelism") {
		t.Errorf("a wrong type: %+v", got)
	}
	k.run(functionYAML("echo"), "create", "-f", "-")
	if got := k.try(functionYAML("echo"), "create", "-f", "-"); got.code == 0 || !strings.Contains(got.stderr, "(AlreadyExists)") {
		t.Errorf("a second one: %+v", got)
	}
	got := k.try(strings.Replace(functionYAML("echo"), "  java:", "  tenant: acme\n  java:", 1), "apply", "-f", "-")
	if got.code == 0 || !strings.Contains(got.stderr, "spec.tenant") || !strings.Contains(got.stderr, "immutable") {
		t.Errorf("another tenant: %+v", got)
	}
	if got := k.try("", "delete", "pfn", "absent"); got.code == 0 || !strings.Contains(got.stderr, `pulsarfunctions.admin.functionmesh.io "absent" not found`) {
		t.Errorf("a delete of nothing: %+v", got)
	}
	if got := k.try("", "delete", "pfn", "echo", "--cascade=foreground"); got.code != 0 || !strings.Contains(got.stderr, "Warning: deleting in the background") {
		t.Errorf("a deletion in the foreground: %+v", got)
	}
}

// TestKubectlWatch prints changes as they come, in the columns of a table.
func TestKubectlWatch(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	k.create("before")
	cmd := k.command("get", "pfn", "--watch", "--output-watch-events")
	output, err := cmd.StdoutPipe()
	k.check(err)
	k.check(cmd.Start())
	lines := bufio.NewScanner(output)
	next := func() string {
		lines.Scan()
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			t.Fatalf("it prints %q, %v", lines.Text(), lines.Err())
		}
		return fields[0] + " " + fields[1]
	}
	for i, want := range []string{"EVENT NAME", "ADDED before", "ADDED after", "DELETED after"} {
		switch i {
		case 2:
			k.create("after")
		case 3:
			k.check(k.author.Delete(k.ctx, "after", metav1.DeleteOptions{}))
		}
		if got := next(); got != want {
			t.Errorf("it prints %s, not %s", got, want)
		}
	}
	k.check(cmd.Process.Kill())
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
}

func TestKubectlGet(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	k.create("echo", func(f *v1alpha1.PulsarFunction) { f.Labels = map[string]string{"team": "blue"} })
	header := func(args ...string) string {
		line, _, _ := strings.Cut(k.run("", args...), "\n")
		return strings.Join(strings.Fields(line), " ")
	}
	const columns = "NAME TENANT NAMESPACE FUNCTION RUNTIME REPLICAS READY STATUS AGE"
	for _, resource := range []string{"pulsarfunctions", "pulsarfunction", "pfn", "pulsarfunctions.admin.functionmesh.io", "pulsarfunctions.v1alpha1.admin.functionmesh.io"} {
		if got := header("get", resource); got != columns {
			t.Errorf("get %s prints %s", resource, got)
		}
	}
	if got := k.run("", "get", "pulsar", "-o", "name"); !strings.Contains(got, "pulsarfunction.admin.functionmesh.io/echo\n") ||
		!strings.Contains(got, "pulsarconnector.admin.functionmesh.io/data-generator\n") {
		t.Errorf("the category has %s", got)
	}
	if got := header("get", "pfn", "-o", "wide"); got != columns+" INPUTS OUTPUT PACKAGE CLASS" {
		t.Errorf("get -o wide prints %s", got)
	}
	if got := header("get", "pfn", "--no-headers"); !strings.HasPrefix(got, "echo public default echo Java 1 0 Pending ") {
		t.Errorf("the row is %s", got)
	}
	if got := k.run("", "get", "pfn", "-o", "name"); got != "pulsarfunction.admin.functionmesh.io/echo\n" {
		t.Errorf("get -o name prints %s", got)
	}
	if got := k.run("", "get", "pfn", "echo", "-o", "yaml"); !strings.HasPrefix(got, "apiVersion: admin.functionmesh.io/v1alpha1\nkind: PulsarFunction\n") ||
		strings.Contains(got, "managedFields") {
		t.Errorf("get -o yaml prints %s", got)
	}
	if got := k.run("", "get", "pfn", "-l", "team=blue", "-o", "jsonpath={.items[*].spec.className}"); got != "org.example.Echo" {
		t.Errorf("get -o jsonpath prints %s", got)
	}
	if got := k.run("", "get", "pfn", "--show-labels"); !strings.Contains(got, "team=blue") {
		t.Errorf("get --show-labels prints %s", got)
	}
	if got := k.run("", "get", "pfn", "--sort-by=.metadata.name", "--chunk-size=1", "-o", "name"); got != "pulsarfunction.admin.functionmesh.io/echo\n" {
		t.Errorf("in chunks it prints %s", got)
	}
	if got := k.run("", "describe", "pfn", "echo"); !strings.Contains(got, "Class Name:") {
		t.Errorf("describe prints %s", got)
	}
	const verbs = "create,delete,deletecollection,get,list,patch,update,watch pulsar"
	want := []string{
		"pulsarconnectors pcon admin.functionmesh.io/v1alpha1 false PulsarConnector get,list,watch pulsar",
		"pulsarfunctions pfn admin.functionmesh.io/v1alpha1 true PulsarFunction " + verbs,
		"pulsarsinks psnk admin.functionmesh.io/v1alpha1 true PulsarSink " + verbs,
		"pulsarsources psrc admin.functionmesh.io/v1alpha1 true PulsarSource " + verbs,
	}
	var got []string
	for line := range strings.Lines(k.run("", "api-resources", "--api-group=admin.functionmesh.io", "--no-headers", "-o", "wide")) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the group has %q", got)
	}
}
