package shim

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/componentconfig"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
)

const (
	functionsPath = "/admin/v3/functions"
	sinksPath     = "/admin/v3/sinks"
	sourcesPath   = "/admin/v3/sources"
)

// kind is a kind of component as this server has it: everything in which handlers of
// one kind differ from those of another.
type kind struct {
	v1alpha1.ComponentKind
	// roots are what paths of the kind begin with.
	roots []string
	form  componentconfig.Form
	// in returns the calls on the kind's objects in a Kubernetes namespace.
	in func(namespace string) objects
}

// configPart is the multipart part with the config.
func (k *kind) configPart() string { return k.Type + "Config" }

// called returns how reasons call the component of a name.
func (k *kind) called(name string) component { return component{kind: k.Title, name: name} }

// newKinds returns all kinds.
func newKinds(client adminclient.AdminV1alpha1Interface) []*kind {
	newKind := func(of v1alpha1.ComponentKind, in func(namespace string) objects, roots ...string) *kind {
		return &kind{ComponentKind: of, roots: roots, form: componentconfig.FormOf(of), in: in}
	}
	return []*kind{
		newKind(v1alpha1.FunctionKind, func(namespace string) objects {
			return typed[*v1alpha1.PulsarFunction, *v1alpha1.PulsarFunctionList]{
				client:       client.PulsarFunctions(namespace),
				new:          func() *v1alpha1.PulsarFunction { return &v1alpha1.PulsarFunction{} },
				subresources: subresourcesOf(client, namespace, v1alpha1.FunctionKind),
			}
		}, functionsPath, "/admin/v3/function"),
		// Older clients say sink and source.
		newKind(v1alpha1.SinkKind, func(namespace string) objects {
			return typed[*v1alpha1.PulsarSink, *v1alpha1.PulsarSinkList]{
				client:       client.PulsarSinks(namespace),
				new:          func() *v1alpha1.PulsarSink { return &v1alpha1.PulsarSink{} },
				subresources: subresourcesOf(client, namespace, v1alpha1.SinkKind),
			}
		}, sinksPath, "/admin/v3/sink"),
		newKind(v1alpha1.SourceKind, func(namespace string) objects {
			return typed[*v1alpha1.PulsarSource, *v1alpha1.PulsarSourceList]{
				client:       client.PulsarSources(namespace),
				new:          func() *v1alpha1.PulsarSource { return &v1alpha1.PulsarSource{} },
				subresources: subresourcesOf(client, namespace, v1alpha1.SourceKind),
			}
		}, sourcesPath, "/admin/v3/source"),
	}
}

// objects are the calls on the objects of a kind, each made as the caller in its
// context.
type objects interface {
	// empty returns an object that says nothing.
	empty() v1alpha1.Component
	get(ctx context.Context, name string) (v1alpha1.Component, error)
	// list returns a page, and what to ask for the next one with.
	list(ctx context.Context, options metav1.ListOptions) (page []v1alpha1.Component, next string, err error)
	create(ctx context.Context, object v1alpha1.Component, options metav1.CreateOptions) (v1alpha1.Component, error)
	update(ctx context.Context, object v1alpha1.Component, options metav1.UpdateOptions) (v1alpha1.Component, error)
	patch(ctx context.Context, name string, patch []byte, options metav1.PatchOptions) (v1alpha1.Component, error)
	remove(ctx context.Context, name string, options metav1.DeleteOptions) error
	running
	// handOver gives an object a token of the caller's, unless it was changed since it was
	// as it is given: the token is for the code that was seen.
	handOver(ctx context.Context, to v1alpha1.Component, token string, options metav1.CreateOptions) error
}

// client is what generated clients have in common: V is a kind's object, L its list.
type client[V v1alpha1.Component, L runtime.Object] interface {
	Get(ctx context.Context, name string, options metav1.GetOptions) (V, error)
	List(ctx context.Context, options metav1.ListOptions) (L, error)
	Create(ctx context.Context, object V, options metav1.CreateOptions) (V, error)
	Update(ctx context.Context, object V, options metav1.UpdateOptions) (V, error)
	Patch(ctx context.Context, name string, patchType types.PatchType, patch []byte, options metav1.PatchOptions, subresources ...string) (V, error)
	Delete(ctx context.Context, name string, options metav1.DeleteOptions) error
	CreateCredential(ctx context.Context, name string, credential *v1alpha1.PulsarCredential, options metav1.CreateOptions) (*metav1.Status, error)
}

// typed makes objects of a generated client.
type typed[V v1alpha1.Component, L runtime.Object] struct {
	client client[V, L]
	new    func() V
	subresources
}

func (t typed[V, L]) empty() v1alpha1.Component { return t.new() }

func (t typed[V, L]) get(ctx context.Context, name string) (v1alpha1.Component, error) {
	return t.client.Get(ctx, name, metav1.GetOptions{})
}

func (t typed[V, L]) list(ctx context.Context, options metav1.ListOptions) ([]v1alpha1.Component, string, error) {
	list, err := t.client.List(ctx, options)
	if err != nil {
		return nil, "", err
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return nil, "", fmt.Errorf("could not read a list: %w", err)
	}
	var page []v1alpha1.Component
	err = meta.EachListItem(list, func(item runtime.Object) error {
		object, err := t.as(item)
		page = append(page, object)
		return err
	})
	return page, accessor.GetContinue(), err
}

func (t typed[V, L]) create(ctx context.Context, object v1alpha1.Component, options metav1.CreateOptions) (v1alpha1.Component, error) {
	typedObject, err := t.as(object)
	if err != nil {
		return nil, err
	}
	return t.client.Create(ctx, typedObject, options)
}

func (t typed[V, L]) handOver(ctx context.Context, to v1alpha1.Component, token string, options metav1.CreateOptions) error {
	credential := &v1alpha1.PulsarCredential{
		ObjectMeta: metav1.ObjectMeta{Name: to.GetName(), UID: to.GetUID(), Generation: to.GetGeneration()},
		Spec:       v1alpha1.PulsarCredentialSpec{Token: token},
	}
	_, err := t.client.CreateCredential(ctx, to.GetName(), credential, options)
	return err
}

func (t typed[V, L]) update(ctx context.Context, object v1alpha1.Component, options metav1.UpdateOptions) (v1alpha1.Component, error) {
	typedObject, err := t.as(object)
	if err != nil {
		return nil, err
	}
	return t.client.Update(ctx, typedObject, options)
}

func (t typed[V, L]) patch(ctx context.Context, name string, patch []byte, options metav1.PatchOptions) (v1alpha1.Component, error) {
	return t.client.Patch(ctx, name, types.MergePatchType, patch, options)
}

func (t typed[V, L]) remove(ctx context.Context, name string, options metav1.DeleteOptions) error {
	return t.client.Delete(ctx, name, options)
}

func (t typed[V, L]) as(object runtime.Object) (V, error) {
	typedObject, ok := object.(V)
	if !ok {
		return typedObject, fmt.Errorf("could not use a %T as a %T", object, typedObject)
	}
	return typedObject, nil
}
