package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// existencePaths are the questions by which a functions worker finds out whether tenants
// and namespaces exist: those of the script, and one that doesn't.
var existencePaths = []string{
	"/admin/v2/tenants/" + tenant, "/admin/v2/namespaces/" + tenant,
	"/admin/v2/tenants/nobody", "/admin/v2/namespaces/nobody",
}

// askExistence returns what a real Pulsar answers to existencePaths.
func askExistence(ctx context.Context, server string) (map[string]exchange, error) {
	all := map[string]exchange{}
	for _, path := range existencePaths {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+path, nil)
		if err != nil {
			return nil, fmt.Errorf("could not make a request: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, fmt.Errorf("could not ask Pulsar: %w", err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("could not read Pulsar's answer: %w", err)
		}
		media := mediaType(response.Header.Get("Content-Type"))
		all[path] = exchange{
			Request: http.MethodGet + " " + path, Status: response.StatusCode, Type: media, Body: normalBody(path, media, string(body)),
		}
	}
	return all, nil
}

// replayExistence returns the base URL of a server that answers as Pulsar did.
func replayExistence(t *testing.T, existence map[string]exchange) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded, ok := existence[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", recorded.Type)
		w.WriteHeader(recorded.Status)
		// Whoever asked may have gone.
		_, _ = io.WriteString(w, recorded.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
