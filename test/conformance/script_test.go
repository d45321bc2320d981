package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// tenant is the Pulsar tenant of everything that the script makes.
const tenant = "conformance"

// packageURLs are the packages that steps name as ${jar} and so on. Pulsar has them all.
var packageURLs = map[string]string{
	"jar":       "function://public/default/code@1",
	"jar2":      "function://public/default/code@2",
	"py":        "function://public/default/python@1",
	"go":        "function://public/default/go@1",
	"sink":      "sink://public/default/code@1",
	"sinknar":   "sink://public/default/nar@1",
	"source":    "source://public/default/code@1",
	"sourcenar": "source://public/default/nar@1",
}

// script is all steps in their order.
type script []step

// step is one command, or several at once.
type step struct {
	Name string `json:"name"`
	call `json:",inline"`
	// Together are calls that run at the same time.
	Together []call `json:"together,omitempty"`
	// Answers are those that each of Together may get, as "204" or "400 reason". Which
	// of them gets which is a matter of chance.
	Answers []string `json:"answers,omitempty"`

	// namespace is the Pulsar namespace of the step, which is its file's.
	namespace string
}

// call is a command of one of the clients: exactly one of Admin, Go and REST is set.
type call struct {
	// Admin are the arguments of pulsar-admin, as a shell has them, where @NAME stands
	// for the flags that say which component it is.
	Admin string `json:"admin,omitempty"`
	// Process has pulsar-admin run in a process of its own.
	Process bool `json:"process,omitempty"`
	// File is written for pulsar-admin, which finds it as ${file}.
	File map[string]any `json:"file,omitempty"`

	// Go is an operation of pulsaradmin, such as "functions create NAME".
	Go string `json:"go,omitempty"`
	// REST is a plain request: the method and the path below /admin/v3, where @ stands
	// for tenant and namespace, as in "POST functions/@/NAME".
	REST string `json:"rest,omitempty"`
	// Config is the configuration of a component, for Go and REST. A text is sent as it
	// is.
	Config json.RawMessage `json:"config,omitempty"`
	// ConfigType replaces the content type of the configuration; "none" leaves it out.
	ConfigType string `json:"configType,omitempty"`
	// URL is that of the package.
	URL string `json:"url,omitempty"`
	// Options are those of an update.
	Options json.RawMessage `json:"options,omitempty"`
	// Body is sent instead of a form, with content type Type.
	Body *string `json:"body,omitempty"`
	Type string  `json:"type,omitempty"`
}

// java tells whether it takes a JVM to run the step.
func (s step) java() bool { return s.Admin != "" }

// chosen returns the steps of the files that the variable PULSAR_CONFORMANCE_STEPS
// matches, which is a regular expression, and all without it.
func (s script) chosen() (script, error) {
	pattern, err := regexp.Compile(os.Getenv("PULSAR_CONFORMANCE_STEPS"))
	if err != nil {
		return nil, fmt.Errorf("PULSAR_CONFORMANCE_STEPS is no regular expression: %w", err)
	}
	var some script
	for _, step := range s {
		if pattern.MatchString(step.namespace) {
			some = append(some, step)
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("no file of steps is called like %s", pattern)
	}
	return some, nil
}

// namespaces returns those that steps use.
func (s script) namespaces() []string {
	var names []string
	for _, step := range s {
		if !slices.Contains(names, step.namespace) {
			names = append(names, step.namespace)
		}
	}
	return names
}

// loadScript reads the steps in a folder. Each file has a namespace of its own, named
// after it.
func loadScript(folder string) (script, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("could not list the steps: %w", err)
	}
	var all script
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("could not read steps: %w", err)
		}
		group := strings.TrimSuffix(filepath.Base(file), ".yaml")
		var steps []step
		if err := yaml.UnmarshalStrict([]byte(expand(string(text))), &steps); err != nil {
			return nil, fmt.Errorf("could not read %s: %w", file, err)
		}
		for _, step := range steps {
			step.Name = group + ": " + step.Name
			step.namespace = group
			if seen[step.Name] {
				return nil, fmt.Errorf("two steps are called %q", step.Name)
			}
			seen[step.Name] = true
			if err := step.check(); err != nil {
				return nil, fmt.Errorf("step %q: %w", step.Name, err)
			}
			all = append(all, step)
		}
	}
	return all, nil
}

// expand puts package URLs in place of their names.
func expand(text string) string {
	for name, url := range packageURLs {
		text = strings.ReplaceAll(text, "${"+name+"}", url)
	}
	return text
}

func (s step) check() error {
	calls := s.Together
	if len(calls) == 0 {
		calls = []call{s.call}
	}
	for _, call := range calls {
		kinds := 0
		for _, client := range []string{call.Admin, call.Go, call.REST} {
			if client != "" {
				kinds++
			}
		}
		if kinds != 1 {
			return fmt.Errorf("a call needs one client, not %d", kinds)
		}
	}
	if (len(s.Together) > 0) != (len(s.Answers) > 0) {
		return fmt.Errorf("calls that run together need the answers that they may get")
	}
	return nil
}

// configText returns what is sent as the configuration.
func configText(config json.RawMessage) string {
	var text string
	if bytes.HasPrefix(bytes.TrimSpace(config), []byte(`"`)) && json.Unmarshal(config, &text) == nil {
		return text
	}
	return string(config)
}
