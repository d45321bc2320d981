package kubectlparity

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// objectWord is the word for an object in YAML: its name, and after semicolons lines
// of its spec.
var objectWord = regexp.MustCompile(`<object (<[a-z]+>|[^<>])*>`)

// labelledWord is the word for an object with a label.
var labelledWord = regexp.MustCompile(`<labelled [a-z]+>`)

// random is what two runs of one command don't have in common.
var random = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "<time>"},
	{regexp.MustCompile(`[A-Z][a-z][a-z], \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d \+\d{4}`), "<time>"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<uid>"},
	{regexp.MustCompile(`(resourceVersion"?: ?"?)\d+`), "${1}<rv>"},
	{regexp.MustCompile(`(generation"?: ?)\d+`), "${1}<generation>"},
	{regexp.MustCompile(`(?m)^VERSION: .*`), "VERSION: <version>"},
	// What kubectl tells about itself depends on time.
	{regexp.MustCompile(`(?m)^([IWE]\d{4} .* reflector\.go|I\d{4} ).*\n`), ""},
	{regexp.MustCompile(`[WE]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (\S+):\d+\]`), "<log> $1]"},
	{regexp.MustCompile(`(resource version to be \d+, was) \d+`), "$1 <rv>"},
	{regexp.MustCompile(`(patch: Invalid value: )".*": `), "${1}<object>: "},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "<server>"},
	{regexp.MustCompile(`\bmade-[a-z0-9]{5}\b`), "made-<random>"},
	{regexp.MustCompile(`\S*/(LIVE|MERGED)-\d+/`), "${1}/"},
	{regexp.MustCompile(`kubectl-edit-\d+\.yaml`), "kubectl-edit.yaml"},
	{regexp.MustCompile(`(?m)\b(\d+m)?\d+s$`), "<age>"},
	// Go names the structs that a member is in.
	{regexp.MustCompile(`Go struct field \S+`), "Go struct field"},
	// What is wrong with a value is for each kind to say, and Pulsar's own words come
	// last, once more, for its clients.
	{regexp.MustCompile(`((?:spec\S*|<fixed>): Invalid value: )("[^"]*"|\{.*?\}|[^":]*): .*`), "${1}<value>: <detail>"},
	{regexp.MustCompile(`(?m)^\* pulsar-admin: .*\n`), ""},
	{regexp.MustCompile(`is invalid: \n\* (.*)\n(\n|$)`), "is invalid: $1\n"},
}

// generic takes names and what is random out of what kubectl printed.
func (s *side) generic(output string) string {
	output = strings.NewReplacer(append([]string{s.namespace, "<ns>", s.dir, "<dir>"}, s.kind.names()...)...).Replace(output)
	for _, r := range random {
		output = r.pattern.ReplaceAllString(output, r.replacement)
	}
	return output
}

// nothing says only whether there is any output.
func nothing(output string) string {
	if strings.TrimSpace(output) == "" {
		return ""
	}
	return "some output\n"
}

// columns returns the first column of a table, and whether it has a last one that
// tells the age.
func columns(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		cells := strings.Fields(line)
		if len(cells) == 0 {
			continue
		}
		b.WriteString(cells[0])
		if cells[len(cells)-1] == "AGE" {
			b.WriteString(" ... AGE")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// lastColumn returns the first and the last column of a table.
func lastColumn(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if cells := strings.Fields(line); len(cells) > 0 {
			fmt.Fprintln(&b, cells[0], "...", cells[len(cells)-1])
		}
	}
	return b.String()
}

// changes returns the lines of a difference that are changes of the spec or of
// metadata that people write, without their order.
func changes(output string) string {
	var changed []string
	for line := range strings.Lines(output) {
		if (strings.HasPrefix(line, "+ ") || strings.HasPrefix(line, "- ")) && !strings.Contains(line, "generation: ") {
			changed = append(changed, line)
		}
	}
	// kubectl sorts by the names of members, which are the kind's own.
	slices.SortFunc(changed, func(a, b string) int {
		_, aValue, _ := strings.Cut(a, ": ")
		_, bValue, _ := strings.Cut(b, ": ")
		return strings.Compare(aValue, bValue)
	})
	return strings.Join(changed, "")
}

// headings returns what explain and describe have at the left.
func headings(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if heading := leftHeading.FindString(line); heading != "" {
			b.WriteString(strings.Join(strings.Fields(heading), " ") + "\n")
		}
	}
	return b.String()
}

var leftHeading = regexp.MustCompile(`^(GROUP|KIND|VERSION|FIELD|RESOURCE|DESCRIPTION|FIELDS|Name|Namespace|Labels|Annotations|Events):.*`)

// changedNames returns only which files differ.
func changedNames(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "diff ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// object returns what all kinds have in common of an object, or of a list of them, in
// JSON or YAML: metadata and the names of the other members.
func object(output string) string {
	var value map[string]any
	if err := yaml.Unmarshal([]byte(output), &value); err != nil || value == nil {
		return output
	}
	items, isList := value["items"].([]any)
	if isList {
		for i := range items {
			items[i] = common(items[i].(map[string]any))
		}
	} else {
		value = common(value)
	}
	if metadata, ok := value["metadata"].(map[string]any); ok {
		delete(metadata, "remainingItemCount")
		if metadata["continue"] != nil {
			metadata["continue"] = "<continue>"
		}
	}
	data, err := yaml.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// common returns what all kinds have in common of an object.
func common(value map[string]any) map[string]any {
	for name := range value {
		switch name {
		case "apiVersion", "kind":
		case "metadata":
			metadata := value[name].(map[string]any)
			if managed, ok := metadata["managedFields"].([]any); ok {
				metadata["managedFields"] = managers(managed)
			}
			if annotations, ok := metadata["annotations"].(map[string]any); ok {
				if applied, ok := annotations["kubectl.kubernetes.io/last-applied-configuration"].(string); ok && json.Valid([]byte(applied)) {
					annotations["kubectl.kubernetes.io/last-applied-configuration"] = "<applied>"
				}
			}
		default:
			value[name] = "<" + name + ">"
		}
	}
	return value
}

// managers returns who manages fields of an object's spec and metadata, how and which
// of the latter.
func managers(managed []any) []any {
	var entries []any
	for _, entry := range managed {
		entry := entry.(map[string]any)
		if entry["subresource"] == "status" {
			continue
		}
		fields := entry["fieldsV1"].(map[string]any)
		if metadata, ok := fields["f:metadata"].(map[string]any); ok {
			entry["metadata"] = slices.Collect(maps.Keys(metadata))
			slices.Sort(entry["metadata"].([]string))
		}
		entry["fieldsV1"] = slices.Sorted(maps.Keys(fields))
		entries = append(entries, entry)
	}
	return entries
}
