// Package operator stands in for the Function Mesh operator where a test is about what
// comes after it: the pods of its StatefulSets. It makes of each resource a StatefulSet
// with the names, labels and owner of the operator's, whose pods run nothing, and says so
// in the resource's status. What the operator itself makes of a resource is none of its
// business.
package operator

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
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

const (
	// Ignored is a label of resources that the stand-in does nothing with.
	Ignored = "test/ignored"
	// Early is a label of those for which it does what the first operators did.
	Early = "test/early"

	// interval is how often the stand-in looks.
	interval = 200 * time.Millisecond
)

// words are what the operator puts behind the names of what it makes.
var words = map[string]string{"functions": "function", "sinks": "sink", "sources": "source"}

// Resource qualifies a resource of Function Mesh.
func Resource(name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: name}
}

// Operator is a stand-in on one control plane.
type Operator struct {
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	ports   sync.Map
	ended   chan error
}

// Start does until ctx ends what the operator does with each new generation of a resource.
func Start(ctx context.Context, kube kubernetes.Interface, dynamic dynamic.Interface) *Operator {
	o := &Operator{kube: kube, dynamic: dynamic, ended: make(chan error, 1)}
	go func() {
		for {
			if err := o.all(ctx); err != nil && ctx.Err() == nil {
				o.ended <- fmt.Errorf("the operator's stand-in failed: %w", err)
				return
			}
			select {
			case <-ctx.Done():
				o.ended <- nil
				return
			case <-time.After(interval):
			}
		}
	}()
	return o
}

// Wait waits for the end and tells why it came: nil if the context ended.
func (o *Operator) Wait() error { return <-o.ended }

// SetPort has the pods of the resource of a name declare the port of instances, from the
// next generation on. Others declare none.
func (o *Operator) SetPort(name string, port int) { o.ports.Store(name, int32(port)) }

func (o *Operator) all(ctx context.Context) error {
	for resource, word := range words {
		list, err := o.dynamic.Resource(Resource(resource)).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			// A test has removed the definition.
			continue
		}
		if err != nil {
			return err
		}
		for i := range list.Items {
			err := o.one(ctx, resource, word, &list.Items[i])
			// What goes while it is worked on, and what others write, is looked at again.
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && !apierrors.IsForbidden(err) {
				return err
			}
		}
	}
	return nil
}

func (o *Operator) one(ctx context.Context, resource, word string, cr *unstructured.Unstructured) error {
	observed, _, err := unstructured.NestedInt64(cr.Object, "status", "observedGeneration")
	if err != nil {
		return err
	}
	if observed == cr.GetGeneration() || cr.GetLabels()[Ignored] != "" {
		return nil
	}
	wanted, err := o.statefulSet(cr, word)
	if err != nil {
		return err
	}
	sets := o.kube.AppsV1().StatefulSets(cr.GetNamespace())
	present, err := sets.Get(ctx, wanted.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err) && cr.GetDeletionTimestamp() != nil:
		return nil
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
	_, err = o.dynamic.Resource(Resource(resource)).Namespace(cr.GetNamespace()).
		Patch(ctx, cr.GetName(), types.MergePatchType, []byte(status), metav1.PatchOptions{}, "status")
	return err
}

func (o *Operator) statefulSet(cr *unstructured.Unstructured, word string) (*appsv1.StatefulSet, error) {
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
	container := corev1.Container{Name: "pulsar-" + word, Image: "runner:1"}
	if port, ok := o.ports.Load(cr.GetName()); ok {
		container.Ports = []corev1.ContainerPort{{Name: "tcp-grpc", ContainerPort: port.(int32)}}
	}
	child := ChildMeta(cr, word)
	return &appsv1.StatefulSet{
		ObjectMeta: child,
		Spec: appsv1.StatefulSetSpec{
			Replicas:            ptr.To(int32(replicas)),
			ServiceName:         child.Name + "-headless",
			PodManagementPolicy: appsv1.ParallelPodManagement,
			Selector:            &metav1.LabelSelector{MatchLabels: child.Labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: child.Labels, Annotations: annotations},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: ptr.To[int64](0), NodeSelector: nodes, Containers: []corev1.Container{container},
				},
			},
		},
	}, nil
}

// ChildMeta is the metadata of what the operator makes of a resource. word is what the
// operator puts behind the name, such as function.
func ChildMeta(cr *unstructured.Unstructured, word string) metav1.ObjectMeta {
	name := cr.GetName() + "-" + word
	labels := map[string]string{
		"app.kubernetes.io/name":            name,
		"app.kubernetes.io/instance":        name,
		"compute.functionmesh.io/component": word,
		"compute.functionmesh.io/name":      cr.GetName(),
		"compute.functionmesh.io/namespace": cr.GetNamespace(),
	}
	if _, found := cr.GetLabels()[Early]; found {
		labels = map[string]string{"component": word, "name": cr.GetName(), "namespace": cr.GetNamespace()}
	}
	return metav1.ObjectMeta{
		Name: name, Namespace: cr.GetNamespace(), Labels: labels,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cr, cr.GroupVersionKind())},
	}
}
