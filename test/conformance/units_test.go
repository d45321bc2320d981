package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNormalBody(t *testing.T) {
	t.Parallel()
	const listPath, getPath = "/admin/v3/sinks/a/b", "/admin/v3/sinks/a/b/c"
	for _, test := range []struct{ path, media, body, want string }{
		{getPath, "application/json", `{"b": 5.0, "a": {"inputs": ["z", "y"], "other": ["z", "y"]}}`, `{"a":{"inputs":["y","z"],"other":["z","y"]},"b":5}`},
		{listPath, "application/json", `["b","a"]`, `["a","b"]`},
		{getPath, "application/json", `["b","a"]`, `["b","a"]`},
		{getPath, "application/json", `{"n":9007199254740993,"f":0.25,"t":"5.0"}`, `{"f":0.25,"n":9007199254740993,"t":"5.0"}`},
		{getPath, "text/html", "<html>7a66c35a</html>", "a page"},
		{getPath, "text/plain", "{not JSON", "{not JSON"},
	} {
		if got := normalBody(test.path, test.media, test.body); got != test.want {
			t.Errorf("%s of %s becomes %s", test.body, test.path, got)
		}
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	load := func(text string) ([]*difference, error) {
		file := filepath.Join(t.TempDir(), "differences.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return loadDifferences(file)
	}
	const entry = "- {name: n, class: Pulsar defect, reason: r, steps: ^a, pulsar: one, shim: two"
	for _, broken := range []string{
		"- {name: n, class: taste, reason: r, steps: a, pulsar: b, shim: c}",
		"- {name: n, class: security, steps: a, pulsar: b, shim: c}",
		"- {name: n, class: security, reason: r, steps: a, pulsar: b}",
		"- {name: n, class: security, reason: r, steps: a, pulsar: '(', shim: c}",
		entry + ", without: '('}",
		entry + ", unknown: 1}",
	} {
		if _, err := load(broken); err == nil {
			t.Errorf("%s is taken", broken)
		}
	}
	plain := must[[]*difference](t)(load(entry + "}"))
	decided := must[[]*difference](t)(load(entry + ", decision: 33}"))
	pulsar := answer{Out: "one", Exchanges: []exchange{{Status: 400}}}
	shim := answer{Out: "two", Exchanges: []exchange{{Status: 204}}}
	if explain(plain, "a step", pulsar, shim) != nil {
		t.Error("another status needs no decision")
	}
	if explain(must[[]*difference](t)(load(entry+", decision: 33, without: 'one|two|204'}")), "a step", pulsar, shim) != nil {
		t.Error("what remains without the difference may differ")
	}
	if explain(must[[]*difference](t)(load(entry+", decision: 33, without: 'one|two|204|400'}")), "a step", pulsar, shim) == nil {
		t.Error("what is the same without the difference differs")
	}
	if explain(decided, "a step", pulsar, shim) == nil || !decided[0].used {
		t.Error("a listed difference is none")
	}
	for _, other := range []*difference{
		explain(decided, "b step", pulsar, shim), explain(decided, "a step", shim, shim), explain(decided, "a step", pulsar, pulsar),
	} {
		if other != nil {
			t.Error("an entry explains what it isn't about")
		}
	}
}
