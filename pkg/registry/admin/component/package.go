package component

import (
	"context"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// PackageREST serves the subresource package of a kind: who may read or bring the code of
// a component. The code itself is at Pulsar, and goes there and comes from there through
// pulsar-admin-shim, never through this server.
//
// To create it tells whether the caller may upload code for a component, which need not
// exist yet: who may create it may, unless the package is one that runs with what isn't
// the caller's (see Users). To get it tells where the code is, which the right to
// read the component says as well; it is the right to the code that it stands for.
type PackageREST struct {
	*ActionREST
	store *view.REST
}

// auditedPackage is under what the audit log says which package was to be uploaded.
const auditedPackage = translation.ReservedPrefix + "package"

var (
	_ rest.Storage           = (*PackageREST)(nil)
	_ rest.NamedCreater      = (*PackageREST)(nil)
	_ rest.GetterWithOptions = (*PackageREST)(nil)
	_ rest.StorageMetadata   = (*PackageREST)(nil)
)

func newPackageREST(store *view.REST, users *Users) *PackageREST {
	mayUpload := func(ctx context.Context, _ string, action *v1alpha1.PulsarAction, validate func(context.Context) error, _ *metav1.CreateOptions) error {
		if action.Instance != nil {
			return apierrors.NewBadRequest("code is for all instances together")
		}
		if err := validate(ctx); err != nil || action.Package == "" {
			return err
		}
		name, err := identity.ParsePackageURL(action.Package)
		if err != nil {
			return apierrors.NewBadRequest(err.Error())
		}
		audit.AddAuditAnnotation(ctx, auditedPackage, name.String())
		return users.mayReplace(ctx, name)
	}
	return &PackageREST{ActionREST: &ActionREST{do: mayUpload, brings: true}, store: store}
}

// ProducesMIMETypes implements rest.StorageMetadata.
func (r *PackageREST) ProducesMIMETypes(string) []string { return nil }

// ProducesObject implements rest.StorageMetadata.
func (r *PackageREST) ProducesObject(verb string) any {
	if verb == http.MethodGet {
		return v1alpha1.PulsarPackage{}
	}
	return nil
}

// NewGetOptions implements rest.GetterWithOptions.
func (r *PackageREST) NewGetOptions() (runtime.Object, bool, string) {
	return &v1alpha1.PulsarPackageOptions{}, false, ""
}

// Get implements rest.GetterWithOptions.
func (r *PackageREST) Get(ctx context.Context, name string, options runtime.Object) (runtime.Object, error) {
	asked, ok := options.(*v1alpha1.PulsarPackageOptions)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the options must be PulsarPackageOptions, not a %T", options))
	}
	obj, err := r.store.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	component := obj.(v1alpha1.Component)
	location, err := locationOf(component, asked.TransformFunction)
	if err != nil {
		return nil, err
	}
	answer := &v1alpha1.PulsarPackage{
		ObjectMeta: metav1.ObjectMeta{
			Name:              component.GetName(),
			Namespace:         component.GetNamespace(),
			UID:               component.GetUID(),
			ResourceVersion:   component.GetResourceVersion(),
			CreationTimestamp: component.GetCreationTimestamp(),
		},
		Location: location,
	}
	if parsed, err := identity.ParsePackageURL(location); err == nil {
		answer.SHA256 = packageservice.DigestOf(parsed.Version)
	}
	return answer, nil
}

// locationOf returns where the code of a component is, or that of the function inside it.
func locationOf(component v1alpha1.Component, transformFunction bool) (string, error) {
	if !transformFunction {
		if spec := component.Common(); spec.Package != nil {
			return spec.Package.Location, nil
		}
		return "", nil
	}
	sink, ok := component.(*v1alpha1.PulsarSink)
	if !ok || sink.Spec.TransformFunction == nil {
		none := fmt.Sprintf("%s %s has no transform function", component.ComponentKind().Title, component.Common().Name)
		return "", view.WithPulsarReason(apierrors.NewBadRequest(none), none)
	}
	return sink.Spec.TransformFunction.Location, nil
}
