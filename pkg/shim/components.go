package shim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/emicklei/go-restful/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/componentconfig"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
)

// dryRunCreate and dryRunUpdate ask whether a write would be taken.
var (
	dryRunCreate = metav1.CreateOptions{FieldManager: fieldManager, DryRun: []string{metav1.DryRunAll}}
	dryRunUpdate = metav1.PatchOptions{FieldManager: fieldManager, DryRun: []string{metav1.DryRunAll}}
)

// defaultDeletionWait bounds how long a request waits for an object to be gone.
const defaultDeletionWait = 15 * time.Second

// components serves the definitions of one kind of component.
type components struct {
	kind     *kind
	lookup   *lookup
	replicas replicas
	limits   formLimits
	// budget bounds the configs that are being worked on, together.
	budget *budget
	// deletionWait bounds how long a request waits for an object to be gone.
	deletionWait time.Duration
	// uploads takes files, and downloads sends packages; both are nil without a package
	// service.
	uploads   *uploads
	downloads *downloads
	// triggers send messages to functions.
	triggers *triggers
	// states bound the states that are being put, together.
	states *slots.Slots
}

func (c *components) routes() []route {
	title := c.kind.Title
	return []route{
		{http.MethodPost, componentPath, "create" + title, c.create},
		{http.MethodPut, componentPath, "update" + title, c.update},
		{http.MethodDelete, componentPath, "delete" + title, c.remove},
		{http.MethodGet, componentPath, "get" + title, c.get},
		{http.MethodGet, namespacePath, "list" + title + "s", c.list},
	}
}

// create checks in Pulsar's order: config present, caller allowed, name free, and
// only then what the config says.
func (c *components) create(writer http.ResponseWriter, request *restful.Request) error {
	name, form, err := c.read(writer, request)
	if err != nil {
		return err
	}
	defer form.Close()
	ctx, subject := request.Request.Context(), c.kind.called(name.Name)
	// The look-up is also what proves the caller's token, before the config costs more
	// memory than its text.
	existing, err := c.lookup.find(ctx, c.kind, name)
	exists := existing != nil
	if !exists && err == nil {
		exists, err = c.lookup.findOther(ctx, c.kind, name)
	}
	switch {
	case err != nil:
		return form.refusalOr(ctx, subject.translate(err))
	case exists:
		return c.ifMayCreate(ctx, name, subject.exists())
	}
	release, err := c.budget.take(ctx, len(form.config))
	if err != nil {
		return err
	}
	defer release()
	object, err := c.kind.form.Create(form.config, name, form.location(name))
	switch {
	case err != nil:
		return c.ifMayCreate(ctx, name, refusal(err))
	case form.refused():
		return c.ifMayCreate(ctx, name, errUpload(c.kind))
	}
	place, err := c.lookup.placeOf(ctx, name)
	if err != nil {
		return subject.translate(err)
	}
	object.SetNamespace(place)
	object.SetName(name.ObjectName())
	switch {
	case form.stores():
		// The slots of uploads bound these, and they take long.
		release()
		// What would be refused anyway leaves no package behind.
		if err := c.complete(ctx, form.upload, object, nil); err != nil {
			return err
		}
		if _, err := c.kind.in(place).create(caller.Aside(ctx), object, dryRunCreate); err != nil && !apierrors.IsAlreadyExists(err) {
			return subject.translate(err)
		}
		if err := form.upload.store(ctx, c.kind, name); err != nil {
			return err
		}
	case c.looksInto(object, nil):
		release()
		if err := c.ifMayCreate(ctx, name, nil); err != nil {
			return err
		}
		if _, err := c.completeNamed(ctx, form, object, nil); err != nil {
			return err
		}
	}
	if err := c.insert(ctx, name, object); err != nil {
		return err
	}
	writeNothing(writer, request.Request)
	return nil
}

// read returns the identity in a request's path and the form in its body, which has
// a config.
// The form is to be closed.
func (c *components) read(writer http.ResponseWriter, request *restful.Request) (identity.Name, *form, error) {
	name, err := c.nameOf(request)
	if err != nil {
		return name, nil, err
	}
	var takeFile func(io.Reader) (*upload, error)
	if c.uploads != nil {
		takeFile = func(content io.Reader) (*upload, error) {
			place, err := c.lookup.mayUpload(request.Request.Context(), c.kind, name, "")
			if err != nil {
				return nil, err
			}
			allowTime(writer, request.Request, uploadTimeout)
			return c.uploads.take(content, place)
		}
	}
	form, err := readForm(request.Request, c.kind, c.limits, takeFile)
	if err != nil {
		return name, nil, err
	}
	if err := refusal(c.kind.form.CheckProvided(form.config)); err != nil {
		form.Close()
		return name, nil, err
	}
	return name, form, nil
}

// insert creates the object. Where one of the same identity is still being deleted,
// which in Pulsar takes no time, it waits for a while.
func (c *components) insert(ctx context.Context, name identity.Name, object v1alpha1.Component) error {
	subject := c.kind.called(name.Name)
	bounded, cancel := context.WithTimeout(ctx, c.deletionWait)
	defer cancel()
	for first := true; ; first = false {
		created, err := c.kind.in(object.GetNamespace()).create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager})
		switch {
		case err == nil:
			if err := c.giveWay(ctx, name, created); err != nil {
				return err
			}
			return c.handOverNew(ctx, created, subject)
		case !apierrors.IsAlreadyExists(err):
			return subject.translate(err)
		}
		occupant, lookupErr := c.lookup.occupant(ctx, c.kind, name)
		switch {
		case lookupErr != nil:
			return subject.translate(lookupErr)
		case occupant == nil && first:
			// It went just now.
		case occupant == nil || occupant.GetDeletionTimestamp() == nil:
			return subject.translate(err)
		case !c.lookup.waitGone(bounded, occupant):
			return errorf(http.StatusBadRequest, "%s %s is still being deleted. Please try again.", c.kind.Title, name.Name)
		}
	}
}

func (c *components) remove(writer http.ResponseWriter, request *restful.Request) error {
	name, object, err := c.find(request)
	if err != nil {
		return err
	}
	// The UID makes sure that what is deleted is what was looked up.
	ctx, uid := request.Request.Context(), object.GetUID()
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
	switch err := c.kind.in(object.GetNamespace()).remove(ctx, object.GetName(), options); {
	case err == nil:
		// A finalizer may keep the object for a while. Scripts delete and create again,
		// which works at once in Pulsar. The component is deleted in either case.
		bounded, cancel := context.WithTimeout(ctx, c.deletionWait)
		defer cancel()
		c.lookup.waitGone(bounded, object)
		writeNothing(writer, request.Request)
		return nil
	case apierrors.IsConflict(err) && pulsarReason(err) == "":
		return errorf(http.StatusBadRequest, reasonOutOfDate)
	default:
		return c.kind.called(name.Name).translate(err)
	}
}

func (c *components) get(writer http.ResponseWriter, request *restful.Request) error {
	_, object, err := c.find(request)
	if err != nil {
		return err
	}
	writeJSON(writer, request.Request, http.StatusOK, c.kind.form.Read(object))
	return nil
}

func (c *components) list(writer http.ResponseWriter, request *restful.Request) error {
	tenant, namespace := pathParameter(request, parameterTenant), pathParameter(request, parameterNamespace)
	names, err := c.lookup.names(request.Request.Context(), c.kind, tenant, namespace)
	if err != nil {
		return c.kind.called("").translate(err)
	}
	writeJSON(writer, request.Request, http.StatusOK, names)
	return nil
}

// find returns the component that a request's path names, or a 404.
func (c *components) find(request *restful.Request) (identity.Name, v1alpha1.Component, error) {
	name, err := c.nameOf(request)
	if err != nil {
		return name, nil, err
	}
	subject := c.kind.called(name.Name)
	object, err := c.lookup.find(request.Request.Context(), c.kind, name)
	switch {
	case err != nil:
		return name, nil, subject.translate(err)
	case object == nil:
		return name, nil, subject.missing(http.StatusNotFound)
	}
	return name, object, nil
}

// nameOf returns the identity in a request's path, which wins over that in the body.
func (c *components) nameOf(request *restful.Request) (identity.Name, error) {
	name := identity.Name{
		Tenant:    pathParameter(request, parameterTenant),
		Namespace: pathParameter(request, parameterNamespace),
		Name:      pathParameter(request, parameterName),
	}
	if name.Tenant == "" || name.Namespace == "" || name.Name == "" {
		return name, errorf(http.StatusNotFound, reasonNoSuchPath)
	}
	return name, nil
}

// refusal makes a 400 of what componentconfig refuses, and nil of nil.
func refusal(err error) error {
	var refused *componentconfig.Error
	if errors.As(err, &refused) {
		return errorf(http.StatusBadRequest, "%s", refused.Reason)
	}
	return err
}
