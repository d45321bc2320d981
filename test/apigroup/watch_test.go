package apigroup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

var pulsarFunctions = devenv.PulsarFunctions

// lastName is that of an object which ends what a test writes: everything that was
// written before has been seen when it is.
const lastName = "zz-last"

// collect reads events until lastName was added, each as "TYPE name version".
func (s *space) collect(w watch.Interface) []string {
	s.t.Helper()
	defer w.Stop()
	var events []string
	for {
		event := s.next(w)
		accessor, err := meta.Accessor(event.Object)
		if err != nil {
			s.t.Fatalf("an event of type %s with %T: %+v", event.Type, event.Object, event.Object)
		}
		if accessor.GetName() == lastName {
			return events
		}
		if event.Type != watch.Bookmark {
			events = append(events, fmt.Sprintf("%s %s %s", event.Type, accessor.GetName(), accessor.GetResourceVersion()))
		}
	}
}

// next returns the next event.
func (s *space) next(w watch.Interface) watch.Event {
	s.t.Helper()
	select {
	case event, open := <-w.ResultChan():
		if !open {
			s.t.Fatal("the watch ended")
		}
		return event
	case <-time.After(waitTimeout):
		s.t.Fatal("gave up waiting for an event")
	}
	panic("unreachable")
}

// TestWatchEqualsCustomResources writes on both sides. Watches of views and of
// custom resources, with and without a selector, must tell the same.
func TestWatchEqualsCustomResources(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.createBehind("present", "metadata: {labels: {team: blue}}")
		list, err := k.views.List(k.ctx, metav1.ListOptions{})
		k.check(err)
		version := list.GetResourceVersion()

		type pair struct{ view, raw watch.Interface }
		pairs := map[string]pair{}
		for _, options := range []metav1.ListOptions{
			{ResourceVersion: version},
			{ResourceVersion: version, LabelSelector: "team"},
			{ResourceVersion: version, LabelSelector: "team=blue", AllowWatchBookmarks: true},
			{ResourceVersion: "0"},
			{},
			{FieldSelector: "metadata.name!=by-view"},
		} {
			var p pair
			p.view, err = k.views.Watch(k.ctx, options)
			k.check(err)
			p.raw, err = k.resources.Watch(k.ctx, options)
			k.check(err)
			pairs[fmt.Sprintf("version %q, labels %q, fields %q", options.ResourceVersion, options.LabelSelector, options.FieldSelector)] = p
		}

		k.create("by-view", "metadata: {labels: {team: blue}}")
		k.createBehind("by-hand", "metadata: {labels: {team: blue}}")
		k.patchBehind("by-hand", `{"spec":{"replicas":2}}`)
		// It leaves the selector, which is a deletion to who watches by it.
		k.patchBehind("by-hand", `{"metadata":{"labels":{"team":"red"}}}`)
		// Nothing of this is in the view, and yet its version has changed.
		k.patchBehind("by-hand", `{"spec":{"pod":{"labels":{"hidden":"true"}}}}`)
		_, err = k.resources.Patch(k.ctx, "by-hand", types.MergePatchType,
			[]byte(`{"status":{"observedGeneration":3,"replicas":2,"selector":"","conditions":{}}}`), metav1.PatchOptions{}, "status")
		k.check(err)
		k.mustPatch("by-hand", `{"metadata":{"labels":{"team":"blue"}}}`)
		k.check(k.views.Delete(k.ctx, "by-view", metav1.DeleteOptions{}))
		k.check(k.resources.Delete(k.ctx, "by-hand", metav1.DeleteOptions{}))
		k.create(lastName, "metadata: {labels: {team: blue}}")

		for name, p := range pairs {
			t.Run(name, func(t *testing.T) {
				views, raws := k.collect(p.view), k.collect(p.raw)
				if len(raws) < 3 || !slices.Equal(views, raws) {
					t.Errorf("the views' watch saw\n%s\nand the custom resources'\n%s", strings.Join(views, "\n"), strings.Join(raws, "\n"))
				}
			})
		}
	})
}

func TestWatchSendsInitialEvents(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.create("a", "")
		k.createBehind("b", "")
		w, err := k.views.Watch(k.ctx, metav1.ListOptions{
			SendInitialEvents: ptr.To(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		})
		k.check(err)
		defer w.Stop()
		var added []string
		for {
			event := k.next(w)
			object, ok := event.Object.(*unstructured.Unstructured)
			if !ok || object.GetKind() != k.kind.Kind || object.GetAPIVersion() != v1alpha1.SchemeGroupVersion.String() {
				t.Fatalf("an event of type %s has a %T: %+v", event.Type, event.Object, event.Object)
			}
			if event.Type == watch.Bookmark {
				if object.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" || object.GetResourceVersion() == "" || object.GetName() != "" {
					t.Errorf("the bookmark is %+v", object)
				}
				break
			}
			added = append(added, string(event.Type)+" "+object.GetName())
		}
		slices.Sort(added)
		if !slices.Equal(added, []string{"ADDED a", "ADDED b"}) {
			t.Errorf("the initial events are %v", added)
		}
		k.create("c", "")
		event := k.next(w)
		for event.Type == watch.Bookmark {
			// kube-apiserver sends one now and then.
			event = k.next(w)
		}
		if event.Type != watch.Added || event.Object.(*unstructured.Unstructured).GetName() != "c" {
			t.Errorf("after the bookmark comes %s %+v", event.Type, event.Object)
		}
	})
}

// TestWatchOptions has requests that kube-apiserver itself refuses, or that a
// server which takes the wrong ones fails at.
func TestWatchOptions(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.create("a", "")
		for name, options := range map[string]metav1.ListOptions{
			"initial events without a match":         {SendInitialEvents: ptr.To(true), AllowWatchBookmarks: true},
			"initial events of an unknown version":   {SendInitialEvents: ptr.To(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, ResourceVersion: "x"},
			"no initial events":                      {SendInitialEvents: ptr.To(false), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
			"initial events, but no bookmarks":       {SendInitialEvents: ptr.To(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
			"a match without anything to match with": {ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
		} {
			view, err := k.views.Watch(k.ctx, options)
			raw, rawErr := k.resources.Watch(k.ctx, options)
			if got, want := apierrors.ReasonForError(err), apierrors.ReasonForError(rawErr); got != want {
				t.Errorf("%s: the answers are %q (%v) and %q (%v)", name, got, err, want, rawErr)
			}
			for _, w := range []watch.Interface{view, raw} {
				if w != nil {
					w.Stop()
				}
			}
		}
	})
}

func TestExpiredWatch(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		// The first versions of a store are compacted, or older than any watch cache.
		var view, raw watch.Event
		k.eventually("the end of version 2", func() error {
			options := metav1.ListOptions{ResourceVersion: "2"}
			for client, into := range map[dynamic.ResourceInterface]*watch.Event{k.views: &view, k.resources: &raw} {
				w, err := client.Watch(k.ctx, options)
				if err != nil {
					return err
				}
				*into = k.next(w)
				w.Stop()
			}
			return nil
		})
		status, ok := view.Object.(*metav1.Status)
		if view.Type != watch.Error || !ok || !apierrors.IsResourceExpired(apierrors.FromObject(status)) && !apierrors.IsGone(apierrors.FromObject(status)) {
			t.Fatalf("the event is %s %+v", view.Type, view.Object)
		}
		rawStatus := raw.Object.(*metav1.Status)
		if status.Code != 410 || status.Reason != rawStatus.Reason || !strings.HasPrefix(status.Message, "too old resource version: 2 (") {
			t.Errorf("the answers are %+v and %+v", status, rawStatus)
		}
	})
}
