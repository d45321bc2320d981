package component

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/instances"
	"github.com/function-mesh/functionmesh-apiserver/pkg/privilege"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// LogREST serves the subresource log of a kind: the log of one instance, as its pod has
// it. The server reads it with its own rights, so the caller has to have that to the
// pod's log as well: who makes a role of subresources may not know what is in it.
type LogREST struct {
	store      *view.REST
	kind       Kind
	authorizer authorizer.Authorizer
	instances  Instances
}

var (
	_ rest.Storage           = (*LogREST)(nil)
	_ rest.GetterWithOptions = (*LogREST)(nil)
	_ rest.StorageMetadata   = (*LogREST)(nil)
)

// New implements rest.Storage: the log is that of a component.
func (r *LogREST) New() runtime.Object { return r.kind.New() }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *LogREST) Destroy() {}

// ProducesMIMETypes implements rest.StorageMetadata.
func (r *LogREST) ProducesMIMETypes(string) []string { return []string{textMIMEType} }

// ProducesObject implements rest.StorageMetadata.
func (r *LogREST) ProducesObject(string) any { return "" }

// OverrideMetricsVerb implements the endpoints' interface of that name: how long somebody
// follows a log says nothing of how long the server takes.
func (r *LogREST) OverrideMetricsVerb(verb string) string {
	if verb == http.MethodGet {
		return http.MethodConnect
	}
	return verb
}

// NewGetOptions implements rest.GetterWithOptions.
func (r *LogREST) NewGetOptions() (runtime.Object, bool, string) {
	return &v1alpha1.PulsarLogOptions{}, false, ""
}

// Get implements rest.GetterWithOptions. It opens nothing yet.
func (r *LogREST) Get(ctx context.Context, name string, options runtime.Object) (runtime.Object, error) {
	asked, ok := options.(*v1alpha1.PulsarLogOptions)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the options must be PulsarLogOptions, not a %T", options))
	}
	if err := r.authorize(ctx, name, asked.Instance); err != nil {
		return nil, err
	}
	obj, err := r.store.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	component := obj.(v1alpha1.Component)
	if err := checkInstance(component, asked.Instance); err != nil {
		return nil, err
	}
	return &logStreamer{follow: asked.Follow, open: func(ctx context.Context) (io.ReadCloser, error) {
		return r.instances.Log(ctx, component, asked)
	}}, nil
}

// authorize refuses callers who may not read the log of the pod that the instance has.
func (r *LogREST) authorize(ctx context.Context, name string, instance int32) error {
	pod := instances.PodName(r.kind.ComponentKind, name, instance)
	missing, err := firstMissing(ctx, r.authorizer, name, []privilege.Right{{Verb: "get", Resource: "pods/log", Name: pod}})
	if err != nil || missing == nil {
		return err
	}
	lack := lackOf(missing, genericapirequest.NamespaceValue(ctx))
	return view.WithPulsarReason(apierrors.NewForbidden(v1alpha1.Resource(r.kind.Resource), name, errors.New("its log "+lack)), view.NotAuthorized)
}

const textMIMEType = "text/plain"

// logStreamer is a log as an answer.
type logStreamer struct {
	follow bool
	open   func(ctx context.Context) (io.ReadCloser, error)
}

var (
	_ rest.ResourceStreamer = (*logStreamer)(nil)
	_ runtime.Object        = (*logStreamer)(nil)
)

// GetObjectKind implements runtime.Object. A log has no kind.
func (s *logStreamer) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject implements runtime.Object.
func (s *logStreamer) DeepCopyObject() runtime.Object {
	copied := *s
	return &copied
}

// InputStream implements rest.ResourceStreamer. ctx ends when the client goes.
func (s *logStreamer) InputStream(ctx context.Context, _, _ string) (stream io.ReadCloser, flush bool, mimeType string, err error) {
	stream, err = s.open(ctx)
	return stream, s.follow, textMIMEType, err
}
