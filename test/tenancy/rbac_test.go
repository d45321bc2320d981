package tenancy

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim"
)

// kindsByTitle are the resources of the kinds as operations call them, in lower case.
var kindsByTitle = map[string]string{"function": "pulsarfunctions", "sink": "pulsarsinks", "source": "pulsarsources"}

// operations say which rights an operation needs, by its name with %s for a kind, or %k
// where that is in lower case: all of them. A new operation without an entry fails the test: whoever adds one decides. An
// operation whose entry is anybody answers everybody whom the API server knows, or needs
// not even that.
var operations = map[string][]right{
	"create%s": {{"get", "%s"}, {"create", "%s"}},
	"update%s": {{"get", "%s"}, {"patch", "%s"}},
	"delete%s": {{"get", "%s"}, {"delete", "%s"}},
	"get%s":    {{"get", "%s"}},
	"list%ss":  {{"list", "%s"}},

	"get%sRevisions": {{"get", "%s"}, {"get", "%s/revisions"}}, "rollback%s": {{"get", "%s"}, {"create", "%s/rollback"}},
	"restart%s": {{"get", "%s"}, {"create", "%s/restart"}}, "restart%sInstance": {{"get", "%s"}, {"create", "%s/restart"}},
	"stop%s": {{"get", "%s"}, {"create", "%s/suspend"}}, "stop%sInstance": {{"get", "%s"}, {"create", "%s/suspend"}},
	"start%s": {{"get", "%s"}, {"create", "%s/resume"}}, "start%sInstance": {{"get", "%s"}, {"create", "%s/resume"}},
	"%kStatus": {{"get", "%s"}, {"get", "%s/instances"}}, "%kInstanceStatus": {{"get", "%s"}, {"get", "%s/instances"}},
	"triggerFunction":       {{"get", "pulsarfunctions"}, {"create", "pulsarfunctions/trigger"}},
	"functionStats":         {{"get", "%s"}, {"get", "%s/instances"}},
	"functionInstanceStats": {{"get", "%s"}, {"get", "%s/instances"}},
	"getFunctionState":      {{"get", "%s"}, {"get", "%s/state"}},
	"putFunctionState":      {{"get", "%s"}, {"update", "%s/state"}},

	"functionConnectors":        {{"list", "pulsarconnectors"}},
	"builtin%ss":                {{"list", "pulsarconnectors"}},
	"builtin%sConfigDefinition": {{"list", "pulsarconnectors"}},
	"builtinFunctions":          {{"get", "pulsarworkers"}, {"list", "pulsarconnectors"}},
	"reloadBuiltinFunctions":    {{"update", "pulsarworkers"}},
	"reloadBuiltin%ss":          {{"update", "pulsarworkers"}},

	"workerCluster":             {{"get", "pulsarworkers"}},
	"workerLeader":              {{"get", "pulsarworkers"}},
	"workerLeaderReady":         {{"get", "pulsarworkers"}},
	"workerAssignments":         {{"get", "pulsarworkers"}, {"list", "pulsarfunctions"}, {"list", "pulsarsinks"}, {"list", "pulsarsources"}},
	"workerConnectors":          {{"get", "pulsarworkers"}, {"list", "pulsarconnectors"}},
	"rebalanceWorkers":          {{"update", "pulsarworkers"}},
	"drainWorker":               {{"update", "pulsarworkers"}},
	"drainWorkerOnLeader":       {{"update", "pulsarworkers"}},
	"workerDrainStatus":         {{"get", "pulsarworkers"}},
	"workerDrainStatusOnLeader": {{"get", "pulsarworkers"}},
	"workerMetrics":             {{"get", "pulsarworkers"}},
	"workerFunctionsMetrics":    {{"get", "pulsarworkers"}},

	"uploadFunction":          {{"create", "pulsarfunctions/package"}},
	"downloadFunction":        {{"get", "pulsarfunctions/package"}},
	"downloadFunctionPackage": {{"get", "%s"}, {"get", "%s/package"}},

	"functionsV2":            anybody,
	"updateFunctionOnLeader": anybody,
}

var anybody []right

// singular are the paths of older clients to the same operations.
var singular = regexp.MustCompile(`^/admin/v3/(function|sink|source)(/|$)`)

// notYet tells whether an operation is one that nobody is served yet. It gets an entry
// when it comes.
func notYet(got answer) bool {
	return got.code == http.StatusNotImplemented && strings.HasSuffix(got.reason(), "is not available yet")
}

// broken tells whether an answer is one that nobody should get. That there is no state
// store is only told who may ask for state.
func broken(got answer) bool {
	return got.code >= 500 && got.code != http.StatusNotImplemented && !strings.HasPrefix(got.reason(), "State storage client is not done initializing")
}

// rightsOf returns what an operation on a path needs, and false if nobody has decided.
func rightsOf(operation, path string) ([]right, bool) {
	for title, resource := range kindsByTitle {
		if !strings.Contains(path, "/v3/"+title) {
			continue
		}
		for pattern, needed := range operations {
			name := strings.NewReplacer("%s", strings.ToUpper(title[:1])+title[1:], "%k", title).Replace(pattern)
			if name != operation || pattern != operation && operations[operation] != nil {
				continue
			}
			var rights []right
			for _, need := range needed {
				rights = append(rights, right{need.verb, strings.Replace(need.resource, "%s", resource, 1)})
			}
			return rights, true
		}
	}
	rights, known := operations[operation]
	return rights, known
}

// configs are valid components of the kinds for Pulsar's clients.
var configs = map[string]string{
	"function": functionConfig,
	"sink":     `{"className":"org.example.S","archive":"sink://public/default/code@1","inputs":["persistent://public/default/in"]}`,
	"source":   `{"className":"org.example.S","archive":"source://public/default/code@1","topicName":"persistent://public/default/out"}`,
}

// TestRoutesAsRBACSays asks for each operation of the shim as each caller. It is allowed
// exactly when RBAC says so, and a denial is Pulsar's.
func TestRoutesAsRBACSays(t *testing.T) {
	t.Parallel()
	m := newMatrix(t, "routes")
	answers := map[string]bool{}
	used := map[string]bool{}
	// RBAC reaches kube-apiserver's authorizer by a watch.
	eventually(t, "the last caller's rights", func() error {
		if !m.may(t, m.callers[len(m.callers)-1], right{"deletecollection", "pulsarfunctions"}) {
			return errNotYet
		}
		return nil
	})
	for _, route := range shim.Routes() {
		if singular.MatchString(route.Path) {
			continue
		}
		rights, known := rightsOf(route.Operation, route.Path)
		for i, c := range m.callers {
			got := m.ask(t, route, c, fmt.Sprintf("f%d", i))
			what := fmt.Sprintf("%s %s (%s) as %s", route.Method, route.Path, route.Operation, c.name)
			if notYet(got) {
				if known {
					t.Errorf("%s: it has rights and isn't there", what)
				}
				break
			}
			if !known {
				t.Errorf("%s: nobody has decided which rights it needs", what)
				break
			}
			used[route.Operation] = true
			switch allowed := m.mayAll(t, c, rights, answers); {
			case allowed && (got.code == http.StatusUnauthorized || got.code == http.StatusForbidden || broken(got)):
				t.Errorf("%s: it has the rights %v and is answered %d %s", what, rights, got.code, got.body)
			case !allowed && (got.code != http.StatusUnauthorized || !strings.Contains(got.reason(), "uthorized") && !strings.Contains(got.reason(), "super-user")):
				t.Errorf("%s: it lacks one of %v and is answered %d %s", what, rights, got.code, got.body)
			}
		}
	}
	if len(used) < 20 {
		t.Errorf("only %d operations were asked for", len(used))
	}
}

// ask asks for an operation on a component that is there, or isn't where it is about to
// be created.
func (m *matrix) ask(t *testing.T, route shim.Route, c *caller, name string) answer {
	t.Helper()
	path := strings.NewReplacer("{tenant}", m.tenant, "{namespace}", "x", "{instance}", "0", "{key}", "k", "{rest:*}", "x").Replace(route.Path)
	part, config := "", ""
	for title, resource := range kindsByTitle {
		if !strings.HasPrefix(route.Path, "/admin/v3/"+title+"s/{tenant}") {
			continue
		}
		id := identity.Name{Tenant: m.tenant, Namespace: "x", Name: title + "-" + name}
		path = strings.Replace(path, "{name}", id.Name, 1)
		if strings.HasPrefix(route.Operation, "create") || strings.HasPrefix(route.Operation, "update") {
			part, config = title+"Config", configs[title]
		}
		if route.Operation == "triggerFunction" {
			part, config = "data", "x"
		}
		if strings.HasPrefix(route.Operation, "put") {
			part, config = "state", `{"key":"k","stringValue":"v"}`
		}
		gvr := views.GroupVersion().WithResource(resource)
		client := env.Dynamic().Resource(gvr).Namespace(m.namespace)
		_, err := client.Get(t.Context(), id.ObjectName(), metav1.GetOptions{})
		switch creates := strings.HasPrefix(route.Operation, "create"); {
		case creates && err == nil:
			if err := client.Delete(t.Context(), id.ObjectName(), metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		case !creates && apierrors.IsNotFound(err):
			must[*unstructured.Unstructured](t)(client.Create(t.Context(), component(t, title, id), metav1.CreateOptions{}))
		}
		if route.Method == http.MethodPut {
			config = `{"parallelism":2}`
		}
	}
	path = strings.Replace(path, "{name}", "absent", 1)
	switch route.Operation {
	case "uploadFunction":
		part, config = "path", m.tenant+"/x/f"
	case "downloadFunction":
		path += "?path=" + m.tenant + "/x/f"
	}
	return call(t, c.token, route.Method, path, part, config)
}

// component returns a valid object of a kind.
func component(t *testing.T, title string, id identity.Name) *unstructured.Unstructured {
	t.Helper()
	made := function(t, id.ObjectName(), fmt.Sprintf("tenant: %s, namespace: %s, name: %s,", id.Tenant, id.Namespace, id.Name))
	made.SetKind("Pulsar" + strings.ToUpper(title[:1]) + title[1:])
	spec := made.Object["spec"].(map[string]any)
	if title != "function" {
		spec["package"] = map[string]any{"location": title + "://public/default/code@1"}
	}
	if title == "source" {
		delete(spec, "inputs")
		spec["output"] = "persistent://public/default/out"
	}
	return made
}
