package crstorage

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/util/dryrun"
)

// createInSteps creates a view by two writes. Nothing undoes the first one when the
// second fails: the object is then there, and the caller hears what it lacks.
func (s *Storage) createInSteps(ctx context.Context, key string, first runtime.Object, finish func(runtime.Object), out runtime.Object) error {
	created := s.config.NewObject()
	if err := s.createAtOnce(ctx, key, first, created); err != nil {
		return err
	}
	if out == nil {
		out = s.config.NewObject()
	}
	if dryrun.IsDryRun(writeOptionsFrom(ctx).DryRun) {
		// There is nothing that the second write could be tried on.
		finish(created)
		return copyInto(created, out)
	}
	accessor, err := meta.Accessor(created)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	uid := accessor.GetUID()
	err = s.GuaranteedUpdate(ctx, key, out, false, &storage.Preconditions{UID: &uid},
		func(current runtime.Object, _ storage.ResponseMeta) (runtime.Object, *uint64, error) {
			finish(current)
			return current, nil, nil
		}, nil)
	return s.unfinished(err, accessor.GetName())
}

// unfinished says that an error is one of the second write.
func (s *Storage) unfinished(err error, name string) error {
	var answer apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case storage.IsNotFound(err), storage.IsInvalidObj(err):
		return apierrors.NewConflict(s.config.Resource, name, errors.New("it was deleted while it was being created"))
	case !errors.As(err, &answer):
		return apierrors.NewInternalError(fmt.Errorf("it was created, but not completed: %w", err))
	}
	original := answer.Status()
	status := original.DeepCopy()
	if status.Details == nil {
		status.Details = &metav1.StatusDetails{}
	}
	status.Details.Group, status.Details.Kind, status.Details.Name = s.config.Resource.Group, s.config.Resource.Resource, name
	status.Message = fmt.Sprintf("%s %q was created, but an update has to complete it: %s", s.config.Resource, name, status.Message)
	return &apierrors.StatusError{ErrStatus: *status}
}
