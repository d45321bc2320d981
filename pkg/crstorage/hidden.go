package crstorage

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
)

// ReadHidden returns the custom resource of the object at key, for something in it that
// views don't show.
func (s *Storage) ReadHidden(ctx context.Context, key string) (map[string]any, error) {
	data, err := s.readHidden(ctx, key)
	if err != nil {
		return nil, err
	}
	resource, err := fromJSON(data)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	return resource, nil
}

func (s *Storage) readHidden(ctx context.Context, key string) ([]byte, error) {
	namespace, name := s.parseKey(key)
	data, err := s.config.Client.get(ctx, namespace, name, "")
	switch {
	case missingDefinition(err):
		return nil, s.errors.missingDefinitionError()
	case err != nil:
		return nil, s.errors.read(ctx, key, err)
	}
	return data, nil
}

// UpdateHidden changes something of the custom resource of the object at key that views
// don't show. validate sees the view first. A conflict is tried again, as long as
// preconditions hold, until ctx ends.
func (s *Storage) UpdateHidden(ctx context.Context, key string, preconditions *storage.Preconditions,
	validate storage.ValidateObjectFunc, change func(resource map[string]any) error) error {
	backoff := conflictBackoff()
	for {
		retry, err := s.tryHidden(ctx, key, preconditions, validate, change)
		if !retry {
			return err
		}
		if pauseErr := s.pause(ctx, backoff.Step()); pauseErr != nil {
			return err
		}
	}
}

// tryHidden does one try. With retry, the error is the conflict that was met.
func (s *Storage) tryHidden(ctx context.Context, key string, preconditions *storage.Preconditions,
	validate storage.ValidateObjectFunc, change func(resource map[string]any) error) (retry bool, err error) {
	namespace, name := s.parseKey(key)
	data, err := s.readHidden(ctx, key)
	if err != nil {
		return false, err
	}
	view, cause := s.projection.view(data)
	if view == nil {
		return false, apierrors.NewInternalError(cause)
	}
	if err := preconditions.Check(key, view); err != nil {
		return false, err
	}
	if err := validate(ctx, view); err != nil {
		return false, err
	}
	before, err := fromJSON(data)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	after := runtime.DeepCopyJSON(before)
	if err := change(after); err != nil {
		return false, apierrors.NewInternalError(err)
	}
	if err := s.checkWriter(before, before, after, name); err != nil {
		return false, err
	}
	_, err = send(after, func(body []byte) ([]byte, error) {
		return s.config.Client.update(ctx, namespace, name, body, writeOptionsFrom(ctx))
	})
	if err != nil {
		return apierrors.IsConflict(err), s.errors.read(ctx, key, err)
	}
	return false, nil
}
