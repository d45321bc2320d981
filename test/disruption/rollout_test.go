package disruption

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const (
	// drain is how long a replica goes on after the signal as if nothing were, as
	// artifacts/ has it; watchGrace how long its watches then get.
	drain      = 5 * time.Second
	watchGrace = 5 * time.Second
	// rolloutBound is how long a replica may live after the signal: both, and a
	// busy machine's share. Pods get 80 seconds.
	rolloutBound = drain + watchGrace + 20*time.Second
)

// terminate sends SIGTERM as a kubelet does, and returns a channel that delivers
// how long the server lived on. It must end by itself, and with success.
func terminate(t *testing.T, server *controlplane.Server) <-chan time.Duration {
	t.Helper()
	began := time.Now()
	if err := server.Process().Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan time.Duration, 1)
	go func() {
		<-server.Process().Done()
		ended <- time.Since(began)
	}()
	return ended
}

// mustHaveEnded checks how a terminated server ended.
func mustHaveEnded(t *testing.T, server *controlplane.Server, ended <-chan time.Duration) {
	t.Helper()
	took := within(t, server.Process().Name()+" to end", ended)
	t.Logf("%s ended %.1f s after the signal", server.Process().Name(), took.Seconds())
	if took > rolloutBound {
		t.Errorf("%s took %s to end, more than %s", server.Process().Name(), took, rolloutBound)
	}
	// The environment calls an end unexpected that it didn't ask for.
	if exit := within(t, "the report of the end", env.Unexpected()); exit.Name != server.Process().Name() || exit.Err.Error() != "exit status 0" {
		t.Errorf("%v", exit)
	}
}

// writer changes functions all the time, through kube-apiserver, and remembers
// every answer that isn't a success.
type writer struct {
	client    *plainClient
	namespace string

	written atomic.Int32
	stop    chan struct{}
	done    sync.WaitGroup

	lock     sync.Mutex
	failures []string
}

func startWriter(ctx context.Context, t *testing.T, namespace string) *writer {
	t.Helper()
	w := &writer{client: newPlainClient(t, env.ControlPlane.AdminConfig()), namespace: namespace, stop: make(chan struct{})}
	w.done.Go(func() {
		for round := 0; ; round++ {
			select {
			case <-w.stop:
				return
			default:
				w.round(ctx, t, fmt.Sprintf("f%d", round))
			}
		}
	})
	return w
}

// round creates, changes, and deletes a function.
func (w *writer) round(ctx context.Context, t *testing.T, name string) {
	named := viewPath(w.namespace, name)
	for i, call := range []call{
		{http.MethodPost, viewPath(w.namespace, ""), contentType("application/json"), toJSON(t, newFunction(w.namespace, name))},
		{http.MethodPatch, named, contentType("application/merge-patch+json"), `{"spec":{"parallelism":2}}`},
		{http.MethodPatch, named, contentType("application/merge-patch+json"), `{"metadata":{"labels":{"test":"changed"}}}`},
		{method: http.MethodGet, path: named},
		{method: http.MethodDelete, path: named},
	} {
		answer, err := w.client.try(ctx, call)
		if err == nil && answer.code < http.StatusMultipleChoices {
			w.written.Add(1)
			continue
		}
		w.lock.Lock()
		w.failures = append(w.failures, fmt.Sprintf("%s, request %d (%s): %v %v", name, i, call.method, err, answer))
		w.lock.Unlock()
	}
}

// more waits until so many more requests succeeded.
func (w *writer) more(ctx context.Context, t *testing.T, count int32) {
	t.Helper()
	wanted := w.written.Load() + count
	eventually(ctx, t, "more requests to succeed", func() error {
		if w.written.Load() < wanted {
			return fmt.Errorf("%d of %d did; failures: %v", w.written.Load(), wanted, w.failed())
		}
		return nil
	})
}

func (w *writer) failed() []string {
	w.lock.Lock()
	defer w.lock.Unlock()
	return append([]string(nil), w.failures...)
}

// A rollout as Kubernetes does it: a new replica is ready, the old one gets the
// signal, and only then requests are led to the new one. Meanwhile functions
// change all the time. No request fails, the old replica's watches move over, and
// who watches misses nothing.
func TestRolloutHandsWatchesOver(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t, "rollout")
	old := startAPIServer(ctx, t, devenv.APIServerOptions{
		Name: "functionmesh-apiserver-old", ExtraArgs: []string{"--shutdown-delay-duration=" + drain.String()}})
	route(ctx, t, old)
	replacement := startAPIServer(ctx, t, devenv.APIServerOptions{Name: "functionmesh-apiserver-new"})

	admin := env.ControlPlane.AdminConfig()
	raw := watchResources(ctx, t, namespace)
	views := watchViewsBy(ctx, t, newViews(t, admin), namespace)
	// These stay for as long as the old server lets them: one through kube-apiserver,
	// one straight to the old server, as the shim's.
	through := newPlainClient(t, admin).watchViews(ctx, t, namespace, url.Values{})
	straight := newPlainClient(t, directConfig(admin, old)).watchViews(ctx, t, namespace, url.Values{})
	writer := startWriter(ctx, t, namespace)
	writer.more(ctx, t, 20)

	ended := terminate(t, old)
	oldClient := newPlainClient(t, directConfig(admin, old))
	eventually(ctx, t, "the old server to say that it isn't ready", func() error {
		answer, err := oldClient.try(ctx, call{method: http.MethodGet, path: "/readyz"})
		if err != nil {
			return err
		}
		if answer.code == http.StatusOK {
			return errNotYet
		}
		return nil
	})
	route(ctx, t, replacement)
	writer.more(ctx, t, 20)
	mustHaveEnded(t, old, ended)
	for name, watch := range map[string]*openWatch{"through kube-apiserver": through, "straight": straight} {
		count := 0
		for event := watch.next(t); event.Type != ""; event = watch.next(t) {
			if event.Type == "ERROR" {
				t.Errorf("%s: %+v", name, event)
			}
			count++
		}
		if count == 0 {
			t.Errorf("%s: no event came", name)
		}
		t.Logf("the watch %s had %d events and ended with the old server", name, count)
	}
	writer.more(ctx, t, 20)
	close(writer.stop)
	writer.done.Wait()
	if failures := writer.failed(); len(failures) > 0 {
		t.Errorf("%d requests failed: %s", len(failures), strings.Join(failures, "\n"))
	}
	t.Logf("%d requests succeeded", writer.written.Load())

	create(ctx, t, namespace, "last")
	for name, informer := range map[string]*recorder{"resources": raw, "views": views} {
		eventually(ctx, t, "the informer of "+name+" to see the last function", func() error { return informer.has("added", "last") })
	}
	compare(t, raw.events(), views.events())
}

// compare says where what two informers told differs.
func compare(t *testing.T, raw, views []seen) {
	t.Helper()
	t.Logf("%d events", len(raw))
	for i := range max(len(raw), len(views)) {
		if i >= len(raw) || i >= len(views) || raw[i] != views[i] {
			t.Errorf("from event %d on the resources' events are %v, the views' %v", i, raw[min(i, len(raw)):], views[min(i, len(views)):])
			return
		}
	}
}

// A request that the old replica has begun to answer when the signal comes is
// answered, without any delay that lets others move on.
func TestRolloutCompletesRequests(t *testing.T) {
	ctx := testContext(t)
	backend := newBackend(t)
	server := backend.startBehind(ctx, t, devenv.APIServerOptions{Name: "functionmesh-apiserver-busy"})
	namespace := newNamespace(ctx, t, "busy")
	create(ctx, t, namespace, "f")
	admin := directConfig(env.ControlPlane.AdminConfig(), server)
	watch := newPlainClient(t, admin).watchViews(ctx, t, namespace, url.Values{})

	release, arrived := make(chan struct{}), make(chan struct{}, 10)
	hold := func(writer http.ResponseWriter, request *http.Request) {
		arrived <- struct{}{}
		<-release
		backend.proxy.ServeHTTP(writer, request)
	}
	backend.intercept(t, resource(http.MethodPost, namespace), hold)
	backend.intercept(t, resource(http.MethodPut, namespace), hold)
	type result struct {
		answer *answer
		err    error
	}
	results := make(chan result, 2)
	calls := []call{
		{http.MethodPost, viewPath(namespace, ""), contentType("application/json"), toJSON(t, newFunction(namespace, "g"))},
		{http.MethodPatch, viewPath(namespace, "f"), contentType("application/merge-patch+json"), `{"spec":{"parallelism":3}}`},
	}
	for _, call := range calls {
		client := newPlainClient(t, admin)
		go func() {
			answer, err := client.try(ctx, call)
			results <- result{answer, err}
		}()
		within(t, "the request to reach the backend", arrived)
	}

	ended := terminate(t, server)
	// The server no longer listens, and its watch is over: it only waits for the two.
	for event := watch.next(t); event.Type != ""; event = watch.next(t) {
		continue
	}
	// Only dialled: the library waits up to a minute for an HTTP/2 connection that was
	// opened in the very moment in which it stops listening, and then isn't told.
	eventually(ctx, t, "the server to take no more connections", func() error {
		connection, err := net.Dial("tcp", strings.TrimPrefix(admin.Host, "https://"))
		if err == nil {
			connection.Close()
			return errNotYet
		}
		return nil
	})
	close(release)
	for range calls {
		if result := within(t, "an answer", results); result.err != nil || result.answer.code >= http.StatusMultipleChoices {
			t.Errorf("%v %v", result.answer, result.err)
		}
	}
	mustHaveEnded(t, server, ended)
}
