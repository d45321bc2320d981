package pulsarconnector

import (
	"context"

	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	utilflowcontrol "k8s.io/apiserver/pkg/util/flowcontrol"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// Watch implements rest.Watcher.
//
// A slow watcher holds up nobody and needs no buffer: what it hasn't seen is what the
// catalogue has changed since the version that it has.
func (r *REST) Watch(ctx context.Context, options *metainternalversion.ListOptions) (watch.Interface, error) {
	if options == nil {
		options = &metainternalversion.ListOptions{}
	}
	version, err := parseVersion(options.ResourceVersion)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{catalogue: r.catalogue, options: options, events: make(chan watch.Event), cancel: cancel}
	initial := options.SendInitialEvents
	switch {
	case initial != nil && *initial:
		state, err := r.notOlderThan(options.ResourceVersion)
		if err != nil {
			cancel()
			return nil, err
		}
		go w.run(ctx, func() (uint64, bool) { return state.Version, w.begin(ctx, state, options.AllowWatchBookmarks) })
	case version == 0 && initial == nil:
		go w.run(ctx, func() (uint64, bool) {
			state := r.catalogue.Current()
			return state.Version, w.begin(ctx, state, false)
		})
	case version == 0:
		go w.run(ctx, func() (uint64, bool) { return r.catalogue.Current().Version, true })
	default:
		go w.run(ctx, func() (uint64, bool) { return version, w.reach(ctx, version) })
	}
	// Until this is said, the request counts as one that is being executed, and the
	// server bounds how many of those there are.
	utilflowcontrol.WatchInitialized(ctx)
	return w, nil
}

// watcher is a watch.
type watcher struct {
	catalogue *connectors.Catalogue
	options   *metainternalversion.ListOptions
	events    chan watch.Event
	cancel    context.CancelFunc
}

var _ watch.Interface = (*watcher)(nil)

// Stop implements watch.Interface.
func (w *watcher) Stop() { w.cancel() }

// ResultChan implements watch.Interface. The channel is closed when the watch ends.
func (w *watcher) ResultChan() <-chan watch.Event { return w.events }

// run sends what changes after the version that begin returns, until ctx ends.
func (w *watcher) run(ctx context.Context, begin func() (version uint64, goOn bool)) {
	defer close(w.events)
	defer w.cancel()
	version, goOn := begin()
	for goOn {
		changes, state, known := w.catalogue.Since(version)
		if !known {
			status := expired(version).Status()
			w.send(ctx, watch.Event{Type: watch.Error, Object: &status})
			return
		}
		for _, change := range changes {
			if event, ok := w.eventOf(change); ok && !w.send(ctx, event) {
				return
			}
		}
		// It may be the same content under a version of another replica: what is sent from
		// here on has this one's versions.
		version = state.Version
		if len(changes) > 0 && w.options.AllowWatchBookmarks && !w.send(ctx, bookmark(version, nil)) {
			return
		}
		goOn = waitFor(ctx, state)
	}
}

// begin sends a state, and with a bookmark also that this was all.
func (w *watcher) begin(ctx context.Context, state *connectors.Snapshot, sendBookmark bool) bool {
	for _, entry := range state.Entries {
		if selected(w.options, entry) && !w.send(ctx, watch.Event{Type: watch.Added, Object: objectOf(entry)}) {
			return false
		}
	}
	return !sendBookmark ||
		w.send(ctx, bookmark(state.Version, map[string]string{metav1.InitialEventsAnnotationKey: "true"}))
}

// reach waits for a version that another replica has already reached. Ending the
// watch would make its client list here, and go back in time.
func (w *watcher) reach(ctx context.Context, version uint64) bool {
	for {
		_, state, known := w.catalogue.Since(version)
		if known || version < state.Version {
			return true
		}
		if !waitFor(ctx, state) {
			return false
		}
	}
}

// waitFor waits until the catalogue has a later state, and says whether it has.
func waitFor(ctx context.Context, state *connectors.Snapshot) bool {
	select {
	case <-state.Replaced():
		return true
	case <-ctx.Done():
		return false
	}
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

// eventOf returns what a change is to this watcher, if it is anything. Whether an
// entry is selected depends on its name only, so no change begins or ends it.
func (w *watcher) eventOf(change connectors.Change) (watch.Event, bool) {
	eventType, entry := watch.Modified, change.After
	switch {
	case change.Before == nil:
		eventType = watch.Added
	case change.After == nil:
		eventType, entry = watch.Deleted, change.Before
	}
	if !selected(w.options, entry) {
		return watch.Event{}, false
	}
	object := objectOf(entry)
	object.ResourceVersion = versionText(change.Version)
	return watch.Event{Type: eventType, Object: object}, true
}

func bookmark(version uint64, annotations map[string]string) watch.Event {
	var object runtime.Object = &v1alpha1.PulsarConnector{
		ObjectMeta: metav1.ObjectMeta{ResourceVersion: versionText(version), Annotations: annotations},
	}
	return watch.Event{Type: watch.Bookmark, Object: object}
}
