package tenancy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

const (
	byClaim = "pulsar-namespace"

	// Anywhere is the default namespace where none is meant: what nobody claims may be
	// in every Kubernetes namespace.
	Anywhere = "*"
)

// Index knows the claims of all Namespaces.
type Index struct {
	informer         cache.SharedIndexInformer
	defaultNamespace string
}

// NewIndex returns an index over an informer of Namespaces that isn't started yet.
// defaultNamespace is the Kubernetes namespace that serves what none claims, or Anywhere;
// without one nobody does.
func NewIndex(informer cache.SharedIndexInformer, defaultNamespace string) (*Index, error) {
	if err := informer.AddIndexers(cache.Indexers{byClaim: claimKeys}); err != nil {
		return nil, fmt.Errorf("could not index namespaces: %w", err)
	}
	return &Index{informer: informer, defaultNamespace: defaultNamespace}, nil
}

// claimKeys returns the claims of a Namespace: none where they can't be read.
func claimKeys(item any) ([]string, error) {
	namespace, ok := item.(metav1.Object)
	if !ok {
		return nil, fmt.Errorf("unexpected type %T among namespaces", item)
	}
	var keys []string
	for _, claim := range claimsOf(namespace) {
		keys = append(keys, claim.String())
	}
	return keys, nil
}

func claimsOf(namespace metav1.Object) []PulsarNamespace {
	claims, err := Parse(namespace.GetAnnotations()[Annotation])
	if err != nil {
		return nil
	}
	return claims
}

// Strip makes of a Namespace what an index needs of it. It is a cache.TransformFunc.
func Strip(item any) (any, error) {
	namespace, ok := item.(*corev1.Namespace)
	if !ok {
		return item, nil
	}
	stripped := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: namespace.Name, UID: namespace.UID, ResourceVersion: namespace.ResourceVersion,
	}}
	if text, ok := namespace.Annotations[Annotation]; ok {
		stripped.Annotations = map[string]string{Annotation: text}
	}
	return stripped, nil
}

// HasSynced tells whether all Namespaces are known. Before, nothing that the index
// says is to be acted on: a claim that isn't known yet looks like none.
func (i *Index) HasSynced() bool { return i.informer.HasSynced() }

// Installation returns the identity of this Kubernetes cluster among others, which is the
// UID of the Namespace that each has, or "" while that isn't known.
func (i *Index) Installation() string {
	if system := i.namespace(metav1.NamespaceSystem); system != nil {
		return string(system.GetUID())
	}
	return ""
}

// WaitForSync returns when all Namespaces are known, and false if ctx ends first.
func (i *Index) WaitForSync(ctx context.Context) bool {
	return cache.WaitForCacheSync(ctx.Done(), i.informer.HasSynced)
}

// Serving returns the Kubernetes namespaces that serve a Pulsar namespace: one, or
// none, or those whose equal claims contradict each other.
func (i *Index) Serving(pulsar PulsarNamespace) []string {
	return i.serving(pulsar, i.claimants)
}

// serving finds out who serves a Pulsar namespace from who has which claim.
func (i *Index) serving(pulsar PulsarNamespace, claimants func(claim PulsarNamespace) []string) []string {
	if pulsar.Namespace != wildcard {
		if exact := claimants(pulsar); len(exact) > 0 {
			return exact
		}
		if all := claimants(pulsar.all()); len(all) > 0 {
			return all
		}
	}
	if i.defaultNamespace == "" {
		return nil
	}
	return []string{i.defaultNamespace}
}

// claimants returns the sorted names of the Namespaces that have a claim.
func (i *Index) claimants(claim PulsarNamespace) []string {
	names, err := i.informer.GetIndexer().IndexKeys(byClaim, claim.String())
	if err != nil {
		return nil
	}
	return slices.Sorted(slices.Values(names))
}

// Kubernetes returns the sorted names of all Kubernetes namespaces that serve
// something.
func (i *Index) Kubernetes() []string {
	serving := map[string]bool{}
	if i.defaultNamespace != "" {
		serving[i.defaultNamespace] = true
	}
	for _, claim := range i.informer.GetIndexer().ListIndexFuncValues(byClaim) {
		names, err := i.informer.GetIndexer().IndexKeys(byClaim, claim)
		if err != nil {
			continue
		}
		for _, name := range names {
			serving[name] = true
		}
	}
	return slices.Sorted(maps.Keys(serving))
}

// Claims returns what is claimed by anybody, sorted, and whether what isn't is served as
// well.
func (i *Index) Claims() (claims []PulsarNamespace, others bool) {
	seen := map[PulsarNamespace]bool{}
	for _, item := range i.informer.GetStore().List() {
		if namespace, ok := item.(metav1.Object); ok {
			for _, claim := range claimsOf(namespace) {
				seen[claim] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b PulsarNamespace) int { return strings.Compare(a.String(), b.String()) }), i.defaultNamespace != ""
}

// NotServed returns why a Kubernetes namespace doesn't serve a Pulsar namespace, empty
// if it does, alone or in contradiction to others.
func (i *Index) NotServed(kubernetes string, pulsar PulsarNamespace) string {
	if contains(i.Serving(pulsar), kubernetes) {
		return ""
	}
	return notServed(kubernetes, pulsar)
}

// contains tells whether a Kubernetes namespace is one of those that serve something.
func contains(serving []string, kubernetes string) bool {
	return slices.Contains(serving, kubernetes) || slices.Contains(serving, Anywhere)
}

func notServed(kubernetes string, pulsar PulsarNamespace) string {
	return fmt.Sprintf("Kubernetes namespace %s does not serve Pulsar namespace %s.", kubernetes, pulsar)
}

// Problem returns what is wrong with the claims of a Kubernetes namespace, or nil, and
// its UID.
func (i *Index) Problem(kubernetes string) (types.UID, error) {
	namespace := i.namespace(kubernetes)
	if namespace == nil {
		return "", nil
	}
	claims, err := Parse(namespace.GetAnnotations()[Annotation])
	if err != nil {
		return namespace.GetUID(), fmt.Errorf("could not read annotation %s, so that it claims nothing: %w", Annotation, err)
	}
	var problems []error
	for _, claim := range claims {
		if others := slices.DeleteFunc(i.claimants(claim), func(name string) bool { return name == kubernetes }); len(others) > 0 {
			problems = append(problems, fmt.Errorf("%s is claimed by %s as well: nothing can be created in it until one claim is taken back", claim, others[0]))
		}
	}
	return namespace.GetUID(), errors.Join(problems...)
}

// namespace returns what is known of a Kubernetes namespace, or nil.
func (i *Index) namespace(name string) metav1.Object {
	item, _, err := i.informer.GetStore().GetByKey(name)
	if namespace, ok := item.(metav1.Object); err == nil && ok {
		return namespace
	}
	return nil
}

// Rivals returns the other Kubernetes namespaces that have a claim of this one.
func (i *Index) Rivals(kubernetes string) []string {
	namespace := i.namespace(kubernetes)
	if namespace == nil {
		return nil
	}
	rivals := map[string]bool{}
	for _, claim := range claimsOf(namespace) {
		for _, name := range i.claimants(claim) {
			rivals[name] = name != kubernetes
		}
	}
	delete(rivals, kubernetes)
	return slices.Sorted(maps.Keys(rivals))
}

// OnChange has f called with the name of each Kubernetes namespace whose claims are
// others than before, those that are known already among them. f must not block. The
// result takes it back.
func (i *Index) OnChange(f func(kubernetes string)) (func() error, error) {
	handle := func(before, after any) {
		if tombstone, ok := before.(cache.DeletedFinalStateUnknown); ok {
			before = tombstone.Obj
		}
		old, _ := before.(metav1.Object)
		current, _ := after.(metav1.Object)
		if named, text := either(old, current); text != annotationOf(old) || text != annotationOf(current) {
			f(named)
		}
	}
	registration, err := i.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(item any) { handle(nil, item) },
		UpdateFunc: handle,
		DeleteFunc: func(item any) { handle(item, nil) },
	})
	if err != nil {
		return nil, fmt.Errorf("could not watch namespaces: %w", err)
	}
	return func() error { return i.informer.RemoveEventHandler(registration) }, nil
}

// either returns the name and the claims of the state that there is, of two.
func either(old, current metav1.Object) (name, text string) {
	switch {
	case current != nil:
		return current.GetName(), annotationOf(current)
	case old != nil:
		return old.GetName(), annotationOf(old)
	}
	return "", ""
}

func annotationOf(namespace metav1.Object) string {
	if namespace == nil {
		return ""
	}
	return namespace.GetAnnotations()[Annotation]
}
