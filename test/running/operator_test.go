package running

import (
	"context"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func crResource(name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: name}
}

// words are what the operator puts behind the names of what it makes.
var words = map[string]string{"functions": "function", "sinks": "sink", "sources": "source"}

// ports are those that the pods of functions declare, by the names of their resources.
// Others declare none.
var ports sync.Map

// operatorInterval is how often the stand-in looks.
const operatorInterval = 200 * time.Millisecond

// startOperator does until ctx ends what the Function Mesh operator does with each new
// generation of a resource: it makes the StatefulSet what it should be, and says so. The
// returned channel tells why it ended: nil if ctx did.
func startOperator(ctx context.Context) <-chan error {
	ended := make(chan error, 1)
	go func() {
		for {
			if err := operateAll(ctx); err != nil && ctx.Err() == nil {
				ended <- fmt.Errorf("the operator's stand-in failed: %w", err)
				return
			}
			select {
			case <-ctx.Done():
				ended <- nil
				return
			case <-time.After(operatorInterval):
			}
		}
	}()
	return ended
}

func operateAll(ctx context.Context) error {
	for resource, word := range words {
		list, err := env.Dynamic().Resource(crResource(resource)).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for i := range list.Items {
			err := operate(ctx, resource, word, &list.Items[i])
			// What goes while it is worked on is looked at again.
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				return err
			}
		}
	}
	return nil
}

func operate(ctx context.Context, resource, word string, cr *unstructured.Unstructured) error {
	observed, _, err := unstructured.NestedInt64(cr.Object, "status", "observedGeneration")
	if err != nil {
		return err
	}
	if observed == cr.GetGeneration() || cr.GetDeletionTimestamp() != nil {
		return nil
	}
	wanted, err := statefulSet(cr, word)
	if err != nil {
		return err
	}
	sets := env.ControlPlane.Client().AppsV1().StatefulSets(cr.GetNamespace())
	present, err := sets.Get(ctx, wanted.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = sets.Create(ctx, wanted, metav1.CreateOptions{})
	case err == nil:
		present.Spec.Replicas, present.Spec.Template = wanted.Spec.Replicas, wanted.Spec.Template
		_, err = sets.Update(ctx, present, metav1.UpdateOptions{})
	}
	if err != nil {
		return err
	}
	status := fmt.Sprintf(`{"status":{"observedGeneration":%d,"replicas":%d,"selector":%q,"conditions":{}}}`,
		cr.GetGeneration(), *wanted.Spec.Replicas, metav1.FormatLabelSelector(wanted.Spec.Selector))
	_, err = env.Dynamic().Resource(crResource(resource)).Namespace(cr.GetNamespace()).
		Patch(ctx, cr.GetName(), types.MergePatchType, []byte(status), metav1.PatchOptions{}, "status")
	return err
}

func statefulSet(cr *unstructured.Unstructured, word string) (*appsv1.StatefulSet, error) {
	replicas, found, err := unstructured.NestedInt64(cr.Object, "spec", "replicas")
	if err != nil {
		return nil, err
	}
	if !found {
		replicas = 1
	}
	annotations, _, err := unstructured.NestedStringMap(cr.Object, "spec", "pod", "annotations")
	if err != nil {
		return nil, err
	}
	nodes, _, err := unstructured.NestedStringMap(cr.Object, "spec", "pod", "nodeSelector")
	if err != nil {
		return nil, err
	}
	name := cr.GetName() + "-" + word
	labels := map[string]string{"app.kubernetes.io/instance": name, "compute.functionmesh.io/component": word, "compute.functionmesh.io/name": cr.GetName()}
	container := corev1.Container{Name: "pulsar-" + word, Image: "runner:1"}
	if port, ok := ports.Load(cr.GetName()); ok {
		container.Ports = []corev1.ContainerPort{{Name: "tcp-grpc", ContainerPort: int32(port.(int))}}
	}
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: cr.GetNamespace(), Labels: labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cr, cr.GroupVersionKind())},
		},
		Spec: appsv1.StatefulSetSpec{
			Replicas:            ptr.To(int32(replicas)),
			ServiceName:         name + "-headless",
			PodManagementPolicy: appsv1.ParallelPodManagement,
			Selector:            &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: ptr.To[int64](0), NodeSelector: nodes, Containers: []corev1.Container{container},
				},
			},
		},
	}, nil
}
