package apigroup

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// viewOwner and crOwner are owners as dependents name them. A deletion in the
// foreground waits for such dependents.
func (k componentKind) viewOwner(name string, uid types.UID) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "admin.functionmesh.io/v1alpha1", Kind: k.Kind, Name: name, UID: uid, BlockOwnerDeletion: ptr.To(true)}
}

func (k componentKind) crOwner(name string, uid types.UID) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "compute.functionmesh.io/v1alpha1", Kind: k.cr, Name: name, UID: uid, BlockOwnerDeletion: ptr.To(true)}
}

// owned creates an object with a dependent of the view and one of the custom resource.
func (k *ofKind) owned() {
	k.t.Helper()
	object := k.create("echo", "")
	k.configMap("of-view", k.kind.viewOwner("echo", object.GetUID()))
	k.configMap("of-cr", k.kind.crOwner("echo", k.behind("echo").GetUID()))
}

// hold keeps the custom resource's dependent from being deleted until it is let go.
func (k *ofKind) hold(letGo bool) {
	k.t.Helper()
	patch := `{"metadata":{"finalizers":["` + ourFinalizer + `"]}}`
	if letGo {
		patch = unfinalize
	}
	_, err := k.kube.CoreV1().ConfigMaps(k.namespace).Patch(k.ctx, "of-cr", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	k.check(err)
}

func (s *space) configMapGone(name string) {
	s.t.Helper()
	s.eventually("ConfigMap "+name+" to be collected", func() error {
		_, err := s.kube.CoreV1().ConfigMaps(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there (%v)", err)
	})
}

func (s *space) configMapThere(name string) *corev1.ConfigMap {
	s.t.Helper()
	configMap, err := s.kube.CoreV1().ConfigMaps(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
	s.check(err)
	return configMap
}

// collected waits until the garbage collector has looked at what is there now: it
// collects what has no owner and is younger than everything else.
func (k *ofKind) collected(name string) {
	k.t.Helper()
	const nobody = "11111111-2222-4333-8444-555555555555"
	for _, owner := range []metav1.OwnerReference{k.kind.viewOwner("nobody", nobody), k.kind.crOwner("nobody", nobody)} {
		k.configMap(name, owner)
		k.configMapGone(name)
	}
}

func TestDependentsLiveWithTheirOwner(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.owned()
		k.collected("probe-1")
		k.configMapThere("of-view")
		k.configMapThere("of-cr")
		k.check(k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{}))
		k.gone("echo")
		k.configMapGone("of-view")
		k.configMapGone("of-cr")
	})
}

// deletion is a way to delete what owned has made.
type deletion func(k *ofKind) error

// inPolicy returns how one object, and how a collection is deleted with a policy.
func inPolicy(policy metav1.DeletionPropagation) map[string]deletion {
	options := metav1.DeleteOptions{PropagationPolicy: &policy}
	return map[string]deletion{
		"one":        func(k *ofKind) error { return k.views.Delete(k.ctx, "echo", options) },
		"collection": func(k *ofKind) error { return k.views.DeleteCollection(k.ctx, options, metav1.ListOptions{}) },
	}
}

// forEachDeletion deletes an object of each kind, which owned has made, in each way.
func forEachDeletion(t *testing.T, ways map[string]deletion, test func(t *testing.T, k *ofKind, remove deletion)) {
	t.Parallel()
	for _, kind := range kinds {
		for name, remove := range ways {
			t.Run(kind.Kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				k := kind.in(newSpace(t))
				k.owned()
				k.warnings.take()
				test(t, k, remove)
			})
		}
	}
}

func TestBackgroundDeletion(t *testing.T) {
	forEachDeletion(t, inPolicy(metav1.DeletePropagationBackground), func(t *testing.T, k *ofKind, remove deletion) {
		k.check(remove(k))
		if texts := k.warnings.take(); len(texts) > 0 {
			t.Errorf("it warns: %v", texts)
		}
		k.gone("echo")
		k.configMapGone("of-view")
		k.configMapGone("of-cr")
	})
}

// TestForegroundDeletion has a dependent that doesn't go. The object would wait for
// it, if the deletion were one in the foreground.
func TestForegroundDeletion(t *testing.T) {
	forEachDeletion(t, inPolicy(metav1.DeletePropagationForeground), func(t *testing.T, k *ofKind, remove deletion) {
		k.hold(false)
		k.check(remove(k))
		if texts := k.warnings.take(); len(texts) != 1 || !strings.Contains(texts[0], "deleting in the background") {
			t.Errorf("the warnings are %q", texts)
		}
		k.gone("echo")
		k.configMapGone("of-view")
		k.eventually("the dependent to be deleted", func() error {
			return errIf(k.configMapThere("of-cr").DeletionTimestamp == nil, "it is not")
		})
		k.hold(true)
	})
}

// TestOrphaning keeps what the custom resource owns. What the view owns goes all the
// same, which is a known limit: the collector sees the view's end alone.
func TestOrphaning(t *testing.T) {
	ways := inPolicy(metav1.DeletePropagationOrphan)
	ways["as clients said it before there were policies"] = func(k *ofKind) error {
		return k.restClient(authorConfig).Delete().Namespace(k.namespace).Resource(k.kind.Resource).Name("echo").
			Body([]byte(`{"kind":"DeleteOptions","apiVersion":"v1","orphanDependents":true}`)).Do(k.ctx).Error()
	}
	forEachDeletion(t, ways, func(t *testing.T, k *ofKind, remove deletion) {
		k.check(remove(k))
		k.gone("echo")
		k.configMapGone("of-view")
		k.collected("probe")
		if owners := k.configMapThere("of-cr").OwnerReferences; len(owners) != 0 {
			t.Errorf("the orphan's owners are %v", owners)
		}
	})
}

// TestResourcesDeletion deletes the resource behind the view, in each way that
// Kubernetes has. The collector sees two objects with dependents, and has to treat
// those of each as it was told to.
func TestResourcesDeletion(t *testing.T) {
	ways := map[string]deletion{}
	for _, policy := range []metav1.DeletionPropagation{
		metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan,
	} {
		ways[string(policy)] = func(k *ofKind) error {
			return k.resources.Delete(k.ctx, "echo", metav1.DeleteOptions{PropagationPolicy: &policy})
		}
	}
	forEachDeletion(t, ways, func(t *testing.T, k *ofKind, remove deletion) {
		k.check(remove(k))
		k.gone("echo")
		k.configMapGone("of-view")
		if strings.HasSuffix(t.Name(), string(metav1.DeletePropagationOrphan)) {
			k.collected("probe")
			if owners := k.configMapThere("of-cr").OwnerReferences; len(owners) != 0 {
				t.Errorf("the orphan's owners are %v", owners)
			}
			return
		}
		k.configMapGone("of-cr")
	})
}

// TestCollectorsFinalizersAreHidden deletes the custom resource itself in the
// foreground. Views don't show that it waits for its dependents, and keep it so.
func TestCollectorsFinalizersAreHidden(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.owned()
		k.hold(false)
		k.patchBehind("echo", `{"metadata":{"finalizers":["`+ourFinalizer+`"]}}`)
		k.check(k.resources.Delete(k.ctx, "echo", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)}))

		object := k.get("echo")
		if fmt.Sprint(object.GetFinalizers()) != "["+ourFinalizer+"]" || object.GetDeletionTimestamp() == nil {
			t.Errorf("the view's finalizers are %v", object.GetFinalizers())
		}
		object.SetFinalizers(nil)
		_, err := k.update(object)
		k.check(err)
		if got := k.behind("echo").GetFinalizers(); fmt.Sprint(got) != "["+metav1.FinalizerDeleteDependents+"]" {
			t.Errorf("the custom resource's finalizers are %v", got)
		}
		// The collector looks at the view, too, and must leave the custom resource alone.
		k.collected("probe")
		k.behind("echo")
		k.hold(true)
		k.gone("echo")
	})
}

// TestOwnersOfViews has objects that belong to something else.
func TestOwnersOfViews(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		owner := k.configMap("owner")
		create := func(name string, owner metav1.OwnerReference) *unstructured.Unstructured {
			object := k.object(name, "")
			object.SetOwnerReferences([]metav1.OwnerReference{owner})
			created, err := k.views.Create(k.ctx, object, metav1.CreateOptions{})
			k.check(err)
			return created
		}
		parent := create("parent", metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID})
		child := create("child", k.kind.viewOwner("parent", parent.GetUID()))
		byHand := k.createBehind("by-hand", fmt.Sprintf("metadata: {ownerReferences: [{apiVersion: %s, kind: %s, name: parent, uid: %s}]}",
			functions.GroupVersion(), k.kind.cr, k.behind("parent").GetUID()))

		for name, want := range map[string][]metav1.OwnerReference{
			"parent": parent.GetOwnerReferences(), "child": child.GetOwnerReferences(), "by-hand": byHand.GetOwnerReferences(),
		} {
			if got := k.get(name).GetOwnerReferences(); len(want) != 1 || !reflect.DeepEqual(got, want) {
				t.Errorf("the view %s has the owners %v, not %v", name, got, want)
			}
			if got := k.behind(name).GetOwnerReferences(); !reflect.DeepEqual(got, want) {
				t.Errorf("the custom resource %s has the owners %v, not %v", name, got, want)
			}
		}
		k.collected("probe")
		if got := k.names(metav1.ListOptions{}); got != "by-hand child parent" {
			t.Fatalf("while the owner lives there are %q", got)
		}
		k.check(k.kube.CoreV1().ConfigMaps(k.namespace).Delete(k.ctx, "owner", metav1.DeleteOptions{}))
		for _, name := range []string{"parent", "child", "by-hand"} {
			k.gone(name)
		}
	})
}
