package translation

import (
	"encoding/json"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	kjson "sigs.k8s.io/json"

	"github.com/function-mesh/functionmesh-apiserver/hack/crdpaths"
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
)

// testedKind is a translator without its type parameters, so that a test is written
// once for all kinds.
type testedKind interface {
	names() adminv1alpha1.ComponentKind
	newView() adminv1alpha1.Component
	newCR() computev1alpha1.Component
	defaulted(view adminv1alpha1.Component)
	create(view adminv1alpha1.Component)
	replace(view, before adminv1alpha1.Component)
	toCR(view adminv1alpha1.Component) (computev1alpha1.Component, error)
	complete(cr computev1alpha1.Component)
	fromCR(cr computev1alpha1.Component) (adminv1alpha1.Component, error)
	containers() []delta.Container
	viewPath(path string) string
}

// erased makes a testedKind of a translator.
type erased[CR any, P crPointer[CR], View adminv1alpha1.Component] struct {
	translator *Translator[CR, P, View]
}

func (e erased[CR, P, View]) names() adminv1alpha1.ComponentKind { return e.translator.kind.names }
func (e erased[CR, P, View]) newView() adminv1alpha1.Component {
	return e.translator.kind.newView()
}
func (erased[CR, P, View]) newCR() computev1alpha1.Component { return P(new(CR)) }
func (e erased[CR, P, View]) defaulted(view adminv1alpha1.Component) {
	adminv1alpha1.SetIdentityDefaults(view.Common(), view.GetName())
	e.translator.setDefaults(view.(View))
}
func (e erased[CR, P, View]) create(view adminv1alpha1.Component) {
	adminv1alpha1.SetIdentityDefaults(view.Common(), view.GetName())
	e.translator.Default(view.(View))
}
func (e erased[CR, P, View]) replace(view, before adminv1alpha1.Component) {
	e.translator.DefaultUpdate(view.(View), before.(View))
}
func (e erased[CR, P, View]) toCR(view adminv1alpha1.Component) (computev1alpha1.Component, error) {
	cr, err := e.translator.ToCR(view.(View))
	return P(cr), err
}
func (e erased[CR, P, View]) complete(cr computev1alpha1.Component) {
	e.translator.Complete(cr.(P))
}
func (e erased[CR, P, View]) fromCR(cr computev1alpha1.Component) (adminv1alpha1.Component, error) {
	return e.translator.FromCR(cr.(P))
}
func (e erased[CR, P, View]) containers() []delta.Container { return e.translator.Containers() }
func (e erased[CR, P, View]) viewPath(path string) string   { return e.translator.ViewPath(path) }

// testedKinds are all kinds, with the catalogue of tests.
func testedKinds() []testedKind {
	return []testedKind{
		erased[computev1alpha1.Function, *computev1alpha1.Function, *adminv1alpha1.PulsarFunction]{NewFunctionTranslator(testConfig(), testCatalogue())},
		erased[computev1alpha1.Source, *computev1alpha1.Source, *adminv1alpha1.PulsarSource]{NewSourceTranslator(testConfig(), testCatalogue())},
		erased[computev1alpha1.Sink, *computev1alpha1.Sink, *adminv1alpha1.PulsarSink]{NewSinkTranslator(testConfig(), testCatalogue())},
	}
}

func forKinds(t *testing.T, test func(t *testing.T, kind testedKind)) {
	t.Helper()
	for _, kind := range testedKinds() {
		t.Run(kind.names().Type, func(t *testing.T) { test(t, kind) })
	}
}

// rounds is how many random objects of each kind each property is tried with.
const rounds = 300

func forSeeds(f *testing.F, property func(t *testing.T, kind testedKind, r *rand.Rand)) {
	for seed := range int64(rounds) {
		f.Add(seed)
	}
	kinds := testedKinds()
	f.Fuzz(func(t *testing.T, seed int64) {
		for _, kind := range kinds {
			property(t, kind, rand.New(rand.NewSource(seed)))
			if t.Failed() {
				t.Fatalf("of kind %s", kind.names().Kind)
			}
		}
	})
}

// mustTranslate returns the view of a custom resource in JSON.
func mustTranslate(t testing.TB, kind testedKind, raw map[string]any) adminv1alpha1.Component {
	t.Helper()
	cr, err := decodeCR(kind, raw)
	if err != nil {
		t.Fatal(err)
	}
	view, err := kind.fromCR(cr)
	if err != nil {
		t.Fatalf("FromCR: %v", err)
	}
	return view
}

// written returns what is stored for a view that was just created.
func written(t testing.TB, kind testedKind, view adminv1alpha1.Component) map[string]any {
	t.Helper()
	kind.create(view)
	cr, err := kind.toCR(view)
	if err != nil {
		t.Fatalf("ToCR: %v", err)
	}
	kind.complete(cr)
	return toJSONMap(cr)
}

func decodeCR(kind testedKind, raw map[string]any) (computev1alpha1.Component, error) {
	data, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	cr := kind.newCR()
	return cr, kjson.UnmarshalCaseSensitivePreserveInts(data, cr)
}

// crdsVariable names the directory with Function Mesh's own definitions. Without it,
// the committed lists stand in for them.
const crdsVariable = "FUNCTION_MESH_CRDS"

func committedFields(t testing.TB, kind testedKind) []crdpaths.Field {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", kind.names().Type+"-crd-paths.txt"))
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
func definition(t testing.TB, kind testedKind) []byte {
	t.Helper()
	directory := os.Getenv(crdsVariable)
	if directory == "" {
		return nil
	}
	crd, err := os.ReadFile(filepath.Join(directory, "compute.functionmesh.io_"+kind.names().Type+"s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return crd
}
