package conformance

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
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

func TestForm(t *testing.T) {
	t.Parallel()
	parts := []part{{"functionConfig", "application/json", `{"a":"ü\r\n"}`}, {"url", "text/plain", ""}, {"bare", "", "x"}}
	body, contentType, err := encodeForm(parts)
	if err != nil {
		t.Fatal(err)
	}
	sent := must[[]byte](t)(io.ReadAll(body))
	if got := must[[]part](t)(decodeForm(contentType, sent)); !slices.Equal(got, parts) {
		t.Errorf("%q becomes %q", parts, got)
	}
	if got, err := decodeForm("", nil); got != nil || err != nil {
		t.Errorf("no body becomes %q, %v", got, err)
	}
	for _, broken := range []string{"application/json", "multipart/form-data", "multipart/form-data; boundary=other"} {
		if got, err := decodeForm(broken, sent); err == nil {
			t.Errorf("a form of type %s becomes %q", broken, got)
		}
	}
}

func TestResendable(t *testing.T) {
	t.Parallel()
	form := []part{{"url", "text/plain", "x"}}
	for want, all := range map[bool][]exchange{
		true:  {{Request: "GET /a"}, {Request: "DELETE /a"}, {Request: "PUT /a", Form: form}, {Request: "POST /a", Form: form}, {Request: "POST /admin/v3/sinks/reloadBuiltInSinks"}},
		false: {{Request: "PUT /a"}, {Request: "POST /a"}},
	} {
		for _, one := range all {
			if got := (answer{Exchanges: []exchange{one}}).resendable(); got != want {
				t.Errorf("%s: %v", one.Request, got)
			}
		}
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	sent := func(text string) answer {
		return answer{Exchanges: []exchange{{Request: "PUT /a", Status: 204, Form: []part{{"url", "text/plain", text}}}}}
	}
	bare := answer{Exchanges: []exchange{{Request: "PUT /a", Status: 204}}}
	other := answer{Exchanges: []exchange{{Request: "PUT /a", Status: 400}}}
	if !sent("x").same(sent("x")) || !sent("x").same(bare) || !bare.same(sent("x")) {
		t.Error("the same answers differ")
	}
	if sent("x").same(sent("y")) || sent("x").same(other) || other.same(bare) {
		t.Error("different answers are the same")
	}
}

func TestWithoutCommands(t *testing.T) {
	t.Parallel()
	exchanges := []exchange{{Request: "GET /", Status: 200}}
	full := answer{Exit: 1, Out: "out", Err: "err", Exchanges: exchanges}
	steps := script{{Name: "java", call: call{Admin: "functions list"}}, {Name: "go", call: call{Go: "functions list"}}, {Name: "new", call: call{Admin: "x"}}}
	want := map[string]answer{"java": {Exchanges: exchanges}, "go": full}
	if got := withoutCommands(steps, map[string]answer{"java": full, "go": full}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
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
