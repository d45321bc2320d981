package v1alpha1

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const examplesDir = "../../../../artifacts/examples"

// maxExampleName is what the operator takes.
const maxExampleName = 43

// notShown are the fields that no example has, and why.
var notShown = map[string]string{
	"ComponentSpec.runtimeFlags":                        "has no effect in Function Mesh",
	"ComponentSpec.customRuntimeOptions":                "typed fields say the same",
	"ComponentSpec.cluster":                             "a server need not have a cluster of a certain name",
	"PulsarFunctionSpec.exposePulsarAdminClientEnabled": "has no effect yet",
	"FunctionSource.sourceType":                         "is for people",
	"FunctionSource.batchSourceConfig":                  "is as in a source",
	"FunctionSink.sinkType":                             "is for people",
	"PulsarSourceSpec.sourceType":                       "is for people, and follows from the location",
	"PulsarSinkSpec.sinkType":                           "is for people, and follows from the location",
	"PulsarSinkSpec.transformFunction":                  "has no effect yet",
	"PulsarSinkSpec.topicToSchemaProperties":            "has no effect",
	"InputConfig.autoAck":                               "is deprecated in Pulsar",
	"ConsumerSpec.serdeClassName":                       "is shown by customSerdeInputs",
	"ConsumerSpec.poolMessages":                         "has no effect yet",
	"ConsumerSpec.messagePayloadProcessorConfig":        "has no effect yet",
	"ProducerConfig.batchingConfig":                     "has no effect yet",
	"Resources.claims":                                  "needs a driver of resources",
	"Resources.disk":                                    "has no effect yet",
	"JavaRuntime.instancePath":                          "is for images with a runtime of their own",
	"JavaRuntime.entryClass":                            "is for images with a runtime of their own",
	"Auth.oauth2":                                       "needs an account at an issuer that the server allows",
	"TLS.allowInsecure":                                 "is not to be imitated",
	"TLS.secretName":                                    "is how the Java worker said it",
	"StateProvider.config":                              "has no effect yet",
	"Pod.imagePullPolicy":                               "has no effect: Function Mesh goes by its own configuration",
	"Pod.imageHasPulsarctl":                             "describes an image",
	"Pod.imageHasWget":                                  "describes an image",
	"Pod.downloaderImage":                               "is the operator's to choose",
	"Pod.cleanupImage":                                  "is the operator's to choose",
	"VolumeClaimMetadata.labels":                        "are as for any claim",
	"VolumeClaimMetadata.annotations":                   "are as for any claim",
	"VPAUpdatePolicy.minReplicas":                       "is as in a VerticalPodAutoscaler",
	"VPAUpdatePolicy.evictionRequirements":              "are as in a VerticalPodAutoscaler",
	"VPAContainerPolicy.mode":                           "is as in a VerticalPodAutoscaler",
}

// example is a file of the folder that is an object of this group.
type example struct {
	file   string
	object Component
}

func readExamples(t *testing.T) []example {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(examplesDir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var examples []example
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if !bytes.HasPrefix(data, []byte("# ")) {
			t.Errorf("%s doesn't begin with a comment that says what it shows", name)
		}
		var kind metav1.TypeMeta
		for _, document := range strings.Split(string(data), "\n---\n") {
			if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		objects := map[string]Component{"PulsarFunction": &PulsarFunction{}, "PulsarSource": &PulsarSource{}, "PulsarSink": &PulsarSink{}}
		object, ours := objects[kind.Kind]
		if !ours {
			continue
		}
		if err := yaml.UnmarshalStrict(data, object); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		examples = append(examples, example{name, object})
	}
	if len(examples) == 0 {
		t.Fatalf("no examples in %s", examplesDir)
	}
	return examples
}

// TestExamples checks what can be checked without a server.
func TestExamples(t *testing.T) {
	for _, example := range readExamples(t) {
		name, common := example.object.GetName(), example.object.Common()
		if name+".yaml" != example.file || len(name) > maxExampleName {
			t.Errorf("%s: the object is called %s", example.file, name)
		}
		if common.Resources == nil || common.Resources.Requests.Memory().IsZero() || common.Resources.Limits.Memory().IsZero() {
			t.Errorf("%s: Function Mesh wants a memory request and a limit", example.file)
		}
	}
}

// TestExamplesAreListed holds the list in the folder's README to the folder.
func TestExamplesAreListed(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(examplesDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(examplesDir)
	if err != nil {
		t.Fatal(err)
	}
	listed := 0
	for _, file := range files {
		name := file.Name()
		if name == "README.md" {
			continue
		}
		if filepath.Ext(name) != ".yaml" {
			t.Errorf("%s is no example that kubectl apply -f takes with the folder", name)
		}
		if bytes.Contains(readme, []byte("\n| ["+name+"]("+name+") | ")) {
			listed++
		} else {
			t.Errorf("README.md doesn't list %s", name)
		}
	}
	if entries := bytes.Count(readme, []byte("\n| [")); entries != listed {
		t.Errorf("README.md lists %d files, and %d of them are there", entries, listed)
	}
}

// TestExamplesShowEveryField fails when a field is new, and no example has it. A type
// that several fields have is shown once.
func TestExamplesShowEveryField(t *testing.T) {
	shown := map[string]bool{}
	for _, example := range readExamples(t) {
		data, err := json.Marshal(example.object)
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(data, &object); err != nil {
			t.Fatal(err)
		}
		note(shown, reflect.ValueOf(example.object).Elem().FieldByName("Spec").Type(), object["spec"])
	}
	for _, field := range slices.Sorted(maps.Keys(shown)) {
		switch _, listed := notShown[field]; {
		case !shown[field] && !listed:
			t.Errorf("no example shows %s", field)
		case shown[field] && listed:
			t.Errorf("%s is shown, and listed as not shown", field)
		}
	}
	for field := range notShown {
		if _, found := shown[field]; !found {
			t.Errorf("%s is listed as not shown, and is no field", field)
		}
	}
}

// note adds the fields of a value's types to shown, down to the first types of other
// packages, and says of each whether the value has it.
func note(shown map[string]bool, valueType reflect.Type, value any) {
	switch valueType.Kind() {
	case reflect.Pointer:
		note(shown, valueType.Elem(), value)
		return
	case reflect.Slice, reflect.Map:
		switch value := value.(type) {
		case []any:
			for _, element := range value {
				note(shown, valueType.Elem(), element)
			}
		case map[string]any:
			for _, element := range value {
				note(shown, valueType.Elem(), element)
			}
		}
		return
	case reflect.Struct:
	default:
		return
	}
	members, isObject := value.(map[string]any)
	if valueType.PkgPath() != reflect.TypeFor[ComponentSpec]().PkgPath() || !isObject {
		return
	}
	for i := range valueType.NumField() {
		field := valueType.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" { // inline
			note(shown, field.Type, value)
			continue
		}
		member, has := members[name]
		key := valueType.Name() + "." + name
		shown[key] = shown[key] || has
		note(shown, field.Type, member)
	}
}
