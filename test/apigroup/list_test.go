package apigroup

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPaging(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		for i := range 7 {
			k.create(fmt.Sprintf("echo-%d", i), "")
		}
		var names []string
		options, version := metav1.ListOptions{Limit: 3}, ""
		for page := 0; ; page++ {
			if page > 3 {
				t.Fatalf("the pages don't end: %v", names)
			}
			list, err := k.views.List(k.ctx, options)
			k.check(err)
			names = append(names, namesOf(list)...)
			if version == "" {
				version = list.GetResourceVersion()
			}
			if list.GetResourceVersion() != version {
				t.Errorf("page %d is of %s, the first of %s", page, list.GetResourceVersion(), version)
			}
			if left := list.GetRemainingItemCount(); page == 0 && (left == nil || *left != 4) {
				t.Errorf("after the first page %v remain", left)
			}
			if options.Continue = list.GetContinue(); options.Continue == "" {
				break
			}
			// What comes later is on no page of this list.
			k.create(fmt.Sprintf("later-%d", page), "")
		}
		if want := []string{"echo-0", "echo-1", "echo-2", "echo-3", "echo-4", "echo-5", "echo-6"}; !slices.Equal(names, want) {
			t.Errorf("the pages have %v", names)
		}
		if _, err := k.views.List(k.ctx, metav1.ListOptions{Limit: 3, Continue: "nonsense"}); !apierrors.IsBadRequest(err) {
			t.Errorf("a wrong continue token: %v", err)
		}
	})
}

func TestSelectors(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		for name, team := range map[string]string{"a": "blue", "b": "red", "c": "blue"} {
			k.create(name, "metadata: {labels: {team: "+team+"}}")
		}
		k.createBehind("d", "metadata: {labels: {team: green}}")
		for _, test := range []struct{ labels, fields, want string }{
			{"", "", "a b c d"},
			{"team=blue", "", "a c"},
			{"team!=blue", "", "b d"},
			{"team in (red, green)", "", "b d"},
			{"!team", "", ""},
			{"", "metadata.name=b", "b"},
			{"", "metadata.name!=b", "a c d"},
			{"", "metadata.namespace=" + k.namespace, "a b c d"},
			{"team=blue", "metadata.name=c", "c"},
			{"team=blue", "metadata.name=b", ""},
		} {
			if got := k.names(metav1.ListOptions{LabelSelector: test.labels, FieldSelector: test.fields}); got != test.want {
				t.Errorf("labels %q and fields %q select %q, not %q", test.labels, test.fields, got, test.want)
			}
		}
		for _, selector := range []string{"spec.tenant=public", "status.phase=Pending", "metadata.uid=1"} {
			_, err := k.views.List(k.ctx, metav1.ListOptions{FieldSelector: selector})
			if !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), "is not a known field selector") {
				t.Errorf("a list by %s: %v", selector, err)
			}
			if _, err := k.views.Watch(k.ctx, metav1.ListOptions{FieldSelector: selector}); !apierrors.IsBadRequest(err) {
				t.Errorf("a watch by %s: %v", selector, err)
			}
		}
		all, err := env.Dynamic().Resource(k.kind.gvr()).List(k.ctx, metav1.ListOptions{FieldSelector: "metadata.name=c,metadata.namespace=" + k.namespace})
		k.check(err)
		if len(all.Items) != 1 || all.Items[0].GetNamespace() != k.namespace {
			t.Errorf("over all namespaces there are %d", len(all.Items))
		}
	})
}

// TestResourceVersions compares what list and get say of resource versions with
// what the custom resource's do.
func TestResourceVersions(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", "").GetResourceVersion()
		// What lists at the version of the first don't have, unless they may be newer.
		k.create("later", "")
		for _, options := range []metav1.ListOptions{
			{},
			{ResourceVersion: "0"},
			{ResourceVersion: created},
			{ResourceVersion: created, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
			{ResourceVersion: created, ResourceVersionMatch: metav1.ResourceVersionMatchExact},
			{ResourceVersion: "1", ResourceVersionMatch: metav1.ResourceVersionMatchExact, Limit: 1},
			{ResourceVersion: "x"},
			{ResourceVersionMatch: metav1.ResourceVersionMatchExact},
			{ResourceVersion: "0", ResourceVersionMatch: metav1.ResourceVersionMatchExact},
		} {
			t.Run(fmt.Sprintf("list %s %s", options.ResourceVersion, options.ResourceVersionMatch), func(t *testing.T) {
				views, err := k.views.List(k.ctx, options)
				raw, rawErr := k.resources.List(k.ctx, options)
				if got, want := apierrors.ReasonForError(err), apierrors.ReasonForError(rawErr); got != want {
					t.Fatalf("the answers are %q (%v) and %q (%v)", got, err, want, rawErr)
				}
				if err != nil {
					noCRNames(t, err)
					return
				}
				exact := options.ResourceVersionMatch == metav1.ResourceVersionMatchExact
				if exact && views.GetResourceVersion() != raw.GetResourceVersion() {
					t.Errorf("the versions are %s and %s", views.GetResourceVersion(), raw.GetResourceVersion())
				}
				// A list at 0 may be from before both.
				if options.ResourceVersion != "0" && len(views.Items) != len(raw.Items) {
					t.Errorf("there are %d objects, and %d custom resources", len(views.Items), len(raw.Items))
				}
				// An object's version is that of its last change, a list's is newer.
				if len(views.Items) > 0 && views.Items[0].GetResourceVersion() != created {
					t.Errorf("the object's version is %s, not %s", views.Items[0].GetResourceVersion(), created)
				}
				if options.ResourceVersion == created && exact && len(views.Items) != 1 {
					t.Errorf("the exact list has %d objects", len(views.Items))
				}
			})
		}
		for _, version := range []string{"", "0", created} {
			if _, err := k.views.Get(k.ctx, "echo", metav1.GetOptions{ResourceVersion: version}); err != nil {
				t.Errorf("a get at %q: %v", version, err)
			}
		}
	})
}

// TestFutureResourceVersion asks for what isn't there yet: kube-apiserver waits
// some seconds and gives up, and nothing in between may ask it again.
func TestFutureResourceVersion(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	err := s.restClient(authorConfig).Get().Namespace(s.namespace).Resource("pulsarfunctions").
		Param("resourceVersion", "999999999").MaxRetries(0).Do(s.ctx).Error()
	if !apierrors.IsTimeout(err) || !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
		t.Errorf("the answer is %v", err)
	}
	if _, retry := apierrors.SuggestsClientDelay(err); !retry {
		t.Errorf("the answer doesn't say when to ask again: %v", err)
	}
}
