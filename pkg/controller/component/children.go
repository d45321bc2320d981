package component

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stripChild keeps of StatefulSets and pods what a status depends on. Of what runs
// in them, commands and environments among it, nothing is kept.
func stripChild(item any) (any, error) {
	switch object := item.(type) {
	case *appsv1.StatefulSet:
		return &appsv1.StatefulSet{
			ObjectMeta: childMeta(&object.ObjectMeta),
			Spec:       appsv1.StatefulSetSpec{Replicas: object.Spec.Replicas, Selector: object.Spec.Selector},
			Status:     object.Status,
		}, nil
	case *corev1.Pod:
		pod := &corev1.Pod{
			ObjectMeta: childMeta(&object.ObjectMeta),
			Status: corev1.PodStatus{
				Phase:                 object.Status.Phase,
				Reason:                object.Status.Reason,
				Conditions:            object.Status.Conditions,
				InitContainerStatuses: object.Status.InitContainerStatuses,
				ContainerStatuses:     object.Status.ContainerStatuses,
			},
		}
		if revision, ok := object.Labels[appsv1.StatefulSetRevisionLabel]; ok {
			pod.Labels = map[string]string{appsv1.StatefulSetRevisionLabel: revision}
		}
		return pod, nil
	}
	return item, nil
}

func childMeta(meta *metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:              meta.Name,
		Namespace:         meta.Namespace,
		UID:               meta.UID,
		ResourceVersion:   meta.ResourceVersion,
		Generation:        meta.Generation,
		CreationTimestamp: meta.CreationTimestamp,
		DeletionTimestamp: meta.DeletionTimestamp,
		OwnerReferences:   meta.OwnerReferences,
	}
}
