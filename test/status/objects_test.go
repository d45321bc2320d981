package status

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
	"github.com/function-mesh/functionmesh-apiserver/test/operator"
)

// newFunction returns a valid function with so many instances.
func newFunction(name string, parallelism int32) *v1alpha1.PulsarFunction {
	return &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				ClassName:   "org.example.Echo",
				Java:        &v1alpha1.JavaRuntime{},
				Package:     &v1alpha1.Package{Location: "function://public/default/echo@1"},
				Parallelism: ptr.To(parallelism),
			},
			InputConfig:  v1alpha1.InputConfig{Inputs: []string{"persistent://public/default/in"}},
			OutputConfig: v1alpha1.OutputConfig{Output: "persistent://public/default/out"},
		},
	}
}

func create(ctx context.Context, t *testing.T, namespace string, function *v1alpha1.PulsarFunction) *v1alpha1.PulsarFunction {
	t.Helper()
	created, err := views.AdminV1alpha1().PulsarFunctions(namespace).Create(ctx, function, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// newCR returns a resource as somebody else may make it, with the identity
// public/default/pulsarName.
func newCR(kind, name, pulsarName string, replicas int64) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "compute.functionmesh.io/v1alpha1",
		"kind":       kind,
		"metadata":   map[string]any{"name": name},
		"spec": map[string]any{
			"name": pulsarName, "tenant": "public", "namespace": "default", "replicas": replicas,
			"className": "org.example.Echo",
			"java":      map[string]any{"jar": "/pulsar/echo.jar"},
			"input":     map[string]any{"topics": []any{"persistent://public/default/in"}},
		},
	}}
}

func createCR(ctx context.Context, t *testing.T, resource, namespace string, cr *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	created, err := env.Dynamic().Resource(operator.Resource(resource)).Namespace(namespace).Create(ctx, cr, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func getCR(ctx context.Context, t *testing.T, resource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	cr, err := env.Dynamic().Resource(operator.Resource(resource)).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return cr
}

// waitForCR waits until what is published of a resource has a condition.
func waitForCR(ctx context.Context, t *testing.T, resource, namespace, name, conditionType, reason string) *status.Published {
	t.Helper()
	var published *status.Published
	eventually(ctx, t, conditionType+" of "+resource+" "+name+" to be "+reason, func() error {
		cr, err := env.Dynamic().Resource(operator.Resource(resource)).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		published, err = status.Decode(&metav1.ObjectMeta{UID: cr.GetUID(), Annotations: cr.GetAnnotations()})
		if err != nil {
			return err
		}
		if condition := published.Condition(conditionType); condition == nil || condition.Reason != reason ||
			published.ObservedGeneration != cr.GetGeneration() {
			return fmt.Errorf("published is %s: %v", published.Phase, published.Conditions)
		}
		return nil
	})
	return published
}

// waitFor waits until a view has a condition of its current generation, and returns
// it.
func waitFor(ctx context.Context, t *testing.T, namespace, name, conditionType, reason string) *v1alpha1.PulsarFunction {
	t.Helper()
	var view *v1alpha1.PulsarFunction
	eventually(ctx, t, conditionType+" of "+name+" to be "+reason, func() error {
		var err error
		view, err = views.AdminV1alpha1().PulsarFunctions(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		condition := meta.FindStatusCondition(view.Status.Conditions, conditionType)
		if condition == nil || condition.Reason != reason || condition.ObservedGeneration != view.Generation {
			return fmt.Errorf("it is %s: %v", view.Status.Phase, view.Status.Conditions)
		}
		return nil
	})
	return view
}

func message(view *v1alpha1.PulsarFunction, conditionType string) string {
	if condition := meta.FindStatusCondition(view.Status.Conditions, conditionType); condition != nil {
		return condition.Message
	}
	return ""
}
