package devenv

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// fieldManager owns what this package applies.
const fieldManager = "functionmesh-devenv"

var apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}

// applier applies objects of the built-in kinds, server-side.
type applier struct {
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
}

func newApplier(config *rest.Config, client dynamic.Interface) (*applier, error) {
	discoveryClient, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("could not make a discovery client: %w", err)
	}
	resources, err := restmapper.GetAPIGroupResources(discoveryClient)
	if err != nil {
		return nil, fmt.Errorf("could not read what kube-apiserver serves: %w", err)
	}
	return &applier{dynamic: client, mapper: restmapper.NewDiscoveryRESTMapper(resources)}, nil
}

func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return fmt.Errorf("could not find the resource of %s %s: %w", kind.Kind, object.GetName(), err)
	}
	var client dynamic.ResourceInterface = a.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		client = a.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	_, err = client.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	if err != nil {
		return fmt.Errorf("could not apply %s %s: %w", kind.Kind, object.GetName(), err)
	}
	return nil
}

// decodeManifests reads a stream of YAML documents.
func decodeManifests(r io.Reader) ([]*unstructured.Unstructured, error) {
	decoder := utilyaml.NewYAMLOrJSONDecoder(r, 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("could not decode a manifest: %w", err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// Manifests renders the kustomize base as kubectl does for users.
func (e *Env) Manifests(ctx context.Context) ([]*unstructured.Unstructured, error) {
	base := filepath.Join(e.options.ArtifactsDir, "base")
	cmd := exec.CommandContext(ctx, filepath.Join(e.options.BinDir, "kubectl"), "kustomize", base)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("could not render %s: %w: %s", base, err, stderr.String())
	}
	return decodeManifests(bytes.NewReader(output))
}

// leftOut says whether an object makes no sense without nodes and cert-manager.
func leftOut(object *unstructured.Unstructured) bool {
	if object.GroupVersionKind().Group == "cert-manager.io" {
		return true
	}
	switch object.GetKind() {
	case "Deployment", "PodDisruptionBudget":
		return true
	default:
		return false
	}
}

// applyManifests applies the rendered base, the APIService excepted, which it
// returns: it can be applied when the server that it leads to has a port.
func (e *Env) applyManifests(ctx context.Context) (*unstructured.Unstructured, error) {
	objects, err := e.Manifests(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(objects, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == "APIService" && object.GetName() == APIServiceName
	})
	if i < 0 {
		return nil, fmt.Errorf("%s has no APIService %s", e.options.ArtifactsDir, APIServiceName)
	}
	apiService := objects[i]
	objects = slices.Delete(objects, i, i+1)
	service, _, err := unstructured.NestedString(apiService.Object, "spec", "service", "name")
	if err != nil {
		return nil, fmt.Errorf("could not read the Service of APIService %s: %w", APIServiceName, err)
	}
	// Whatever the order of the base: nothing can be put in a missing namespace.
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return namespacesFirst(a) - namespacesFirst(b) })
	for _, object := range objects {
		switch {
		case leftOut(object):
			continue
		case object.GetKind() == "Service" && object.GetName() == service:
			// Without a cluster network kube-apiserver can only be sent to a host name.
			object.Object["spec"] = map[string]any{"type": "ExternalName", "externalName": "localhost"}
		}
		if err := e.apply.apply(ctx, object); err != nil {
			return nil, err
		}
	}
	return apiService, nil
}

func namespacesFirst(object *unstructured.Unstructured) int {
	if object.GetKind() == "Namespace" {
		return 0
	}
	return 1
}

func (e *Env) applyAPIService(ctx context.Context, apiService *unstructured.Unstructured, port int) error {
	caBundle := base64.StdEncoding.EncodeToString(e.ControlPlane.CAPEM())
	if err := unstructured.SetNestedField(apiService.Object, caBundle, "spec", "caBundle"); err != nil {
		return fmt.Errorf("could not set the CA of APIService %s: %w", APIServiceName, err)
	}
	if err := unstructured.SetNestedField(apiService.Object, int64(port), "spec", "service", "port"); err != nil {
		return fmt.Errorf("could not set the port of APIService %s: %w", APIServiceName, err)
	}
	return e.apply.apply(ctx, apiService)
}

// ApplyCRDs installs the CRDs that the repository ships and returns when they
// are served. Tests call it again after they deleted one.
func (e *Env) ApplyCRDs(ctx context.Context) error {
	pattern := filepath.Join(e.options.ArtifactsDir, "development", "*.yaml")
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("could not list %s: %w", pattern, err)
	}
	var crds []string
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("could not read a CRD: %w", err)
		}
		objects, err := decodeManifests(bytes.NewReader(data))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, object := range objects {
			if object.GetKind() != "CustomResourceDefinition" {
				continue
			}
			if err := e.apply.apply(ctx, object); err != nil {
				return err
			}
			crds = append(crds, object.GetName())
		}
	}
	if len(crds) == 0 {
		return fmt.Errorf("no CRD in %s", pattern)
	}
	return e.waitEstablished(ctx, crds)
}

// bindAnonymous lets callers without a credential use the group in the
// namespace default, with all that a function can refer to, as the first session
// with the shim needs it. artifacts/ doesn't: that is no default for a cluster.
func (e *Env) bindAnonymous(ctx context.Context) error {
	rbac := e.ControlPlane.Client().RbacV1()
	anonymous := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: AnonymousUser}}
	const references = "functionmesh-anonymous-references"
	_, err := rbac.Roles(metav1.NamespaceDefault).Create(ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: references, Namespace: metav1.NamespaceDefault},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"secrets", "configmaps"}, Verbs: []string{"get"}},
			{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, Verbs: []string{"use"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("could not let anonymous callers refer to Secrets: %w", err)
	}
	for name, role := range map[string]rbacv1.RoleRef{
		"functionmesh-anonymous-authors":     {APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: AuthorRole},
		"functionmesh-anonymous-customizers": {APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: CustomizerRole},
		references:                           {APIGroup: rbacv1.GroupName, Kind: "Role", Name: references},
	} {
		_, err := rbac.RoleBindings(metav1.NamespaceDefault).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceDefault},
			RoleRef:    role,
			Subjects:   anonymous,
		}, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("could not let anonymous callers use the group: %w", err)
		}
	}
	// What isn't in any namespace: the catalogue, and what Pulsar keeps for super-users.
	for _, role := range []string{ConnectorViewerRole, SuperuserRole} {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role + "-anonymous"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   anonymous,
		}
		if _, err := rbac.ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("could not let anonymous callers use %s: %w", role, err)
		}
	}
	return nil
}
