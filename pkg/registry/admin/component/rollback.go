package component

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/util/dryrun"
	"k8s.io/apiserver/pkg/warning"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// RollbackREST serves the subresource rollback of a kind: it makes a component what it
// was. It is an update like any other, of which the caller has said only which revision:
// whatever an update of the same content would be asked and refused, this is.
type RollbackREST struct {
	revisions *RevisionsREST
	scheme    *runtime.Scheme
	// admission decides about updates. nil decides nothing.
	admission admission.Interface
	// packages are the package services of clusters, by name.
	packages map[string]*packageservice.Client
	tenancy  Tenancy
}

var (
	_ rest.Storage                        = (*RollbackREST)(nil)
	_ rest.NamedCreater                   = (*RollbackREST)(nil)
	_ rest.SubresourceObjectMetaPreserver = (*RollbackREST)(nil)
)

// New implements rest.Storage.
func (r *RollbackREST) New() runtime.Object { return &v1alpha1.PulsarRollback{} }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *RollbackREST) Destroy() {}

// PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate implements
// rest.SubresourceObjectMetaPreserver: the UID says for which object the rollback is.
func (r *RollbackREST) PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate() bool { return true }

// Create implements rest.NamedCreater. Its answer says nothing of the component, as that
// of other actions.
func (r *RollbackREST) Create(ctx context.Context, name string, obj runtime.Object, validate rest.ValidateObjectFunc, options *metav1.CreateOptions) (runtime.Object, error) {
	rollback, ok := obj.(*v1alpha1.PulsarRollback)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("it must be a PulsarRollback, not a %T", obj))
	}
	if err := nameAs(&rollback.ObjectMeta, name); err != nil {
		return nil, err
	}
	if rollback.Revision < 0 {
		return nil, apierrors.NewBadRequest("revisions count from 1")
	}
	if validate != nil {
		if err := validate(ctx, rollback.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	known, err := r.revisions.history(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := checkUID(rollback.UID, known.component); err != nil {
		return nil, err
	}
	number, content, err := r.find(ctx, known, rollback.Revision)
	if err != nil {
		return nil, err
	}
	if revision.Hash(content) == known.current {
		warning.AddWarning(ctx, "", fmt.Sprintf("it is what revision %d was already: nothing is changed", number))
	}
	if err := r.checkPackage(ctx, known.component, number, content); err != nil {
		return nil, err
	}
	if err := r.restore(ctx, known.component, number, content, options); err != nil {
		return nil, err
	}
	return &metav1.Status{Status: metav1.StatusSuccess}, nil
}

// find returns a revision of a component with its number: the latest that isn't what it
// is now where the number is 0.
func (r *RollbackREST) find(ctx context.Context, known *history, number int64) (int64, []byte, error) {
	refuse := func(text string) error {
		return view.WithPulsarReason(apierrors.NewBadRequest(known.component.GetName()+" "+text),
			known.component.ComponentKind().Title+" "+known.component.Common().Name+" "+text)
	}
	for _, entry := range slices.Backward(known.entries) {
		if number == 0 && entry.Hash == known.current || number != 0 && entry.Revision != number {
			continue
		}
		found, err := r.revisions.client.ControllerRevisions(known.component.GetNamespace()).Get(ctx, known.nameOf(entry), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return 0, nil, refuse(fmt.Sprintf("has lost its revision %d: somebody removed it", entry.Revision))
		}
		if err != nil {
			return 0, nil, unreadable(ctx, known.component, err)
		}
		content, ok := revision.Verify(found, known.uid, entry.Hash)
		if !ok {
			return 0, nil, refuse(fmt.Sprintf("has lost its revision %d: somebody put something else in its place", entry.Revision))
		}
		return entry.Revision, content, nil
	}
	if number == 0 {
		return 0, nil, refuse("has no former revision")
	}
	return 0, nil, refuse(fmt.Sprintf("has no revision %d", number))
}

// checkPackage refuses a revision whose code is gone, where that can be known: its pods
// would wait for it for ever.
func (r *RollbackREST) checkPackage(ctx context.Context, component v1alpha1.Component, number int64, data []byte) error {
	restored := component.DeepCopyObject().(v1alpha1.Component)
	if err := revision.Restore(restored, data); err != nil {
		return r.unusable(component, number, err.Error())
	}
	spec := restored.Common()
	service, asked := r.packages[spec.Cluster]
	name, err := identity.ParsePackageURL(location(restored))
	if !asked || err != nil || spec.PackageService != nil || location(restored) == location(component) {
		return nil
	}
	// Of other tenants' packages the server's account tells nothing.
	served, err := r.tenancy.Serves(ctx, component.GetNamespace(), tenancy.PulsarNamespace{Tenant: name.Tenant, Namespace: name.Namespace})
	if err != nil || !served {
		return err
	}
	if _, err := service.Metadata(ctx, "", name); errors.Is(err, packageservice.ErrNotFound) {
		return r.unusable(component, number, fmt.Sprintf("its package %s is gone from Pulsar's package service", name))
	}
	return nil
}

// unusable says why a revision can't be restored.
func (r *RollbackREST) unusable(component v1alpha1.Component, number int64, text string) error {
	kind := v1alpha1.SchemeGroupVersion.WithKind("PulsarRollback").GroupKind()
	invalid := apierrors.NewInvalid(kind, component.GetName(), field.ErrorList{field.Invalid(field.NewPath("revision"), number, text)})
	return view.WithPulsarReason(invalid, fmt.Sprintf("Revision %d of %s can't be restored: %s", number, component.Common().Name, text))
}

// restore updates a component to the content of a revision.
func (r *RollbackREST) restore(ctx context.Context, component v1alpha1.Component, number int64, content []byte, options *metav1.CreateOptions) error {
	update := &metav1.UpdateOptions{DryRun: options.DryRun, FieldManager: options.FieldManager}
	decide := &updateAdmission{admission: r.admission, interfaces: admission.NewObjectInterfacesFromScheme(r.scheme), options: update}
	uid := component.GetUID()
	transform := func(_ context.Context, _, old runtime.Object) (runtime.Object, error) {
		restored := old.DeepCopyObject().(v1alpha1.Component)
		if err := checkUID(uid, restored); err != nil {
			return nil, err
		}
		if err := revision.Restore(restored, content); err != nil {
			return nil, r.unusable(restored, number, err.Error())
		}
		r.scheme.Default(restored)
		return restored, nil
	}
	_, _, err := r.revisions.store.Update(ctx, component.GetName(), rest.DefaultUpdatedObjectInfo(nil, transform, decide.mutate),
		rest.ValidateAllObjectFunc, decide.validate, false, update)
	return err
}

// updateAdmission has admission decide about an update that isn't a request of its own,
// as it would if it were.
type updateAdmission struct {
	admission  admission.Interface
	interfaces admission.ObjectInterfaces
	options    *metav1.UpdateOptions
}

func (a *updateAdmission) attributes(ctx context.Context, obj, old runtime.Object) admission.Attributes {
	component := obj.(v1alpha1.Component)
	kind := component.ComponentKind()
	caller, _ := genericapirequest.UserFrom(ctx)
	return admission.NewAttributesRecord(obj, old, v1alpha1.SchemeGroupVersion.WithKind(kind.Kind), component.GetNamespace(), component.GetName(),
		v1alpha1.SchemeGroupVersion.WithResource(kind.Resource), "", admission.Update, a.options, dryrun.IsDryRun(a.options.DryRun), caller)
}

// mutate is a rest.TransformFunc.
func (a *updateAdmission) mutate(ctx context.Context, obj, old runtime.Object) (runtime.Object, error) {
	if mutating, ok := a.admission.(admission.MutationInterface); ok && mutating.Handles(admission.Update) {
		return obj, mutating.Admit(ctx, a.attributes(ctx, obj, old), a.interfaces)
	}
	return obj, nil
}

// validate is a rest.ValidateObjectUpdateFunc.
func (a *updateAdmission) validate(ctx context.Context, obj, old runtime.Object) error {
	if validating, ok := a.admission.(admission.ValidationInterface); ok && validating.Handles(admission.Update) {
		return validating.Validate(ctx, a.attributes(ctx, obj, old), a.interfaces)
	}
	return nil
}
