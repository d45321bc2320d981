package crstorage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/storage"

	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
)

// GuaranteedUpdate implements storage.Interface. A conflict that the backend
// reports is tried again until ctx ends; an error of tryUpdate, a conflict with the
// resource version that the client sent among them, is the caller's.
//
// cachedExistingObject is not used: what is merged must be what is stored.
func (s *Storage) GuaranteedUpdate(ctx context.Context, key string, destination runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc, _ runtime.Object) error {
	backoff := conflictBackoff()
	for {
		retry, err := s.tryOnce(ctx, key, destination, ignoreNotFound, preconditions, tryUpdate)
		if !retry {
			return err
		}
		if pauseErr := s.pause(ctx, backoff.Step()); pauseErr != nil {
			if err != nil {
				// What kept it from succeeding tells more than that time ran out.
				return s.errors.status(ctx, err)
			}
			return pauseErr
		}
	}
}

// conflictBackoff returns the pauses between tries of a write that met a conflict.
func conflictBackoff() wait.Backoff {
	return wait.Backoff{Duration: 5 * time.Millisecond, Factor: 2, Jitter: 1, Steps: 30, Cap: 500 * time.Millisecond}
}

// pause returns after a duration, or earlier with an error when ctx ends.
func (s *Storage) pause(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return s.errors.transport(ctx, ctx.Err())
	case <-timer.C:
		return nil
	}
}

// tryOnce does one try of an update. With retry, err is the conflict that was met.
func (s *Storage) tryOnce(ctx context.Context, key string, destination runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc) (retry bool, err error) {
	namespace, name := s.parseKey(key)
	data, err := s.config.Client.get(ctx, namespace, name, "")
	if missingDefinition(err) {
		return false, s.errors.missingDefinitionError()
	}
	if apierrors.IsNotFound(err) && s.errors.isOurs(err) {
		if !ignoreNotFound {
			return false, storage.NewKeyNotFoundError(key, 0)
		}
		return s.createFrom(ctx, key, destination, preconditions, tryUpdate)
	}
	if err != nil {
		return false, s.errors.status(ctx, err)
	}

	current, cause := s.projection.view(data)
	if current == nil {
		return false, apierrors.NewInternalError(cause)
	}
	project := func(view runtime.Object) (map[string]any, error) { return s.projection.cr(view, false) }
	if cause != nil {
		// Only its metadata can be written; the strategy refuses the rest.
		project = s.projection.metadata
	}
	if err := preconditions.Check(key, current); err != nil {
		return false, err
	}
	// tryUpdate may change what it is given.
	before, err := project(current)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	version, err := s.versioner.ObjectResourceVersion(current)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	old := current.DeepCopyObject()
	updated, _, err := tryUpdate(current, storage.ResponseMeta{ResourceVersion: version})
	if err != nil {
		return false, err
	}
	stored, err := fromJSON(data)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	after, err := project(updated)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	if err := s.check(ctx, name, stored, before, after); err != nil {
		return false, err
	}
	// What it does elsewhere it does for nothing that is refused.
	if err := s.beforeWrite(ctx, updated, old); err != nil {
		return false, err
	}
	checked := after
	if after, err = project(updated); err != nil {
		return false, apierrors.NewInternalError(err)
	}
	if !reflect.DeepEqual(checked, after) {
		if err := s.check(ctx, name, stored, before, after); err != nil {
			return false, err
		}
	}
	changed := delta.Apply(stored, before, after, s.projection.containers())
	if changed && cause == nil {
		if err := s.settle(stored, after); err != nil {
			return false, apierrors.NewInternalError(err)
		}
	}
	if !changed {
		return false, s.project(data, destination)
	}
	data, err = send(stored, func(body []byte) ([]byte, error) {
		return s.config.Client.update(ctx, namespace, name, body, writeOptionsFrom(ctx))
	})
	switch {
	case err == nil:
		if err := s.project(data, destination); err != nil {
			return false, err
		}
		if len(writeOptionsFrom(ctx).DryRun) > 0 && s.config.KeepObserved != nil {
			s.config.KeepObserved(destination, updated)
		}
		return false, nil
	case missingDefinition(err):
		return false, s.errors.missingDefinitionError()
	case apierrors.IsConflict(err), apierrors.IsNotFound(err) && s.errors.isOurs(err):
		return true, err
	}
	return false, s.errors.status(ctx, err)
}

// check refuses a change that somebody else has to make, or the caller may not, or that
// would have no effect. before and after are the projections of what is stored.
func (s *Storage) check(ctx context.Context, name string, stored, before, after map[string]any) error {
	if err := s.checkWriter(stored, before, after, name); err != nil {
		return err
	}
	if s.config.AuthorizeWrite != nil {
		if err := s.config.AuthorizeWrite(ctx, name, stored, before, after); err != nil {
			return err
		}
	}
	return s.checkDefinition(before, after, name)
}

// beforeWrite lets the kind have its last word.
func (s *Storage) beforeWrite(ctx context.Context, view, old runtime.Object) error {
	if s.config.BeforeWrite == nil || len(writeOptionsFrom(ctx).DryRun) > 0 {
		return nil
	}
	return s.config.BeforeWrite(ctx, view, old)
}

// settle projects a changed resource once more, and writes what still differs from
// the wanted projection. What a view shows where a resource is silent can depend on
// its other fields: what an update didn't change would otherwise change along.
func (s *Storage) settle(stored, after map[string]any) error {
	data, err := json.Marshal(stored)
	if err != nil {
		return fmt.Errorf("could not encode a custom resource: %w", err)
	}
	view, err := s.projection.view(data)
	if err != nil {
		return fmt.Errorf("could not read the changed resource: %w", err)
	}
	reached, err := s.projection.cr(view, false)
	if err != nil {
		return err
	}
	delta.Apply(stored, reached, after, s.projection.containers())
	return nil
}

// createFrom is an update of an object that isn't there, which a server-side apply
// may be. An object that appeared meanwhile means another try.
func (s *Storage) createFrom(ctx context.Context, key string, destination runtime.Object,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc) (retry bool, err error) {
	empty := s.config.NewObject()
	if err := preconditions.Check(key, empty); err != nil {
		return false, err
	}
	created, _, err := tryUpdate(empty, storage.ResponseMeta{})
	if err != nil {
		return false, err
	}
	// A resource version in it is not the business of storage, as in any update.
	err = s.create(ctx, key, created, destination)
	return storage.IsExist(err), err
}

// CauseTypeOwned is the type of the cause of a conflict that trying again doesn't
// resolve: somebody else writes the resource's spec.
const CauseTypeOwned metav1.CauseType = "SpecOwned"

// checkWriter refuses a change that somebody else has to make.
func (s *Storage) checkWriter(stored, before, after map[string]any, name string) error {
	cause := s.checkOwner(stored, before, after)
	if cause == nil && s.config.CheckWrite != nil {
		cause = s.config.CheckWrite(stored, before, after)
	}
	if cause == nil {
		return nil
	}
	cause.Type = CauseTypeOwned
	conflict := apierrors.NewConflict(s.config.Resource, name, errors.New(cause.Message))
	conflict.ErrStatus.Details.Causes = []metav1.StatusCause{*cause}
	return conflict
}

// checkOwner refuses to change the spec of a resource that a controller of the
// backend's own group has made, such as a FunctionMesh: it would be changed back.
func (s *Storage) checkOwner(stored, before, after map[string]any) *metav1.StatusCause {
	if reflect.DeepEqual(before["spec"], after["spec"]) {
		return nil
	}
	owner := metav1.GetControllerOf(&unstructured.Unstructured{Object: stored})
	if owner == nil {
		return nil
	}
	version, err := schema.ParseGroupVersion(owner.APIVersion)
	if err != nil || version.Group != s.config.Client.Resource.Group {
		return nil
	}
	return &metav1.StatusCause{
		Field: "spec", Message: fmt.Sprintf("its spec is written by %s %s: change it there", owner.Kind, owner.Name),
	}
}
