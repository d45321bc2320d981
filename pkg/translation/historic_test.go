package translation

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// historicNames are what each resource in testdata/historic is called in Pulsar.
var historicNames = map[string]string{
	"hand-made-function":         "public/default/hand-made",
	"hand-made-inputs":           "public/default/inputs",
	"worker-function-old-labels": "public/default/word-count",
	"worker-sink-both-labels":    "public/default/word-count",
	"worker-source-both-labels":  "public/default/word-count",
	"function-mesh-child":        "public/default/first",
	"generic-runtime":            "public/default/node",
	"python":                     "public/default/py",
	"go":                         "public/default/gopher",
}

// Resources as others made them over the years are shown under their names in Pulsar,
// and putting back what was read writes nothing.
func TestHistoricResources(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "historic", "*.yaml"))
	if err != nil || len(files) != len(historicNames) {
		t.Fatalf("%d files, %d names: %v", len(files), len(historicNames), err)
	}
	for _, file := range files {
		name := filepath.Base(file[:len(file)-len(".yaml")])
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			data, err := yaml.YAMLToJSON(text)
			if err != nil {
				t.Fatal(err)
			}
			raw := toJSONMap(json.RawMessage(data))
			for _, kind := range testedKinds() {
				if kind.names().Kind != "Pulsar"+raw["kind"].(string) {
					continue
				}
				view := mustTranslate(t, kind, raw)
				spec := view.Common()
				if got := spec.Tenant + "/" + spec.Namespace + "/" + spec.Name; got != historicNames[name] {
					t.Errorf("shown as %s, want %s", got, historicNames[name])
				}
				original, before := runtime.DeepCopyJSON(raw), mustTranslate(t, kind, raw)
				kind.replace(view, before)
				changed, err := updateOf(kind, raw, view)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(original, raw); changed || diff != "" {
					t.Errorf("changed=%v (-before +after):\n%s", changed, diff)
				}
			}
		})
	}
}
