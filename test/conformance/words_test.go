package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// words splits a command as a shell does, as far as steps need it: single quotes keep
// everything, double quotes all but a backslash before a quote or a backslash.
func words(command string) ([]string, error) {
	var all []string
	var word strings.Builder
	started, quote := false, rune(0)
	escaped := false
	for _, r := range command {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case quote == '\'':
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\\':
			escaped, started = true, true
		case quote == '"':
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quote, started = r, true
		case r == ' ' || r == '\n' || r == '\t':
			if started {
				all = append(all, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("a quote or a backslash is open in %q", command)
	}
	if started {
		all = append(all, word.String())
	}
	return all, nil
}

// arguments returns those of pulsar-admin: @NAME becomes the flags that name a
// component, and a bare @ those that name the namespace.
func arguments(command, namespace string) ([]string, error) {
	split, err := words(command)
	if err != nil {
		return nil, err
	}
	var all []string
	for i, word := range split {
		// The first two are the kind and the operation, and an @ in a value is a value.
		name, ok := strings.CutPrefix(word, "@")
		if i != 2 || !ok {
			all = append(all, word)
			continue
		}
		all = append(all, "--tenant", tenant, "--namespace", namespace)
		if name != "" {
			all = append(all, "--name", name)
		}
	}
	return all, nil
}

func TestWords(t *testing.T) {
	t.Parallel()
	for command, want := range map[string][]string{
		`a  b`:                {"a", "b"},
		`a '{"b": 1}' ''`:     {"a", `{"b": 1}`, ""},
		`a "b \" c" d\ e`:     {"a", `b " c`, "d e"},
		`f create @x y @z`:    {"f", "create", "--tenant", tenant, "--namespace", "ns", "--name", "x", "y", "@z"},
		`f list @ --x 'a'"b"`: {"f", "list", "--tenant", tenant, "--namespace", "ns", "--x", "ab"},
	} {
		if got, err := arguments(command, "ns"); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", command, got, err)
		}
	}
	if _, err := words(`a 'b`); err == nil {
		t.Error("an open quote is no error")
	}
}
