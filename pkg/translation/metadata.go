package translation

import (
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ManagedFieldsAnnotation holds the view's managed fields on the custom resource,
// as JSON. The resource's own are those of its own fields and its own writers.
const ManagedFieldsAnnotation = ReservedPrefix + "managed-fields"

// HiddenFinalizer tells whether views leave a finalizer out: those of the garbage
// collector, which are about the custom resource's dependents. Shown on a view,
// the collector would look for the view's dependents, find none, and strip the
// finalizer through us while the resource's dependents still go.
func HiddenFinalizer(finalizer string) bool {
	return finalizer == metav1.FinalizerDeleteDependents || finalizer == metav1.FinalizerOrphanDependents
}

// MetaToCR returns the metadata of the custom resource behind a view. An error
// means a label or annotation that can't be stored.
func MetaToCR(view metav1.ObjectMeta) (metav1.ObjectMeta, error) {
	cr := sharedMeta(view)
	cr.UID = CRUID(view.UID)
	var err error
	if cr.Labels, err = mapToCR(view.Labels); err != nil {
		return cr, fmt.Errorf("metadata.labels: %w", err)
	}
	if cr.Annotations, err = mapToCR(view.Annotations); err != nil {
		return cr, fmt.Errorf("metadata.annotations: %w", err)
	}
	if len(view.ManagedFields) > 0 {
		data, err := json.Marshal(view.ManagedFields)
		if err != nil {
			return cr, fmt.Errorf("could not encode metadata.managedFields: %w", err)
		}
		setKey(&cr.Annotations, ManagedFieldsAnnotation, string(data))
	}
	return cr, nil
}

// MetaFromCR returns the metadata of the view of a custom resource. Managed fields
// that can't be read count as none, as in Kubernetes itself: the next writers
// build them again.
func MetaFromCR(cr metav1.ObjectMeta) metav1.ObjectMeta {
	view := sharedMeta(cr)
	view.UID = ViewUID(cr.UID)
	view.Labels = mapFromCR(cr.Labels)
	view.Annotations = mapFromCR(cr.Annotations)
	if data, ok := cr.Annotations[ManagedFieldsAnnotation]; ok {
		var managed []metav1.ManagedFieldsEntry
		if err := json.Unmarshal([]byte(data), &managed); err == nil && len(managed) > 0 {
			view.ManagedFields = managed
		}
	}
	return view
}

// sharedMeta is what is the same on both sides. OwnerReferences are, with their
// UIDs: the garbage collector looks an owner up under the UID that it finds, and
// deletes the dependent of one that has another.
func sharedMeta(meta metav1.ObjectMeta) metav1.ObjectMeta {
	shared := metav1.ObjectMeta{
		Name:                       meta.Name,
		GenerateName:               meta.GenerateName,
		Namespace:                  meta.Namespace,
		ResourceVersion:            meta.ResourceVersion,
		Generation:                 meta.Generation,
		CreationTimestamp:          meta.CreationTimestamp,
		DeletionTimestamp:          meta.DeletionTimestamp.DeepCopy(),
		DeletionGracePeriodSeconds: meta.DeletionGracePeriodSeconds,
	}
	for _, owner := range meta.OwnerReferences {
		shared.OwnerReferences = append(shared.OwnerReferences, *owner.DeepCopy())
	}
	shared.Finalizers = slices.DeleteFunc(slices.Clone(meta.Finalizers), HiddenFinalizer)
	if len(shared.Finalizers) == 0 {
		shared.Finalizers = nil
	}
	return shared
}

func setKey(values *map[string]string, key, value string) {
	if *values == nil {
		*values = map[string]string{}
	}
	(*values)[key] = value
}

// metaOf returns the metadata of an object as the struct that it has.
func metaOf(object metav1.Object) *metav1.ObjectMeta {
	return object.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
}
