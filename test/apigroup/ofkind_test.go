package apigroup

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// componentKind is a kind under test: what holds for one has to hold for all.
type componentKind struct {
	v1alpha1.ComponentKind
	short string
	// crs is the resource behind the view, and cr its kind.
	crs, cr string
	// spec is YAML of a valid spec, and byHand of that of a resource behind.
	spec, byHand string
	// columns are what kubectl get prints of the kind alone.
	columns, wide string
	// outcome is a path in the custom resource and what the spec makes of it.
	path    []string
	outcome any
	// broken is a change of the spec that makes it invalid, in the field brokenIn, of
	// which Pulsar says brokenText.
	broken, brokenIn, brokenText string
}

// byHandSpec is what resources behind have in common when they are made by hand.
const byHandSpec = `tenant: public, namespace: default, clusterName: dev, className: org.example.ByHand, replicas: 1,
	pulsar: {pulsarConfig: dev-function-mesh-config}, java: {jar: /pulsar/by-hand.jar, jarLocation: "function://public/default/by-hand@1"},`

var kinds = []componentKind{
	{
		ComponentKind: v1alpha1.FunctionKind, short: "pfn", crs: "functions", cr: "Function",
		spec: `{className: org.example.Echo, java: {}, package: {location: "function://public/default/echo@1"},
			inputs: ["persistent://public/default/in"], output: "persistent://public/default/out"}`,
		byHand: byHandSpec + `forwardSourceMessageProperty: true, maxPendingAsyncRequests: 1000,
			input: {topics: ["persistent://public/default/in"]}, output: {topic: "persistent://public/default/out"}`,
		columns: "NAME TENANT NAMESPACE FUNCTION RUNTIME REPLICAS READY STATUS AGE",
		wide:    " INPUTS OUTPUT PACKAGE CLASS",
		path:    []string{"spec", "output", "topic"}, outcome: "persistent://public/default/out",
		broken: "inputs: null", brokenIn: "spec.inputs", brokenText: "No input topic(s) specified for the function",
	},
	{
		ComponentKind: v1alpha1.SourceKind, short: "psrc", crs: "sources", cr: "Source",
		spec: `{className: org.example.Source, package: {location: "source://public/default/feed@1"},
			output: "persistent://public/default/out", configs: {host: example.org, port: 9007199254740993}}`,
		byHand:  byHandSpec + `forwardSourceMessageProperty: true, output: {topic: "persistent://public/default/out"}, sourceConfig: {host: example.org}`,
		columns: "NAME TENANT NAMESPACE SOURCE REPLICAS READY STATUS AGE",
		wide:    " OUTPUT PACKAGE CLASS",
		path:    []string{"spec", "sourceConfig"}, outcome: map[string]any{"host": "example.org", "port": int64(9007199254740993)},
		broken: "output: a/b", brokenIn: "spec.output", brokenText: "Topic name is invalid",
	},
	{
		ComponentKind: v1alpha1.SinkKind, short: "psnk", crs: "sinks", cr: "Sink",
		spec: `{className: org.example.Sink, package: {location: "sink://public/default/store@1"},
			inputs: ["persistent://public/default/in"], configs: {host: example.org}}`,
		byHand:  byHandSpec + `input: {topics: ["persistent://public/default/in"]}, sinkConfig: {host: example.org}`,
		columns: "NAME TENANT NAMESPACE SINK REPLICAS READY STATUS AGE",
		wide:    " INPUTS PACKAGE CLASS",
		path:    []string{"spec", "sinkConfig"}, outcome: map[string]any{"host": "example.org"},
		broken: "inputs: null", brokenIn: "spec.inputs", brokenText: "Must specify at least one topic of input via topicToSerdeClassName, topicsPattern, topicToSchemaType or inputSpecs",
	},
}

// ofKind is a space with clients of one kind.
type ofKind struct {
	*space
	kind componentKind
	// views reaches the objects as the author, resources what is behind them.
	views     dynamic.ResourceInterface
	resources dynamic.ResourceInterface
}

func (k componentKind) gvr() schema.GroupVersionResource {
	return v1alpha1.SchemeGroupVersion.WithResource(k.Resource)
}

// behind returns the resource behind the kind.
func (k componentKind) behind() schema.GroupVersionResource {
	return functions.GroupVersion().WithResource(k.crs)
}

// in returns the kind in a space.
func (k componentKind) in(s *space) *ofKind {
	return &ofKind{
		space: s, kind: k, views: s.views(authorConfigWith(s.warnings), k),
		resources: env.Dynamic().Resource(k.behind()).Namespace(s.namespace),
	}
}

// forEachKind runs a test for each kind in a space of its own.
func forEachKind(t *testing.T, test func(t *testing.T, k *ofKind)) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			test(t, kind.in(newSpace(t)))
		})
	}
}

// views returns a client of a kind with the rights of config.
func (s *space) views(config *rest.Config, kind componentKind) dynamic.ResourceInterface {
	s.t.Helper()
	client, err := dynamic.NewForConfig(config)
	s.check(err)
	return client.Resource(kind.gvr()).Namespace(s.namespace)
}

// object returns a valid object of the kind. changes is YAML that is merged over it.
func (k *ofKind) object(name, changes string) *unstructured.Unstructured {
	k.t.Helper()
	object := decode(k.t, fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s}, spec: %s}",
		v1alpha1.SchemeGroupVersion, k.kind.Kind, name, k.kind.spec))
	merge(object, decode(k.t, changes))
	return &unstructured.Unstructured{Object: object}
}

func (k *ofKind) create(name, changes string) *unstructured.Unstructured {
	k.t.Helper()
	created, err := k.views.Create(k.ctx, k.object(name, changes), metav1.CreateOptions{})
	k.check(err)
	return created
}

// createBehind creates a resource as somebody does by hand, changed by YAML.
func (k *ofKind) createBehind(name, changes string) *unstructured.Unstructured {
	k.t.Helper()
	created, err := k.resources.Create(k.ctx, k.resource(name, changes), metav1.CreateOptions{FieldManager: "by-hand"})
	k.check(err)
	return created
}

// resource returns what somebody writes by hand, changed by YAML.
func (k *ofKind) resource(name, changes string) *unstructured.Unstructured {
	k.t.Helper()
	resource := decode(k.t, fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s}, spec: {name: %s, %s}}",
		functions.GroupVersion(), k.kind.cr, name, name, k.kind.byHand))
	merge(resource, decode(k.t, changes))
	return &unstructured.Unstructured{Object: resource}
}

// patch sends a merge patch.
func (k *ofKind) patch(name, body string, subresources ...string) (*unstructured.Unstructured, error) {
	return k.views.Patch(k.ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{}, subresources...)
}

// mustPatch sends a merge patch that has to succeed.
func (k *ofKind) mustPatch(name, body string) *unstructured.Unstructured {
	k.t.Helper()
	patched, err := k.patch(name, body)
	k.check(err)
	return patched
}

// patchBehind changes the resource without its view.
func (k *ofKind) patchBehind(name, body string) *unstructured.Unstructured {
	k.t.Helper()
	patched, err := k.resources.Patch(k.ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{FieldManager: "by-hand"})
	k.check(err)
	return patched
}

func (k *ofKind) update(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return k.views.Update(k.ctx, object, metav1.UpdateOptions{})
}

func (k *ofKind) get(name string) *unstructured.Unstructured {
	k.t.Helper()
	view, err := k.views.Get(k.ctx, name, metav1.GetOptions{})
	k.check(err)
	return view
}

// behind returns the custom resource behind an object.
func (k *ofKind) behind(name string) *unstructured.Unstructured {
	k.t.Helper()
	resource, err := k.resources.Get(k.ctx, name, metav1.GetOptions{})
	k.check(err)
	return resource
}

// names lists objects, and returns their names in the answer's order.
func (k *ofKind) names(options metav1.ListOptions) string {
	k.t.Helper()
	list, err := k.views.List(k.ctx, options)
	k.check(err)
	return strings.Join(namesOf(list), " ")
}

func namesOf(list *unstructured.UnstructuredList) []string {
	names := make([]string, len(list.Items))
	for i := range list.Items {
		names[i] = list.Items[i].GetName()
	}
	return names
}

// gone waits until there is no object and no resource behind it.
func (k *ofKind) gone(name string) {
	k.t.Helper()
	for what, client := range map[string]dynamic.ResourceInterface{"the view": k.views, "the resource behind it": k.resources} {
		k.eventually("the end of "+name, func() error {
			_, err := client.Get(k.ctx, name, metav1.GetOptions{})
			return errIf(!apierrors.IsNotFound(err), fmt.Sprintf("%s: %v", what, err))
		})
	}
}

// notFound is what is said of an object that isn't there.
func (k *ofKind) notFound(name string) refusal {
	return refusal{reason: metav1.StatusReasonNotFound, text: fmt.Sprintf("%s.%s %q not found", k.kind.Resource, v1alpha1.GroupName, name)}
}

// modified is what is said of an update that is based on an old state.
var modified = refusal{reason: metav1.StatusReasonConflict, text: "the object has been modified"}

// member returns a member of an object by its path, with dots between, or nil.
func member(object *unstructured.Unstructured, path string) any {
	return field(object, strings.Split(path, ".")...)
}
