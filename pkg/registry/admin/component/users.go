package component

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/runtime"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	storeerr "k8s.io/apiserver/pkg/storage/errors"
	"k8s.io/apiserver/pkg/warning"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// Users finds out which components of a namespace run a package. Who puts other content
// under the name of one changes their code without changing them: so that is theirs to do
// who may change the code of each.
//
// Components of other namespaces don't count. Whoever names another's package there has
// decided to run what its owners put into it.
type Users struct {
	kinds []usersOf
}

// usersOf are those of one kind.
type usersOf struct {
	lister
	// mayReplaceCode returns a refusal unless the caller may give a component other code.
	mayReplaceCode func(ctx context.Context, component v1alpha1.Component) error
}

// add makes the objects of a kind count. It isn't called any more when requests are
// served.
func (u *Users) add(kind usersOf) { u.kinds = append(u.kinds, kind) }

// mayReplace returns a refusal unless the caller of a context may give a package other
// content, as far as the components of the context's namespace are concerned. What is
// under a digest is never another.
func (u *Users) mayReplace(ctx context.Context, name identity.PackageURL) error {
	if packageservice.DigestOf(name.Version) != "" {
		return nil
	}
	// That one of the definitions is missing is not what the caller asked about.
	ctx = warning.WithWarningRecorder(ctx, silent{})
	for _, kind := range u.kinds {
		if err := kind.mayReplace(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// mayReplace is Users.mayReplace for one kind.
func (u usersOf) mayReplace(ctx context.Context, name identity.PackageURL) error {
	options := &metainternalversion.ListOptions{Limit: listPageSize}
	for {
		page, err := u.List(ctx, options)
		if err != nil {
			return err
		}
		err = meta.EachListItem(page, func(item runtime.Object) error {
			component, ok := item.(v1alpha1.Component)
			if !ok {
				return nil
			}
			if used, err := identity.ParsePackageURL(location(component)); err != nil || used != name {
				return nil
			}
			err := u.mayReplaceCode(ctx, component)
			if apierrors.IsForbidden(err) {
				return usedByOthers(name)
			}
			return err
		})
		if err != nil {
			return err
		}
		list, err := meta.ListAccessor(page)
		if err != nil {
			return apierrors.NewInternalError(err)
		}
		if list.GetContinue() == "" {
			return nil
		}
		options.Continue = list.GetContinue()
	}
}

// usedByOthers is the refusal. Who may bring code need not be somebody who may read what
// there is, so it names nothing.
func usedByOthers(name identity.PackageURL) error {
	text := fmt.Sprintf("%s is the code of something that runs with an account which isn't the caller's. Another version can be uploaded.", name)
	return view.WithPulsarReason(apierrors.NewForbidden(v1alpha1.Resource(name.Type), name.Name, errors.New(text)), "Package "+text)
}

// codeReplacer returns usersOf.mayReplaceCode of a kind: what an update that names other
// code would be asked. hidden knows the credentials that only custom resources show.
func (c *checks) codeReplacer(store *genericregistry.Store, resources *crstorage.Storage,
	hidden func(ctx context.Context, name string, stored, before, after map[string]any) error) func(ctx context.Context, component v1alpha1.Component) error {
	return func(ctx context.Context, component v1alpha1.Component) error {
		changed := component.DeepCopyObject().(v1alpha1.Component)
		changed.Common().Package.Location += "-changed"
		if err := c.authorize(ctx, changed, component); err != nil {
			return err
		}
		key, err := store.KeyFunc(ctx, component.GetName())
		if err != nil {
			return err
		}
		_, resource, err := resources.Look(ctx, key)
		if err = storeerr.InterpretGetError(err, store.DefaultQualifiedResource, component.GetName()); apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return hidden(ctx, component.GetName(), resource.Object, nil, map[string]any{"spec": map[string]any{"package": "changed"}})
	}
}
