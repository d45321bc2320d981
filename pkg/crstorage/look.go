package crstorage

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Look returns the view at key and the custom resource behind it, for what views don't
// show.
func (s *Storage) Look(ctx context.Context, key string) (view runtime.Object, resource *unstructured.Unstructured, err error) {
	namespace, name := s.parseKey(key)
	data, err := s.config.Client.get(ctx, namespace, name, "")
	if err != nil {
		return nil, nil, s.errors.read(ctx, key, err)
	}
	view, cause := s.projection.view(data)
	if view == nil {
		return nil, nil, apierrors.NewInternalError(cause)
	}
	content, err := fromJSON(data)
	if err != nil {
		return nil, nil, apierrors.NewInternalError(err)
	}
	return view, &unstructured.Unstructured{Object: content}, nil
}
