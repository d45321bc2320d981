package status

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// resources are the kinds that the stand-in makes StatefulSets of, each with the
// word that the operator puts behind names.
var resources = map[schema.GroupVersionResource]string{
	crResource("functions"): "function",
	crResource("sinks"):     "sink",
}

func crResource(name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: name}
}

// operatorInterval is how often the stand-in looks.
const operatorInterval = 200 * time.Millisecond

// startOperator does until ctx ends what the Function Mesh operator does with each
// new generation of a resource: it writes the StatefulSet, with the names, labels
// and owner of the operator's, and says so in the resource's status. The returned
// channel tells why it ended: nil if ctx did.
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
	for resource, word := range resources {
		list, err := env.Dynamic().Resource(resource).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			// A test has removed the definition.
			continue
		}
		if err != nil {
			return err
		}
		for i := range list.Items {
			err := operate(ctx, resource, word, &list.Items[i])
			// What goes while it is worked on, and what others write, is looked at again.
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && !apierrors.IsForbidden(err) {
				return err
			}
		}
	}
	return nil
}

func operate(ctx context.Context, resource schema.GroupVersionResource, word string, cr *unstructured.Unstructured) error {
	observed, _, err := unstructured.NestedInt64(cr.Object, "status", "observedGeneration")
	if err != nil {
		return err
	}
	if observed == cr.GetGeneration() || cr.GetDeletionTimestamp() != nil || cr.GetLabels()[ignored] != "" {
		return nil
	}
	replicas, found, err := unstructured.NestedInt64(cr.Object, "spec", "replicas")
	if err != nil {
		return err
	}
	if !found {
		replicas = 1
	}
	set := statefulSet(cr, word, int32(replicas))
	sets := env.ControlPlane.Client().AppsV1().StatefulSets(cr.GetNamespace())
	_, err = sets.Create(ctx, set, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		patch := fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)
		_, err = sets.Patch(ctx, set.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	}
	if err != nil {
		return err
	}
	status := fmt.Sprintf(`{"status":{"observedGeneration":%d,"replicas":%d,"selector":%q,"conditions":{}}}`,
		cr.GetGeneration(), replicas, metav1.FormatLabelSelector(set.Spec.Selector))
	_, err = env.Dynamic().Resource(resource).Namespace(cr.GetNamespace()).
		Patch(ctx, cr.GetName(), types.MergePatchType, []byte(status), metav1.PatchOptions{}, "status")
	return err
}

const (
	// ignored is a label of resources that the stand-in does nothing with.
	ignored = "test/ignored"
	// early is a label of those for which it does what the first operators did.
	early = "test/early"
)

func operatorLabels(cr *unstructured.Unstructured, word string) map[string]string {
	if _, found := cr.GetLabels()[early]; found {
		return map[string]string{"component": word, "name": cr.GetName(), "namespace": cr.GetNamespace()}
	}
	child := cr.GetName() + "-" + word
	return map[string]string{
		"app.kubernetes.io/name":            child,
		"app.kubernetes.io/instance":        child,
		"compute.functionmesh.io/component": word,
		"compute.functionmesh.io/name":      cr.GetName(),
		"compute.functionmesh.io/namespace": cr.GetNamespace(),
	}
}

// childMeta is the metadata of what the operator makes of a resource.
func childMeta(cr *unstructured.Unstructured, word string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:            cr.GetName() + "-" + word,
		Namespace:       cr.GetNamespace(),
		Labels:          operatorLabels(cr, word),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cr, cr.GroupVersionKind())},
	}
}

func statefulSet(cr *unstructured.Unstructured, word string, replicas int32) *appsv1.StatefulSet {
	labels := operatorLabels(cr, word)
	return &appsv1.StatefulSet{
		ObjectMeta: childMeta(cr, word),
		Spec: appsv1.StatefulSetSpec{
			Replicas:            &replicas,
			ServiceName:         cr.GetName() + "-" + word + "-headless",
			PodManagementPolicy: appsv1.ParallelPodManagement,
			Selector:            &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: ptr.To[int64](0),
					Containers:                    []corev1.Container{{Name: "pulsar-" + word, Image: "runner:1"}},
				},
			},
		},
	}
}

func namespaceObject(prefix string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}
}

// apiServerAccount is whom functionmesh-apiserver is.
const apiServerAccount = "system:serviceaccount:" + devenv.SystemNamespace + ":" + devenv.APIServerServiceAccount

var crdResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
