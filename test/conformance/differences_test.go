package conformance

import (
	"fmt"
	"os"
	"regexp"
	"slices"

	"sigs.k8s.io/yaml"
)

// maxDifferences is how many there may be before the shim is another thing than Pulsar.
const maxDifferences = 15

// difference is an entry of differences.yaml: a way in which the shim is meant to
// answer otherwise than Pulsar.
type difference struct {
	Name string `json:"name"`
	// Class is one of classes.
	Class  string `json:"class"`
	Reason string `json:"reason"`
	// Decision is the number of the entry in docs/decisions.md that a different status
	// needs.
	Decision int `json:"decision,omitempty"`
	// Steps, Pulsar and Shim are regular expressions: for the names of steps and for
	// the two answers, as answer.text returns them.
	Steps  string `json:"steps"`
	Pulsar string `json:"pulsar"`
	Shim   string `json:"shim"`
	// Without is a regular expression too: when it is set, the answers have to be the
	// same but for what it matches.
	Without string `json:"without,omitempty"`

	steps, pulsar, shim, without *regexp.Regexp
	used                         bool
}

// classes are the reasons that there are for a difference.
var classes = []string{"Pulsar defect", "Kubernetes", "security"}

func loadDifferences(file string) ([]*difference, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("could not read the differences: %w", err)
	}
	var all []*difference
	if err := yaml.UnmarshalStrict(text, &all); err != nil {
		return nil, fmt.Errorf("could not read %s: %w", file, err)
	}
	if len(all) > maxDifferences {
		return nil, fmt.Errorf("%s has %d entries, more than %d", file, len(all), maxDifferences)
	}
	for _, d := range all {
		if d.Name == "" || d.Reason == "" || !slices.Contains(classes, d.Class) {
			return nil, fmt.Errorf("%s: %q needs a name, a reason and one of the classes %q", file, d.Name, classes)
		}
		for source, to := range map[string]**regexp.Regexp{d.Steps: &d.steps, d.Pulsar: &d.pulsar, d.Shim: &d.shim} {
			if source == "" {
				return nil, fmt.Errorf("%s: %q needs steps, pulsar and shim", file, d.Name)
			}
			if *to, err = regexp.Compile("(?s)" + source); err != nil {
				return nil, fmt.Errorf("%s: %q: %w", file, d.Name, err)
			}
		}
		if d.Without == "" {
			continue
		}
		if d.without, err = regexp.Compile(d.Without); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", file, d.Name, err)
		}
	}
	return all, nil
}

// explain returns the entry that a difference is listed as, or nil.
func explain(all []*difference, step string, pulsar, shim answer) *difference {
	for _, d := range all {
		if !d.steps.MatchString(step) || !d.pulsar.MatchString(pulsar.text()) || !d.shim.MatchString(shim.text()) {
			continue
		}
		if d.Decision == 0 && !slices.Equal(pulsar.statuses(), shim.statuses()) {
			continue
		}
		if d.without != nil && d.without.ReplaceAllString(pulsar.text(), "") != d.without.ReplaceAllString(shim.text(), "") {
			continue
		}
		d.used = true
		return d
	}
	return nil
}
