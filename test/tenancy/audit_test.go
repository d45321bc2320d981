package tenancy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// auditEvents returns the complete events of functionmesh-apiserver's audit log that
// match.
func auditEvents(t *testing.T, match func(*auditv1.Event) bool) []auditv1.Event {
	t.Helper()
	log := must[*os.File](t)(os.Open(env.AuditLogPath("functionmesh-apiserver")))
	defer log.Close()
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 16<<20)
	var events []auditv1.Event
	for lines.Scan() {
		var event auditv1.Event
		if json.Unmarshal(lines.Bytes(), &event) == nil && match(&event) {
			events = append(events, event)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

// TestOneTrail does something through each door. Both are in one log, with who it was,
// where from, and the request's identifier.
func TestOneTrail(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "trail", "trail/x")
	author := newCaller(t, namespace, "author").bind(t, "functionmesh-pulsar-author")
	eventually(t, "the author's rights", func() error {
		return second(author.dynamic(t).Resource(views).Namespace(namespace).Create(t.Context(), function(t, "kubectl", ""), metav1.CreateOptions{}))
	})
	const id = "trail-of-a-request"
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), "GET", env.ShimURL()+functionPath("trail", "x", "kubectl"), bytes.NewReader(nil)))
	request.Header.Set("X-Request-ID", id)
	// What a caller says of itself doesn't count.
	for header, value := range map[string]string{
		"X-Forwarded-For": "192.0.2.1", "X-Real-Ip": "192.0.2.2", "X-Remote-User": "system:admin", "Impersonate-User": "system:admin", "Audit-ID": "forged",
	} {
		request.Header.Set(header, value)
	}
	if got := send(t, author.token, request); got.code != 200 {
		t.Fatalf("get answers %d %s", got.code, got.body)
	}
	object := identity.Name{Tenant: "trail", Namespace: "x", Name: "kubectl"}.ObjectName()
	for what, match := range map[string]func(*auditv1.Event) bool{
		"kubectl's door": func(event *auditv1.Event) bool {
			return event.Verb == "create" && event.ObjectRef != nil && event.ObjectRef.Namespace == namespace && event.ResponseStatus != nil && event.ResponseStatus.Code == 201
		},
		"the shim's door": func(event *auditv1.Event) bool {
			return string(event.AuditID) == id && event.Verb == "get" && event.ObjectRef != nil && event.ObjectRef.Name == object
		},
	} {
		var events []auditv1.Event
		eventually(t, what+" in the audit log", func() error {
			if events = auditEvents(t, match); len(events) == 0 {
				return errNotYet
			}
			return nil
		})
		for _, event := range events {
			if event.User.Username != author.user() || event.ImpersonatedUser != nil {
				t.Errorf("%s: it was %s", what, event.User.Username)
			}
			if !slices.Contains(event.SourceIPs, controlplane.Loopback) || strings.Contains(fmt.Sprint(event.SourceIPs), "192.0.2") {
				t.Errorf("%s: it came from %v", what, event.SourceIPs)
			}
			if len(event.AuditID) == 0 || event.RequestObject != nil || event.ResponseObject != nil {
				t.Errorf("%s: %+v", what, event)
			}
		}
	}
	// A refusal is on the trail as well.
	stranger := newCaller(t, namespace, "stranger")
	if got := call(t, stranger.token, "GET", functionPath("trail", "x", "kubectl"), "", ""); got.code != 401 {
		t.Errorf("a stranger is answered %d %s", got.code, got.body)
	}
	eventually(t, "the refusal in the audit log", func() error {
		refused := auditEvents(t, func(event *auditv1.Event) bool {
			return event.User.Username == stranger.user() && event.ResponseStatus != nil && event.ResponseStatus.Code == 403
		})
		if len(refused) == 0 {
			return errNotYet
		}
		return nil
	})
	// The author's token is in neither.
	log := must[[]byte](t)(os.ReadFile(env.AuditLogPath("functionmesh-apiserver")))
	if bytes.Contains(log, []byte(author.token)) {
		t.Error("a token is in the audit log")
	}
}

// TestTrailOfSubresources asks for each verb on each subresource of each kind, and says as
// what it is in the log: nothing that can be done with a component goes by unseen. Who
// lacks a right is refused by kube-apiserver at its door, and so is in its log.
func TestTrailOfSubresources(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "subresources", "")
	author := newCaller(t, namespace, "author").bind(t, "functionmesh-pulsar-author")
	path := func(resource string) string {
		parent, subresource, _ := strings.Cut(resource, "/")
		return "/apis/" + views.GroupVersion().String() + "/namespaces/" + namespace + "/" + parent + "/any/" + subresource
	}
	eventually(t, "the author's rights", func() error {
		if author.rawCode(t, "get", path("pulsarsources/status")) == http.StatusForbidden {
			return errNotYet
		}
		return nil
	})
	missing := map[right]bool{}
	for _, r := range servedSubresources(t) {
		missing[r] = true
		author.rawCode(t, r.verb, path(r.resource))
	}
	eventually(t, "all of them in the audit log", func() error {
		for _, event := range auditEvents(t, func(event *auditv1.Event) bool {
			return event.User.Username == author.user() && event.ObjectRef != nil && event.ObjectRef.Namespace == namespace &&
				event.ObjectRef.Name == "any" && event.ResponseStatus != nil && len(event.SourceIPs) > 0
		}) {
			delete(missing, right{event.Verb, event.ObjectRef.Resource + "/" + event.ObjectRef.Subresource})
		}
		if len(missing) > 0 {
			return fmt.Errorf("the log lacks %v", missing)
		}
		return nil
	})
}
