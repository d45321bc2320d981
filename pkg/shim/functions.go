package shim

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/emicklei/go-restful/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/functionconfig"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const (
	kindFunction = "Function"
	// partFunctionConfig is the multipart part with a FunctionConfig.
	partFunctionConfig = "functionConfig"

	// maxUpdateTries bounds how often an update is merged into an object that
	// somebody else changed meanwhile.
	maxUpdateTries = 10
)

// functions serves /admin/v3/functions.
type functions struct {
	client    adminclient.PulsarFunctionInterface
	lookup    *lookup
	maxConfig int64
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
	name, err := nameOf(request)
	if err != nil {
		return err
	}
	form, err := readForm(writer, request.Request, partFunctionConfig, f.maxConfig)
	if err != nil {
		return err
	}
	config, err := functionconfig.Parse(form.config)
	if err != nil {
		return refusal(err)
	}
	ctx, subject := request.Request.Context(), component{kindFunction, name.Name}
	switch existing, err := f.lookup.find(ctx, name); {
	case err != nil:
		return subject.translate(err)
	case existing != nil:
		return subject.exists()
	case form.uploaded:
		return errUpload
	}
	config.Defaults(name.Tenant, name.Namespace, name.Name)
	function, err := config.ToFunction(form.packageURL)
	if err != nil {
		return refusal(err)
	}
	function.Name = name.ObjectName()
	if _, err := f.client.Create(ctx, function, metav1.CreateOptions{FieldManager: fieldManager}); err != nil {
		return subject.translate(err)
	}
	writeNothing(writer, request.Request)
	return nil
}

func (f *functions) update(writer http.ResponseWriter, request *restful.Request) error {
	name, err := nameOf(request)
	if err != nil {
		return err
	}
	form, err := readForm(writer, request.Request, partFunctionConfig, f.maxConfig)
	if err != nil {
		return err
	}
	config, err := functionconfig.Parse(form.config)
	if err != nil {
		return refusal(err)
	}
	options, err := functionconfig.ParseUpdateOptions(form.updateOptions)
	if err != nil {
		return refusal(err)
	}
	config.SetIdentity(name.Tenant, name.Namespace, name.Name)
	merge := func(function *v1alpha1.PulsarFunction) error {
		existing := functionconfig.FromFunction(function)
		merged, err := functionconfig.Merge(existing, config)
		if err != nil {
			return refusal(err)
		}
		if form.uploaded {
			return errUpload
		}
		if form.packageURL == "" && !options.UpdateAuthData && functionconfig.Equal(existing, merged) {
			return refusal(functionconfig.ErrNoChange)
		}
		return refusal(functionconfig.Apply(function, existing, merged, config, form.packageURL))
	}
	if err := f.applyUpdate(request.Request.Context(), name, merge); err != nil {
		return err
	}
	writeNothing(writer, request.Request)
	return nil
}

// applyUpdate changes the function by merge, which it calls with the object as the
// API server has it, and again when somebody else changed it in between. So both
// changes last, or the caller hears that this one didn't.
func (f *functions) applyUpdate(ctx context.Context, name identity.Name, merge func(*v1alpha1.PulsarFunction) error) error {
	subject := component{kindFunction, name.Name}
	backoff := wait.Backoff{Duration: 10 * time.Millisecond, Factor: 1.6, Jitter: 1, Steps: maxUpdateTries}
	var conflict error
	var conflictVersion string
	for range maxUpdateTries {
		function, err := f.lookup.find(ctx, name)
		switch {
		case err != nil:
			return subject.translate(err)
		case function == nil:
			return subject.missing(http.StatusBadRequest)
		case function.ResourceVersion == conflictVersion:
			// Nobody changed it: the API server refuses for another reason, and
			// would again.
			return subject.translate(conflict)
		}
		version := function.ResourceVersion
		if err := merge(function); err != nil {
			return err
		}
		_, err = f.client.Update(ctx, function, metav1.UpdateOptions{FieldManager: fieldManager})
		switch {
		case err == nil:
			return nil
		case apierrors.IsNotFound(err):
			return subject.missing(http.StatusBadRequest)
		case !apierrors.IsConflict(err) || pulsarReason(err) != "":
			return subject.translate(err)
		}
		conflict, conflictVersion = err, version
		if err := sleep(ctx, backoff.Step()); err != nil {
			return subject.translate(err)
		}
	}
	return errorf(http.StatusConflict, "Function %s is being changed by others all the time. Please try again.", name.Name)
}

func (f *functions) remove(writer http.ResponseWriter, request *restful.Request) error {
	name, function, err := f.find(request)
	if err != nil {
		return err
	}
	// The UID makes sure that what is deleted is what was looked up.
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &function.UID}}
	switch err := f.client.Delete(request.Request.Context(), function.Name, options); {
	case err == nil:
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

func sleep(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
