package shim

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/emicklei/go-restful/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/functionconfig"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const (
	kindFunction = "Function"
	// partFunctionConfig is the multipart part with a FunctionConfig.
	partFunctionConfig = "functionConfig"

	// defaultDeletionWait bounds how long a request waits for an object to be gone.
	defaultDeletionWait = 15 * time.Second
)

// functions serves /admin/v3/functions.
type functions struct {
	client    adminclient.PulsarFunctionInterface
	lookup    *lookup
	maxConfig int64
	// budget bounds the configs that are being worked on, together.
	budget *budget
	// deletionWait bounds how long a request waits for an object to be gone.
	deletionWait time.Duration
}

func (f *functions) routes() []route {
	const function = "/{tenant}/{namespace}/{function}"
	return []route{
		{http.MethodPost, function, "createFunction", f.create},
		{http.MethodPut, function, "updateFunction", f.update},
		{http.MethodDelete, function, "deleteFunction", f.remove},
		{http.MethodGet, function, "getFunction", f.get},
		{http.MethodGet, "/{tenant}/{namespace}", "listFunctions", f.list},
	}
}

// create checks in Pulsar's order: config present, caller allowed, name free, and
// only then what the config says.
func (f *functions) create(writer http.ResponseWriter, request *restful.Request) error {
	name, form, err := f.read(request)
	if err != nil {
		return err
	}
	ctx, subject := request.Request.Context(), component{kindFunction, name.Name}
	// The look-up is also what proves the caller's token, before the config costs more
	// memory than its text.
	existing, err := f.lookup.find(ctx, name)
	switch {
	case err != nil:
		return form.refusalOr(ctx, subject.translate(err))
	case existing != nil:
		return f.ifMayCreate(ctx, name, subject.exists())
	}
	release, err := f.budget.take(ctx, len(form.config))
	if err != nil {
		return err
	}
	defer release()
	function, err := newFunction(name, form)
	if err != nil {
		return f.ifMayCreate(ctx, name, err)
	}
	if err := f.insert(ctx, name, function); err != nil {
		return err
	}
	writeNothing(writer, request.Request)
	return nil
}

// read returns the identity in a request's path and the form in its body, which has
// a config.
func (f *functions) read(request *restful.Request) (identity.Name, *form, error) {
	name, err := nameOf(request)
	if err != nil {
		return name, nil, err
	}
	form, err := readForm(request.Request, partFunctionConfig, f.maxConfig)
	if err != nil {
		return name, nil, err
	}
	return name, form, refusal(functionconfig.CheckProvided(form.config))
}

// newFunction returns the object for a new function.
func newFunction(name identity.Name, form *form) (*v1alpha1.PulsarFunction, error) {
	config, err := functionconfig.Parse(form.config)
	if err != nil {
		return nil, refusal(err)
	}
	if form.uploaded {
		return nil, errUpload
	}
	config.Defaults(name.Tenant, name.Namespace, name.Name)
	function, err := config.ToFunction(form.packageURL)
	if err != nil {
		return nil, refusal(err)
	}
	function.Name = name.ObjectName()
	return function, nil
}

// insert creates the object. Where one of the same identity is still being deleted,
// which in Pulsar takes no time, it waits for a while.
func (f *functions) insert(ctx context.Context, name identity.Name, function *v1alpha1.PulsarFunction) error {
	subject := component{kindFunction, name.Name}
	bounded, cancel := context.WithTimeout(ctx, f.deletionWait)
	defer cancel()
	for first := true; ; first = false {
		_, err := f.client.Create(ctx, function, metav1.CreateOptions{FieldManager: fieldManager})
		switch {
		case err == nil:
			return nil
		case !apierrors.IsAlreadyExists(err):
			return subject.translate(err)
		}
		occupant, lookupErr := f.lookup.occupant(ctx, name)
		switch {
		case lookupErr != nil:
			return subject.translate(lookupErr)
		case occupant == nil && first:
			// It went just now.
		case occupant == nil || occupant.DeletionTimestamp == nil:
			return subject.translate(err)
		case !f.lookup.waitGone(bounded, occupant):
			return errorf(http.StatusBadRequest, "Function %s is still being deleted. Please try again.", name.Name)
		}
	}
}

func (f *functions) remove(writer http.ResponseWriter, request *restful.Request) error {
	name, function, err := f.find(request)
	if err != nil {
		return err
	}
	// The UID makes sure that what is deleted is what was looked up.
	ctx := request.Request.Context()
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &function.UID}}
	switch err := f.client.Delete(ctx, function.Name, options); {
	case err == nil:
		// A finalizer may keep the object for a while. Scripts delete and create again,
		// which works at once in Pulsar. The function is deleted in either case.
		bounded, cancel := context.WithTimeout(ctx, f.deletionWait)
		defer cancel()
		f.lookup.waitGone(bounded, function)
		writeNothing(writer, request.Request)
		return nil
	case apierrors.IsConflict(err) && pulsarReason(err) == "":
		return errorf(http.StatusBadRequest, reasonOutOfDate)
	default:
		return component{kindFunction, name.Name}.translate(err)
	}
}

func (f *functions) get(writer http.ResponseWriter, request *restful.Request) error {
	_, function, err := f.find(request)
	if err != nil {
		return err
	}
	writeJSON(writer, request.Request, http.StatusOK, functionconfig.FromFunction(function))
	return nil
}

func (f *functions) list(writer http.ResponseWriter, request *restful.Request) error {
	tenant, namespace := pathParameter(request, parameterTenant), pathParameter(request, parameterNamespace)
	names, err := f.lookup.names(request.Request.Context(), tenant, namespace)
	if err != nil {
		return component{kind: kindFunction}.translate(err)
	}
	writeJSON(writer, request.Request, http.StatusOK, names)
	return nil
}

// find returns the function that a request's path names, or a 404.
func (f *functions) find(request *restful.Request) (identity.Name, *v1alpha1.PulsarFunction, error) {
	name, err := nameOf(request)
	if err != nil {
		return name, nil, err
	}
	subject := component{kindFunction, name.Name}
	function, err := f.lookup.find(request.Request.Context(), name)
	switch {
	case err != nil:
		return name, nil, subject.translate(err)
	case function == nil:
		return name, nil, subject.missing(http.StatusNotFound)
	}
	return name, function, nil
}

// nameOf returns the identity in a request's path, which wins over that in the body.
func nameOf(request *restful.Request) (identity.Name, error) {
	name := identity.Name{
		Tenant:    pathParameter(request, parameterTenant),
		Namespace: pathParameter(request, parameterNamespace),
		Name:      pathParameter(request, parameterFunction),
	}
	for _, part := range []struct{ what, text string }{
		{"Tenant", name.Tenant}, {"Namespace", name.Namespace}, {"Function name", name.Name},
	} {
		if part.text == "" {
			return name, errorf(http.StatusBadRequest, "%s is not provided", part.what)
		}
	}
	return name, nil
}

// refusal makes a 400 of what functionconfig refuses, and nil of nil.
func refusal(err error) error {
	var refused *functionconfig.Error
	if errors.As(err, &refused) {
		return errorf(http.StatusBadRequest, "%s", refused.Reason)
	}
	return err
}
