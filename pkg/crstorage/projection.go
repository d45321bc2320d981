package crstorage

import (
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"

	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
)

// Translator is the seam between a kind of view and the kind of custom resource
// behind it. Translations are pure: they read nothing but their argument and the
// translator's configuration.
type Translator[CR any, View runtime.Object] interface {
	// ToCR projects a view to the part of a custom resource that it determines.
	ToCR(View) (*CR, error)
	// Complete adds to a new custom resource what no view says.
	Complete(*CR)
	// FromCR projects a custom resource to the view of it.
	FromCR(*CR) (View, error)
	// Untranslatable is the view of a custom resource that FromCR refused.
	Untranslatable(meta metav1.ObjectMeta, cause error) View
	// MetaToCR is ToCR of the metadata alone, which a view has that FromCR refused.
	MetaToCR(View) (metav1.ObjectMeta, error)
	// Containers are the parts of a custom resource which mean nothing when they
	// are empty, outermost last.
	Containers() []delta.Container
	// ViewPath turns the path of a custom resource's field into the view's.
	ViewPath(string) string
	// SelectorToCR turns a selector of the view's labels into one of the resource's.
	SelectorToCR(labels.Selector) labels.Selector
}

// projection is a Translator over JSON, without its type parameters.
type projection interface {
	// view projects the JSON of a custom resource. An error means that the resource
	// can't be projected; the view is then what can be shown of it all the same.
	view(raw []byte) (runtime.Object, error)
	// viewList projects the JSON of a list of custom resources.
	viewList(raw []byte) ([]runtime.Object, metav1.ListMeta, error)
	// cr projects a view, completed if the custom resource is new.
	cr(view runtime.Object, complete bool) (map[string]any, error)

	// metadata projects the metadata of a view alone.
	metadata(view runtime.Object) (map[string]any, error)

	containers() []delta.Container
	viewPath(string) string
	selectorToCR(labels.Selector) labels.Selector
}

// Object is a pointer to a custom resource's type.
type Object[CR any] interface {
	*CR
	metav1.Object
}

type typedProjection[CR any, P Object[CR], View runtime.Object] struct {
	translator Translator[CR, View]
}

func (p typedProjection[CR, P, View]) view(raw []byte) (runtime.Object, error) {
	cr := new(CR)
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, cr); err != nil {
		return p.untranslatable(raw, err)
	}
	return p.translate(cr)
}

func (p typedProjection[CR, P, View]) translate(cr *CR) (runtime.Object, error) {
	view, err := p.translator.FromCR(cr)
	if err != nil {
		untranslatableResources.Inc()
		return p.translator.Untranslatable(metaOf(P(cr)), err), err
	}
	return view, nil
}

// untranslatable shows what can be read of a resource whose fields don't have the
// types that they should have.
func (p typedProjection[CR, P, View]) untranslatable(raw []byte, cause error) (runtime.Object, error) {
	untranslatableResources.Inc()
	var wrongType *json.UnmarshalTypeError
	if errors.As(cause, &wrongType) {
		// The decoder's own text is about Go types.
		cause = fmt.Errorf("%s has a wrong type: it is a %s", p.translator.ViewPath(wrongType.Field), wrongType.Value)
	}
	var partial metav1.PartialObjectMetadata
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &partial); err != nil {
		return nil, fmt.Errorf("could not read a custom resource's metadata: %w", err)
	}
	return p.translator.Untranslatable(partial.ObjectMeta, cause), cause
}

func (p typedProjection[CR, P, View]) viewList(raw []byte) ([]runtime.Object, metav1.ListMeta, error) {
	var list struct {
		metav1.ListMeta `json:"metadata"`
		Items           []CR `json:"items"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &list); err != nil {
		return p.viewEach(raw)
	}
	views := make([]runtime.Object, len(list.Items))
	for i := range list.Items {
		// An error is shown in the view itself.
		views[i], _ = p.translate(&list.Items[i])
	}
	return views, list.ListMeta, nil
}

// viewEach projects a list one by one, since an item in it has a field of a wrong
// type. Reading each item by itself costs twice as much, so this isn't the rule.
func (p typedProjection[CR, P, View]) viewEach(raw []byte) ([]runtime.Object, metav1.ListMeta, error) {
	var list struct {
		metav1.ListMeta `json:"metadata"`
		Items           []json.RawMessage `json:"items"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &list); err != nil {
		return nil, metav1.ListMeta{}, fmt.Errorf("could not read a list of custom resources: %w", err)
	}
	views := make([]runtime.Object, 0, len(list.Items))
	for _, item := range list.Items {
		view, err := p.view(item)
		if view == nil {
			return nil, metav1.ListMeta{}, err
		}
		views = append(views, view)
	}
	return views, list.ListMeta, nil
}

func (p typedProjection[CR, P, View]) cr(view runtime.Object, complete bool) (map[string]any, error) {
	typed, ok := view.(View)
	if !ok {
		return nil, fmt.Errorf("could not translate a %T", view)
	}
	cr, err := p.translator.ToCR(typed)
	if err != nil {
		return nil, fmt.Errorf("could not translate the object: %w", err)
	}
	if complete {
		p.translator.Complete(cr)
	}
	return toMap(cr)
}

func (p typedProjection[CR, P, View]) metadata(view runtime.Object) (map[string]any, error) {
	typed, ok := view.(View)
	if !ok {
		return nil, fmt.Errorf("could not translate a %T", view)
	}
	meta, err := p.translator.MetaToCR(typed)
	if err != nil {
		return nil, fmt.Errorf("could not translate the metadata: %w", err)
	}
	return toMap(struct {
		metav1.ObjectMeta `json:"metadata"`
	}{meta})
}

func (p typedProjection[CR, P, View]) containers() []delta.Container {
	return p.translator.Containers()
}
func (p typedProjection[CR, P, View]) viewPath(path string) string {
	return p.translator.ViewPath(path)
}
func (p typedProjection[CR, P, View]) selectorToCR(selector labels.Selector) labels.Selector {
	return p.translator.SelectorToCR(selector)
}

// toMap goes through JSON, as the stored resource did, so that numbers of both
// compare equal.
func toMap(value any) (map[string]any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("could not encode the object: %w", err)
	}
	return fromJSON(data)
}

func fromJSON(data []byte) (map[string]any, error) {
	var decoded map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &decoded); err != nil {
		return nil, fmt.Errorf("could not decode the object: %w", err)
	}
	return decoded, nil
}

func metaOf(object metav1.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:                       object.GetName(),
		GenerateName:               object.GetGenerateName(),
		Namespace:                  object.GetNamespace(),
		UID:                        object.GetUID(),
		ResourceVersion:            object.GetResourceVersion(),
		Generation:                 object.GetGeneration(),
		CreationTimestamp:          object.GetCreationTimestamp(),
		DeletionTimestamp:          object.GetDeletionTimestamp(),
		DeletionGracePeriodSeconds: object.GetDeletionGracePeriodSeconds(),
		Labels:                     object.GetLabels(),
		Annotations:                object.GetAnnotations(),
		OwnerReferences:            object.GetOwnerReferences(),
		Finalizers:                 object.GetFinalizers(),
		ManagedFields:              object.GetManagedFields(),
	}
}
