package oauth2

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	restclient "k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// Finder reads with the server's own account what accounts are found by. Errors are the
// API's, or errTooMany.
type Finder interface {
	// Get returns a Secret.
	Get(ctx context.Context, namespace, name string) (*corev1.Secret, error)
	// Annotated returns the names of the Secrets with an annotation of a value, at most
	// two.
	Annotated(ctx context.Context, namespace, key, value string) ([]string, error)
	// OtherRole tells whether an object of the namespace is bound to a Secret that was
	// found by the name of another role.
	OtherRole(ctx context.Context, namespace, secret, role string) (bool, error)
}

const (
	// pageSize and maxPages bound what is looked through for one request.
	pageSize = 500
	maxPages = 20
)

var errTooMany = errors.New("there is too much to look through")

// clusterFinder reads through kube-apiserver. It keeps nothing: a Secret that was
// changed counts at once.
type clusterFinder struct {
	kube     kubernetes.Interface
	metadata metadata.Interface
}

// NewFinder returns a finder that reads with the account of config.
func NewFinder(config *restclient.Config) (Finder, error) {
	config = restclient.CopyConfig(config)
	// Callers are subject to priority and fairness.
	config.QPS = -1
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("could not make a client: %w", err)
	}
	ofMetadata, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("could not make a client of metadata: %w", err)
	}
	return &clusterFinder{kube: kube, metadata: ofMetadata}, nil
}

func (f *clusterFinder) Get(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	return f.kube.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (f *clusterFinder) Annotated(ctx context.Context, namespace, key, value string) ([]string, error) {
	var names []string
	err := f.each(ctx, namespace, corev1.SchemeGroupVersion.WithResource("secrets"), func(secret *metav1.PartialObjectMetadata) bool {
		if annotation, has := secret.Annotations[key]; has && annotation == value {
			names = append(names, secret.Name)
		}
		return len(names) < 2
	})
	return names, err
}

func (f *clusterFinder) OtherRole(ctx context.Context, namespace, secret, role string) (bool, error) {
	other := false
	for _, resource := range []string{computev1alpha1.FunctionResource, computev1alpha1.SourceResource, computev1alpha1.SinkResource} {
		err := f.each(ctx, namespace, computev1alpha1.SchemeGroupVersion.WithResource(resource), func(object *metav1.PartialObjectMetadata) bool {
			binding := translation.BindingOf(object.Annotations)
			other = binding != nil && binding.SecretName == secret && binding.Rule == v1alpha1.CredentialByName &&
				binding.Role != role && credential.Strip(binding.Role) == credential.Strip(role)
			return !other
		})
		if err != nil || other {
			return other, err
		}
	}
	return false, nil
}

// each calls visit with the metadata of each object of a resource until it returns false.
func (f *clusterFinder) each(ctx context.Context, namespace string, resource schema.GroupVersionResource, visit func(*metav1.PartialObjectMetadata) bool) error {
	options := metav1.ListOptions{Limit: pageSize}
	for range maxPages {
		page, err := f.metadata.Resource(resource).Namespace(namespace).List(ctx, options)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if !visit(&page.Items[i]) {
				return nil
			}
		}
		if page.Continue == "" {
			return nil
		}
		options.Continue = page.Continue
	}
	return errTooMany
}
