// Package crdschema knows which fields the installed custom resource definitions of
// Function Mesh have.
//
// It exists because an older definition keeps a field of spec that it doesn't know,
// and the operator then ignores it: nobody is told, strict field validation doesn't
// see it, and the function runs without what its author asked for. So what is written
// is compared with the definition's schema first.
package crdschema

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// Checker follows the definitions of a few resources.
type Checker struct {
	informers map[schema.GroupVersionResource]cache.SharedIndexInformer
}

// NewChecker returns a checker for resources. It knows nothing before Run.
func NewChecker(config *restclient.Config, resources ...schema.GroupVersionResource) (*Checker, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("could not make a client of custom resource definitions: %w", err)
	}
	checker := &Checker{informers: map[schema.GroupVersionResource]cache.SharedIndexInformer{}}
	for _, resource := range resources {
		// By name: the account may read these definitions and no others.
		byName := func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("metadata.name", resource.GroupResource().String()).String()
		}
		informer := dynamicinformer.NewFilteredDynamicInformer(client, definitions, metav1.NamespaceAll, 0, cache.Indexers{}, byName).Informer()
		if err := informer.SetTransform(toDefinition); err != nil {
			return nil, fmt.Errorf("could not read custom resource definitions: %w", err)
		}
		checker.informers[resource] = informer
	}
	return checker, nil
}

// Run follows the definitions until ctx ends.
func (c *Checker) Run(ctx context.Context) {
	for _, informer := range c.informers {
		go informer.RunWithContext(ctx)
	}
	<-ctx.Done()
}

// definition is what is kept of a definition: the schemas of its served versions.
type definition struct {
	metav1.ObjectMeta
	versions map[string]*node
}

// toDefinition reads a definition. What can't be read knows no fields, so that nothing
// is refused because of it.
func toDefinition(object any) (any, error) {
	crd, ok := object.(*unstructured.Unstructured)
	if !ok {
		return object, nil
	}
	read := &definition{
		ObjectMeta: metav1.ObjectMeta{Name: crd.GetName(), UID: crd.GetUID(), ResourceVersion: crd.GetResourceVersion()},
		versions:   map[string]*node{},
	}
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil {
		return read, nil
	}
	for _, version := range versions {
		version, _ := version.(map[string]any)
		name, _ := version["name"].(string)
		root, found, err := unstructured.NestedMap(version, "schema", "openAPIV3Schema")
		if err == nil && found && version["served"] == true {
			read.versions[name] = newNode(root)
		}
	}
	return read, nil
}

// schemaOf returns the schema of a resource, or nil if it isn't known.
func (c *Checker) schemaOf(resource schema.GroupVersionResource) *node {
	informer, ok := c.informers[resource]
	if !ok {
		return nil
	}
	object, found, err := informer.GetStore().GetByKey(resource.GroupResource().String())
	if err != nil || !found {
		return nil
	}
	read, ok := object.(*definition)
	if !ok {
		return nil
	}
	return read.versions[resource.Version]
}

// For returns a function that checks a write to a resource: before and after are what
// it was and what it is to be, before is nil for a new one. Each error is about a part
// of spec that is new or changed and that the installed definition lacks, at the path
// that viewPath makes of the custom resource's. Where no definition is known there are
// none.
func (c *Checker) For(resource schema.GroupVersionResource) func(before, after map[string]any, viewPath func(string) string) field.ErrorList {
	return func(before, after map[string]any, viewPath func(string) string) field.ErrorList {
		root := c.schemaOf(resource)
		if root == nil {
			return nil
		}
		var errs field.ErrorList
		for _, lacking := range root.lacking(before, after) {
			errs = append(errs, &field.Error{
				Type:     field.ErrorTypeInvalid,
				Field:    viewPath(lacking.path),
				BadValue: field.OmitValueType{},
				Detail:   "the installed Function Mesh definition has no such field" + sinceText(lacking.canonical),
			})
		}
		return errs
	}
}
