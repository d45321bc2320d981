package instances

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// podPageSize bounds what is read at once.
const podPageSize = 500

// pods returns the pods of a component by the number of their instance.
//
// Labels only narrow the search, since anybody who may make a pod may give it any: what
// counts is that a pod is controlled by the StatefulSet, and that by the custom resource,
// each by its UID. So another pod is neither asked nor deleted in the name of a component.
func (i *Instances) pods(ctx context.Context, component v1alpha1.Component) (map[int32]*corev1.Pod, error) {
	name := setName(component.ComponentKind(), component.GetName())
	set, err := i.client.AppsV1().StatefulSets(component.GetNamespace()).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("could not read a StatefulSet: %w", err)
	}
	if owner := metav1.GetControllerOf(set); owner == nil || owner.UID != translation.CRUID(component.GetUID()) {
		return nil, nil
	}
	pods := map[int32]*corev1.Pod{}
	options := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(set.Spec.Selector), Limit: podPageSize}
	for {
		page, err := i.client.CoreV1().Pods(set.Namespace).List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("could not list pods: %w", err)
		}
		for p := range page.Items {
			pod := &page.Items[p]
			id, ok := ordinal(name, pod.Name)
			if owner := metav1.GetControllerOf(pod); ok && owner != nil && owner.UID == set.UID {
				pods[id] = pod
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return pods, nil
		}
	}
}

// setName is the name of the StatefulSet that the operator makes of a component.
func setName(kind v1alpha1.ComponentKind, component string) string {
	return component + "-" + kind.Type
}

// ordinal returns which of a StatefulSet's pods has a name. A pod called set-00 is none of
// them: it must not be taken for set-0.
func ordinal(set, pod string) (int32, bool) {
	digits, found := strings.CutPrefix(pod, set+"-")
	id, err := strconv.ParseInt(digits, 10, 32)
	return int32(id), found && err == nil && id >= 0 && digits == strconv.FormatInt(id, 10)
}

// containerName is that of the container in which an instance runs.
func containerName(kind v1alpha1.ComponentKind) string { return "pulsar-" + kind.Type }
