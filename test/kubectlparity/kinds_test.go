package kubectlparity

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// kind is one of the kinds that commands are run on. In commands and their input
// stand words like <kind>, for which each kind has its own.
type kind struct {
	// singular, plural, short and title are the kind's names.
	singular, plural, short, title string
	// resource is where its objects are.
	resource schema.GroupVersionResource
	// number is the member of the spec that says how many instances run, and other
	// the name of an optional number besides, for which nothing is filled in.
	number, other string
	// fixed is a change of the spec that is refused, since what it changes is immutable,
	// and fixedPath what that is.
	fixed, fixedPath string
	// envBegin and envEnd are what stands around a list of environment variables in a
	// patch of the spec.
	envBegin, envEnd string
	// envPath is the path of that list for a JSON patch, and envField for managed fields.
	envPath, envField string
	// condition is a condition that an object has soon, and its status.
	condition string
	// settled says whether nobody is about to change an object by themselves.
	settled func(object *unstructured.Unstructured) bool
	// body is what a valid object has besides its metadata in YAML. The spec comes last,
	// without number and other.
	body string
}

// The kinds of this group.
var (
	function = kind{
		singular: "pulsarfunction", plural: "pulsarfunctions", short: "pfn", title: "PulsarFunction",
		resource: ours("pulsarfunctions"),
		number:   "parallelism", other: "timeoutMs",
		fixed: `"tenant":"another"`, fixedPath: "spec.tenant",
		envBegin: `"pod":{"env":[`, envEnd: `]}`, envPath: "/spec/pod/env", envField: ".spec.pod.env",
		condition: "Reconciled=Unknown",
		settled:   always,
		body: `spec:
  className: echo.Echo
  python: {}
  package:
    location: https://packages.example.org/echo.py
  inputs: ['persistent://public/default/<name>-in']
  pod:
    env:
    - name: A
      value: "1"
`,
	}
	source = function.like("pulsarsource", "psrc", "PulsarSource", "maxReplicas", `spec:
  className: org.example.Source
  package:
    location: https://packages.example.org/source.jar
  output: persistent://public/default/<name>-out
  outputTypeClassName: java.lang.String
  pod:
    env:
    - name: A
      value: "1"
`)
	sink = function.like("pulsarsink", "psnk", "PulsarSink", "timeoutMs", `spec:
  className: org.example.Sink
  package:
    location: https://packages.example.org/sink.jar
  inputs: ['persistent://public/default/<name>-in']
  inputTypeClassName: java.lang.String
  pod:
    env:
    - name: A
      value: "1"
`)
)

// like returns another kind that has the most in common with k.
func (k kind) like(singular, short, title, other, body string) kind {
	k.singular, k.plural, k.short, k.title = singular, singular+"s", short, title
	k.resource = ours(k.plural)
	k.other, k.body = other, body
	return k
}

// deployment is what all kinds of this group are compared with. It is paused, so that
// its controller makes nothing of it and only says what it sees.
var deployment = kind{
	singular: "deployment", plural: "deployments", short: "deploy", title: "Deployment",
	resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"},
	number:   "replicas", other: "minReadySeconds",
	fixed:     `"selector":{"matchLabels":{"app":"another"}},"template":{"metadata":{"labels":{"app":"another"}}}`,
	fixedPath: "spec.selector",
	envBegin:  `"template":{"spec":{"containers":[{"name":"main","env":[`, envEnd: `]}]}}`,
	envPath:   "/spec/template/spec/containers/0/env",
	envField:  `.spec.template.spec.containers[name="main"].env`,
	condition: "Available=False",
	settled:   observed,
	body: `spec:
  paused: true
  selector:
    matchLabels:
      app: <name>
  template:
    metadata:
      labels:
        app: <name>
    spec:
      containers:
      - name: main
        image: registry.example.org/main:1
        env:
        - name: A
          value: "1"
`,
}

// custom is a custom resource. It is compared where kubectl knows what is built in by
// itself, and nothing else.
var custom = kind{
	singular: "function", plural: "functions", title: "Function",
	resource: schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: "functions"},
	number:   "replicas", other: "timeout", fixedPath: "spec.tenant", envField: ".spec.pod.env", condition: "None=None",
	settled: always,
	body:    "spec: {forwardSourceMessageProperty: true}\n",
}

// always is for kinds that nobody writes to by themselves: without the operator there
// is nothing to publish of ours.
func always(*unstructured.Unstructured) bool { return true }

// observed says whether the status is about the spec as it is, or will never be.
func observed(object *unstructured.Unstructured) bool {
	if object.GetDeletionTimestamp() != nil {
		return true
	}
	generation, _, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	return err == nil && generation == object.GetGeneration()
}

func ours(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "admin.functionmesh.io", Version: "v1alpha1", Resource: resource}
}

// words returns what stands for each word in commands for this kind.
func (k kind) words() []string {
	return []string{
		"<kind>", k.singular, "<kinds>", k.plural, "<resource>", k.plural + "." + k.resource.Group, "<short>", k.short, "<Kind>", k.title,
		"<group>", k.resource.Group, "<version>", k.resource.Version, "<api>", k.resource.GroupVersion().String(),
		"<number>", k.number, "<other>", k.other, "<fixed>", k.fixed,
		"<env>", k.envBegin, "</env>", k.envEnd, "<envpath>", k.envPath, "<condition>", k.condition,
	}
}

// kindsOf returns the kinds of this group that a scene is run on.
func kindsOf(scene scene) []kind {
	if scene.everyKind {
		return []kind{function, source, sink}
	}
	return []kind{function}
}

// names returns the reverse for what kubectl prints, the longest names first.
func (k kind) names() []string {
	return []string{
		k.resource.Group + "/" + k.resource.Version, "<api>",
		`in version "` + k.resource.Version + `"`, `in version "<version>"`,
		k.resource.Group + "." + k.resource.Version, "<group>.<version>",
		k.resource.Version + "." + k.resource.Group, "<version>.<group>",
		k.plural + "." + k.resource.Group, "<kinds>.<group>",
		k.singular + "." + k.resource.Group, "<kind>.<group>",
		k.resource.Group, "<group>",
		k.title + "Condition", "Condition",
		k.title, "<Kind>",
		k.plural, "<kinds>",
		k.singular, "<kind>",
		k.fixedPath, "<fixed>",
		k.envField, "<env>",
		k.number, "<number>",
		"replicas", "<number>",
		k.other, "<other>",
		k.condition, "<condition>",
	}
}

// manifest returns an object in YAML. extra are lines of the spec.
func (k kind) manifest(name string, extra ...string) string {
	return "apiVersion: " + k.resource.GroupVersion().String() + "\nkind: " + k.title + "\nmetadata:\n  name: " + name +
		"\n" + strings.ReplaceAll(k.body, "<name>", name) + strings.Join(extra, "")
}
