package apigroup

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Names that an answer to a user of the view must not have.
var crNames = []string{"functions.compute", "sources.compute", "sinks.compute", "compute.functionmesh.io", "Function.compute"}

// newFunction returns a valid function.
func newFunction(name string) *v1alpha1.PulsarFunction {
	return &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				ClassName: "org.example.Echo",
				Java:      &v1alpha1.JavaRuntime{},
				Package:   &v1alpha1.Package{Location: "function://public/default/echo@1"},
			},
			InputConfig: v1alpha1.InputConfig{
				Inputs: []string{"persistent://public/default/in"},
			},
			OutputConfig: v1alpha1.OutputConfig{
				Output: "persistent://public/default/out",
			},
		},
	}
}

// functionYAML is newFunction in a file, for kubectl.
func functionYAML(name string) string {
	return fmt.Sprintf(`apiVersion: admin.functionmesh.io/v1alpha1
kind: PulsarFunction
metadata:
  name: %s
spec:
  className: org.example.Echo
  java: {}
  package:
    location: function://public/default/echo@1
  inputs:
  - persistent://public/default/in
  output: persistent://public/default/out
`, name)
}

// newCR returns a custom resource as somebody writes it by hand. changes is YAML
// that is merged over it.
func newCR(t *testing.T, name, changes string) *unstructured.Unstructured {
	t.Helper()
	object := decode(t, fmt.Sprintf(`
apiVersion: compute.functionmesh.io/v1alpha1
kind: Function
metadata:
  name: %s
spec:
  name: %s
  tenant: public
  namespace: default
  clusterName: dev
  className: org.example.ByHand
  replicas: 1
  forwardSourceMessageProperty: true
  maxPendingAsyncRequests: 1000
  input:
    topics: [persistent://public/default/in]
  output:
    topic: persistent://public/default/out
  pulsar:
    pulsarConfig: dev-function-mesh-config
  java:
    jar: /pulsar/by-hand.jar
    jarLocation: function://public/default/by-hand@1
`, name, name))
	merge(object, decode(t, changes))
	return &unstructured.Unstructured{Object: object}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	decoded := map[string]any{}
	if string(data) == "null" {
		return decoded
	}
	// This one keeps integers.
	if err := utiljson.Unmarshal(data, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// merge writes changes into object as a merge patch does.
func merge(object, changes map[string]any) {
	for key, value := range changes {
		inner, isMap := value.(map[string]any)
		present, wasMap := object[key].(map[string]any)
		switch {
		case value == nil:
			delete(object, key)
		case isMap && wasMap:
			merge(present, inner)
		default:
			object[key] = value
		}
	}
}

// create creates newFunction(name) as the author, changed by change.
func (s *space) create(name string, change ...func(*v1alpha1.PulsarFunction)) *v1alpha1.PulsarFunction {
	s.t.Helper()
	function := newFunction(name)
	for _, c := range change {
		c(function)
	}
	created, err := s.author.Create(s.ctx, function, metav1.CreateOptions{})
	s.check(err)
	return created
}

// createCR creates newCR(name, changes).
func (s *space) createCR(name, changes string) *unstructured.Unstructured {
	s.t.Helper()
	created, err := s.crs.Create(s.ctx, newCR(s.t, name, changes), metav1.CreateOptions{FieldManager: "by-hand"})
	s.check(err)
	return created
}

// get reads a view as the author.
func (s *space) get(name string) *v1alpha1.PulsarFunction {
	s.t.Helper()
	function, err := s.author.Get(s.ctx, name, metav1.GetOptions{})
	s.check(err)
	return function
}

// gone waits until there is no view and no custom resource of that name.
func (s *space) gone(name string) {
	s.t.Helper()
	s.eventually("the end of "+name, func() error {
		_, err := s.author.Get(s.ctx, name, metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the view: %v", err)
		}
		_, err = s.crs.Get(s.ctx, name, metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the custom resource: %v", err)
		}
		return nil
	})
}

// field returns a member of an object by its path, or nil.
func field(object *unstructured.Unstructured, path ...string) any {
	value, _, err := unstructured.NestedFieldNoCopy(object.Object, path...)
	if err != nil {
		return nil
	}
	return value
}

// refusal is what a test expects of an error.
type refusal struct {
	reason metav1.StatusReason
	// fields are the causes' fields, the last cause apart if it is Pulsar's.
	fields []string
	// pulsar is the text of the last cause, or "" if there is none of Pulsar's.
	pulsar string
	// text is part of the message.
	text string
}

// checkRefusal compares an error, which must be a status in the view's terms.
func checkRefusal(t *testing.T, err error, want refusal) {
	t.Helper()
	if err == nil {
		t.Fatalf("it was not refused, but should be: %s", want.reason)
	}
	if got := apierrors.ReasonForError(err); got != want.reason {
		t.Errorf("the reason is %q, not %q: %v", got, want.reason, err)
	}
	status := statusOf(t, err)
	if !strings.Contains(status.Message, want.text) {
		t.Errorf("the message %q doesn't have %q", status.Message, want.text)
	}
	fields, pulsar := map[string]bool{}, ""
	if status.Details != nil {
		for i, cause := range status.Details.Causes {
			if cause.Type == v1alpha1.CauseTypePulsarReason {
				if pulsar = cause.Message; i != len(status.Details.Causes)-1 {
					t.Errorf("PulsarReason is cause %d of %d", i+1, len(status.Details.Causes))
				}
				continue
			}
			fields[cause.Field] = true
		}
	}
	if got := slices.Sorted(maps.Keys(fields)); want.fields != nil && !slices.Equal(got, want.fields) {
		t.Errorf("the causes are about %q, not %q", got, want.fields)
	}
	if want.pulsar != pulsar {
		t.Errorf("PulsarReason is %q, not %q", pulsar, want.pulsar)
	}
	noCRNames(t, err)
}

func statusOf(t *testing.T, err error) metav1.Status {
	t.Helper()
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		t.Fatalf("%T is no API status: %v", err, err)
	}
	return status.Status()
}

// noCRNames checks that an answer doesn't name the resource behind the view.
func noCRNames(t *testing.T, answer any) {
	t.Helper()
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	if status, ok := answer.(apierrors.APIStatus); ok {
		if text, err = json.Marshal(status.Status()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range crNames {
		if strings.Contains(string(text), name) {
			t.Errorf("an answer names %s: %s", name, text)
		}
	}
}

func resourceOf(text string) *resource.Quantity {
	quantity := resource.MustParse(text)
	return &quantity
}
