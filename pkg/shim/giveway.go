package shim

import (
	"context"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// patience is how long a new component waits for another of its name to give way.
const patience = 2 * time.Second

// giveWay takes a component back that was created at the same time as an earlier one of
// another kind and the same name. Objects of one kind can't share a name; of two kinds
// they can, and both creations found the name free. The later one would be stopped, after
// its author was told that all is well. Where it can't be told which is the later one,
// both may go, and both authors hear so.
func (c *components) giveWay(ctx context.Context, name identity.Name, created v1alpha1.Component) error {
	for _, kind := range c.lookup.kinds {
		if kind == c.kind {
			continue
		}
		other, err := c.lookup.search(ctx, kind, name, func(object v1alpha1.Component) bool {
			return identityOf(object) == name && object.GetDeletionTimestamp() == nil
		})
		switch {
		case apierrors.IsForbidden(err):
		case err != nil:
			// It is there. Should it be the later one, its conditions say so.
			klog.FromContext(ctx).Error(err, "Could not look for components of other kinds with the name of a new one")
		case other != nil && !later(other, created) && !c.outlasts(ctx, created, other):
			return c.takeBack(ctx, name, created)
		}
	}
	return nil
}

// takeBack deletes a component that was created a moment ago, and returns why.
func (c *components) takeBack(ctx context.Context, name identity.Name, created v1alpha1.Component) error {
	uid := created.GetUID()
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
	if err := c.kind.in(created.GetNamespace()).remove(ctx, created.GetName(), options); err != nil && !apierrors.IsNotFound(err) {
		klog.FromContext(ctx).Error(err, "Could not take back a component whose name another kind has")
	}
	return c.kind.called(name.Name).exists()
}

// outlasts tells whether another object gives way to a new one. One that was certainly
// there before won't. Of two in doubt one waits longer.
func (c *components) outlasts(ctx context.Context, created, other v1alpha1.Component) bool {
	if versionOf(other) < versionOf(created) {
		return false
	}
	wait := patience
	if created.GetUID() < other.GetUID() {
		wait *= 2
	}
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return c.lookup.waitGone(bounded, other)
}

// later tells whether an object, as it is now, was certainly created after another one:
// in a later second, or with a later version that it has had from the beginning.
func later(object, created v1alpha1.Component) bool {
	former, latter := created.GetCreationTimestamp(), object.GetCreationTimestamp()
	if !former.Equal(&latter) {
		return former.Before(&latter)
	}
	unchanged := object.GetGeneration() <= 1 && !meta.IsStatusConditionFalse(object.ObservedStatus().Conditions, v1alpha1.ConditionAccepted)
	return unchanged && versionOf(object) > versionOf(created)
}

// versionOf returns a resource version as the number that kube-apiserver makes it of,
// which is one for all kinds.
func versionOf(object v1alpha1.Component) uint64 {
	version, err := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return version
}
