package translation

import (
	"encoding/json"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/hack/crdpaths"
)

// crdsVariable names the directory with Function Mesh's own definitions. Without it,
// the committed list stands in for them.
const crdsVariable = "FUNCTION_MESH_CRDS"

func committedFields(t testing.TB) []crdpaths.Field {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "function-crd-paths.txt"))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := crdpaths.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// definition returns Function Mesh's own definition, or nil where there is none.
func definition(t testing.TB) []byte {
	t.Helper()
	directory := os.Getenv(crdsVariable)
	if directory == "" {
		return nil
	}
	crd, err := os.ReadFile(filepath.Join(directory, "compute.functionmesh.io_functions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return crd
}

func TestCommittedListIsThatOfTheDefinition(t *testing.T) {
	crd := definition(t)
	if crd == nil {
		t.Logf("%s is not set: the committed list was not compared with the definition", crdsVariable)
		return
	}
	t.Logf("the committed list was compared with the definition in %s", os.Getenv(crdsVariable))
	derived, err := crdpaths.Derive(crd)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(derived, committedFields(t)); diff != "" {
		t.Errorf("run hack/update-crd-paths.sh (-definition +committed):\n%s", diff)
	}
}

// What we write has only fields that Function Mesh has, of its types and with its
// values.
func TestWrittenFunctionsFitTheDefinition(t *testing.T) {
	checker := crdpaths.NewChecker(committedFields(t))
	validator := schemaValidator(t)
	translator := NewFunctionTranslator(testConfig(), nil)
	seen := map[string]bool{}
	for seed := range int64(rounds) {
		view := randomView(rand.New(rand.NewSource(seed)), translator)
		translator.Default(view)
		cr, err := translator.ToCR(view)
		if err != nil {
			t.Fatal(err)
		}
		translator.Complete(cr)
		object := toJSONMap(cr)
		for _, problem := range checker.Check(object) {
			t.Errorf("seed %d: %s", seed, problem)
		}
		if validator != nil {
			for _, problem := range validator.Validate(object).Errors {
				t.Errorf("seed %d: %v", seed, problem)
			}
		}
		if _, ok := object["status"]; ok {
			t.Fatal("a status was written")
		}
		collectPaths(seen, "", object["spec"])
		if t.Failed() {
			return
		}
	}
	// A field that the generator never fills would not be tested.
	for _, field := range modelledFields {
		if !seen[field] {
			t.Errorf("no random view led to spec%s", field)
		}
	}
}

var modelledFields = []string{
	".java.jar", ".java.jarLocation", ".java.log.level", ".python.py", ".golang.go", ".image", ".minReplicas",
	".pulsar.pulsarConfig", ".resources.limits", ".resources.requests", ".secretsMap", ".timeout", ".maxMessageRetry",
	".deadLetterTopic", ".skipToLatest", ".cleanupSubscription", ".windowConfig.actualWindowFunctionClassName",
	".windowConfig.processingGuarantees", ".output.producerConf.cryptoConfig.encryptionKeys",
	".output.producerConf.compressionType", ".output.customSchemaSinks", ".input.sourceSpecs", ".input.topicPattern",
	".input.customSchemaSources", ".input.customSerdeSources", ".funcConfig", ".runtimeFlags",
}

func collectPaths(seen map[string]bool, path string, value any) {
	seen[path] = true
	if object, ok := value.(map[string]any); ok {
		for name, member := range object {
			collectPaths(seen, path+"."+name, member)
		}
	}
}

// schemaValidator validates against the whole schema, as kube-apiserver does; nil
// where there is no definition.
func schemaValidator(t *testing.T) *validate.SchemaValidator {
	t.Helper()
	crd := definition(t)
	if crd == nil {
		t.Logf("%s is not set: only the committed list was checked against", crdsVariable)
		return nil
	}
	t.Logf("the committed list and the schema in %s were checked against", os.Getenv(crdsVariable))
	var parsed struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema spec.Schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(crd, &parsed); err != nil {
		t.Fatal(err)
	}
	validator := validate.NewSchemaValidator(&parsed.Spec.Versions[0].Schema.OpenAPIV3Schema, nil, "", strfmt.Default)
	if bad := toJSONMap(json.RawMessage(`{"spec":{"replicas":-1}}`)); validator.Validate(bad).IsValid() {
		t.Fatal("the validator takes anything")
	}
	return validator
}

// The checks themselves find what is wrong.
func TestCheckerFinds(t *testing.T) {
	checker := crdpaths.NewChecker(committedFields(t))
	for _, test := range []struct{ object, want string }{
		{`{"spec":{"replica":1}}`, "spec.replica is not in the definition"},
		{`{"spec":{"input":{"sourceSpecs":{"t":{"serdeClassName":"x"}}}}}`, "spec.input.sourceSpecs.t.serdeClassName is not in the definition"},
		{`{"spec":{"replicas":"1"}}`, "spec.replicas is a string, not of type int32"},
		{`{"spec":{"replicas":-1}}`, "spec.replicas is -1, less than 0"},
		{`{"spec":{"timeout":3000000000}}`, "spec.timeout is 3000000000, which is no int32"},
		{`{"spec":{"subscriptionPosition":"Latest"}}`, `spec.subscriptionPosition is "Latest", not one of ["latest" "earliest"]`},
		{`{"spec":{"windowConfig":{}}}`, "spec.windowConfig.actualWindowFunctionClassName is required"},
		{`{"spec":{"input":{"topics":[1]}}}`, "spec.input.topics[0] is a int64, not of type string"},
		{`{"spec":{"funcConfig":{"any":[1]},"resources":{"limits":{"cpu":"1"}}},"metadata":{"name":"x"}}`, ""},
	} {
		got := ""
		if problems := checker.Check(toJSONMap(json.RawMessage(test.object))); len(problems) > 0 {
			got = problems[0]
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.object, got, test.want)
		}
	}
}
