package pulsarclients

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	pulsarconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const unauthorized = "Client is not authorized to perform operation"

// serviceAccount makes a service account, bound to a role unless that is empty, and
// returns its name as a user and a token.
func serviceAccount(t *testing.T, name, role string) (user, token string) {
	t.Helper()
	ctx, client := t.Context(), world.env.ControlPlane.Client()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	must[*corev1.ServiceAccount](t)(client.CoreV1().ServiceAccounts(kubernetesNamespace).Create(ctx, account, metav1.CreateOptions{}))
	if role != "" {
		must[*rbacv1.RoleBinding](t)(client.RbacV1().RoleBindings(kubernetesNamespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: kubernetesNamespace}},
		}, metav1.CreateOptions{}))
	}
	token = must[string](t)(world.env.ControlPlane.ServiceAccountToken(ctx, kubernetesNamespace, name, time.Hour))
	return "system:serviceaccount:" + kubernetesNamespace + ":" + name, token
}

// bearing returns the same with a bearer token.
func (a *api) bearing(token string) *api { return a.with("Authorization", "Bearer "+token) }

// named returns the same with an identifier for its requests.
func (a *api) named(id string) *api { return a.with("X-Request-ID", id) }

// auditEvents returns what functionmesh-apiserver wrote about a request of the shim.
func auditEvents(t *testing.T, id string) []auditv1.Event {
	t.Helper()
	log := must[*os.File](t)(os.Open(world.env.AuditLogPath("functionmesh-apiserver")))
	defer log.Close()
	var events []auditv1.Event
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), `"auditID":"`+id+`"`) {
			continue
		}
		var event auditv1.Event
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

// expectAudited waits for a request in the audit log, and checks who made it.
func expectAudited(t *testing.T, id, verb, user string) {
	t.Helper()
	var events []auditv1.Event
	eventually(t, "request "+id+" in the audit log", func(context.Context) error {
		events = auditEvents(t, id)
		for _, event := range events {
			if event.Verb == verb {
				return nil
			}
		}
		return fmt.Errorf("no %s among %d events", verb, len(events))
	})
	for _, event := range events {
		if event.User.Username != user || event.ImpersonatedUser != nil {
			t.Errorf("request %s was made by %s (impersonating %v), not by %s", id, event.User.Username, event.ImpersonatedUser, user)
		}
		if !strings.HasPrefix(event.UserAgent, "pulsar-admin-shim/") {
			t.Errorf("request %s came from %s", id, event.UserAgent)
		}
	}
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	listener := must[net.Listener](t)(net.Listen("tcp", net.JoinHostPort(controlplane.Loopback, "0")))
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// strict is a shim that lets nobody in without a credential, with a TLS listener.
type strict struct {
	plain, secure *api
	caFile        string
}

func startStrict(t *testing.T, name string) strict {
	t.Helper()
	dir := t.TempDir()
	pair := must[controlplane.KeyPair](t)(world.env.ControlPlane.SignServerCert(controlplane.Loopback, "localhost"))
	cert, key, err := pair.Write(dir, "serving")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	shim := must[*controlplane.Server](t)(world.env.StartShim(t.Context(), devenv.ShimOptions{
		Name: name,
		ExtraArgs: []string{
			"--anonymous=false", "--secure-port=" + strconv.Itoa(port), "--tls-cert-file=" + cert, "--tls-private-key-file=" + key,
		},
	}))
	t.Cleanup(shim.Stop)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(world.env.ControlPlane.CAPEM())
	return strict{
		plain: &api{url: shimURL("http", shim.Port()), client: http.DefaultClient},
		secure: &api{url: shimURL("https", port), client: &http.Client{
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true},
		}},
		caFile: world.env.ControlPlane.CAFile(),
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	shim := startStrict(t, "strict-shim")
	name := identity.Name{Tenant: "identity", Namespace: "credentials", Name: "f"}
	user, token := serviceAccount(t, "author", authorRole)
	_, powerless := serviceAccount(t, "powerless", "")

	for what, caller := range map[string]*api{
		"no credential":             shim.plain,
		"a token that is none":      shim.plain.bearing("nonsense"),
		"a token that is cut":       shim.plain.bearing(token[:len(token)-5]),
		"a password":                shim.plain.with("Authorization", "Basic YTpi"),
		"two tokens":                shim.plain.bearing(token).bearing(token),
		"an empty token":            shim.plain.with("Authorization", "Bearer "),
		"names from outside":        shim.plain.with("X-Remote-User", "pulsar:anonymous").with("Impersonate-User", "admin"),
		"no rights":                 shim.plain.bearing(powerless),
		"no rights, names, a group": shim.plain.bearing(powerless).with("X-Remote-User", "admin").with("X-Remote-Group", "system:masters").with("Impersonate-User", user),
		// Where anonymous callers are let in, a bad token doesn't make one of them.
		"a token that is none, anonymous let in": rest().bearing("nonsense"),
		"a password, anonymous let in":           rest().with("Authorization", "Basic YTpi"),
	} {
		expect(t, what+", create", caller.create(t, name, config(javaConfig)), 401, unauthorized)
		expect(t, what+", get", caller.get(t, name), 401, unauthorized)
		expect(t, what+", delete", caller.remove(t, name), 401, unauthorized)
		list := caller.send(t, http.MethodGet, "/admin/v3/functions/identity/credentials", "", nil)
		expect(t, what+", list", list, 401, unauthorized)
	}
	expect(t, "a principal that isn't the caller", shim.plain.bearing(token).with("X-Original-Principal", "admin").get(t, name), 400,
		"X-Original-Principal is not accepted from this caller")
	// Without a credential one learns nothing of what there is to call either.
	expect(t, "state", shim.plain.send(t, http.MethodGet, functionPath(name)+"/state/k", "", nil), 401, unauthorized)

	author := shim.plain.bearing(token).with("X-Remote-User", "somebody").with("X-Remote-Group", "system:masters").
		with("Impersonate-User", "system:admin").with("Impersonate-Group", "system:masters")
	expectOK(t, "create", author.named("identity-create").create(t, name, config(javaConfig)))
	expectAudited(t, "identity-create", "create", user)
	expectOK(t, "update", author.named("identity-update").update(t, name, config(`{"parallelism":2}`)))
	expectAudited(t, "identity-update", "patch", user)
	expectOK(t, "delete", author.named("identity-delete").remove(t, name))
	expectAudited(t, "identity-delete", "delete", user)

	anonymous := rest().with("X-Remote-User", "system:admin").with("X-Remote-Group", "system:masters").with("Impersonate-User", user)
	expectOK(t, "create", anonymous.named("identity-anonymous").create(t, name, config(javaConfig)))
	expectAudited(t, "identity-anonymous", "create", devenv.AnonymousUser)
}

// TestViewer may look and nothing else.
func TestViewer(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "identity", Namespace: "viewer", Name: "f"}
	someFunction(t, name)
	_, token := serviceAccount(t, "viewer", "functionmesh-pulsar-viewer")
	viewer := rest().bearing(token)
	expectFields(t, "get", viewer.read(t, name), map[string]any{"name": "f"})
	if names := viewer.names(t, name.Tenant, name.Namespace); len(names) != 1 {
		t.Errorf("list answers %v", names)
	}
	other := identity.Name{Tenant: name.Tenant, Namespace: name.Namespace, Name: "other"}
	expect(t, "create", viewer.create(t, other, config(javaConfig)), 401, unauthorized)
	expect(t, "update", viewer.update(t, name, config(`{"parallelism":2}`)), 401, unauthorized)
	expect(t, "delete", viewer.remove(t, name), 401, unauthorized)
	// Who may not write doesn't hear what is wrong with it either.
	expect(t, "create of what exists", viewer.create(t, name, config(javaConfig)), 401, unauthorized)
	expect(t, "create with a broken config", viewer.create(t, other, config(`{`)), 401, unauthorized)
	expect(t, "update of what is missing", viewer.update(t, other, config(`{"parallelism":2}`)), 401, unauthorized)
	expect(t, "update without a change", viewer.update(t, name, config(`{}`)), 401, unauthorized)
	expectFields(t, "get", viewer.read(t, name), map[string]any{"parallelism": 1})
}

// TestRequestIDs are the shim's own where the caller's aren't fit for a log.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "identity", Namespace: "ids", Name: "f"}
	if got := rest().named("chosen.by-caller_1").get(t, name).header.Get("X-Request-Id"); got != "chosen.by-caller_1" {
		t.Errorf("the caller's identifier came back as %q", got)
	}
	for _, unfit := range []string{"", "a b", strings.Repeat("x", 65), `"quoted"`, "-x"} {
		got := rest().named(unfit).get(t, name).header.Get("X-Request-Id")
		if got == unfit || len(got) != len("00000000-0000-0000-0000-000000000000") {
			t.Errorf("identifier %q became %q", unfit, got)
		}
	}
	created := rest().create(t, name, config(javaConfig))
	expectOK(t, "create", created)
	expectAudited(t, created.header.Get("X-Request-Id"), "create", devenv.AnonymousUser)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	shim := startStrict(t, "tls-shim")
	name := identity.Name{Tenant: "identity", Namespace: "tls", Name: "f"}
	_, token := serviceAccount(t, "over-tls", authorRole)
	expectOK(t, "create", shim.secure.bearing(token).create(t, name, config(javaConfig)))
	expect(t, "no credential", shim.secure.get(t, name), 401, unauthorized)
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: x509.NewCertPool(), InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10,
	}}}
	if got, err := (&api{url: shim.secure.url, client: old}).try(t, http.MethodGet, "/healthz", "", nil); err == nil {
		t.Errorf("TLS 1.1 is answered with %s", got)
	}
	if got, err := (&api{url: shim.secure.url, client: http.DefaultClient}).try(t, http.MethodGet, "/healthz", "", nil); err == nil {
		t.Errorf("a client that doesn't know the authority is answered with %s", got)
	}

	// Pulsar's Go client, with the token in a file as its users have it.
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	client := must[pulsaradmin.Client](t)(pulsaradmin.NewClient(&pulsaradmin.Config{
		WebServiceURL: shim.secure.url, PulsarAPIVersion: pulsarconfig.V3, TokenFile: tokenFile,
		TLSTrustCertsFilePath: shim.caFile, TLSEnableHostnameVerification: true,
	}))
	got, err := client.Functions().GetFunction(name.Tenant, name.Namespace, name.Name)
	if err != nil || got.Name != "f" {
		t.Errorf("Pulsar's Go client reads %v, %v", got, err)
	}
}

// TestMetrics looks for requests among the shim's metrics, by names that callers
// can't choose.
func TestMetrics(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "identity", Namespace: "metrics", Name: "secret-name"}
	someFunction(t, name)
	rest().get(t, name)
	rest().send(t, http.MethodGet, "/no/such/path", "", nil)
	got := rest().send(t, http.MethodGet, "/metrics", "", nil)
	for _, want := range []string{
		`pulsar_admin_shim_requests_total{code="204",operation="createFunction"}`,
		`pulsar_admin_shim_requests_total{code="200",operation="getFunction"}`,
		`pulsar_admin_shim_requests_total{code="404",operation="none"}`,
		`pulsar_admin_shim_request_duration_seconds_bucket{code="204",operation="createFunction",le="+Inf"}`,
		"pulsar_admin_shim_requests_in_flight",
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	if strings.Contains(got.body, name.Name) {
		t.Error("the metrics name a function")
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if probe := rest().send(t, http.MethodGet, path, "", nil); probe.code != 200 || strings.TrimSpace(probe.body) != "ok" {
			t.Errorf("%s answers %s", path, probe)
		}
	}
}
