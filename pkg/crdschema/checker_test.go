package crdschema

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

var functions = schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: "functions"}

// old is a definition as an old Function Mesh has it: the root keeps unknown fields.
const old = `
metadata: {name: functions.compute.functionmesh.io}
spec:
  versions:
  - name: v1alpha1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-preserve-unknown-fields: true
        properties:
          spec:
            type: object
            properties:
              className: {type: string}
              funcConfig: {type: object, x-kubernetes-preserve-unknown-fields: true}
              secretsMap:
                type: object
                additionalProperties: {type: object, properties: {path: {type: string}}}
              pod:
                type: object
                properties:
                  env: {type: array, items: {type: object, properties: {name: {type: string}}}}
              java: {type: object, properties: {jar: {type: string}, log: {type: object, properties: {level: {type: string}}}}}
`

func newTestChecker(t *testing.T, text string) *Checker {
	t.Helper()
	checker, err := NewChecker(&restclient.Config{Host: "localhost"}, functions)
	if err != nil {
		t.Fatal(err)
	}
	var crd unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(text), &crd.Object); err != nil {
		t.Fatal(err)
	}
	transformed, err := toDefinition(&crd)
	if err != nil {
		t.Fatal(err)
	}
	if err := checker.informers[functions].GetStore().Add(transformed); err != nil {
		t.Fatal(err)
	}
	return checker
}

func parse(t *testing.T, spec string) map[string]any {
	t.Helper()
	if spec == "" {
		return nil
	}
	data, err := yaml.YAMLToJSON([]byte("spec: " + spec))
	if err != nil {
		t.Fatal(err)
	}
	var decoded map[string]any
	// As the storage decodes: whole numbers stay such.
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func viewPath(path string) string {
	return strings.Replace(path, "spec.java.jar", "spec.package.fileName", 1)
}

func TestCheck(t *testing.T) {
	check := newTestChecker(t, old).For(functions)
	for name, test := range map[string]struct{ before, after, want string }{
		"known fields":          {"", "{className: a, secretsMap: {x: {path: p}}, pod: {env: [{name: a}]}, java: {jar: a, log: {level: info}}}", ""},
		"free object":           {"", "{funcConfig: {a: {b: [1]}}}", ""},
		"new":                   {"", "{genericRuntime: {language: x}}", "spec.genericRuntime: v0.18.0 (2023-10)"},
		"nested":                {"", "{java: {log: {format: json}}}", "spec.java.log.format: of 2023-07"},
		"in a list":             {"", "{pod: {env: [{name: a}, {name: b, other: c}]}}", "spec.pod.env[1].other: older"},
		"in a map":              {"", "{secretsMap: {my.key: {path: p, other: c}}}", "spec.secretsMap[my.key].other: older"},
		"part of what is new":   {"", "{pulsar: {tlsConfig: {enabled: true}}}", "spec.pulsar: older"},
		"means nothing":         {"", "{skipToLatest: false, cleanupImage: '', pulsarPackageService: {}, volumeClaimTemplates: [], minReplicas: 1, other: null}", ""},
		"means something":       {"", "{skipToLatest: true}", "spec.skipToLatest: of 2023-05"},
		"more replicas":         {"", "{minReplicas: 2}", "spec.minReplicas: of 2022-09"},
		"unchanged":             {"{skipToLatest: true, className: a}", "{skipToLatest: true, className: b}", ""},
		"changed":               {"{cleanupImage: a}", "{cleanupImage: b}", "spec.cleanupImage: of 2023-05"},
		"removed":               {"{cleanupImage: a}", "{}", ""},
		"another one in a list": {"{pod: {env: [{name: b, other: c}]}}", "{pod: {env: [{name: a}, {name: b, other: c}]}}", ""},
		"at the view's path":    {"", "{java: {jar: {x: y}}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			errs := check(parse(t, test.before), parse(t, test.after), viewPath)
			if test.want == "" {
				if len(errs) > 0 {
					t.Errorf("got %v", errs)
				}
				return
			}
			path, detail, _ := strings.Cut(test.want, ": ")
			if len(errs) != 1 || errs[0].Field != path || !strings.Contains(errs[0].Detail, detail) {
				t.Errorf("got %v, want %s", errs, test.want)
			}
		})
	}
}

func TestCheckTellsTheViewsPath(t *testing.T) {
	check := newTestChecker(t, old).For(functions)
	errs := check(nil, parse(t, "{cleanupImage: a}"), func(path string) string { return "view/" + path })
	if len(errs) != 1 || errs[0].Field != "view/spec.cleanupImage" || strings.Contains(errs[0].Error(), `"a"`) {
		t.Errorf("got %v", errs)
	}
}

func TestNothingIsKnown(t *testing.T) {
	after := parse(t, "{skipToLatest: true}")
	for name, text := range map[string]string{
		"no schema":         "{metadata: {name: functions.compute.functionmesh.io}, spec: {versions: [{name: v1alpha1, served: true}]}}",
		"no versions":       "{metadata: {name: functions.compute.functionmesh.io}}",
		"another version":   strings.Replace(old, "v1alpha1", "v1", 1),
		"it is not served":  strings.Replace(old, "served: true", "served: false", 1),
		"a wrong type":      "{metadata: {name: functions.compute.functionmesh.io}, spec: {versions: x}}",
		"another resource":  strings.Replace(old, "functions.", "sinks.", 1),
		"no fields of spec": "{metadata: {name: functions.compute.functionmesh.io}, spec: {versions: [{name: v1alpha1, served: true, schema: {openAPIV3Schema: {type: object}}}]}}",
	} {
		checker := newTestChecker(t, text)
		if errs := checker.For(functions)(nil, after, viewPath); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs)
		}
	}
	sinks := functions.GroupVersion().WithResource("sinks")
	if errs := newTestChecker(t, old).For(sinks)(nil, after, viewPath); len(errs) > 0 {
		t.Errorf("of another resource: %v", errs)
	}
}

func TestTransformLeavesOthersAlone(t *testing.T) {
	gone := cache.DeletedFinalStateUnknown{Key: "x"}
	if got, err := toDefinition(gone); err != nil || got != any(gone) {
		t.Errorf("got %v, %v", got, err)
	}
}
