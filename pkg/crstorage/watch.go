package crstorage

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/storage"
	utilflowcontrol "k8s.io/apiserver/pkg/util/flowcontrol"
	"k8s.io/klog/v2"
	kjson "sigs.k8s.io/json"
)

const (
	// eventBuffer is how many events may wait for a slow caller before the backend
	// is made to wait.
	eventBuffer = 100
	// definitionPollInterval is how often an idle watch looks whether the custom
	// resource definition has appeared.
	definitionPollInterval = time.Second
	// idleResourceVersion is that of the bookmark which an idle watch begins with.
	idleResourceVersion = "1"
)

// Watch implements storage.Interface. The backend has a watch cache, so every watch
// is forwarded to it as it came.
//
// While the custom resource definition is missing a watch is idle. It ends with a
// 410 when the definition appears, so that callers list anew.
func (s *Storage) Watch(ctx context.Context, key string, options storage.ListOptions) (watch.Interface, error) {
	namespace, name := s.parseListKey(key, options.Recursive)
	listOptions, err := s.listOptions(name, options)
	if err != nil {
		return nil, err
	}
	listOptions.AllowWatchBookmarks = options.Predicate.AllowWatchBookmarks
	listOptions.SendInitialEvents = options.SendInitialEvents
	if options.SendInitialEvents != nil {
		// The store drops this option, without which the backend refuses the other.
		listOptions.ResourceVersionMatch = metav1.ResourceVersionMatchNotOlderThan
	}

	// The backend sends a last bookmark shortly before a watch ends, if it knows when.
	if deadline, ok := ctx.Deadline(); ok {
		seconds := max(1, int64(math.Ceil(time.Until(deadline).Seconds())))
		listOptions.TimeoutSeconds = &seconds
	}

	ctx, cancel := context.WithCancel(ctx)
	stream, err := s.config.Client.watch(ctx, namespace, listOptions)
	// Until this is said, the request counts as one that is being executed, and the
	// server bounds how many of those there are.
	utilflowcontrol.WatchInitialized(ctx)
	w := &watcher{storage: s, events: make(chan watch.Event, eventBuffer), cancel: cancel}
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		// Nobody is there to hear of an error.
		cancel()
		close(w.events)
	case missingDefinition(err):
		s.warnMissing(ctx)
		// A bookmark may only be sent to who allowed them: initial events are asked for
		// on every watch, also on those that can't take a bookmark.
		sendBookmark := options.SendInitialEvents != nil && *options.SendInitialEvents && options.Predicate.AllowWatchBookmarks
		go w.idle(ctx, sendBookmark)
	case err != nil:
		cancel()
		return nil, s.errors.status(ctx, err)
	default:
		go w.forward(ctx, stream)
	}
	return w, nil
}

// watcher is a watch of views.
type watcher struct {
	storage *Storage
	events  chan watch.Event
	cancel  context.CancelFunc
	stop    sync.Once
}

var _ watch.Interface = (*watcher)(nil)

// Stop implements watch.Interface.
func (w *watcher) Stop() { w.stop.Do(w.cancel) }

// ResultChan implements watch.Interface. The channel is closed when the watch ends.
func (w *watcher) ResultChan() <-chan watch.Event { return w.events }

// rawEvent is an event as it comes from the backend.
type rawEvent struct {
	Type   watch.EventType `json:"type"`
	Object json.RawMessage `json:"object"`
}

// forward translates the backend's events until the stream or ctx ends.
func (w *watcher) forward(ctx context.Context, stream io.ReadCloser) {
	defer close(w.events)
	defer w.cancel()
	// Closing the stream ends a read from it.
	defer context.AfterFunc(ctx, func() { _ = stream.Close() })()
	defer func() { _ = stream.Close() }()

	decoder := json.NewDecoder(stream)
	for {
		var event rawEvent
		if err := decoder.Decode(&event); err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && ctx.Err() == nil {
				klog.FromContext(ctx).V(2).Info("A watch of the backend broke", "resource", w.storage.config.Client.Resource, "err", err)
			}
			return
		}
		translated, err := w.translate(ctx, event)
		if err != nil {
			klog.FromContext(ctx).Error(err, "Could not read a watch event", "resource", w.storage.config.Client.Resource)
			return
		}
		if !w.send(ctx, translated) {
			return
		}
	}
}

func (w *watcher) translate(ctx context.Context, event rawEvent) (watch.Event, error) {
	switch event.Type {
	case watch.Error:
		var status metav1.Status
		if err := kjson.UnmarshalCaseSensitivePreserveInts(event.Object, &status); err != nil {
			return watch.Event{}, err
		}
		status.Message = w.storage.errors.rename(status.Message)
		return watch.Event{Type: watch.Error, Object: &status}, nil
	case watch.Bookmark:
		var bookmark metav1.PartialObjectMetadata
		if err := kjson.UnmarshalCaseSensitivePreserveInts(event.Object, &bookmark); err != nil {
			return watch.Event{}, err
		}
		return w.bookmark(bookmark.ResourceVersion, bookmark.Annotations[metav1.InitialEventsAnnotationKey] == "true")
	}
	view, err := w.storage.projection.view(event.Object)
	if view == nil {
		return watch.Event{}, err
	}
	return watch.Event{Type: event.Type, Object: view}, nil
}

func (w *watcher) bookmark(resourceVersion string, endOfInitialEvents bool) (watch.Event, error) {
	view := w.storage.config.NewObject()
	accessor, err := meta.Accessor(view)
	if err != nil {
		return watch.Event{}, err
	}
	accessor.SetResourceVersion(resourceVersion)
	if endOfInitialEvents {
		accessor.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	return watch.Event{Type: watch.Bookmark, Object: view}, nil
}

// send hands an event to the caller, and says whether the watch goes on.
func (w *watcher) send(ctx context.Context, event watch.Event) bool {
	select {
	case w.events <- event:
		return true
	case <-ctx.Done():
		return false
	}
}

// idle is a watch without a backend. It ends when there is one.
func (w *watcher) idle(ctx context.Context, sendBookmark bool) {
	defer close(w.events)
	defer w.cancel()
	if sendBookmark {
		event, err := w.bookmark(idleResourceVersion, true)
		if err != nil || !w.send(ctx, event) {
			return
		}
	}
	// Every watch that was idle lists anew when the definition appears; jitter keeps
	// them from doing so at once.
	err := wait.PollUntilContextCancel(ctx, wait.Jitter(definitionPollInterval, 1), false, func(ctx context.Context) (bool, error) {
		_, err := w.storage.config.Client.list(ctx, "", metav1.ListOptions{Limit: 1})
		return err == nil, nil
	})
	if err != nil {
		return
	}
	var gone runtime.Object = &metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusGone,
		Reason:  metav1.StatusReasonExpired,
		Message: "the custom resource definition was installed; list again",
	}
	w.send(ctx, watch.Event{Type: watch.Error, Object: gone})
}
