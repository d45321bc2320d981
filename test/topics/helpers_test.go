package topics

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

const (
	code      = "function://public/default/code@1"
	functions = "/admin/v3/functions/public/default/"
)

// pulsarAdmin runs a command of Pulsar's own command line against an admin URL.
func pulsarAdmin(t *testing.T, url string, args ...string) javaclient.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return must[javaclient.Result](t)(java.Run(ctx, url, args...))
}

// objectName is that of the object of a component that the shim made.
func objectName(name string) string {
	return identity.Name{Tenant: "public", Namespace: "default", Name: name}.ObjectName()
}

// answer is what a request was answered with.
type answer struct {
	code int
	body string
	kind string
}

// reason is what Pulsar's clients show of a refusal.
func (a answer) reason() string {
	var body struct{ Reason string }
	if json.Unmarshal([]byte(a.body), &body) != nil {
		return a.body
	}
	return body.Reason
}

// ask sends a request to an admin URL.
func ask(ctx context.Context, method, url string, body io.Reader, contentType string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return answer{}, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, string(text), response.Header.Get("Content-Type")}, err
}

// administer changes something in Pulsar by its admin API.
func administer(t *testing.T, method, path, body string) {
	t.Helper()
	got := must[answer](t)(ask(t.Context(), method, pulsarServer.URL()+path, strings.NewReader(body), "application/json"))
	if got.code >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %+v", method, path, got)
	}
}

// subscriptionsOf are those of a topic, by its name in namespace public/default.
func subscriptionsOf(ctx context.Context, topic string) ([]string, error) {
	got, err := ask(ctx, http.MethodGet, pulsarServer.URL()+"/admin/v2/persistent/public/default/"+topic+"/subscriptions", nil, "")
	if err != nil {
		return nil, err
	}
	if got.code != http.StatusOK {
		return nil, fmt.Errorf("topic %s: %+v", topic, got)
	}
	var names []string
	return names, json.Unmarshal([]byte(got.body), &names)
}

// part is one of a form.
type part struct{ name, text string }

// trigger triggers a function at an admin URL.
func trigger(ctx context.Context, url, name string, parts ...part) (answer, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range parts {
		var err error
		if part.name == "dataStream" {
			var file io.Writer
			if file, err = form.CreateFormFile(part.name, "file"); err == nil {
				_, err = io.WriteString(file, part.text)
			}
		} else {
			err = form.WriteField(part.name, part.text)
		}
		if err != nil {
			return answer{}, err
		}
	}
	if err := form.Close(); err != nil {
		return answer{}, err
	}
	return ask(ctx, http.MethodPost, url+functions+name+"/trigger", &body, form.FormDataContentType())
}
