package trigger

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestLookAtAnotherBroker has a broker say that another one owns the topic.
func TestLookAtAnotherBroker(t *testing.T) {
	const schema = `{"type":"INT32","data":"","properties":{}}`
	for name, test := range map[string]struct {
		// elsewhere is where the first broker sends a request, given its own port and the path.
		elsewhere func(port, path string) string
		follows   bool
	}{
		"the same path":  {func(port, path string) string { return "http://localhost:" + port + path }, true},
		"another path":   {func(port, path string) string { return "http://localhost:" + port + path + "x" }, false},
		"another port":   {func(_, path string) string { return "http://localhost:1" + path }, false},
		"another scheme": {func(port, path string) string { return "https://localhost:" + port + path }, false},
		"a user":         {func(port, path string) string { return "http://u:p@localhost:" + port + path }, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
				host, port, _ := strings.Cut(request.Host, ":")
				if host != "localhost" {
					http.Redirect(writer, request, test.elsewhere(port, request.URL.EscapedPath()), http.StatusTemporaryRedirect)
					return
				}
				if request.Header.Get("Authorization") != "Bearer token" {
					t.Errorf("the other broker is shown %q", request.Header.Get("Authorization"))
				}
				if strings.HasSuffix(request.URL.Path, "/schema") {
					_, _ = io.WriteString(writer, schema)
				}
			}))
			t.Cleanup(server.Close)
			exchange := &exchange{web: http.DefaultTransport}
			found, _, err := exchange.look(t.Context(), Message{WebServiceURL: server.URL, Topic: "persistent://a/b/c", Token: "token", Value: []byte{0, 0, 0, 1}})
			if test.follows != (err == nil && found != nil) {
				t.Errorf("found %v: %v", found, err)
			}
		})
	}
}
