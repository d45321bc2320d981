package pulsarclients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// api makes single REST requests, for what Pulsar's own clients never send or
// never show.
type api struct {
	url    string
	client *http.Client
	header http.Header
}

// rest is the shim that lets anybody in.
func rest() *api {
	return &api{url: world.env.ShimURL(), client: http.DefaultClient}
}

// with returns the same with a header.
func (a *api) with(name, value string) *api {
	header := a.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Add(name, value)
	return &api{url: a.url, client: a.client, header: header}
}

// answer is what came back.
type answer struct {
	code   int
	body   string
	reason string
	header http.Header
}

func (a answer) String() string {
	return fmt.Sprintf("%d %s", a.code, strings.TrimSpace(a.body))
}

// part is a part of a form. Without a content type it is of JSON.
type part struct {
	name, content string
	contentType   string
	fileName      string
}

// config is the part with a function's configuration.
func config(text string) part { return part{name: "functionConfig", content: text} }

// at is the part with a package's URL.
func at(location string) part { return part{name: "url", content: location, contentType: "text/plain"} }

// encodeForm returns a form's body and its media type.
func encodeForm(t *testing.T, parts ...part) ([]byte, string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range parts {
		disposition := fmt.Sprintf("form-data; name=%q", part.name)
		if part.fileName != "" {
			disposition += fmt.Sprintf("; filename=%q", part.fileName)
		}
		contentType := part.contentType
		if contentType == "" {
			contentType = "application/json"
		}
		writer := must[io.Writer](t)(form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {disposition}, "Content-Type": {contentType},
		}))
		must[int](t)(io.WriteString(writer, part.content))
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return body.Bytes(), form.FormDataContentType()
}

// functionPath returns the path of a function, each part escaped.
func functionPath(name identity.Name) string {
	return "/admin/v3/functions/" + url.PathEscape(name.Tenant) + "/" + url.PathEscape(name.Namespace) + "/" + url.PathEscape(name.Name)
}

// apiServerIsBusy is the reason of an answer that says nothing of what was asked: on a
// slow machine requests may wait in vain for their turn at the API server.
const apiServerIsBusy = "The API server has too many requests. Please try again in a little while."

// send makes a request with the given body. The path is sent as it is. Where it is asked
// to, it tries again.
func (a *api) send(t *testing.T, method, path, contentType string, body []byte) answer {
	t.Helper()
	for deadline := time.Now().Add(waitTimeout); ; time.Sleep(time.Second) {
		result, err := a.try(t, method, path, contentType, body)
		if err != nil {
			t.Fatal(err)
		}
		if result.code != http.StatusTooManyRequests || result.reason != apiServerIsBusy || time.Now().After(deadline) {
			return result
		}
	}
}

// try is send for requests that may end without an answer.
func (a *api) try(t *testing.T, method, path, contentType string, body []byte) (answer, error) {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, a.url+path, bytes.NewReader(body)))
	for name, values := range a.header {
		request.Header[name] = values
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	result := answer{code: response.StatusCode, body: string(content), header: response.Header}
	var refusal map[string]any
	if json.Unmarshal(content, &refusal) == nil && result.code >= 300 {
		result.reason, _ = refusal["reason"].(string)
		if len(refusal) != 1 {
			t.Errorf("%s %s: the answer has more members than reason: %s", method, path, content)
		}
	}
	return result, nil
}

func (a *api) form(t *testing.T, method string, name identity.Name, parts ...part) answer {
	t.Helper()
	body, contentType := encodeForm(t, parts...)
	return a.send(t, method, functionPath(name), contentType, body)
}

func (a *api) create(t *testing.T, name identity.Name, parts ...part) answer {
	t.Helper()
	return a.form(t, http.MethodPost, name, parts...)
}

func (a *api) update(t *testing.T, name identity.Name, parts ...part) answer {
	t.Helper()
	return a.form(t, http.MethodPut, name, parts...)
}

func (a *api) remove(t *testing.T, name identity.Name) answer {
	t.Helper()
	return a.send(t, http.MethodDelete, functionPath(name), "", nil)
}

func (a *api) get(t *testing.T, name identity.Name) answer {
	t.Helper()
	return a.send(t, http.MethodGet, functionPath(name), "", nil)
}

// read returns a function's configuration as GET answers with it.
func (a *api) read(t *testing.T, name identity.Name) map[string]any {
	t.Helper()
	result := a.get(t, name)
	if result.code != http.StatusOK {
		t.Fatalf("GET %s: %s", name, result)
	}
	return decode(t, result.body)
}

// names returns the functions of a Pulsar namespace.
func (a *api) names(t *testing.T, tenant, namespace string) []string {
	t.Helper()
	result := a.send(t, http.MethodGet, "/admin/v3/functions/"+tenant+"/"+namespace, "", nil)
	var names []string
	if err := json.Unmarshal([]byte(result.body), &names); err != nil || result.code != http.StatusOK || names == nil {
		t.Fatalf("list of %s/%s: %s", tenant, namespace, result)
	}
	return names
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}

func encode(t *testing.T, value any) string {
	t.Helper()
	return string(must[[]byte](t)(json.Marshal(value)))
}

// expect checks an answer's code and reason.
func expect(t *testing.T, what string, got answer, code int, reason string) {
	t.Helper()
	if got.code != code || got.reason != reason {
		t.Errorf("%s: the answer is %s, not %d with reason %q", what, got, code, reason)
	}
}

// expectOK checks that an answer is Pulsar's to what returns no value.
func expectOK(t *testing.T, what string, got answer) {
	t.Helper()
	if got.code != http.StatusNoContent || got.body != "" {
		t.Fatalf("%s: the answer is %s, not 204 without a body", what, got)
	}
}

// javaConfig is the least that a Java function has, with its topics named after it.
const javaConfig = `{"className":"org.example.F","inputs":["in"],"output":"out","jar":"function://public/default/f@1"}`

// someFunction creates a function with javaConfig.
func someFunction(t *testing.T, name identity.Name) {
	t.Helper()
	expectOK(t, "create "+name.String(), rest().create(t, name, config(javaConfig)))
}
