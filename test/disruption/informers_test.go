package disruption

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/informers/externalversions"
)

// specs are valid specs of each kind, in YAML.
var specs = map[v1alpha1.ComponentKind]string{
	v1alpha1.FunctionKind: `{className: org.example.F, java: {}, package: {location: "function://public/default/f@1"}, inputs: [in]}`,
	v1alpha1.SourceKind:   `{className: org.example.S, package: {location: "source://public/default/s@1"}, output: out}`,
	v1alpha1.SinkKind:     `{className: org.example.S, package: {location: "sink://public/default/s@1"}, inputs: [in]}`,
}

// gate is a client's way to kube-apiserver, which can be shut: watches end, and
// requests are refused as where nobody listens.
type gate struct {
	next http.RoundTripper

	lock    sync.Mutex
	shut    bool
	watches []io.Closer
	// expired counts the watches that were answered with a 410.
	expired atomic.Int32
}

// config returns config through the gate.
func (g *gate) config(config *rest.Config) *rest.Config {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		g.next = next
		return g
	})
	return config
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(request *http.Request) (*http.Response, error) {
	if g.isShut() {
		return nil, os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	response, err := g.next.RoundTrip(request)
	if err == nil && request.URL.Query().Has("watch") {
		g.lock.Lock()
		defer g.lock.Unlock()
		g.watches = append(g.watches, response.Body)
		response.Body = &watchBody{ReadCloser: response.Body, gate: g}
	}
	return response, err
}

func (g *gate) isShut() bool {
	g.lock.Lock()
	defer g.lock.Unlock()
	return g.shut
}

func (g *gate) set(shut bool) {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.shut = shut
	for _, watch := range g.watches {
		_ = watch.Close() // it may have ended by itself
	}
	g.watches = nil
}

// watchBody is what a watch is answered. It looks for a 410 in it.
type watchBody struct {
	io.ReadCloser
	gate *gate
	// last is the end of what was read before.
	last []byte
}

func (b *watchBody) Read(into []byte) (int, error) {
	const gone = `"code":410`
	n, err := b.ReadCloser.Read(into)
	b.last = append(b.last, into[:n]...)
	if bytes.Contains(b.last, []byte(gone)) {
		b.gate.expired.Add(1)
		b.last = nil
	}
	b.last = b.last[max(0, len(b.last)-len(gone)+1):]
	if err != nil && b.gate.isShut() {
		// As when a server ends it.
		err = io.EOF
	}
	return n, err
}

// watchedKind is a kind with an informer of the generated client.
type watchedKind struct {
	v1alpha1.ComponentKind
	client   dynamic.ResourceInterface
	informer *recorder
}

func (k *watchedKind) create(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	object := &unstructured.Unstructured{}
	text := fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s}, spec: %s}", v1alpha1.SchemeGroupVersion, k.Kind, name+"-"+k.Type, specs[k.ComponentKind])
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	must[*unstructured.Unstructured](t)(k.client.Create(ctx, object, metav1.CreateOptions{}))
}

func (k *watchedKind) label(ctx context.Context, t *testing.T, name, value string) {
	t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"labels":{"test":%q}}}`, value)
	must[*unstructured.Unstructured](t)(k.client.Patch(ctx, name+"-"+k.Type, types.MergePatchType, []byte(patch), metav1.PatchOptions{}))
}

// served returns an error until objects of the kind can be listed.
func (k *watchedKind) served(ctx context.Context) error {
	_, err := k.client.List(ctx, metav1.ListOptions{})
	return err
}

// knows returns an error until the informer's objects are those that there are.
func (k *watchedKind) knows(ctx context.Context) error {
	list, err := k.client.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var there, known []string
	for i := range list.Items {
		there = append(there, list.Items[i].GetName()+" "+list.Items[i].GetResourceVersion())
	}
	for _, object := range k.informer.informer.GetStore().List() {
		accessor, err := meta.Accessor(object)
		if err != nil {
			return err
		}
		known = append(known, accessor.GetName()+" "+accessor.GetResourceVersion())
	}
	slices.Sort(there)
	slices.Sort(known)
	if !slices.Equal(there, known) {
		return fmt.Errorf("the informer of %s knows %v, there are %v", k.Resource, known, there)
	}
	return nil
}

// Informers of the generated client, of every kind, go through a restart of
// kube-apiserver, and through a time in which they hear nothing and after which the
// version that they had is too old: they are answered with a 410 and list anew.
func TestInformersOfEveryKind(t *testing.T) {
	ctx := testContext(t)
	mustNotPanic(t)
	namespace := newNamespace(ctx, t, "informers")
	way := &gate{}
	factory := externalversions.NewSharedInformerFactoryWithOptions(newViews(t, way.config(env.ControlPlane.AdminConfig())), 0,
		externalversions.WithNamespace(namespace))
	var kinds []*watchedKind
	for _, kind := range v1alpha1.ComponentKinds {
		resource := v1alpha1.SchemeGroupVersion.WithResource(kind.Resource)
		informer, err := factory.ForResource(resource)
		if err != nil {
			t.Fatal(err)
		}
		watched := &watchedKind{kind, env.Dynamic().Resource(resource).Namespace(namespace), newRecorder(t, informer.Informer())}
		eventually(ctx, t, kind.Resource+" to be served", func() error { return watched.served(ctx) })
		watched.create(ctx, t, "kept")
		watched.create(ctx, t, "lost")
		runInformer(ctx, t, watched.informer.informer)
		watched.informer.waitSynced(ctx, t)
		kinds = append(kinds, watched)
	}

	if err := env.ControlPlane.RestartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		eventually(ctx, t, kind.Resource+" to be served after the restart", func() error { return kind.served(ctx) })
		kind.label(ctx, t, "kept", "after-the-restart")
		eventually(ctx, t, kind.Kind+"'s informer to hear of a change", func() error { return kind.informer.has("updated", "kept-"+kind.Type) })
		eventually(ctx, t, "it to know everything", func() error { return kind.knows(ctx) })
	}

	// A watch that ended before it told anything would be no reason to resume it.
	for _, kind := range kinds {
		kind.label(ctx, t, "kept", "last-heard")
		eventually(ctx, t, "the informer to know everything", func() error { return kind.knows(ctx) })
	}
	before := way.expired.Load()
	way.set(true)
	for _, kind := range kinds {
		kind.label(ctx, t, "kept", "unheard")
		kind.create(ctx, t, "late")
		if err := kind.client.Delete(ctx, "lost-"+kind.Type, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	// A new kube-apiserver knows no events from before its start.
	if err := env.ControlPlane.RestartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		eventually(ctx, t, kind.Resource+" to be served after the second restart", func() error { return kind.served(ctx) })
	}
	way.set(false)
	for _, kind := range kinds {
		eventually(ctx, t, "the informer to know everything again", func() error { return kind.knows(ctx) })
		for event, object := range map[string]string{"added": "late", "found missing": "lost"} {
			deleted := kind.informer.has("deleted", object+"-"+kind.Type)
			if err := kind.informer.has(event, object+"-"+kind.Type); err != nil && (event != "found missing" || deleted != nil) {
				t.Error(errors.Join(err, deleted))
			}
		}
	}
	if count := way.expired.Load() - before; int(count) < len(kinds) {
		t.Errorf("%d watches were answered with a 410, not one of each kind", count)
	}
}
