package crstorage

import (
	"context"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/client-go/rest"
)

// FieldManager is the name under which the custom resources' own managed fields
// record what this server wrote, whoever asked for it.
const FieldManager = "functionmesh-apiserver"

var (
	optionsVersion = schema.GroupVersion{Version: "v1"}
	optionsScheme  = runtime.NewScheme()
	optionsCodec   = runtime.NewParameterCodec(optionsScheme)
)

func init() {
	metav1.AddToGroupVersion(optionsScheme, optionsVersion)
	optionsScheme.AddUnversionedTypes(optionsVersion, &metav1.Status{})
}

// Client reads and writes custom resources of one kind as raw JSON.
//
// It is a RESTClient and not a dynamic client for two reasons: only there can a
// request's retries be turned off, and only there can the reply to a DELETE be
// seen. client-go repeats an answer that carries Retry-After up to ten times;
// since our caller does the same, a failing list would otherwise take ten times as
// long at each hop.
type Client struct {
	rest     rest.Interface
	Resource schema.GroupVersionResource
	Kind     string
	// Lacking, if set, returns an error for each part of a write that is new or changed
	// and that the installed definition has no field for. before is nil for a new
	// resource, viewPath is Translator.ViewPath.
	Lacking func(before, after map[string]any, viewPath func(string) string) field.ErrorList
}

// NewClient returns a client for a resource and its kind. Warnings that the
// backend sends are passed on to the caller whose request it was.
func NewClient(config *rest.Config, resource schema.GroupVersionResource, kind string) (*Client, error) {
	config = rest.CopyConfig(config)
	groupVersion := resource.GroupVersion()
	config.GroupVersion = &groupVersion
	config.APIPath = "/apis"
	config.ContentType = runtime.ContentTypeJSON
	config.AcceptContentTypes = runtime.ContentTypeJSON
	config.NegotiatedSerializer = serializer.NewCodecFactory(optionsScheme).WithoutConversion()
	// The callers of this server are subject to its priority and fairness; a second
	// limit here would only queue them where nobody sees it.
	config.QPS = -1
	config.WarningHandlerWithContext = callerWarnings{}
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("could not make a client of %s: %w", resource.GroupResource(), err)
	}
	return &Client{rest: client, Resource: resource, Kind: kind}, nil
}

type callerWarnings struct{}

func (callerWarnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _ string, text string) {
	const miscellaneous = 299
	if code == miscellaneous && text != "" {
		warning.AddWarning(ctx, "", text)
	}
}

func (c *Client) on(request *rest.Request, namespace string) *rest.Request {
	return request.NamespaceIfScoped(namespace, namespace != "").Resource(c.Resource.Resource).MaxRetries(0)
}

func raw(ctx context.Context, request *rest.Request) ([]byte, error) {
	result := request.Do(ctx)
	if err := result.Error(); err != nil {
		return nil, err
	}
	return result.Raw()
}

func (c *Client) get(ctx context.Context, namespace, name, resourceVersion string) ([]byte, error) {
	options := &metav1.GetOptions{ResourceVersion: resourceVersion}
	return raw(ctx, c.on(c.rest.Get(), namespace).Name(name).
		SpecificallyVersionedParams(options, optionsCodec, optionsVersion))
}

func (c *Client) list(ctx context.Context, namespace string, options metav1.ListOptions) ([]byte, error) {
	return raw(ctx, c.on(c.rest.Get(), namespace).
		SpecificallyVersionedParams(&options, optionsCodec, optionsVersion))
}

func (c *Client) watch(ctx context.Context, namespace string, options metav1.ListOptions) (io.ReadCloser, error) {
	options.Watch = true
	return c.on(c.rest.Get(), namespace).
		SpecificallyVersionedParams(&options, optionsCodec, optionsVersion).Stream(ctx)
}

func (c *Client) create(ctx context.Context, namespace string, body []byte, options WriteOptions) ([]byte, error) {
	// All that a new resource holds comes from our projection, so a field that the
	// installed CRD doesn't have is an error rather than silently dropped.
	params := &metav1.CreateOptions{DryRun: options.DryRun, FieldManager: FieldManager, FieldValidation: metav1.FieldValidationStrict}
	return raw(ctx, c.on(c.rest.Post(), namespace).Body(body).
		SpecificallyVersionedParams(params, optionsCodec, optionsVersion))
}

func (c *Client) update(ctx context.Context, namespace, name string, body []byte, options WriteOptions) ([]byte, error) {
	// What was read has no field that the CRD doesn't know, since it was pruned then.
	params := &metav1.UpdateOptions{DryRun: options.DryRun, FieldManager: FieldManager, FieldValidation: metav1.FieldValidationStrict}
	return raw(ctx, c.on(c.rest.Put(), namespace).Name(name).Body(body).
		SpecificallyVersionedParams(params, optionsCodec, optionsVersion))
}

func (c *Client) delete(ctx context.Context, namespace, name string, options *metav1.DeleteOptions) ([]byte, error) {
	return raw(ctx, c.on(c.rest.Delete(), namespace).Name(name).Body(options))
}
