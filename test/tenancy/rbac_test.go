package tenancy

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim"
)

// right is a verb on a resource of the group, or on a subresource: RESOURCE/SUBRESOURCE.
// Those in clusterScoped are in no namespace.
type right struct{ verb, resource string }

func (r right) String() string { return r.verb + " " + r.resource }

var clusterScoped = map[string]bool{"pulsarconnectors": true, "pulsarworkers": true, "pulsartenants": true}

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

// matrix is a namespace with callers who have one role each, or one right.
type matrix struct {
	namespace, tenant string
	callers           []*caller
}

// objectVerbs are the verbs on objects, each of which is a role of its own.
var objectVerbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}

func newMatrix(t *testing.T, tenant string) *matrix {
	t.Helper()
	m := &matrix{tenant: tenant, namespace: newNamespace(t, "matrix", tenant+"/x")}
	add := func(name string) *caller {
		c := newCaller(t, m.namespace, name)
		m.callers = append(m.callers, c)
		return c
	}
	add("nobody")
	for _, role := range []string{"viewer", "author", "operator", "customizer"} {
		add(role).bind(t, "functionmesh-pulsar-"+role)
	}
	for _, role := range []string{"view", "edit", "admin"} {
		add(role).bind(t, role)
	}
	for _, role := range []string{"auditor", "superuser", "claimer"} {
		add(role).bindEverywhere(t, "functionmesh-pulsar-"+role)
	}
	all := []string{"pulsarfunctions", "pulsarsinks", "pulsarsources"}
	for _, verb := range objectVerbs {
		role := clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{"admin.functionmesh.io"}, Resources: all, Verbs: []string{verb}})
		add(verb).bind(t, role)
		if verb != "get" {
			getter := clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{"admin.functionmesh.io"}, Resources: all, Verbs: []string{"get", verb}})
			add("get-and-"+verb).bind(t, getter)
		}
	}
	return m
}

// may asks kube-apiserver whether a caller has a right.
func (m *matrix) may(t *testing.T, c *caller, r right) bool {
	t.Helper()
	resource, subresource, _ := strings.Cut(r.resource, "/")
	attributes := &authorizationv1.ResourceAttributes{Group: "admin.functionmesh.io", Version: "v1alpha1", Verb: r.verb, Resource: resource, Subresource: subresource}
	if resource == "pods" {
		attributes.Group, attributes.Version = "", "v1"
	}
	if !clusterScoped[resource] {
		attributes.Namespace = m.namespace
	}
	review := must[*authorizationv1.SubjectAccessReview](t)(kube().AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: c.user(), ResourceAttributes: attributes,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + c.namespace, "system:authenticated"},
		},
	}, metav1.CreateOptions{}))
	return review.Status.Allowed
}

// mayAll tells whether a caller has all rights, remembered by answers.
func (m *matrix) mayAll(t *testing.T, c *caller, rights []right, answers map[string]bool) bool {
	t.Helper()
	allowed := true
	for _, r := range rights {
		key := c.name + " " + r.String()
		if _, asked := answers[key]; !asked {
			answers[key] = m.may(t, c, r)
		}
		allowed = allowed && answers[key]
	}
	return allowed
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

// TestVerbsAsRBACSays asks for each verb on each resource and subresource as each caller,
// with a Kubernetes client.
func TestVerbsAsRBACSays(t *testing.T) {
	t.Parallel()
	m := newMatrix(t, "verbs")
	answers := map[string]bool{}
	dry := []string{metav1.DryRunAll}
	eventually(t, "the last caller's rights", func() error {
		if !m.may(t, m.callers[len(m.callers)-1], right{"deletecollection", "pulsarfunctions"}) {
			return errNotYet
		}
		return nil
	})
	subresources := servedSubresources(t)
	for title, resource := range kindsByTitle {
		gvr := views.GroupVersion().WithResource(resource)
		id := identity.Name{Tenant: m.tenant, Namespace: "x", Name: title}
		there := must[*unstructured.Unstructured](t)(env.Dynamic().Resource(gvr).Namespace(m.namespace).Create(t.Context(), component(t, title, id), metav1.CreateOptions{}))
		// Loops write what they observe of it and keep of it.
		there.SetResourceVersion("")
		another := component(t, title, identity.Name{Tenant: m.tenant, Namespace: "x", Name: title + "-other"})
		for _, c := range m.callers {
			client := c.dynamic(t).Resource(gvr).Namespace(m.namespace)
			label := []byte(`{"metadata":{"labels":{"a":"b"}}}`)
			attempts := map[right]func() error{
				{"get", resource}:  func() error { return second(client.Get(t.Context(), there.GetName(), metav1.GetOptions{})) },
				{"list", resource}: func() error { return second(client.List(t.Context(), metav1.ListOptions{})) },
				{"watch", resource}: func() error {
					watcher, err := client.Watch(t.Context(), metav1.ListOptions{})
					if err == nil {
						watcher.Stop()
					}
					return err
				},
				{"create", resource}: func() error { return second(client.Create(t.Context(), another, metav1.CreateOptions{DryRun: dry})) },
				{"update", resource}: func() error { return second(client.Update(t.Context(), there, metav1.UpdateOptions{DryRun: dry})) },
				{"patch", resource}: func() error {
					return second(client.Patch(t.Context(), there.GetName(), types.MergePatchType, label, metav1.PatchOptions{DryRun: dry}))
				},
				{"delete", resource}: func() error { return client.Delete(t.Context(), there.GetName(), metav1.DeleteOptions{DryRun: dry}) },
				{"deletecollection", resource}: func() error {
					return client.DeleteCollection(t.Context(), metav1.DeleteOptions{DryRun: dry}, metav1.ListOptions{})
				},
			}
			for r, attempt := range attempts {
				err := attempt()
				switch allowed := m.mayAll(t, c, []right{r}, answers); {
				case allowed && err != nil:
					t.Errorf("%s as %s: %v", r, c.name, err)
				case !allowed && !apierrors.IsForbidden(err):
					t.Errorf("%s as %s: it is not forbidden: %v", r, c.name, err)
				}
			}
			for _, r := range subresources {
				parent, subresource, _ := strings.Cut(r.resource, "/")
				if parent != resource {
					continue
				}
				code := c.rawCode(t, r.verb, "/apis/"+gvr.GroupVersion().String()+"/namespaces/"+m.namespace+"/"+resource+"/"+there.GetName()+"/"+subresource)
				if allowed := m.mayAll(t, c, append(besides[subresource], r), answers); allowed == (code == http.StatusForbidden) {
					t.Errorf("%s as %s: the answer is %d, and that it is allowed is %t", r, c.name, code, allowed)
				}
			}
		}
	}
}

// besides are the rights that subresources need besides their own.
var besides = map[string][]right{"log": {{"get", "pods/log"}}}

// servedSubresources are the verbs of all subresources that are served.
func servedSubresources(t *testing.T) []right {
	t.Helper()
	list := must[*metav1.APIResourceList](t)(kube().Discovery().ServerResourcesForGroupVersion(views.GroupVersion().String()))
	var rights []right
	for _, resource := range list.APIResources {
		if !strings.Contains(resource.Name, "/") {
			continue
		}
		for _, verb := range resource.Verbs {
			rights = append(rights, right{verb, resource.Name})
		}
	}
	if len(rights) == 0 {
		t.Fatal("there are no subresources")
	}
	return rights
}

// methods are how verbs of subresources are asked for.
var methods = map[string]string{
	"get": http.MethodGet, "create": http.MethodPost, "update": http.MethodPut, "patch": http.MethodPatch, "delete": http.MethodDelete,
}

// rawCode asks for something without saying anything, and returns the code of the answer.
func (c *caller) rawCode(t *testing.T, verb, path string) int {
	t.Helper()
	method, known := methods[verb]
	if !known {
		t.Fatalf("nobody knows how to ask for verb %s of %s", verb, path)
	}
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, c.config.Host+path+"?dryRun=All", strings.NewReader("{}")))
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", string(types.MergePatchType))
	}
	client := must[*http.Client](t)(rest.HTTPClientFor(c.config))
	response := must[*http.Response](t)(client.Do(request))
	defer response.Body.Close()
	return response.StatusCode
}

func second[T any](_ T, err error) error { return err }

// TestRoles compares what the roles of artifacts/ allow with what they are for.
func TestRoles(t *testing.T) {
	t.Parallel()
	m := newMatrix(t, "roles")
	reads := "get list watch"
	writes := reads + " create update patch delete deletecollection"
	for name, want := range map[string]map[string]string{
		"nobody": {},
		"viewer": {"": reads, "status": "get", "scale": "get", "instances": "get", "revisions": "get", "log": "get"},
		"view":   {"": reads, "status": "get", "scale": "get", "instances": "get", "revisions": "get", "log": "get"},
		"operator": {"": reads, "status": "get", "scale": "get update patch", "instances": "get", "revisions": "get", "log": "get",
			"restart": "create", "suspend": "create", "resume": "create", "rollback": "create"},
		"auditor": {"": reads, "status": "get", "scale": "get", "instances": "get", "revisions": "get"},
		"author":  author(writes), "edit": author(writes), "admin": author(writes),
		"customizer": {"": "customize"},
	} {
		var c *caller
		for _, candidate := range m.callers {
			if candidate.name == name {
				c = candidate
			}
		}
		for _, resource := range kindsByTitle {
			for _, subresource := range []string{"", "status", "scale", "instances", "revisions", "log", "restart", "suspend", "resume", "trigger", "rollback", "credential", "state", "package"} {
				for _, verb := range append([]string{"customize"}, objectVerbs...) {
					r := right{verb, strings.TrimSuffix(resource+"/"+subresource, "/")}
					wanted := strings.Contains(" "+want[subresource]+" ", " "+verb+" ")
					eventually(t, fmt.Sprintf("%s to %s: %t", name, r, wanted), func() error {
						if m.may(t, c, r) != wanted {
							return errNotYet
						}
						return nil
					})
				}
			}
		}
	}
}

func author(writes string) map[string]string {
	return map[string]string{"": writes, "status": "get", "scale": "get update patch", "instances": "get", "revisions": "get", "log": "get",
		"restart": "create", "suspend": "create", "resume": "create", "trigger": "create", "rollback": "create", "credential": "create",
		"state": "get update", "package": "get create"}
}
