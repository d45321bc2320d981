package revisions

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// store makes the ControllerRevision of a revision, or changes the number of the one
// that there is.
func (k *Keeper) store(ctx context.Context, latest *unstructured.Unstructured, kind component.Kind, entry revision.Entry, content []byte) error {
	client := k.Kube.AppsV1().ControllerRevisions(latest.GetNamespace())
	wanted := newRevision(latest, kind, entry, content)
	changeOf(latest, entry.Hash, "").annotate(wanted)
	_, err := client.Create(ctx, wanted, metav1.CreateOptions{FieldManager: work.FieldManager})
	if !apierrors.IsAlreadyExists(err) {
		if err != nil {
			return fmt.Errorf("could not keep a revision: %w", err)
		}
		return nil
	}
	found, err := client.Get(ctx, wanted.Name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("could not read a revision: %w", err)
	}
	if _, ok := revision.Verify(found, latest.GetUID(), entry.Hash); !ok {
		return fmt.Errorf("could not keep a revision: there is another ControllerRevision %s", wanted.Name)
	}
	if found.Revision == entry.Revision {
		return nil
	}
	found = found.DeepCopy()
	found.Revision = entry.Revision
	changeOf(latest, entry.Hash, found.Annotations[revision.TimeAnnotation]).annotate(found)
	if _, err := client.Update(ctx, found, metav1.UpdateOptions{FieldManager: work.FieldManager}); err != nil {
		return fmt.Errorf("could not use a revision again: %w", err)
	}
	return nil
}

// newRevision returns the ControllerRevision of a revision. It goes with the custom
// resource: what views own is nobody's to collect.
func newRevision(latest *unstructured.Unstructured, kind component.Kind, entry revision.Entry, content []byte) *appsv1.ControllerRevision {
	made := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name:      nameOf(latest.GetName(), kind, latest.GetUID(), entry.Hash),
			Namespace: latest.GetNamespace(),
			Labels: map[string]string{
				revision.OwnerLabel: string(latest.GetUID()),
				revision.TypeLabel:  kind.Type,
			},
			Annotations: map[string]string{},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: computev1alpha1.SchemeGroupVersion.String(), Kind: kind.CRKind, Name: latest.GetName(), UID: latest.GetUID(),
				Controller: ptr.To(true),
			}},
		},
		Data:     runtime.RawExtension{Raw: content},
		Revision: entry.Revision,
	}
	if len(validation.IsValidLabelValue(latest.GetName())) == 0 {
		made.Labels[revision.NameLabel] = latest.GetName()
	}
	if read, err := revision.Read(content); err == nil {
		if location := read.Package(); location != "" {
			made.Annotations[revision.PackageAnnotation] = location
			if digest := revision.DigestOf(location); digest != "" {
				made.Annotations[revision.DigestAnnotation] = digest
			}
		}
	}
	return made
}

// change is who made a resource what it is, and when.
type change struct {
	user, manager string
	time          time.Time
}

// changeOf finds out who made a resource what it is now. A request noted its caller; the
// note is out of date where the resource was changed otherwise since, or where it is the
// note of the time that a revision had before. Then the managed fields tell who writes
// the spec, or nobody is known.
func changeOf(latest *unstructured.Unstructured, hash, former string) change {
	noted := translation.ChangeOf(latest.GetAnnotations())
	if noted != nil && (noted.Hash == hash || noted.Generation == latest.GetGeneration()) && timeText(noted.Time.Time) != former {
		return change{user: noted.User, time: noted.Time.Time}
	}
	made := change{time: time.Now()}
	var newest time.Time
	for _, entry := range latest.GetManagedFields() {
		if entry.Manager == work.FieldManager || entry.Subresource != "" || entry.Time == nil || entry.FieldsV1 == nil || entry.Time.Time.Before(newest) {
			continue
		}
		var fields struct {
			Spec json.RawMessage `json:"f:spec"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil || fields.Spec == nil {
			continue
		}
		newest = entry.Time.Time
		made = change{manager: entry.Manager, time: newest}
	}
	return made
}

func timeText(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// annotate says it on a ControllerRevision, and nothing else of whoever was before.
func (c change) annotate(on *appsv1.ControllerRevision) {
	for key, value := range map[string]string{
		revision.UserAnnotation: c.user, revision.ManagerAnnotation: c.manager, revision.TimeAnnotation: timeText(c.time),
	} {
		if value == "" {
			delete(on.Annotations, key)
			continue
		}
		if on.Annotations == nil {
			on.Annotations = map[string]string{}
		}
		on.Annotations[key] = value
	}
}
