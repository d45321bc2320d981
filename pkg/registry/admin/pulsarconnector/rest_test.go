package pulsarconnector

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// waitTimeout bounds each wait for an event.
const waitTimeout = time.Minute

// specs makes entries of texts such as "kafka:1", name and version.
func specs(texts ...string) []v1alpha1.PulsarConnectorSpec {
	var all []v1alpha1.PulsarConnectorSpec
	for _, text := range texts {
		name, version, _ := strings.Cut(text, ":")
		all = append(all, v1alpha1.PulsarConnectorSpec{Name: name, Version: version})
	}
	return all
}

func list(t *testing.T, r *REST, options metainternalversion.ListOptions) *v1alpha1.PulsarConnectorList {
	t.Helper()
	got, err := r.List(t.Context(), &options)
	if err != nil {
		t.Fatal(err)
	}
	return got.(*v1alpha1.PulsarConnectorList)
}

func namesOf(list *v1alpha1.PulsarConnectorList) []string {
	var names []string
	for _, item := range list.Items {
		names = append(names, item.Name+":"+item.Spec.Version)
	}
	return names
}

// later returns a resource version that no replica has reached.
func later(list *v1alpha1.PulsarConnectorList) string {
	version, err := strconv.ParseUint(list.ResourceVersion, 10, 64)
	if err != nil {
		panic(err)
	}
	return strconv.FormatUint(version+1<<40+1, 10)
}

func TestGet(t *testing.T) {
	r := NewREST(connectors.NewCatalogue(specs("kafka:1", "mongo_db:1")))
	got, err := r.Get(t.Context(), connectors.ObjectName("mongo_db"), &metav1.GetOptions{})
	if err != nil || got.(*v1alpha1.PulsarConnector).Spec.Name != "mongo_db" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := r.Get(t.Context(), "mongo_db", nil); !apierrors.IsNotFound(err) {
		t.Errorf("by a name that is none: %v", err)
	}
	all := list(t, r, metainternalversion.ListOptions{})
	if _, err := r.Get(t.Context(), "kafka", &metav1.GetOptions{ResourceVersion: later(all)}); !storage.IsTooLargeResourceVersion(err) {
		t.Errorf("of a later state: %v", err)
	}
	if _, err := r.Get(t.Context(), "kafka", &metav1.GetOptions{ResourceVersion: "x"}); !apierrors.IsBadRequest(err) {
		t.Errorf("of no version: %v", err)
	}
	if all.Items[0].UID == "" || all.Items[0].UID == all.Items[1].UID || all.Items[0].UID != uidOf("kafka") {
		t.Errorf("the UIDs are %s and %s", all.Items[0].UID, all.Items[1].UID)
	}
	all.Items[0].Spec.Version = "changed"
	if again := namesOf(list(t, r, metainternalversion.ListOptions{}))[0]; again != "kafka:1" {
		t.Errorf("a caller could change the catalogue: %s", again)
	}
}

func TestListInPages(t *testing.T) {
	catalogue := connectors.NewCatalogue(specs("a:1", "b:1", "c:1", "d:1", "e:1"))
	r := NewREST(catalogue)
	first := list(t, r, metainternalversion.ListOptions{Limit: 2})
	if got := namesOf(first); !slices.Equal(got, []string{"a:1", "b:1"}) || first.RemainingItemCount == nil || *first.RemainingItemCount != 3 {
		t.Fatalf("the first page has %v, and %v remain", got, first.RemainingItemCount)
	}
	// What changes meanwhile is not seen: the pages are of one state.
	catalogue.Replace(specs("a:1", "c:2", "cc:1", "d:1", "e:1"))
	second := list(t, r, metainternalversion.ListOptions{Limit: 2, Continue: first.Continue})
	third := list(t, r, metainternalversion.ListOptions{Limit: 2, Continue: second.Continue})
	if got := append(namesOf(second), namesOf(third)...); !slices.Equal(got, []string{"c:1", "d:1", "e:1"}) {
		t.Errorf("the next pages have %v", got)
	}
	if second.ResourceVersion != first.ResourceVersion || third.Continue != "" || third.RemainingItemCount != nil {
		t.Errorf("the pages have versions %s and %s, and end with %q", first.ResourceVersion, second.ResourceVersion, third.Continue)
	}
	if _, err := NewREST(connectors.NewCatalogue(nil)).List(t.Context(), &metainternalversion.ListOptions{Continue: first.Continue}); !apierrors.IsResourceExpired(err) {
		t.Errorf("a replica that doesn't know the state answers %v", err)
	}
	for _, bad := range []metainternalversion.ListOptions{
		{Continue: "x"}, {Continue: first.Continue, ResourceVersion: "5"}, {ResourceVersion: "x"}, {ResourceVersion: "-1"},
	} {
		if _, err := r.List(t.Context(), &bad); !apierrors.IsBadRequest(err) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	exact := list(t, r, metainternalversion.ListOptions{ResourceVersion: first.ResourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchExact})
	if got := namesOf(exact); len(got) != 5 || got[1] != "b:1" || exact.ResourceVersion != first.ResourceVersion {
		t.Errorf("the first state was %v", got)
	}
	if _, err := r.List(t.Context(), &metainternalversion.ListOptions{ResourceVersion: "7", ResourceVersionMatch: metav1.ResourceVersionMatchExact}); !apierrors.IsResourceExpired(err) {
		t.Errorf("exactly a version of old: %v", err)
	}
	if got := list(t, r, metainternalversion.ListOptions{ResourceVersion: "7"}); len(got.Items) != 5 || got.Items[1].Spec.Version != "2" {
		t.Errorf("not older than a version of old: %v", namesOf(got))
	}
	if _, err := r.List(t.Context(), &metainternalversion.ListOptions{ResourceVersion: later(first)}); !storage.IsTooLargeResourceVersion(err) {
		t.Errorf("not older than a later version: %v", err)
	}
}

func TestListSelects(t *testing.T) {
	r := NewREST(connectors.NewCatalogue(specs("a:1", "b:1", "c:1")))
	for selector, want := range map[string][]string{
		"metadata.name=b":  {"b:1"},
		"metadata.name!=b": {"a:1", "c:1"},
		"metadata.name=x":  nil,
	} {
		got := list(t, r, metainternalversion.ListOptions{FieldSelector: fields.ParseSelectorOrDie(selector), Limit: 1})
		for page := got; page.Continue != ""; {
			page = list(t, r, metainternalversion.ListOptions{FieldSelector: fields.ParseSelectorOrDie(selector), Limit: 1, Continue: page.Continue})
			got.Items = append(got.Items, page.Items...)
		}
		if !slices.Equal(namesOf(got), want) || got.RemainingItemCount != nil {
			t.Errorf("%s: %v, remaining %v", selector, namesOf(got), got.RemainingItemCount)
		}
	}
	labelled, err := labels.Parse("a=b")
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, r, metainternalversion.ListOptions{LabelSelector: labelled}); len(got.Items) != 0 {
		t.Errorf("connectors with labels: %v", namesOf(got))
	}
}

// events reads events until one is last, each described as "TYPE name:version".
func events(t *testing.T, w watch.Interface, last string) []string {
	t.Helper()
	var all []string
	for {
		select {
		case event, open := <-w.ResultChan():
			if !open {
				t.Fatalf("the watch ended after %v", all)
			}
			var text string
			switch object := event.Object.(type) {
			case *v1alpha1.PulsarConnector:
				text = fmt.Sprintf("%s %s:%s", event.Type, object.Name, object.Spec.Version)
			case *metav1.Status:
				text = fmt.Sprintf("%s %d", event.Type, object.Code)
			}
			all = append(all, text)
			if text == last {
				return all
			}
		case <-time.After(waitTimeout):
			t.Fatalf("gave up waiting after %v", all)
		}
	}
}

func TestWatch(t *testing.T) {
	for name, test := range map[string]struct {
		options metainternalversion.ListOptions
		want    []string
	}{
		"from now on":         {metainternalversion.ListOptions{SendInitialEvents: ptr.To(false)}, []string{"MODIFIED a:2", "DELETED b:1", "ADDED c:1"}},
		"all":                 {metainternalversion.ListOptions{}, []string{"ADDED a:1", "ADDED b:1", "MODIFIED a:2", "DELETED b:1", "ADDED c:1"}},
		"any":                 {metainternalversion.ListOptions{ResourceVersion: "0"}, []string{"ADDED a:1", "ADDED b:1", "MODIFIED a:2", "DELETED b:1", "ADDED c:1"}},
		"as informers do":     {metainternalversion.ListOptions{SendInitialEvents: ptr.To(true), AllowWatchBookmarks: true}, []string{"ADDED a:1", "ADDED b:1", "BOOKMARK :", "MODIFIED a:2", "DELETED b:1", "ADDED c:1"}},
		"without a bookmark":  {metainternalversion.ListOptions{SendInitialEvents: ptr.To(true)}, []string{"ADDED a:1", "ADDED b:1", "MODIFIED a:2", "DELETED b:1", "ADDED c:1"}},
		"not older":           {metainternalversion.ListOptions{SendInitialEvents: ptr.To(true), ResourceVersion: "7"}, []string{"ADDED a:1", "ADDED b:1", "MODIFIED a:2", "DELETED b:1", "ADDED c:1"}},
		"with a selector":     {metainternalversion.ListOptions{FieldSelector: fields.ParseSelectorOrDie("metadata.name!=b")}, []string{"ADDED a:1", "MODIFIED a:2", "ADDED c:1"}},
		"of what is too old":  {metainternalversion.ListOptions{ResourceVersion: "7"}, []string{"ERROR 410"}},
		"of nothing selected": {metainternalversion.ListOptions{FieldSelector: fields.ParseSelectorOrDie("metadata.name=c")}, []string{"ADDED c:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			catalogue := connectors.NewCatalogue(specs("a:1", "b:1"))
			r := NewREST(catalogue)
			w, err := r.Watch(t.Context(), &test.options)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Stop()
			initial := slices.IndexFunc(test.want, func(text string) bool { return !strings.HasPrefix(text, "ADDED") && text != "BOOKMARK :" })
			var got []string
			if initial > 0 {
				got = events(t, w, test.want[initial-1])
			}
			replaceWhenWatched(t, catalogue, w, test.options, specs("a:2", "c:1"))
			got = append(got, events(t, w, test.want[len(test.want)-1])...)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// replaceWhenWatched changes the catalogue. A watch that begins without any event has
// to have begun: it does when a first change, which is taken back, is seen.
func replaceWhenWatched(t *testing.T, catalogue *connectors.Catalogue, w watch.Interface, options metainternalversion.ListOptions, with []v1alpha1.PulsarConnectorSpec) {
	t.Helper()
	if options.SendInitialEvents == nil || *options.SendInitialEvents {
		catalogue.Replace(with)
		return
	}
	before := catalogue.All()
	for i := 0; ; i++ {
		catalogue.Replace(append(slices.Clone(before), specs("probe:"+strconv.Itoa(i))...))
		select {
		case <-w.ResultChan():
		case <-time.After(10 * time.Millisecond):
			continue
		}
		catalogue.Replace(before)
		events(t, w, "DELETED probe:"+strconv.Itoa(i))
		catalogue.Replace(with)
		return
	}
}

// TestWatchResumes interrupts a watch after each event. Nothing may be missed or come
// twice, also when it goes on at another replica.
func TestWatchResumes(t *testing.T) {
	before, after := specs("a:1", "b:1", "c:1"), specs("a:2", "b:2", "d:1")
	replicas := []*REST{}
	var version string
	for range 2 {
		catalogue := connectors.NewCatalogue(before)
		r := NewREST(catalogue)
		version = list(t, r, metainternalversion.ListOptions{}).ResourceVersion
		catalogue.Replace(after)
		replicas = append(replicas, r)
	}
	var got []string
	for i := range 4 {
		w, err := replicas[i%2].Watch(t.Context(), &metainternalversion.ListOptions{ResourceVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		event := <-w.ResultChan()
		w.Stop()
		object := event.Object.(*v1alpha1.PulsarConnector)
		version = object.ResourceVersion
		got = append(got, fmt.Sprintf("%s %s:%s", event.Type, object.Name, object.Spec.Version))
	}
	if want := []string{"MODIFIED a:2", "MODIFIED b:2", "DELETED c:1", "ADDED d:1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestWatchWaitsForWhatAnotherReplicaHas begins with a version that this replica
// hasn't reached yet.
func TestWatchWaitsForWhatAnotherReplicaHas(t *testing.T) {
	catalogue := connectors.NewCatalogue(specs("a:1"))
	r := NewREST(catalogue)
	ahead := connectors.NewCatalogue(specs("x:1"))
	ahead.Replace(specs("y:1"))
	ahead.Replace(specs("a:2"))
	version := list(t, NewREST(ahead), metainternalversion.ListOptions{}).ResourceVersion
	if current := list(t, r, metainternalversion.ListOptions{}).ResourceVersion; current >= version {
		t.Fatalf("the replica has version %s, and the other %s", current, version)
	}
	w, err := r.Watch(t.Context(), &metainternalversion.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	catalogue.Replace(specs("a:2"))
	catalogue.Replace(specs("a:3"))
	if got := events(t, w, "MODIFIED a:3"); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	r := NewREST(connectors.NewCatalogue(specs("a:1")))
	ctx, cancel := context.WithCancel(t.Context())
	w, err := r.Watch(ctx, &metainternalversion.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for range w.ResultChan() {
		// It may have sent something before.
	}
}

func TestTable(t *testing.T) {
	r := NewREST(connectors.NewCatalogue([]v1alpha1.PulsarConnectorSpec{{Name: "mongo_db", Version: "3", SinkClass: "S", Image: "i:3", Archive: "connectors/m.nar"}}))
	table, err := r.ConvertToTable(t.Context(), list(t, r, metainternalversion.ListOptions{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{connectors.ObjectName("mongo_db"), "3", false, true, false, "i:3", "builtin://mongo_db", "connectors/m.nar", ""}
	if len(table.Rows) != 1 || !slices.Equal(table.Rows[0].Cells, want) || len(table.ColumnDefinitions) != len(want) {
		t.Errorf("the table is %+v", table)
	}
}
