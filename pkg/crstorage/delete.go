package crstorage

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/warning"
	kjson "sigs.k8s.io/json"
)

// deleteTries bounds how often a delete is tried because the resource changed while
// the deletion was validated. A conflict may have another, lasting reason.
const deleteTries = 10

// Delete implements storage.Interface: the resource is deleted in the background.
func (s *Storage) Delete(ctx context.Context, key string, out runtime.Object, preconditions *storage.Preconditions,
	validate storage.ValidateObjectFunc, _ runtime.Object, storageOptions storage.DeleteOptions) error {
	if storageOptions.ExpectTransformOrDecodeError {
		// Whoever asks for this deletes past admission what can't be read. Here everything
		// can be read well enough to be deleted as usual.
		return storage.NewInvalidObjError(key, "it can be read: delete it as usual")
	}
	options := &metav1.DeleteOptions{DryRun: writeOptionsFrom(ctx).DryRun}
	if preconditions != nil {
		options.Preconditions = &metav1.Preconditions{UID: preconditions.UID, ResourceVersion: preconditions.ResourceVersion}
	}
	deleted, _, err := s.DeleteWithOptions(ctx, key, validate, options)
	if err != nil {
		return err
	}
	return copyInto(deleted, out)
}

// DeleteWithOptions deletes the object at key as options say, after validate has
// seen it. It returns the object as it was left, and whether it is gone: it is not
// while it has finalizers.
//
// Preconditions are checked against the view, whose UID isn't the resource's.
// Foreground deletion becomes background deletion, with a warning: the Function
// Mesh operator recreates what the garbage collector deletes for as long as the
// resource exists, so a foreground deletion would never end.
func (s *Storage) DeleteWithOptions(ctx context.Context, key string, validate storage.ValidateObjectFunc,
	options *metav1.DeleteOptions) (runtime.Object, bool, error) {
	namespace, name := s.parseKey(key)
	forwarded := s.forwardedOptions(ctx, options)
	backoff := conflictBackoff()
	for try := 1; ; try++ {
		data, err := s.config.Client.get(ctx, namespace, name, "")
		if err != nil {
			if missingDefinition(err) {
				// Not a 503, as other writes get: what can't be there needs no deletion,
				// and an uninstallation must be able to end.
				s.warnMissing(ctx)
			}
			return nil, false, s.errors.read(ctx, key, err)
		}
		current, cause := s.projection.view(data)
		if current == nil {
			return nil, false, apierrors.NewInternalError(cause)
		}
		if err := checkPreconditions(options, key, current); err != nil {
			return nil, false, err
		}
		if validate != nil {
			if err := validate(ctx, current.DeepCopyObject()); err != nil {
				return nil, false, err
			}
		}
		var stored metav1.PartialObjectMetadata
		if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &stored); err != nil {
			return nil, false, apierrors.NewInternalError(err)
		}
		// What was validated is what is deleted: not a later object of its name, nor a later
		// state of it, unless it changes all the time and the caller doesn't mind.
		forwarded.Preconditions = &metav1.Preconditions{UID: &stored.UID, ResourceVersion: &stored.ResourceVersion}
		if try == deleteTries && (options.Preconditions == nil || options.Preconditions.ResourceVersion == nil) {
			forwarded.Preconditions.ResourceVersion = nil
		}
		reply, err := s.config.Client.delete(ctx, namespace, name, forwarded)
		if apierrors.IsConflict(err) {
			if try == deleteTries {
				return nil, false, apierrors.NewConflict(s.config.Resource, name, errors.New(genericregistry.OptimisticLockErrorMsg))
			}
			if err := s.pause(ctx, backoff.Step()); err != nil {
				return nil, false, err
			}
			continue
		}
		if err != nil {
			return nil, false, s.errors.read(ctx, key, err)
		}
		return s.deleted(reply, current)
	}
}

// forwardedOptions are the options of the resource's own deletion, without
// preconditions.
func (s *Storage) forwardedOptions(ctx context.Context, options *metav1.DeleteOptions) *metav1.DeleteOptions {
	forwarded := &metav1.DeleteOptions{
		GracePeriodSeconds: options.GracePeriodSeconds,
		PropagationPolicy:  options.PropagationPolicy,
		DryRun:             options.DryRun,
		//lint:ignore SA1019 Old clients say it so, and only one of both is ever set.
		OrphanDependents: options.OrphanDependents,
	}
	foreground := options.PropagationPolicy != nil && *options.PropagationPolicy == metav1.DeletePropagationForeground
	if foreground {
		background := metav1.DeletePropagationBackground
		forwarded.PropagationPolicy = &background
		warning.AddWarning(ctx, "", "deleting in the background: the Function Mesh operator recreates what a foreground deletion waits for")
	}
	return forwarded
}

func checkPreconditions(options *metav1.DeleteOptions, key string, current runtime.Object) error {
	if options.Preconditions == nil {
		return nil
	}
	preconditions := storage.Preconditions{UID: options.Preconditions.UID, ResourceVersion: options.Preconditions.ResourceVersion}
	return preconditions.Check(key, current)
}

// deleted reads the reply to a DELETE: a Status when the resource is gone, the
// resource itself while it is not.
func (s *Storage) deleted(reply []byte, before runtime.Object) (runtime.Object, bool, error) {
	var answer metav1.TypeMeta
	if err := kjson.UnmarshalCaseSensitivePreserveInts(reply, &answer); err != nil {
		return nil, false, apierrors.NewInternalError(fmt.Errorf("could not read the answer to a delete: %w", err))
	}
	if answer.Kind != s.config.Client.Kind {
		return before, true, nil
	}
	view, err := s.projection.view(reply)
	if view == nil {
		return nil, false, apierrors.NewInternalError(err)
	}
	return view, false, nil
}

// DeletedStatus is what a caller hears of an object that is gone.
func (s *Storage) DeletedStatus(deleted runtime.Object) (*metav1.Status, error) {
	accessor, err := meta.Accessor(deleted)
	if err != nil {
		return nil, fmt.Errorf("could not read a deleted object's metadata: %w", err)
	}
	return &metav1.Status{Status: metav1.StatusSuccess, Details: &metav1.StatusDetails{
		Group: s.config.Resource.Group,
		Kind:  s.config.Resource.Resource,
		Name:  accessor.GetName(),
		UID:   types.UID(accessor.GetUID()),
	}}, nil
}
