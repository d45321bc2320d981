package shim

import (
	"context"
	"net/http"
	"time"

	"github.com/emicklei/go-restful/v3"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/componentconfig"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// maxUpdateTries bounds how often an update is merged into an object that somebody
// else changed meanwhile.
const maxUpdateTries = 10

func (c *components) update(writer http.ResponseWriter, request *restful.Request) error {
	name, form, err := c.read(writer, request)
	if err != nil {
		return err
	}
	defer form.Close()
	ctx := request.Request.Context()
	token, err := c.tokenForUpdate(ctx, name, form)
	if err != nil {
		return err
	}
	if err := c.applyUpdate(ctx, name, form, token); err != nil {
		return err
	}
	writeNothing(writer, request.Request)
	return nil
}

// applyUpdate merges the form into the object as the API server has it, and again
// when somebody else changed it in between. So both changes last, or the caller hears
// that this one didn't. A token that isn't "" is handed over.
func (c *components) applyUpdate(ctx context.Context, name identity.Name, form *form, token string) error {
	subject := c.kind.called(name.Name)
	backoff := wait.Backoff{Duration: 10 * time.Millisecond, Factor: 1.6, Jitter: 1, Steps: maxUpdateTries}
	var conflict error
	var conflictVersion string
	for range maxUpdateTries {
		object, err := c.lookup.find(ctx, c.kind, name)
		switch {
		case err != nil:
			return form.refusalOr(ctx, subject.translate(err))
		case object == nil:
			return c.refuseMissing(ctx, name, form)
		case object.GetResourceVersion() == conflictVersion:
			// Nobody changed it: the API server refuses for another reason, and
			// would again.
			return subject.translate(conflict)
		}
		version := object.GetResourceVersion()
		err = c.tryUpdate(ctx, object, name, form, token)
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
	return errorf(http.StatusConflict, "%s %s is being changed by others all the time. Please try again.", c.kind.Title, name.Name)
}

// refuseMissing answers an update of what doesn't exist, or exists as another kind,
// for which Pulsar has another code.
func (c *components) refuseMissing(ctx context.Context, name identity.Name, form *form) error {
	subject := c.kind.called(name.Name)
	other, err := c.lookup.findOther(ctx, c.kind, name)
	if err != nil {
		return form.refusalOr(ctx, subject.translate(err))
	}
	code := http.StatusBadRequest
	if other {
		code = http.StatusNotFound
	}
	place, err := c.lookup.placeOf(ctx, name)
	if err != nil {
		return subject.missing(code)
	}
	return c.ifMayUpdate(ctx, place, name.ObjectName(), subject.missing(code))
}

// tryUpdate merges the form into an object, which it changes, and writes the
// difference. A token that isn't "" is handed over. Errors are of type *restError, or the
// API server's.
func (c *components) tryUpdate(ctx context.Context, object v1alpha1.Component, name identity.Name, form *form, token string) error {
	release, err := c.budget.take(ctx, len(form.config))
	if err != nil {
		return err
	}
	defer release()
	before := object.DeepCopyObject().(v1alpha1.Component)
	options, err := c.change(object, name, form)
	if err != nil {
		return c.ifMayUpdate(ctx, object.GetNamespace(), object.GetName(), refusal(err))
	}
	auth := object.Common().Auth
	switch {
	case options.UpdateAuthData && auth != nil && auth.OAuth2 != nil:
		// Without a name it is the caller's own.
		auth.OAuth2 = &v1alpha1.OAuth2{}
	case token != "" && (form.stores() || !equality.Semantic.DeepEqual(before, object)):
		takeAway(object)
	}
	if pkg := object.Common().Package; pkg != nil && locationOf(object) != locationOf(before) {
		// Other code says itself what its file is called: a config can't.
		pkg.FileName = ""
	}
	looked := false
	switch {
	case form.stores():
		// The slots of uploads bound these, and they take long.
		release()
		// What would be refused anyway leaves no package behind, and the old code runs on.
		if err := c.complete(ctx, form.upload, object, before); err != nil {
			return c.ifMayUpdate(ctx, object.GetNamespace(), object.GetName(), err)
		}
		if _, err := c.write(caller.Aside(ctx), before, object, dryRunUpdate); err != nil {
			return err
		}
		if err := form.upload.store(ctx, c.kind, name); err != nil {
			return err
		}
		looked = true
	case c.looksInto(object, before):
		release()
		if err := c.ifMayUpdate(ctx, object.GetNamespace(), object.GetName(), nil); err != nil {
			return err
		}
		if looked, err = c.completeNamed(ctx, form, object, before); err != nil {
			return err
		}
	}
	if origin := caller.FromContext(ctx); !looked && origin != nil && keepsTypes(object, before) {
		origin.AddWarning(typesKept)
	}
	stored, err := c.write(ctx, before, object, metav1.PatchOptions{FieldManager: fieldManager})
	if err != nil || token == "" {
		return err
	}
	return c.handOverAgain(ctx, stored, c.kind.called(name.Name), token)
}

// change merges what an update says into the object.
func (c *components) change(object v1alpha1.Component, name identity.Name, form *form) (componentconfig.UpdateOptions, error) {
	options, err := componentconfig.ParseUpdateOptions(form.updateOptions)
	if err != nil {
		return options, err
	}
	otherwise := options.UpdateAuthData || form.uploaded
	err = c.kind.form.Update(object, form.config, name, form.location(name), otherwise)
	if err == nil && form.refused() {
		err = errUpload(c.kind)
	}
	return options, err
}

// write stores what changed between the two states of an object, unless somebody else
// changed it since the first. Only the difference is sent: the API server may be newer
// and know fields that are not in this program's types. It returns the object as it is
// then.
func (c *components) write(ctx context.Context, before, after v1alpha1.Component, options metav1.PatchOptions) (v1alpha1.Component, error) {
	patch, complete, err := mergePatch(before, after)
	if err != nil {
		return nil, err
	}
	if !complete {
		return c.kind.in(after.GetNamespace()).update(ctx, after, metav1.UpdateOptions{FieldManager: options.FieldManager, DryRun: options.DryRun})
	}
	return c.kind.in(after.GetNamespace()).patch(ctx, after.GetName(), patch, options)
}
