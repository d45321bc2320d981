package disruption

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A namespace with functions in it goes, view and resource alike.
func TestNamespaceDeletion(t *testing.T) {
	ctx := testContext(t)
	namespace := namespaceToDelete(ctx, t)
	deleteNamespace(ctx, t, namespace)
	waitNamespaceGone(ctx, t, namespace)
	mustBeEmpty(ctx, t, namespace)
}

// While functionmesh-apiserver is away a namespace can't go, since nobody can say
// whether anything is left in it. It goes when the server is back.
func TestNamespaceDeletionWithoutAPIServer(t *testing.T) {
	ctx := testContext(t)
	namespace := namespaceToDelete(ctx, t)
	server := env.APIServer
	server.Stop()
	restart := startOnce(t, server)
	deleteNamespace(ctx, t, namespace)
	eventually(ctx, t, "the namespace controller to notice", func() error {
		found, err := env.ControlPlane.Client().CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range found.Status.Conditions {
			failure := condition.Type == corev1.NamespaceDeletionDiscoveryFailure || condition.Type == corev1.NamespaceDeletionContentFailure
			if failure && condition.Status == corev1.ConditionTrue {
				t.Logf("meanwhile: %s: %s", condition.Type, condition.Message)
				return nil
			}
		}
		return errors.New(fmt.Sprint(found.Status))
	})
	restart(ctx)
	waitNamespaceGone(ctx, t, namespace)
	mustBeEmpty(ctx, t, namespace)
}

func namespaceToDelete(ctx context.Context, t *testing.T) string {
	t.Helper()
	namespace := newNamespace(ctx, t, "to-delete")
	for i := range 5 {
		create(ctx, t, namespace, fmt.Sprintf("f%d", i))
	}
	return namespace
}

func deleteNamespace(ctx context.Context, t *testing.T, namespace string) {
	t.Helper()
	if err := env.ControlPlane.Client().CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// mustBeEmpty looks for what is left of a namespace, through both resources.
func mustBeEmpty(ctx context.Context, t *testing.T, namespace string) {
	t.Helper()
	resources, err := env.Dynamic().Resource(crs).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil || len(resources.Items) > 0 {
		t.Errorf("resources: %v, %v", resources, err)
	}
	views, err := newViews(t, env.ControlPlane.AdminConfig()).AdminV1alpha1().PulsarFunctions(namespace).List(ctx, metav1.ListOptions{})
	if err != nil || len(views.Items) > 0 {
		t.Errorf("views: %v, %v", views, err)
	}
}

// waitNamespaceGone waits until a namespace that was deleted is gone.
func waitNamespaceGone(ctx context.Context, t *testing.T, namespace string) {
	t.Helper()
	began := time.Now()
	eventually(ctx, t, "namespace "+namespace+" to go", func() error {
		found, err := env.ControlPlane.Client().CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		}
		return errors.New(fmt.Sprint(found.Status))
	})
	t.Logf("namespace %s went after %.1f s", namespace, time.Since(began).Seconds())
}
