package disruption

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/informers/externalversions"
)

// crs is what the views are views of.
var crs = schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: "functions"}

// watchEvent is an event with what the tests here look at: an object's metadata, or
// the code and the message of an error.
type watchEvent struct {
	Type   string `json:"type"`
	Object struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
		Code     int32             `json:"code"`
		Message  string            `json:"message"`
	} `json:"object"`
}

// openWatch is a watch as a client without any library sees it. Its channel is
// closed when the server ended the watch.
type openWatch struct {
	header http.Header
	events chan watchEvent
}

// watchViews opens a watch of a namespace's functions.
func (c *plainClient) watchViews(ctx context.Context, t *testing.T, namespace string, parameters url.Values) *openWatch {
	t.Helper()
	parameters.Set("watch", "true")
	// It ends with the test, not with the client's limit for ordinary requests.
	client := &plainClient{http: &http.Client{Transport: c.http.Transport}, base: c.base, header: c.header}
	response, err := client.open(ctx, call{method: http.MethodGet, path: viewPath(namespace, "") + "?" + parameters.Encode()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the watch is answered %s", response.Status)
	}
	w := &openWatch{header: response.Header, events: make(chan watchEvent, 1000)}
	go func() {
		defer close(w.events)
		for decoder := json.NewDecoder(response.Body); ; {
			var event watchEvent
			if decoder.Decode(&event) != nil {
				return
			}
			w.events <- event
		}
	}()
	return w
}

// next waits for an event; one of type "" says that the watch ended.
func (w *openWatch) next(t *testing.T) watchEvent {
	t.Helper()
	return within(t, "a watch event", w.events)
}

// seen is an event as an informer tells it.
type seen struct {
	what, object, version string
}

// recorder keeps what an informer told, in order.
type recorder struct {
	informer cache.SharedIndexInformer

	lock sync.Mutex
	all  []seen
}

func newRecorder(t *testing.T, informer cache.SharedIndexInformer) *recorder {
	t.Helper()
	r := &recorder{informer: informer}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { r.add("added", object) },
		UpdateFunc: func(_, object any) { r.add("updated", object) },
		DeleteFunc: func(object any) { r.add("deleted", object) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *recorder) add(what string, object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		what, object = "found missing", unknown.Obj
	}
	accessor := object.(metav1.Object)
	r.lock.Lock()
	defer r.lock.Unlock()
	r.all = append(r.all, seen{what, accessor.GetName(), accessor.GetResourceVersion()})
}

func (r *recorder) events() []seen {
	r.lock.Lock()
	defer r.lock.Unlock()
	return slices.Clone(r.all)
}

// has returns an error until the informer told of an event.
func (r *recorder) has(what, object string) error {
	for _, event := range r.events() {
		if event.what == what && event.object == object {
			return nil
		}
	}
	return fmt.Errorf("no event says that %s was %s; seen: %v", object, what, r.events())
}

// runInformer runs an informer until the test ends.
func runInformer(ctx context.Context, t *testing.T, informer cache.SharedIndexInformer) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		informer.Run(ctx.Done())
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// watchViewsBy runs an informer of a namespace's functions and waits until it is
// filled.
func watchViewsBy(ctx context.Context, t *testing.T, client versioned.Interface, namespace string) *recorder {
	t.Helper()
	factory := externalversions.NewSharedInformerFactoryWithOptions(client, 0, externalversions.WithNamespace(namespace))
	r := newRecorder(t, factory.Admin().V1alpha1().PulsarFunctions().Informer())
	runInformer(ctx, t, r.informer)
	r.waitSynced(ctx, t)
	return r
}

// watchResources runs an informer of the custom resources behind them.
func watchResources(ctx context.Context, t *testing.T, namespace string) *recorder {
	t.Helper()
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(env.Dynamic(), 0, namespace, nil)
	r := newRecorder(t, factory.ForResource(crs).Informer())
	runInformer(ctx, t, r.informer)
	r.waitSynced(ctx, t)
	return r
}

func (r *recorder) waitSynced(ctx context.Context, t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	if !cache.WaitForCacheSync(ctx.Done(), r.informer.HasSynced) {
		t.Fatal("an informer was never filled")
	}
	t.Logf("an informer was filled after %.1f s", time.Since(began).Seconds())
}
