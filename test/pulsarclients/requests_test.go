package pulsarclients

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// TestOrderOfChecks makes several mistakes at once: the answer is about the one that
// Pulsar finds first.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	existing := identity.Name{Tenant: "requests", Namespace: "order", Name: "existing"}
	missing := identity.Name{Tenant: "requests", Namespace: "order", Name: "missing"}
	someFunction(t, existing)
	const invalid = `{"inputs":["a/b"],"parallelism":0,"jar":"file:///x"}`
	file := part{name: "data", content: "code", contentType: "application/octet-stream", fileName: "code.jar"}
	for _, test := range []struct {
		what   string
		got    answer
		code   int
		reason string
	}{
		{"create without config of what exists", rest().create(t, existing, at("function://a/b/c@1")), 400, "Function config is not provided"},
		{"create with null of what exists", rest().create(t, existing, config("null")), 400, "Function config is not provided"},
		{"create with an invalid config of what exists", rest().create(t, existing, config(invalid)), 400, "Function existing already exists"},
		{"create with a file of what exists", rest().create(t, existing, config(invalid), file), 400, "Function existing already exists"},
		{"create with an invalid package and invalid topics", rest().create(t, missing, config(invalid)), 400,
			"Function Package url is not valid.supported url (http/https/file)"},
		{"update without config of what is missing", rest().update(t, missing), 400, "Function config is not provided"},
		{"update with an invalid config of what is missing", rest().update(t, missing, config(invalid)), 400, "Function missing doesn't exist"},
		{"update of what can't change, with an invalid value", rest().update(t, existing, config(`{"inputs":["other"],"parallelism":0}`)), 400,
			"Input Topics cannot be altered"},
		{"update with an invalid value, and a file", rest().update(t, existing, config(`{"parallelism":0}`), file), 400, uploadRefusal},
		{"update with nothing", rest().update(t, existing, config(`{}`)), 400, "Update contains no change"},
		{"delete of what is missing", rest().remove(t, missing), 404, "Function missing doesn't exist"},
		{"get of what is missing", rest().get(t, missing), 404, "Function missing doesn't exist"},
	} {
		expect(t, test.what, test.got, test.code, test.reason)
	}
}

// joined returns the text of a JSON object with the members of two.
func joined(a, b string) string {
	return strings.TrimSuffix(a, "}") + "," + strings.TrimPrefix(b, "{")
}

// TestPathWins sends another identity in the body than in the path.
func TestPathWins(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "requests", Namespace: "path", Name: "f"}
	const other = `"tenant":"other","namespace":"other","name":"other"`
	expectOK(t, "create", rest().create(t, name, config(joined(`{`+other+`}`, javaConfig))))
	expectFields(t, "get", rest().read(t, name), map[string]any{"tenant": name.Tenant, "namespace": name.Namespace, "name": "f"})
	expectOK(t, "update", rest().update(t, name, config(`{`+other+`,"parallelism":2}`)))
	expectFields(t, "get", rest().read(t, name), map[string]any{"tenant": name.Tenant, "name": "f", "parallelism": 2})
	if names := rest().names(t, "other", "other"); len(names) > 0 {
		t.Errorf("the body's identity has %v", names)
	}
}

// TestNamesInPaths goes through what a path's segment can hold.
func TestNamesInPaths(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 200)
	var accepted []string
	for _, name := range []string{"Upper_Case", "a.b-c=d:e", "-", "1", long, long + "2"} {
		full := identity.Name{Tenant: "requests", Namespace: "names", Name: name}
		someFunction(t, full)
		accepted = append(accepted, name)
		expectFields(t, "get", rest().read(t, full), map[string]any{"name": name})
		if objectName := view(t, full).Name; len(objectName) > identity.MaxObjectNameLength {
			t.Errorf("the object of %s is %s, which is too long for the operator", name, objectName)
		}
	}
	slices.Sort(accepted)
	if names := rest().names(t, "requests", "names"); !slices.Equal(names, accepted) {
		t.Errorf("list answers %v", names)
	}
	for _, name := range accepted {
		expectOK(t, "delete "+name, rest().remove(t, identity.Name{Tenant: "requests", Namespace: "names", Name: name}))
	}

	body, contentType := encodeForm(t, config(javaConfig))
	const characters = "may hold only letters of a to z in either case, digits and - = : . _"
	for _, test := range []struct {
		segment string
		code    int
		reason  string
	}{
		{"a%20b", 400, `spec.name: Invalid value: "a b": ` + characters},
		{"a%2Fb", 400, `spec.name: Invalid value: "a/b": ` + characters},
		{"%2E%2E", 400, `spec.name: Invalid value: "..": ` + characters},
		{"%C3%BC", 400, `spec.name: Invalid value: "ü": ` + characters},
		{"a%00b", 400, `spec.name: Invalid value: "a\x00b": ` + characters},
		{"a%2562", 400, `spec.name: Invalid value: "a%62": ` + characters},
		{"%7B%7D;'%22", 400, `spec.name: Invalid value: "{};'\"": ` + characters},
		{strings.Repeat("n", 256), 400, "spec.name: Too long: may not be more than 255 bytes"},
		{"", 405, "HTTP method POST is not allowed here"},
		{"a/b", 404, "Pulsar's functions admin API has no such path"},
	} {
		path := "/admin/v3/functions/requests/names/" + test.segment
		expect(t, "POST "+path, rest().send(t, http.MethodPost, path, contentType, body), test.code, test.reason)
	}
	// A name that is looked for doesn't have to be one that there can be.
	for segment, name := range map[string]string{"a%2Fb": "a/b", "%2E%2E": "..", "a%20b": "a b", "%C3%BC": "ü"} {
		got := rest().send(t, http.MethodGet, "/admin/v3/functions/requests/names/"+segment, "", nil)
		expect(t, "GET "+segment, got, 404, "Function "+name+" doesn't exist")
	}
}

// TestJSON sends what Pulsar's reader takes for the same, and what it can't take.
func TestJSON(t *testing.T) {
	t.Parallel()
	name := func(i int) identity.Name {
		return identity.Name{Tenant: "requests", Namespace: "json", Name: fmt.Sprintf("f%d", i)}
	}
	for i, test := range []struct {
		config string
		want   map[string]any
	}{
		{`{"fieldOfTheFuture":{"a":[1]},"inputSpecs":{"in":{"fieldOfTheFuture":1}}}`, map[string]any{"fieldOfTheFuture": nil}},
		{`{"parallelism":null,"userConfig":null,"resources":null,"windowConfig":null,"secrets":null,"inputSpecs":null}`,
			map[string]any{"parallelism": 1, "userConfig": map[string]any{}}},
		{`{"parallelism":2.0}`, map[string]any{"parallelism": 2}},
		{`{"parallelism":"3"}`, map[string]any{"parallelism": 3}},
		{`{"autoAck":"true","retainOrdering":"TRUE"}`, map[string]any{"autoAck": true, "retainOrdering": true}},
		{`{"processingGuarantees":"whatever","subscriptionPosition":""}`,
			map[string]any{"processingGuarantees": "ATLEAST_ONCE", "subscriptionPosition": "Latest"}},
		{`{"producerConfig":{"compressionType":""}}`, map[string]any{"producerConfig.compressionType": "LZ4"}},
		{`{"inputSpecs":{"p-.*":{"isRegexPattern":true}}}`, map[string]any{}},
		{`{"resources":{"cpu":2}}`, map[string]any{"resources": map[string]any{"cpu": 2, "ram": 1 << 30, "disk": 10 << 30}}},
	} {
		expectOK(t, test.config, rest().create(t, name(i), config(joined(leastConfig, test.config))))
		expectFields(t, test.config, rest().read(t, name(i)), test.want)
	}
	numbers := joined(leastConfig, `{"userConfig":{"n":9007199254740993,"d":0.1,"e":1e3}}`)
	expectOK(t, "large numbers", rest().create(t, name(100), config(numbers)))
	if got := rest().get(t, name(100)).body; !strings.Contains(got, "9007199254740993") {
		t.Errorf("a large number lost digits: %s", got)
	}

	for text, reason := range map[string]string{
		``:                       "Function config is not provided",
		`{`:                      "Function config is not valid JSON: unexpected EOF",
		`[]`:                     "Function config is not a JSON object",
		`"text"`:                 "Function config is not a JSON object",
		`{} {}`:                  "Function config is not valid JSON: text after the end of the object",
		`{"parallelism":1.5}`:    "parallelism must be a whole number from -2147483648 to 2147483647",
		`{"parallelism":"many"}`: "parallelism must be a whole number from -2147483648 to 2147483647",
		`{"inputs":"in"}`:        "inputs must be a list of texts",
		`{"userConfig":[1]}`:     "userConfig must be an object",
		`{"secrets":{"S":"hunter2"}}`: `secrets.S must be an object that names a Kubernetes Secret and one of its keys: ` +
			`{"path": "secret", "key": "key"}`,
	} {
		expect(t, text, rest().create(t, name(200), config(text)), 400, reason)
	}
}

// TestForms sends forms that are large, broken or unusual.
func TestForms(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "requests", Namespace: "forms", Name: "f"}
	url := at("function://public/default/f@1")
	body, contentType := encodeForm(t, config(javaConfig))
	var many []part
	for i := range 20 {
		many = append(many, part{name: fmt.Sprintf("p%d", i)})
	}
	path := functionPath(name)
	for _, test := range []struct {
		what   string
		got    answer
		code   int
		reason string
	}{
		{"a huge config", rest().create(t, name, config(`{"className":"`+strings.Repeat("x", 1<<20)+`"}`)), 413,
			`Part "functionConfig" is larger than 262144 bytes`},
		{"a huge URL", rest().create(t, name, config(javaConfig), at(strings.Repeat("x", 10<<10))), 413, `Part "url" is larger than 8192 bytes`},
		{"many parts", rest().create(t, name, many...), 413, "The request has more than 16 parts"},
		{"no form", rest().send(t, http.MethodPost, path, "application/json", []byte(javaConfig)), 415,
			"Content-Type must be multipart/form-data with a boundary"},
		{"no content type", rest().send(t, http.MethodPost, path, "", body), 415, "Content-Type must be multipart/form-data with a boundary"},
		{"no boundary", rest().send(t, http.MethodPost, path, "multipart/form-data", body), 400,
			"Content-Type must be multipart/form-data with a boundary"},
		{"another boundary", rest().send(t, http.MethodPost, path, "multipart/form-data; boundary=x", body), 400,
			"The request's body is not valid multipart/form-data: multipart: NextPart: EOF"},
		{"no end", rest().send(t, http.MethodPost, path, contentType, body[:len(body)-10]), 400,
			"The request's body is not valid multipart/form-data: unexpected EOF"},
	} {
		expect(t, test.what, test.got, test.code, test.reason)
	}
	large := fmt.Sprintf(`{"userConfig":{"x":%q}}`, strings.Repeat("x", 100<<10))
	got := rest().create(t, name, config(encode(t, changed(t, leastConfig, large))))
	const tooMuch = "no more than 98304 fit into the command line of an instance"
	if got.code != 400 || !strings.Contains(got.reason, tooMuch) {
		t.Errorf("a configuration that no command line holds is answered with %s", got)
	}
	expect(t, "get after refusals", rest().get(t, name), 404, "Function f doesn't exist")

	// Parts come in any order, of one that comes twice the first counts, and unknown ones
	// don't matter.
	extra := part{name: "fieldOfTheFuture", content: "x"}
	expectOK(t, "create", rest().create(t, name, extra, url, config(strings.Replace(javaConfig, "function://public/default/f@1", "f.jar", 1)), config("{")))
	expectFields(t, "the custom resource", resource(t, name.ObjectName()).Object,
		map[string]any{"spec.java.jarLocation": "function://public/default/f@1"})
	expect(t, "broken update options", rest().update(t, name, config(`{}`), part{name: "updateOptions", content: "{"}), 400,
		"Update options is not valid JSON: unexpected EOF")
	updated := rest().update(t, name, part{name: "updateOptions", content: `{"updateAuthData":true}`}, config(`{}`))
	expectOK(t, "update", updated)
	if warning := updated.header.Get("Warning"); !strings.Contains(warning, "updateAuthData has no effect") {
		t.Errorf("the warning is %q", warning)
	}
	expectOK(t, "update", rest().update(t, name, at("function://public/default/f@2"), config(`{}`)))
	expectFields(t, "the custom resource", resource(t, name.ObjectName()).Object,
		map[string]any{"spec.java.jarLocation": "function://public/default/f@2"})
}

// TestRouting asks for what there is not, and looks at what comes beside answers.
func TestRouting(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "requests", Namespace: "routing", Name: "f"}
	created := rest().create(t, name, config(javaConfig))
	expectOK(t, "create", created)
	const warning = `299 - "spec.package.location: no package service is configured, so it was not checked that the package exists"`
	if got := created.header.Get("Warning"); got != warning {
		t.Errorf("the warning is %q", got)
	}
	for _, test := range []struct {
		method, path string
		code         int
		reason       string
	}{
		{http.MethodPatch, functionPath(name), 405, "HTTP method PATCH is not allowed here"},
		{http.MethodGet, "/admin/v3/functions", 404, "Pulsar's functions admin API has no such path"},
		{http.MethodGet, "/admin/v3/functions/a/b/c/d/e/f", 404, "Pulsar's functions admin API has no such path"},
		{http.MethodGet, "/admin/v4/functions/a/b", 404, "Pulsar's functions admin API has no such path"},
		{http.MethodGet, "/", 404, "Pulsar's functions admin API has no such path"},
		{http.MethodGet, "/admin/v3/functions/a/b/c/state/k", 404, "'c' is not found"},
		{http.MethodGet, functionPath(name) + "/state/k", 503, "State storage client is not done initializing. Please try again in a little while."},
		{http.MethodGet, "/admin/v3/sink/a/b/c/status", 404, "Sink c doesn't exist"},
		{http.MethodGet, "/admin/v3/sink/a/b", 200, ""},
		{http.MethodGet, "/admin/v3/worker/cluster", 200, ""},
		{http.MethodGet, "/admin/v2/functions/a/b/c", 410,
			"Pulsar's functions admin API v2 is not served: use /admin/v3/functions (API version 3 of the client)"},
	} {
		expect(t, test.method+" "+test.path, rest().send(t, test.method, test.path, "", nil), test.code, test.reason)
	}
	if got := rest().with("Sec-Fetch-Site", "cross-site").create(t, name, config(javaConfig)); got.code != http.StatusForbidden {
		t.Errorf("a form of another origin's page is answered with %s", got)
	}
	// A page that pointed a name of its own at this address would be of the same origin.
	conn := dial(t, rest().url, "GET "+functionPath(name)+" HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
	response := must[*http.Response](t)(http.ReadResponse(bufio.NewReader(conn), nil))
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a request for another host is answered with %s", response.Status)
	}
	got := rest().get(t, name)
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("X-Request-Id") == "" {
		t.Errorf("the headers are %v", got.header)
	}
	if head := rest().send(t, http.MethodHead, functionPath(name), "", nil); head.code != 200 || head.body != "" {
		t.Errorf("HEAD is answered with %s", head)
	}
}
