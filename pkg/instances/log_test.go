package instances

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// logged returns an Instances for which one pod has a log that goes on until nobody reads
// it any more, and a channel that tells of each whose reader went.
func logged(t *testing.T, stopping <-chan struct{}) (*Instances, <-chan struct{}) {
	t.Helper()
	gone := make(chan struct{}, maxLogs)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]any{
			"/apis/apps/v1/namespaces/n/statefulsets/f-function": statefulSet(),
			"/api/v1/namespaces/n/pods":                          &corev1.PodList{Items: []corev1.Pod{*pod(0, "127.0.7.1", 1)}},
		}
		w.Header().Set("Content-Type", "application/json")
		if answer, ok := answers[r.URL.Path]; ok {
			if err := json.NewEncoder(w).Encode(answer); err != nil {
				t.Error(err)
			}
			return
		}
		switch r.URL.Query().Get("container") {
		case "pulsar-function":
		case "forbidden":
			w.WriteHeader(http.StatusForbidden)
			return
		default:
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if _, err := io.WriteString(w, r.URL.String()+"\n"); err != nil {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	}))
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return New(client, nil, stopping), gone
}

// TestLogEnds proves that nothing stays of a log once its reader goes, or the server.
func TestLogEnds(t *testing.T) {
	stopping := make(chan struct{})
	instances, gone := logged(t, stopping)
	open := func(ctx context.Context) io.ReadCloser {
		t.Helper()
		log, err := instances.Log(ctx, function(1), &v1alpha1.PulsarLogOptions{Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(log, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return log
	}
	closed := open(t.Context())
	if err := closed.Close(); err != nil {
		t.Error(err)
	}
	<-gone
	ctx, cancel := context.WithCancel(t.Context())
	left, stopped := open(ctx), open(t.Context())
	cancel()
	<-gone
	close(stopping)
	<-gone
	for _, log := range []io.ReadCloser{left, stopped} {
		if _, err := io.ReadAll(log); err == nil {
			t.Error("a log that was cut off looks like a whole one")
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
	if taken := len(instances.logs); taken != 0 {
		t.Errorf("%d logs count as being read", taken)
	}
}

func TestLogRefused(t *testing.T) {
	instances, _ := logged(t, nil)
	for container, is := range map[string]func(error) bool{"wrong": apierrors.IsBadRequest, "forbidden": apierrors.IsInternalError} {
		if _, err := instances.Log(t.Context(), function(1), &v1alpha1.PulsarLogOptions{Container: container}); !is(err) {
			t.Errorf("the log of container %s: %v", container, err)
		}
	}
	if _, err := instances.Log(t.Context(), function(2), &v1alpha1.PulsarLogOptions{Instance: 1}); !apierrors.IsNotFound(err) ||
		!strings.Contains(err.Error(), "instance 1 of f has no pod (Pending)") {
		t.Errorf("the log of no pod: %v", err)
	}
	for range maxLogs {
		instances.logs <- struct{}{}
	}
	if _, err := instances.Log(t.Context(), function(1), &v1alpha1.PulsarLogOptions{}); !apierrors.IsTooManyRequests(err) {
		t.Errorf("one log too many: %v", err)
	}
	for range maxLogs {
		<-instances.logs
	}
	log, err := instances.Log(t.Context(), function(1), &v1alpha1.PulsarLogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}
