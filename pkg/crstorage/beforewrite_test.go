package crstorage

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// The last word comes after all that refuses a write, and what it changes is checked, too.
func TestBeforeWriteIsLast(t *testing.T) {
	const refusedClass, otherClass = "refused", "other"
	// It stands for no control plane: it gives one resource, and takes any.
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		writer.Header().Set("Content-Type", "application/json")
		if request.Method == http.MethodGet {
			_, _ = writer.Write(resource(1))
			return
		}
		sent, _ := io.ReadAll(request.Body)
		_, _ = writer.Write(sent)
	}))
	t.Cleanup(server.Close)
	client, err := NewClient(&rest.Config{Host: server.URL},
		computev1alpha1.SchemeGroupVersion.WithResource(computev1alpha1.FunctionResource), computev1alpha1.FunctionKind)
	if err != nil {
		t.Fatal(err)
	}
	classIn := func(cr map[string]any) any { return cr["spec"].(map[string]any)["className"] }
	client.Lacking = func(_, after map[string]any, _ func(string) string) field.ErrorList {
		if classIn(after) == refusedClass {
			return field.ErrorList{field.Forbidden(field.NewPath("spec"), "no such field")}
		}
		return nil
	}
	for name, test := range map[string]struct {
		create           bool
		class, becomes   string
		notTheirs        bool
		refused          bool
		written, checked int
	}{
		"create":                         {create: true, class: "A", written: 1},
		"create of what is refused":      {create: true, class: refusedClass, refused: true},
		"create that becomes refused":    {create: true, class: "A", becomes: refusedClass, refused: true, written: 1},
		"update":                         {class: "A", written: 1, checked: 1},
		"update that changes more":       {class: "A", becomes: otherClass, written: 1, checked: 2},
		"update of what is refused":      {class: refusedClass, refused: true, checked: 1},
		"update that becomes refused":    {class: "A", becomes: refusedClass, refused: true, written: 1, checked: 2},
		"update that is somebody else's": {class: "A", notTheirs: true, refused: true, checked: 1},
	} {
		written, checked := 0, 0
		s := &Storage{projection: benchmarkProjection(), config: Config{
			Client: client, Resource: v1alpha1.Resource("pulsarfunctions"), Kind: "PulsarFunction",
			NewObject: func() runtime.Object { return &v1alpha1.PulsarFunction{} },
			CheckWrite: func(_, _, _ map[string]any) *metav1.StatusCause {
				if checked++; test.notTheirs {
					return &metav1.StatusCause{Message: "it is somebody else's"}
				}
				return nil
			},
			BeforeWrite: func(_ context.Context, view, _ runtime.Object) error {
				if written++; test.becomes != "" {
					view.(*v1alpha1.PulsarFunction).Spec.ClassName = test.becomes
				}
				return nil
			},
		}}
		s.errors = &errorMapper{cr: client.Resource, crKind: client.Kind, view: s.config.Resource, viewKind: s.config.Kind, viewPath: s.projection.viewPath}
		view, err := s.projection.view(resource(1))
		if err != nil {
			t.Fatal(err)
		}
		function := view.(*v1alpha1.PulsarFunction)
		function.Spec.ClassName = test.class
		const key = "/default/f-1"
		if test.create {
			function.ResourceVersion = ""
			err = s.Create(t.Context(), key, function, nil, 0)
		} else {
			err = s.GuaranteedUpdate(t.Context(), key, &v1alpha1.PulsarFunction{}, false, nil, func(runtime.Object, storage.ResponseMeta) (runtime.Object, *uint64, error) {
				return function, nil, nil
			}, nil)
		}
		if (err != nil) != test.refused || written != test.written || checked != test.checked {
			t.Errorf("%s: %v, after %d last words and %d checks", name, err, written, checked)
		}
	}
}
