package component

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/registry/rest"
	storeerr "k8s.io/apiserver/pkg/storage/errors"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
)

// RevisionsREST serves the subresource revisions of a kind. Whoever may get it needs no
// right to ControllerRevisions: what is in them is a spec, which the caller may read.
type RevisionsREST struct {
	store     *view.REST
	resources *crstorage.Storage
	client    appsclient.ControllerRevisionsGetter
}

var (
	_ rest.Storage        = (*RevisionsREST)(nil)
	_ rest.Getter         = (*RevisionsREST)(nil)
	_ rest.TableConvertor = (*RevisionsREST)(nil)
)

// New implements rest.Storage.
func (r *RevisionsREST) New() runtime.Object { return &v1alpha1.PulsarRevisions{} }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *RevisionsREST) Destroy() {}

// Get implements rest.Getter.
func (r *RevisionsREST) Get(ctx context.Context, name string, _ *metav1.GetOptions) (runtime.Object, error) {
	history, err := r.history(ctx, name)
	if err != nil {
		return nil, err
	}
	component := history.component
	answer := &v1alpha1.PulsarRevisions{
		ObjectMeta: metav1.ObjectMeta{
			Name:              component.GetName(),
			Namespace:         component.GetNamespace(),
			UID:               component.GetUID(),
			ResourceVersion:   component.GetResourceVersion(),
			CreationTimestamp: component.GetCreationTimestamp(),
		},
		Revisions: []v1alpha1.PulsarRevision{},
	}
	kept, err := r.client.ControllerRevisions(component.GetNamespace()).List(ctx, metav1.ListOptions{
		LabelSelector: revision.OwnerLabel + "=" + string(history.uid),
	})
	if err != nil {
		return nil, unreadable(ctx, component, err)
	}
	for i, entry := range slices.Backward(history.entries) {
		at := slices.IndexFunc(kept.Items, func(found appsv1.ControllerRevision) bool { return found.Name == history.nameOf(entry) })
		if at < 0 {
			continue
		}
		content, ok := revision.Verify(&kept.Items[at], history.uid, entry.Hash)
		if !ok {
			klog.FromContext(ctx).Info("A ControllerRevision is not what it should be", "namespace", component.GetNamespace(), "name", kept.Items[at].Name)
			continue
		}
		shown, err := describe(entry, &kept.Items[at], content)
		if err != nil {
			return nil, err
		}
		shown.Current = i == len(history.entries)-1 && entry.Hash == history.current
		answer.Revisions = append(answer.Revisions, *shown)
	}
	return answer, nil
}

// unreadable is the answer where the server's own account could not read revisions.
func unreadable(ctx context.Context, component v1alpha1.Component, err error) error {
	klog.FromContext(ctx).Error(err, "Could not read revisions", "namespace", component.GetNamespace(), "name", component.GetName())
	return apierrors.NewInternalError(errors.New("could not read revisions"))
}

// describe tells of a revision what its ControllerRevision says.
func describe(entry revision.Entry, found *appsv1.ControllerRevision, data []byte) (*v1alpha1.PulsarRevision, error) {
	content, err := revision.Read(data)
	if err != nil {
		return nil, err
	}
	location := content.Package()
	shown := &v1alpha1.PulsarRevision{
		Revision: entry.Revision,
		Name:     found.Name,
		User:     found.Annotations[revision.UserAnnotation],
		Manager:  found.Annotations[revision.ManagerAnnotation],
		Package:  location,
		Digest:   revision.DigestOf(location),
		Spec:     runtime.RawExtension{Raw: content.Spec},
	}
	if made, err := time.Parse(time.RFC3339, found.Annotations[revision.TimeAnnotation]); err == nil {
		shown.Time = &metav1.Time{Time: made}
	}
	return shown, nil
}

// history is what is known of the revisions of a component.
type history struct {
	component v1alpha1.Component
	// uid is the custom resource's, kind the component's type.
	uid types.UID
	// entries are those revisions that there may be, the newest last.
	entries []revision.Entry
	// current is the hash of what the component is now.
	current string
}

// history returns what a component and the resource behind it say of its revisions.
func (r *RevisionsREST) history(ctx context.Context, name string) (*history, error) {
	key, err := r.store.KeyFunc(ctx, name)
	if err != nil {
		return nil, err
	}
	obj, resource, err := r.resources.Look(ctx, key)
	if err != nil {
		return nil, storeerr.InterpretGetError(err, r.store.DefaultQualifiedResource, name)
	}
	component := obj.(v1alpha1.Component)
	content, err := revision.Of(component)
	if err != nil {
		return nil, err
	}
	return &history{
		component: component, uid: resource.GetUID(),
		entries: revision.Recorded(resource.GetAnnotations()), current: revision.Hash(content),
	}, nil
}

// nameOf returns the name of the ControllerRevision of a revision.
func (h *history) nameOf(entry revision.Entry) string {
	return revision.Name(h.component.GetName(), h.component.ComponentKind().Type, h.uid, entry.Hash)
}

// revisionColumns are those of a table of revisions.
var revisionColumns = []metav1.TableColumnDefinition{
	{Name: "Revision", Type: "integer", Description: "The revision's number."},
	{Name: "Current", Type: "boolean", Description: "Whether it is what the object is now."},
	{Name: "Changed", Type: "date", Description: "When the object became so."},
	{Name: "By", Type: "string", Description: "Who made it so, or by which field manager it was made on the resource behind the object."},
	{Name: "Package", Type: "string", Description: "Where its code is."},
}

// ConvertToTable implements rest.TableConvertor.
func (r *RevisionsREST) ConvertToTable(_ context.Context, object, _ runtime.Object) (*metav1.Table, error) {
	answer, ok := object.(*v1alpha1.PulsarRevisions)
	if !ok {
		return nil, fmt.Errorf("could not make a table of a %T", object)
	}
	table := &metav1.Table{ColumnDefinitions: revisionColumns}
	for i := range answer.Revisions {
		shown := &answer.Revisions[i]
		by := shown.User
		if by == "" {
			by = shown.Manager
		}
		changed := ""
		if shown.Time != nil {
			changed = shown.Time.UTC().Format(time.RFC3339)
		}
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{shown.Revision, shown.Current, changed, by, shown.Package}})
	}
	return table, nil
}
