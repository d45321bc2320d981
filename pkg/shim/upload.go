package shim

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"time"

	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/inspect"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// inspectTimeout bounds how long one file is looked into, for which others wait.
const inspectTimeout = time.Minute

// mayUpload returns the Kubernetes namespace that a component goes to, which need not
// exist, if the caller may upload its code. It is asked before a file is read where that
// can be. location is as in running.mayUpload.
func (l *lookup) mayUpload(ctx context.Context, kind *kind, name identity.Name, location string) (string, error) {
	place, err := l.placeOf(ctx, name)
	if err == nil {
		err = kind.in(place).mayUpload(caller.Aside(ctx), name.ObjectName(), location)
	}
	if err != nil {
		return "", kind.called(name.Name).translate(err)
	}
	return place, nil
}

// complete looks into the code of a component, and fills in what it says. before is the
// component as it was, nil for a new one: what the former code said is asked anew. Errors
// are of type *restError.
func (c *components) complete(ctx context.Context, upload *upload, object, before v1alpha1.Component) error {
	if before != nil && codeChanges(object, before) {
		defer forgetTypes(object, before)()
	}
	select {
	case upload.uploads.inspecting <- struct{}{}:
		defer func() { <-upload.uploads.inspecting }()
	case <-ctx.Done():
		return errorf(http.StatusServiceUnavailable, reasonTimeout)
	}
	looking, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	err := inspect.Complete(looking, object, upload.file, upload.size)
	var refused *inspect.Refusal
	switch {
	case errors.As(err, &refused):
		return errorf(http.StatusBadRequest, "%s", refused.Error())
	case err != nil:
		return &restError{code: http.StatusInternalServerError, reason: reasonInternal, cause: err}
	}
	return nil
}

func locationOf(component v1alpha1.Component) string {
	if spec := component.Common(); spec.Package != nil {
		return spec.Package.Location
	}
	return ""
}

// forgetTypes empties the names of types that the former code had and the update didn't
// change. The function that it returns brings back those of which the new code says
// nothing.
func forgetTypes(object, before v1alpha1.Component) (restore func()) {
	kept := map[*string]string{}
	forget := func(now, then *string) {
		if *now == *then {
			kept[now] = *now
			*now = ""
		}
	}
	if input := object.Input(); input != nil {
		forget(&input.InputTypeClassName, &before.Input().InputTypeClassName)
	}
	if output := object.Output(); output != nil {
		forget(&output.OutputTypeClassName, &before.Output().OutputTypeClassName)
	}
	return func() {
		for field, text := range kept {
			if *field == "" {
				*field = text
			}
		}
	}
}

// stores tells whether the form's file is the code: one that comes with a URL isn't, as
// in Pulsar.
func (f *form) stores() bool { return f.upload != nil && f.packageURL == "" }

// refused tells whether the form's file can't be taken.
func (f *form) refused() bool { return f.uploaded && f.upload == nil }

// location returns where the code is when the form says so apart from the config.
func (f *form) location(name identity.Name) string {
	if f.stores() {
		return f.upload.location(f.kind, name).String()
	}
	return f.packageURL
}

// allowTime lets the body of a request, and its answer, take as long as a file does.
// Where that can't be changed, the server's limits for short requests hold.
func allowTime(writer http.ResponseWriter, request *http.Request, timeout time.Duration) {
	connection := http.NewResponseController(writer)
	if err := errors.Join(
		connection.SetReadDeadline(time.Now().Add(timeout)),
		connection.SetWriteDeadline(time.Now().Add(timeout+answerTime)),
	); err != nil {
		klog.FromContext(request.Context()).V(4).Info("Could not make a request a long one", "err", err)
	}
}

// mayBringFile tells whether the body of a request may be one that takes its time: a form
// that is larger than what a form without a file can be.
func mayBringFile(request *http.Request, maxConfig int64) bool {
	mediaType, _, err := mime.ParseMediaType(request.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" {
		return false
	}
	return request.ContentLength < 0 || request.ContentLength > maxConfig
}
