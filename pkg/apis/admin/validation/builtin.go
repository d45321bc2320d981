package validation

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

const (
	// builtinPrefix begins locations of what comes with an image. Pulsar looks at the
	// word alone.
	builtinPrefix = "builtin"

	// maxSuggestions bounds the names that a person is told who named none of the
	// catalogue.
	maxSuggestions = 3
	// maxCompared bounds the length of names that are compared: the time grows with
	// the product of both lengths.
	maxCompared = 64
)

// builtinName returns what follows builtin://.
func builtinName(location string) string {
	return strings.TrimPrefix(location, connectors.Prefix)
}

// builtinClass returns the class of the entry that the package's location names, or
// "" if there is no such entry of the component's kind.
func (c *checks) builtinClass() string {
	if !strings.HasPrefix(c.location(), connectors.Prefix) {
		return ""
	}
	entry, _ := c.options.Catalogue.Lookup(builtinName(c.location()))
	return classOf(entry, c.kind)
}

// classOf returns the class by which an entry is of a kind, or "" if it isn't.
func classOf(entry v1alpha1.PulsarConnectorSpec, kind v1alpha1.ComponentKind) string {
	switch kind {
	case v1alpha1.SourceKind:
		return entry.SourceClass
	case v1alpha1.SinkKind:
		return entry.SinkClass
	default:
		return entry.FunctionClass
	}
}

// unknownBuiltin says that the catalogue has no entry of a kind with this name: with
// Pulsar's text, and with the names that may have been meant.
func (c *checks) unknownBuiltin(path *field.Path, location, text string, kind v1alpha1.ComponentKind) {
	c.pulsar(field.Invalid(path, shortened(location), text))
	detail := fmt.Sprintf("the catalogue has no %s of this name", kind.Type)
	if nearest := c.nearestBuiltins(builtinName(location), kind); len(nearest) > 0 {
		detail += "; the nearest are " + strings.Join(nearest, ", ")
	}
	c.own(field.Invalid(path, shortened(location), detail))
}

// nearestBuiltins returns the locations of the entries of a kind whose names are
// most like a name.
func (c *checks) nearestBuiltins(name string, kind v1alpha1.ComponentKind) []string {
	type candidate struct {
		name     string
		distance int
	}
	var candidates []candidate
	for _, entry := range c.options.Catalogue.All() {
		if classOf(entry, kind) != "" && len(entry.Name) <= maxCompared {
			candidates = append(candidates, candidate{entry.Name, editDistance(name[:min(len(name), maxCompared)], entry.Name)})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return a.distance - b.distance })
	var nearest []string
	for _, candidate := range candidates[:min(len(candidates), maxSuggestions)] {
		nearest = append(nearest, connectors.Prefix+candidate.name)
	}
	return nearest
}

// editDistance returns how many bytes have to be put in, left out or exchanged to
// make one text of the other.
func editDistance(from, to string) int {
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(from) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(to) {
			exchanged := diagonal
			if from[i] != to[j] {
				exchanged++
			}
			diagonal = row[j+1]
			row[j+1] = min(exchanged, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
