package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// The kinds of what an object can refer to.
const (
	SecretKind    = "Secret"
	ConfigMapKind = "ConfigMap"
)

// Reference is something in the object's namespace that pods can't start without.
type Reference struct {
	// Kind is SecretKind or ConfigMapKind.
	Kind string
	Name string
	// Field is where the object says so, in the view's words; empty if a pod told.
	Field string
}

// String names it and where it is referred to.
func (r Reference) String() string {
	text := r.Kind + " " + r.Name
	if r.Field != "" {
		text += " (" + r.Field + ")"
	}
	return text
}

// Elder is the object whose Pulsar identity another one has as well.
type Elder struct {
	// Kind and Name are of the elder's view.
	Kind, Name string
	// Identity is what both have.
	Identity string
	// NotStopped is why the younger one isn't kept stopped, empty if it is.
	NotStopped string
}

// notServedMessage says what that means, behind why it is so.
const notServedMessage = " Pulsar's clients don't find the object; here it can be scaled, suspended, resumed and deleted."

func (e *Elder) message() string {
	text := fmt.Sprintf("%s is the Pulsar identity of %s %s as well, which is older.", e.Identity, e.Kind, e.Name)
	if e.NotStopped != "" {
		return text + " " + e.NotStopped
	}
	return text + " This one is kept stopped until that one is gone."
}

// maxNamed bounds how many missing objects a message names.
const maxNamed = 5

// missingMessage names what is missing, in an order that doesn't depend on who told.
func missingMessage(missing []Reference) string {
	missing = slices.Clone(missing)
	slices.SortFunc(missing, func(a, b Reference) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.Field, b.Field))
	})
	names := make([]string, 0, maxNamed+1)
	for i, reference := range missing {
		if i == maxNamed {
			names = append(names, fmt.Sprintf("and %d more", len(missing)-maxNamed))
			break
		}
		names = append(names, reference.String())
	}
	return "Pods can't start without what isn't there: " + strings.Join(names, ", ") + "."
}

// merge adds what pods told to what was looked up, each once.
func merge(missing, told []Reference) []Reference {
	merged := slices.Clone(missing)
	for _, reference := range told {
		known := slices.ContainsFunc(merged, func(other Reference) bool {
			return other.Kind == reference.Kind && other.Name == reference.Name
		})
		if !known {
			merged = append(merged, reference)
		}
	}
	return merged
}
