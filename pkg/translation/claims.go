package translation

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/validation"
)

// ReservedPrefix begins the keys of labels and annotations on custom resources
// that are this project's own. Views never show one.
const ReservedPrefix = "admin.functionmesh.io/"

// claimSeparator stands for the slash of a claim's own key behind ReservedPrefix.
// No prefix of a key can contain it.
const claimSeparator = "_"

// Labels and annotations by which a tool claims an object as its own. A tool that
// manages one of view and custom resource must not find its claim on the other:
// it would take that for an object which it made and which should go.
var (
	claimKeys = map[string]bool{
		"app.kubernetes.io/instance":                       true, // Argo CD, by default
		"app.kubernetes.io/managed-by":                     true, // Helm
		"applyset.kubernetes.io/part-of":                   true, // kubectl apply --prune
		"argocd.argoproj.io/installation-id":               true,
		"argocd.argoproj.io/tracking-id":                   true,
		"config.k8s.io/owning-inventory":                   true, // cli-utils, kpt
		"kubectl.kubernetes.io/last-applied-configuration": true,
	}
	claimPrefixes = []string{
		"helm.toolkit.fluxcd.io/",
		"kustomize.toolkit.fluxcd.io/",
		"meta.helm.sh/",
	}
)

// Reserved tells whether the key of a label or annotation is this project's own.
func Reserved(key string) bool {
	return strings.HasPrefix(key, ReservedPrefix)
}

// Claimed tells whether a label or annotation of this key is a tool's claim.
func Claimed(key string) bool {
	if claimKeys[key] {
		return true
	}
	for _, prefix := range claimPrefixes {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// storedKey is the key under which a view's claim stands on the custom resource.
func storedKey(claim string) string {
	return ReservedPrefix + strings.Replace(claim, "/", claimSeparator, 1)
}

// claimOf is the inverse of storedKey.
func claimOf(stored string) (string, bool) {
	claim := strings.Replace(strings.TrimPrefix(stored, ReservedPrefix), claimSeparator, "/", 1)
	return claim, Reserved(stored) && Claimed(claim)
}

// mapToCR returns a view's labels or annotations as the custom resource has them.
func mapToCR(view map[string]string) (map[string]string, error) {
	cr := make(map[string]string, len(view))
	for key, value := range view {
		switch {
		case Reserved(key):
			// A caller can't write what the server keeps for itself.
		case Claimed(key):
			stored := storedKey(key)
			if problems := validation.IsQualifiedName(stored); len(problems) > 0 {
				return nil, fmt.Errorf("could not keep the key %q apart from the custom resource's: %s",
					key, strings.Join(problems, ", "))
			}
			cr[stored] = value
		default:
			cr[key] = value
		}
	}
	return emptyAsNil(cr), nil
}

// mapFromCR returns a custom resource's labels or annotations as its view has them.
func mapFromCR(cr map[string]string) map[string]string {
	view := make(map[string]string, len(cr))
	for key, value := range cr {
		if claim, ok := claimOf(key); ok {
			view[claim] = value
		} else if !Reserved(key) && !Claimed(key) {
			view[key] = value
		}
	}
	return emptyAsNil(view)
}

// SelectorToCR returns a selector that selects the custom resources of the views
// that selector selects. Keys with ReservedPrefix, which no view has, stay as they
// are, so that the server itself can select by them.
func SelectorToCR(selector labels.Selector) labels.Selector {
	requirements, selectable := selector.Requirements()
	if !selectable {
		return selector
	}
	rewritten := labels.NewSelector()
	for _, requirement := range requirements {
		if !Claimed(requirement.Key()) {
			rewritten = rewritten.Add(requirement)
			continue
		}
		stored, err := labels.NewRequirement(storedKey(requirement.Key()), requirement.Operator(), requirement.ValuesUnsorted())
		switch {
		case err == nil:
			rewritten = rewritten.Add(*stored)
		case requirement.Operator() == selection.NotIn, requirement.Operator() == selection.NotEquals,
			requirement.Operator() == selection.DoesNotExist:
			// The key is too long to be stored, so no view has it.
		default:
			return labels.Nothing()
		}
	}
	return rewritten
}
