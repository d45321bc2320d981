package caller

import (
	"errors"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pulsar lets a proxy do for somebody only what both may do, so that a stolen
// credential of the proxy is worth no more than the proxy's own rights, and neither
// are those of whoever gets through it.
//
// The API server alone knows what either may do, and it says so about no one but the
// caller: so the proxy's share is asked as the proxy, with the very request that is to
// follow, made such that nothing can come of it. The API server authorizes a request
// before it looks at what the answer shall look like.

// noMediaType is one that nothing is served as.
const noMediaType = "application/vnd.functionmesh.authorization-only"

// maxRefusal bounds what is read of an answer that isn't passed on.
const maxRefusal = 64 << 10

// errNotAuthorizationOnly says that the API server did what it was only asked about.
var errNotAuthorizationOnly = errors.New("the API server answered a question about a proxy's rights with something else")

// askForProxy asks whether the proxy of a request may do what the request does. It
// returns nil when it may, else the answer that says it may not.
func (t *asCaller) askForProxy(request *http.Request, origin *Request) (*http.Response, error) {
	question := request.Clone(request.Context())
	question.Body, question.GetBody, question.ContentLength = nil, nil, 0
	question.Header = http.Header{"Accept": {noMediaType}}
	// A patch of no known kind would be refused before its answer's kind is.
	for _, name := range []string{"Content-Type", "User-Agent"} {
		if values := request.Header.Values(name); len(values) > 0 {
			question.Header[name] = values
		}
	}
	if request.Method != http.MethodGet {
		// Should it ever be done, then for show.
		query := question.URL.Query()
		query.Set("dryRun", metav1.DryRunAll)
		question.URL.RawQuery = query.Encode()
	}
	answer, err := deliver(question, t.vouchFor(origin.credential.proxy), origin)
	if err != nil {
		return nil, err
	}
	switch answer.StatusCode {
	case http.StatusNotAcceptable, http.StatusNotFound, http.StatusMethodNotAllowed:
		discard(answer)
		return nil, nil
	}
	if answer.StatusCode < http.StatusBadRequest {
		discard(answer)
		return nil, errNotAuthorizationOnly
	}
	return answer, nil
}

// discard reads a short answer to its end, so that its connection can be used again.
func discard(answer *http.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, maxRefusal)
	answer.Body.Close()
}
