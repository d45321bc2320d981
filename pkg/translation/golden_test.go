package translation

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/hack/crdpaths"
)

var updateGolden = flag.Bool("update", false, "write the golden files instead of comparing with them")

// Each testdata/golden/KIND/NAME.view.yaml becomes NAME.cr.yaml.
func TestGolden(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		views, err := filepath.Glob(filepath.Join("testdata", "golden", kind.names().Type, "*.view.yaml"))
		if err != nil || len(views) == 0 {
			t.Fatalf("no golden files: %v", err)
		}
		for _, file := range views {
			t.Run(filepath.Base(file), func(t *testing.T) { testGolden(t, kind, file) })
		}
	})
}

func testGolden(t *testing.T, kind testedKind, file string) {
	view := kind.newView()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, view); err != nil {
		t.Fatal(err)
	}
	raw := written(t, kind, view)
	for _, problem := range crdpaths.NewChecker(committedFields(t, kind)).Check(raw) {
		t.Error(problem)
	}
	got, err := yaml.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	golden := strings.TrimSuffix(file, ".view.yaml") + ".cr.yaml"
	if *updateGolden {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	assertSame(t, "read back", specOf(view).Interface(), specOf(mustTranslate(t, kind, raw)).Interface())
}
