package apigroup

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Owners as dependents name them. A deletion in the foreground waits for such
// dependents.
func viewOwner(name string, uid types.UID) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "admin.functionmesh.io/v1alpha1", Kind: "PulsarFunction", Name: name, UID: uid, BlockOwnerDeletion: ptr.To(true)}
}

func crOwner(name string, uid types.UID) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "compute.functionmesh.io/v1alpha1", Kind: "Function", Name: name, UID: uid, BlockOwnerDeletion: ptr.To(true)}
}

func configMapOwner(owner *corev1.ConfigMap) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}
}

// ownedFunction is a function with a dependent of the view and one of the custom
// resource.
func (s *space) ownedFunction() *v1alpha1.PulsarFunction {
	s.t.Helper()
	function := s.create("echo")
	s.configMap("of-view", viewOwner("echo", function.UID))
	s.configMap("of-cr", crOwner("echo", s.cr("echo").GetUID()))
	return function
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
func (s *space) collected(name string) {
	s.t.Helper()
	const nobody = "11111111-2222-4333-8444-555555555555"
	for _, owner := range []metav1.OwnerReference{viewOwner("nobody", nobody), crOwner("nobody", nobody)} {
		s.configMap(name, owner)
		s.configMapGone(name)
	}
}

func TestDependentsLiveWithTheirOwner(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.ownedFunction()
	s.collected("probe-1")
	s.configMapThere("of-view")
	s.configMapThere("of-cr")
	s.check(s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{}))
	s.gone("echo")
	s.configMapGone("of-view")
	s.configMapGone("of-cr")
}

func TestBackgroundDeletion(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.ownedFunction()
	s.warnings.take()
	s.check(s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}))
	if texts := s.warnings.take(); len(texts) > 0 {
		t.Errorf("it warns: %v", texts)
	}
	s.gone("echo")
	s.configMapGone("of-view")
	s.configMapGone("of-cr")
}

// TestForegroundDeletion has a dependent that doesn't go. The object would wait for
// it, if the deletion were one in the foreground.
func TestForegroundDeletion(t *testing.T) {
	t.Parallel()
	for name, foreground := range map[string]func(*space) error{
		"one": func(s *space) error {
			return s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)})
		},
		"collection": func(s *space) error {
			return s.author.DeleteCollection(s.ctx, metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)}, metav1.ListOptions{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpace(t)
			s.ownedFunction()
			_, err := s.kube.CoreV1().ConfigMaps(s.namespace).Patch(s.ctx, "of-cr", types.MergePatchType,
				[]byte(`{"metadata":{"finalizers":["`+ourFinalizer+`"]}}`), metav1.PatchOptions{})
			s.check(err)
			s.warnings.take()
			s.check(foreground(s))
			if texts := s.warnings.take(); len(texts) != 1 || !strings.Contains(texts[0], "deleting in the background") {
				t.Errorf("the warnings are %q", texts)
			}
			s.gone("echo")
			s.configMapGone("of-view")
			s.eventually("the dependent to be deleted", func() error {
				return errIf(s.configMapThere("of-cr").DeletionTimestamp == nil, "it is not")
			})
			_, err = s.kube.CoreV1().ConfigMaps(s.namespace).Patch(s.ctx, "of-cr", types.MergePatchType,
				[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
			s.check(err)
		})
	}
}

// TestOrphaning keeps what the custom resource owns. What the view owns goes all the
// same, which is a known limit: the collector sees the view's end alone.
func TestOrphaning(t *testing.T) {
	t.Parallel()
	for name, orphan := range map[string]func(*space) error{
		"one": func(s *space) error {
			return s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)})
		},
		"collection": func(s *space) error {
			return s.author.DeleteCollection(s.ctx, metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)}, metav1.ListOptions{})
		},
		"as clients said it before there were policies": func(s *space) error {
			return s.restClient(authorConfig).Delete().Namespace(s.namespace).Resource("pulsarfunctions").Name("echo").
				Body([]byte(`{"kind":"DeleteOptions","apiVersion":"v1","orphanDependents":true}`)).Do(s.ctx).Error()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpace(t)
			s.ownedFunction()
			s.check(orphan(s))
			s.gone("echo")
			s.configMapGone("of-view")
			s.collected("probe")
			if owners := s.configMapThere("of-cr").OwnerReferences; len(owners) != 0 {
				t.Errorf("the orphan's owners are %v", owners)
			}
		})
	}
}

// TestCollectorsFinalizersAreHidden deletes the custom resource itself in the
// foreground. Views don't show that it waits for its dependents, and keep it so.
func TestCollectorsFinalizersAreHidden(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.ownedFunction()
	_, err := s.kube.CoreV1().ConfigMaps(s.namespace).Patch(s.ctx, "of-cr", types.MergePatchType,
		[]byte(`{"metadata":{"finalizers":["`+ourFinalizer+`"]}}`), metav1.PatchOptions{})
	s.check(err)
	s.mergeCR("echo", `{"metadata":{"finalizers":["`+ourFinalizer+`"]}}`)
	s.check(s.crs.Delete(s.ctx, "echo", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)}))

	function := s.get("echo")
	if fmt.Sprint(function.Finalizers) != "["+ourFinalizer+"]" || function.DeletionTimestamp == nil {
		t.Errorf("the view's finalizers are %v", function.Finalizers)
	}
	function.Finalizers = nil
	_, err = s.author.Update(s.ctx, function, metav1.UpdateOptions{})
	s.check(err)
	if got := s.cr("echo").GetFinalizers(); fmt.Sprint(got) != "["+metav1.FinalizerDeleteDependents+"]" {
		t.Errorf("the custom resource's finalizers are %v", got)
	}
	// The collector looks at the view, too, and must leave the custom resource alone.
	s.collected("probe")
	s.cr("echo")
	_, err = s.kube.CoreV1().ConfigMaps(s.namespace).Patch(s.ctx, "of-cr", types.MergePatchType,
		[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	s.check(err)
	s.gone("echo")
}

// TestOwnersOfViews has functions that belong to something else.
func TestOwnersOfViews(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	owner := s.configMap("owner")
	parent := s.create("parent", func(f *v1alpha1.PulsarFunction) { f.OwnerReferences = []metav1.OwnerReference{configMapOwner(owner)} })
	child := s.create("child", func(f *v1alpha1.PulsarFunction) {
		f.OwnerReferences = []metav1.OwnerReference{viewOwner("parent", parent.UID)}
	})
	byHand := s.createCR("by-hand", fmt.Sprintf(
		"metadata: {ownerReferences: [{apiVersion: compute.functionmesh.io/v1alpha1, kind: Function, name: parent, uid: %s}]}", s.cr("parent").GetUID()))

	for name, want := range map[string][]metav1.OwnerReference{
		"parent": parent.OwnerReferences, "child": child.OwnerReferences, "by-hand": byHand.GetOwnerReferences(),
	} {
		if got := s.get(name).OwnerReferences; len(want) != 1 || !reflect.DeepEqual(got, want) {
			t.Errorf("the view %s has the owners %v, not %v", name, got, want)
		}
		if got := s.cr(name).GetOwnerReferences(); !reflect.DeepEqual(got, want) {
			t.Errorf("the custom resource %s has the owners %v, not %v", name, got, want)
		}
	}
	s.collected("probe")
	if got := s.names(metav1.ListOptions{}); got != "by-hand child parent" {
		t.Fatalf("while the owner lives there are %q", got)
	}
	s.check(s.kube.CoreV1().ConfigMaps(s.namespace).Delete(s.ctx, "owner", metav1.DeleteOptions{}))
	for _, name := range []string{"parent", "child", "by-hand"} {
		s.gone(name)
	}
}
