package apigroup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/informers/externalversions"
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
	t.Parallel()
	s := newSpace(t)
	s.createCR("present", "metadata: {labels: {team: blue}}")
	list, err := s.author.List(s.ctx, metav1.ListOptions{})
	s.check(err)

	type pair struct{ view, raw watch.Interface }
	pairs := map[string]pair{}
	for _, options := range []metav1.ListOptions{
		{ResourceVersion: list.ResourceVersion},
		{ResourceVersion: list.ResourceVersion, LabelSelector: "team"},
		{ResourceVersion: list.ResourceVersion, LabelSelector: "team=blue", AllowWatchBookmarks: true},
		{ResourceVersion: "0"},
		{},
		{FieldSelector: "metadata.name!=by-view"},
	} {
		var p pair
		p.view, err = s.author.Watch(s.ctx, options)
		s.check(err)
		p.raw, err = s.crs.Watch(s.ctx, options)
		s.check(err)
		pairs[fmt.Sprintf("version %q, labels %q, fields %q", options.ResourceVersion, options.LabelSelector, options.FieldSelector)] = p
	}

	s.create("by-view", func(f *v1alpha1.PulsarFunction) { f.Labels = map[string]string{"team": "blue"} })
	s.createCR("by-hand", "metadata: {labels: {team: blue}}")
	s.mergeCR("by-hand", `{"spec":{"replicas":2}}`)
	// It leaves the selector, which is a deletion to who watches by it.
	s.mergeCR("by-hand", `{"metadata":{"labels":{"team":"red"}}}`)
	// Nothing of this is in the view, and yet its version has changed.
	s.mergeCR("by-hand", `{"spec":{"pod":{"labels":{"hidden":"true"}}}}`)
	_, err = s.crs.Patch(s.ctx, "by-hand", types.MergePatchType,
		[]byte(`{"status":{"observedGeneration":3,"replicas":2,"selector":"","conditions":{}}}`), metav1.PatchOptions{}, "status")
	s.check(err)
	_, err = s.author.Patch(s.ctx, "by-hand", types.MergePatchType, []byte(`{"metadata":{"labels":{"team":"blue"}}}`), metav1.PatchOptions{})
	s.check(err)
	s.check(s.author.Delete(s.ctx, "by-view", metav1.DeleteOptions{}))
	s.check(s.crs.Delete(s.ctx, "by-hand", metav1.DeleteOptions{}))
	s.create(lastName, func(f *v1alpha1.PulsarFunction) { f.Labels = map[string]string{"team": "blue"} })

	for name, p := range pairs {
		t.Run(name, func(t *testing.T) {
			views, raws := s.collect(p.view), s.collect(p.raw)
			if len(raws) < 3 || !slices.Equal(views, raws) {
				t.Errorf("the views' watch saw\n%s\nand the custom resources'\n%s", strings.Join(views, "\n"), strings.Join(raws, "\n"))
			}
		})
	}
}

func TestWatchSendsInitialEvents(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("a")
	s.createCR("b", "")
	w, err := s.author.Watch(s.ctx, metav1.ListOptions{
		SendInitialEvents: ptr.To(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	s.check(err)
	defer w.Stop()
	var added []string
	for {
		event := s.next(w)
		function, ok := event.Object.(*v1alpha1.PulsarFunction)
		if !ok {
			t.Fatalf("an event of type %s has a %T", event.Type, event.Object)
		}
		if event.Type == watch.Bookmark {
			if function.Annotations[metav1.InitialEventsAnnotationKey] != "true" || function.ResourceVersion == "" || function.Name != "" {
				t.Errorf("the bookmark is %+v", function.ObjectMeta)
			}
			break
		}
		added = append(added, string(event.Type)+" "+function.Name)
	}
	slices.Sort(added)
	if !slices.Equal(added, []string{"ADDED a", "ADDED b"}) {
		t.Errorf("the initial events are %v", added)
	}
	s.create("c")
	event := s.next(w)
	for event.Type == watch.Bookmark {
		// kube-apiserver sends one now and then.
		event = s.next(w)
	}
	if event.Type != watch.Added || event.Object.(*v1alpha1.PulsarFunction).Name != "c" {
		t.Errorf("after the bookmark comes %s %+v", event.Type, event.Object)
	}
}

// TestWatchOptions has requests that kube-apiserver itself refuses, or that a
// server which takes the wrong ones fails at.
func TestWatchOptions(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("a")
	for name, options := range map[string]metav1.ListOptions{
		"initial events without a match":         {SendInitialEvents: ptr.To(true), AllowWatchBookmarks: true},
		"initial events of an unknown version":   {SendInitialEvents: ptr.To(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, ResourceVersion: "x"},
		"no initial events":                      {SendInitialEvents: ptr.To(false), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
		"initial events, but no bookmarks":       {SendInitialEvents: ptr.To(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
		"a match without anything to match with": {ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
	} {
		view, err := s.author.Watch(s.ctx, options)
		raw, rawErr := s.crs.Watch(s.ctx, options)
		if got, want := apierrors.ReasonForError(err), apierrors.ReasonForError(rawErr); got != want {
			t.Errorf("%s: the answers are %q (%v) and %q (%v)", name, got, err, want, rawErr)
		}
		for _, w := range []watch.Interface{view, raw} {
			if w != nil {
				w.Stop()
			}
		}
	}
}

func TestExpiredWatch(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	// The first versions of a store are compacted, or older than any watch cache.
	var view, raw watch.Event
	s.eventually("the end of version 2", func() error {
		options := metav1.ListOptions{ResourceVersion: "2"}
		for _, side := range []struct {
			into  *watch.Event
			watch func() (watch.Interface, error)
		}{
			{&view, func() (watch.Interface, error) { return s.author.Watch(s.ctx, options) }},
			{&raw, func() (watch.Interface, error) { return s.crs.Watch(s.ctx, options) }},
		} {
			w, err := side.watch()
			if err != nil {
				return err
			}
			*side.into = s.next(w)
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
}

// TestInformer runs an informer as controllers do, while both sides write.
func TestInformer(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	clients, err := versioned.NewForConfig(authorConfig)
	s.check(err)
	factory := externalversions.NewSharedInformerFactoryWithOptions(clients, 0, externalversions.WithNamespace(s.namespace))
	informer := factory.Admin().V1alpha1().PulsarFunctions()
	var added, deleted atomic.Int32
	_, err = informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { added.Add(1) },
		DeleteFunc: func(any) { deleted.Add(1) },
	})
	s.check(err)
	s.create("before")
	ctx, cancel := context.WithCancel(s.ctx)
	factory.StartWithContext(ctx)
	defer factory.Shutdown()
	defer cancel()
	if synced := cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced); !synced {
		t.Fatal("the informer did not get in sync")
	}
	for i := range 10 {
		s.createCR(fmt.Sprintf("by-hand-%d", i), "")
		s.create(fmt.Sprintf("by-view-%d", i))
		s.mergeCR(fmt.Sprintf("by-view-%d", i), `{"spec":{"replicas":2}}`)
		if i%2 == 0 {
			s.check(s.crs.Delete(s.ctx, fmt.Sprintf("by-hand-%d", i), metav1.DeleteOptions{}))
		}
	}
	stored, err := s.crs.List(s.ctx, metav1.ListOptions{})
	s.check(err)
	var want []string
	for i := range stored.Items {
		want = append(want, stored.Items[i].GetName()+" "+stored.Items[i].GetResourceVersion())
	}
	slices.Sort(want)
	s.eventually("the informer to know everything", func() error {
		known, err := informer.Lister().PulsarFunctions(s.namespace).List(labels.Everything())
		s.check(err)
		var got []string
		for _, function := range known {
			got = append(got, function.Name+" "+function.ResourceVersion)
		}
		slices.Sort(got)
		return errIf(!slices.Equal(got, want), fmt.Sprintf("it knows %v of %v", got, want))
	})
	s.eventually("all events", func() error {
		return errIf(added.Load() != 21 || deleted.Load() != 5, fmt.Sprintf("%d objects and %d deletions", added.Load(), deleted.Load()))
	})
}
