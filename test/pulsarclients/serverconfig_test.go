package pulsarclients

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// configured is a shim before an API server of its own.
func configured(t *testing.T, name, configuration string, args ...string) *api {
	t.Helper()
	server := must[*controlplane.Server](t)(world.env.StartAPIServer(t.Context(), devenv.APIServerOptions{
		Name: name + "-apiserver", Config: configuration, ExtraArgs: args,
	}))
	t.Cleanup(server.Stop)
	shim := must[*controlplane.Server](t)(world.env.StartShim(t.Context(), devenv.ShimOptions{Name: name + "-shim", APIServer: server}))
	t.Cleanup(shim.Stop)
	return &api{url: shimURL("http", shim.Port()), client: http.DefaultClient}
}

// TestServerDefaults creates functions where the configuration has something for all of
// them: their author needs no right for that, and updates through either door keep it.
func TestServerDefaults(t *testing.T) {
	t.Parallel()
	server := configured(t, "defaults", devenv.DefaultConfig+`
defaults:
  labels: {team: all}
  annotations: {scrape: "true"}
  env: [{name: A, value: "1"}, {name: FROM, valueFrom: {secretKeyRef: {name: site, key: k}}}]
  serviceAccountName: runner
  imagePullSecrets: [{name: registry}]
  volumes: [{name: data, emptyDir: {}}]
  volumeMounts: [{name: data, mountPath: /data}]
  javaOpts: [-Xmx1g]
functionDefaults:
  env: [{name: A, value: "2"}]
`)
	user, token := serviceAccount(t, "defaults-author", authorRole)
	author := server.bearing(token)
	name := identity.Name{Tenant: "serverconfig", Namespace: "defaults", Name: "f"}
	expectOK(t, "create by "+user, author.create(t, name, config(javaConfig)))
	// The author gets no more by it than what the server gives.
	other := identity.Name{Tenant: "serverconfig", Namespace: "defaults", Name: "other"}
	expect(t, "create with an account", author.create(t, other, config(joined(javaConfig, `{"customRuntimeOptions":"{\"serviceAccountName\":\"admin\"}"}`))), 401, unauthorized)
	expect(t, "create with a tag", author.create(t, other, config(joined(javaConfig, `{"customRuntimeOptions":"{\"runnerImageTag\":\"9\"}"}`))), 401, unauthorized)

	check := func(when string) {
		t.Helper()
		object := resource(t, name.ObjectName()).Object
		expectFields(t, when, object, map[string]any{
			"metadata.labels.team":        "all",
			"spec.pod.labels.team":        "all",
			"spec.pod.annotations.scrape": "true",
			"spec.pod.env": []any{map[string]any{"name": "A", "value": "2"},
				map[string]any{"name": "FROM", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "site", "key": "k"}}}},
			"spec.pod.serviceAccountName": "runner",
			"spec.pod.imagePullSecrets":   []any{map[string]any{"name": "registry"}},
			"spec.pod.volumes":            []any{map[string]any{"name": "data", "emptyDir": map[string]any{}}},
			"spec.volumeMounts":           []any{map[string]any{"name": "data", "mountPath": "/data"}},
			"spec.java.javaOpts":          []any{"-Xmx1g"},
		})
	}
	check("created")
	expectOK(t, "update", author.update(t, name, config(`{"parallelism":2,"userConfig":{"a":1}}`)))
	check("updated")
	text := author.get(t, name).body
	expect(t, "what was read, written", author.update(t, name, config(text)), 400, "Update contains no change")
	check("written back")
	expectOK(t, "options", author.update(t, name, config(`{"customRuntimeOptions":"{\"maxReplicas\":5}"}`)))
	check("with options")
	// Another value replaces a default until it is taken back.
	variable := func() string {
		seen := resource(t, name.ObjectName()).Object
		env, _ := field(seen, "spec", "pod", "env").([]any)
		for _, element := range env {
			if members, _ := element.(map[string]any); members["name"] == "A" {
				return fmt.Sprint(members["value"])
			}
		}
		return ""
	}
	for _, step := range []struct{ options, want string }{{`{"env":{"A":"own"}}`, "own"}, {`{}`, "2"}} {
		expectOK(t, step.options, author.update(t, name, config(encode(t, map[string]any{"customRuntimeOptions": step.options}))))
		if got := variable(); got != step.want {
			t.Errorf("with options %s the variable is %q", step.options, got)
		}
	}
}

// TestRunnerImageTag names a tag of the configured image, changes it and takes it back.
func TestRunnerImageTag(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "serverconfig", Namespace: "tag", Name: "f"}
	withTag := func(options string) part { return config(encode(t, map[string]any{"customRuntimeOptions": options})) }
	const image = "streamnative/pulsar-functions-java-runner:"
	const options = `{"runnerImageTag":"2.11","env":{"A":"1"}}`
	author := rest()
	expectOK(t, "create", author.create(t, name, config(joined(javaConfig, encode(t, map[string]any{"customRuntimeOptions": options})))))
	for _, step := range []struct{ update, image, shown string }{
		{``, image + "2.11", options},
		{`{"runnerImageTag":"2.12"}`, image + "2.12", `{"runnerImageTag":"2.12"}`},
		{`{}`, image + "2.10.0.0-rc10", `{}`},
	} {
		if step.update != "" {
			expectOK(t, step.update, author.update(t, name, withTag(step.update)))
		}
		expectFields(t, step.update, resource(t, name.ObjectName()).Object, map[string]any{"spec.image": step.image})
		expectFields(t, step.update, author.read(t, name), map[string]any{"customRuntimeOptions": step.shown})
		expect(t, "the same again", author.update(t, name, withTag(step.shown)), 400, "Update contains no change")
	}
}

// TestReload changes the connectors file and asks for it to be read: what comes next
// sees the change, without any pause.
func TestReload(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "connectors.yaml")
	write := func(round int) {
		t.Helper()
		text := fmt.Sprintf("- {id: pulsar-io-c, name: c%d, version: '%d', sinkClass: org.example.C%d, imageRepository: example/c, imageTag: '%d'}\n", round, round, round, round)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(0)
	caller := configured(t, "reload", devenv.DefaultConfig, "--connectors-file="+file)
	for round := 1; round <= 10; round++ {
		write(round)
		expectOK(t, "reload", caller.send(t, http.MethodPost, "/admin/v3/sinks/reloadBuiltInSinks", "", nil))
		got := caller.send(t, http.MethodGet, "/admin/v3/sinks/builtinsinks", "", nil)
		if want := fmt.Sprintf(`[{"name":"c%d","sinkClass":"org.example.C%d"}]`, round, round); got.body != want {
			t.Errorf("after reload %d there is %s", round, got)
		}
		write(100 + round)
		expectOK(t, "reload", caller.send(t, http.MethodPost, "/admin/v3/sources/reloadBuiltInSources", "", nil))
		body, contentType := encodeForm(t, part{name: "sinkConfig", content: fmt.Sprintf(`{"inputs":["in"],"archive":"builtin://c%d"}`, 100+round)})
		expectOK(t, "create", caller.send(t, http.MethodPost, fmt.Sprintf("/admin/v3/sinks/serverconfig/reload/s%d", round), contentType, body))
	}
}
