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
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var updateGolden = flag.Bool("update", false, "write the golden files instead of comparing with them")

// Each testdata/golden/NAME.view.yaml becomes NAME.cr.yaml.
func TestGoldenFunctions(t *testing.T) {
	views, err := filepath.Glob(filepath.Join("testdata", "golden", "*.view.yaml"))
	if err != nil || len(views) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	translator := NewFunctionTranslator(testConfig(), nil)
	checker := crdpaths.NewChecker(committedFields(t))
	for _, file := range views {
		t.Run(filepath.Base(file), func(t *testing.T) {
			view := &adminv1alpha1.PulsarFunction{}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.UnmarshalStrict(text, view); err != nil {
				t.Fatal(err)
			}
			adminv1alpha1.SetIdentityDefaults(&view.Spec.ComponentSpec, view.Name)
			translator.Default(view)
			cr, err := translator.ToCR(view)
			if err != nil {
				t.Fatal(err)
			}
			translator.Complete(cr)
			for _, problem := range checker.Check(toJSONMap(cr)) {
				t.Error(problem)
			}
			got, err := yaml.Marshal(cr)
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
			back, err := translator.FromCR(cr)
			if err != nil {
				t.Fatal(err)
			}
			assertSame(t, "read back", view.Spec, back.Spec)
		})
	}
}
