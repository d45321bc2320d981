package shim

import (
	"context"
	"net/http"
	"time"

	"github.com/emicklei/go-restful/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/functionconfig"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// maxUpdateTries bounds how often an update is merged into an object that somebody
// else changed meanwhile.
const maxUpdateTries = 10

// authDataHasNoEffect is the warning for an update with updateAuthData.
const authDataHasNoEffect = "updateAuthData has no effect yet: functions don't use the credential of whoever deploys them"

func (f *functions) update(writer http.ResponseWriter, request *restful.Request) error {
	name, form, err := f.read(request)
	if err != nil {
		return err
	}
	if err := f.applyUpdate(request.Request.Context(), name, form); err != nil {
		return err
	}
	writeNothing(writer, request.Request)
	return nil
}

// applyUpdate merges the form into the function as the API server has it, and again
// when somebody else changed it in between. So both changes last, or the caller hears
// that this one didn't.
func (f *functions) applyUpdate(ctx context.Context, name identity.Name, form *form) error {
	subject := component{kindFunction, name.Name}
	backoff := wait.Backoff{Duration: 10 * time.Millisecond, Factor: 1.6, Jitter: 1, Steps: maxUpdateTries}
	var conflict error
	var conflictVersion string
	for range maxUpdateTries {
		function, err := f.lookup.find(ctx, name)
		switch {
		case err != nil:
			return form.refusalOr(ctx, subject.translate(err))
		case function == nil:
			return f.ifMayUpdate(ctx, name.ObjectName(), subject.missing(http.StatusBadRequest))
		case function.ResourceVersion == conflictVersion:
			// Nobody changed it: the API server refuses for another reason, and
			// would again.
			return subject.translate(conflict)
		}
		version := function.ResourceVersion
		err = f.tryUpdate(ctx, function, name, form)
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

// tryUpdate merges the form into a function, which it changes, and writes the
// difference. Errors are of type *restError, or the API server's.
func (f *functions) tryUpdate(ctx context.Context, function *v1alpha1.PulsarFunction, name identity.Name, form *form) error {
	release, err := f.budget.take(ctx, len(form.config))
	if err != nil {
		return err
	}
	defer release()
	before := function.DeepCopy()
	options, err := change(function, name, form)
	if err != nil {
		return f.ifMayUpdate(ctx, function.Name, err)
	}
	if err := f.write(ctx, before, function); err != nil {
		return err
	}
	if origin := caller.FromContext(ctx); origin != nil && options.UpdateAuthData {
		origin.AddWarning(authDataHasNoEffect)
	}
	return nil
}

// change merges what an update says into the function.
func change(function *v1alpha1.PulsarFunction, name identity.Name, form *form) (functionconfig.UpdateOptions, error) {
	config, err := functionconfig.Parse(form.config)
	if err != nil {
		return functionconfig.UpdateOptions{}, refusal(err)
	}
	options, err := functionconfig.ParseUpdateOptions(form.updateOptions)
	if err != nil {
		return options, refusal(err)
	}
	config.SetIdentity(name.Tenant, name.Namespace, name.Name)
	existing := functionconfig.FromFunction(function)
	merged, err := functionconfig.Merge(existing, config)
	switch {
	case err != nil:
		return options, refusal(err)
	case form.uploaded:
		return options, errUpload
	case form.packageURL == "" && !options.UpdateAuthData && functionconfig.Equal(existing, merged):
		return options, refusal(functionconfig.ErrNoChange)
	}
	return options, refusal(functionconfig.Apply(function, existing, merged, form.packageURL))
}

// write stores what changed between the two states of an object, unless somebody else
// changed it since the first. Only the difference is sent: the API server may be newer
// and know fields that are not in this program's types.
func (f *functions) write(ctx context.Context, before, after *v1alpha1.PulsarFunction) error {
	patch, complete, err := mergePatch(before, after)
	if err != nil {
		return err
	}
	if !complete {
		_, err = f.client.Update(ctx, after, metav1.UpdateOptions{FieldManager: fieldManager})
		return err
	}
	_, err = f.client.Patch(ctx, after.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	return err
}
