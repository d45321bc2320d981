package disruption

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const shimName = "pulsar-admin-shim"

// bindAuthor lets a user or a group work with functions in a namespace.
func bindAuthor(ctx context.Context, t *testing.T, namespace, kind, name string) {
	t.Helper()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "author-", Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: devenv.AuthorRole},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}},
	}
	if _, err := env.ControlPlane.Client().RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// certificateConfig is that of a client with a certificate, straight to
// functionmesh-apiserver.
func certificateConfig(pair controlplane.KeyPair) *rest.Config {
	config := directConfig(env.ControlPlane.AnonymousConfig(), env.APIServer)
	config.CertData, config.KeyData = pair.CertPEM, pair.KeyPEM
	return config
}

// as are headers that assert an identity.
func as(pairs ...string) http.Header {
	header := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		header.Add(pairs[i], pairs[i+1])
	}
	return header
}

// The shim's certificate lets its bearer be Pulsar's users, whom RBAC knows, and
// nobody else. Nothing but that certificate does.
func TestShimIdentities(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t, "identities")
	bindAuthor(ctx, t, namespace, rbacv1.UserKind, "pulsar:alice")
	bindAuthor(ctx, t, namespace, rbacv1.GroupKind, "pulsar:team")
	bindAuthor(ctx, t, namespace, rbacv1.UserKind, "carol")
	// Whoever claims to be one of these and is believed gets in.
	bindAuthor(ctx, t, namespace, rbacv1.UserKind, "pulsar:")
	bindAuthor(ctx, t, namespace, rbacv1.UserKind, "alice")

	sign := must[controlplane.KeyPair](t)
	otherCA := must[*controlplane.CA](t)(controlplane.NewCA("pulsar-admin-shim-front-proxy"))
	shim := newPlainClient(t, certificateConfig(sign(env.ShimCA.SignClient(shimName))))
	clients := map[string]*plainClient{
		"the shim":                             shim,
		"the shim's CA, another name":          newPlainClient(t, certificateConfig(sign(env.ShimCA.SignClient("another")))),
		"the shim's CA, an administrator":      newPlainClient(t, certificateConfig(sign(env.ShimCA.SignClient("admin", "system:masters")))),
		"the shim's CA, not for clients":       newPlainClient(t, certificateConfig(sign(env.ShimCA.SignServer(shimName)))),
		"another CA of the same name":          newPlainClient(t, certificateConfig(sign(otherCA.SignClient(shimName)))),
		"the cluster's CA, the shim's name":    newPlainClient(t, must[*rest.Config](t)(clientCert(shimName))),
		"the cluster's CA, carol":              newPlainClient(t, must[*rest.Config](t)(clientCert("carol"))),
		"the aggregator's CA, the shim's name": newPlainClient(t, certificateConfig(sign(env.ControlPlane.FrontProxyCA().SignClient(shimName)))),
		"no certificate":                       newPlainClient(t, directConfig(env.ControlPlane.AnonymousConfig(), env.APIServer)),
	}
	alice := as("X-Remote-User", "pulsar:alice")
	for _, test := range []struct {
		name, client string
		header       http.Header
		want         int
		// user is who a 403 must name.
		user string
	}{
		{"with rights", "the shim", alice, 200, ""},
		{"without rights", "the shim", as("X-Remote-User", "pulsar:bob"), 403, "pulsar:bob"},
		{"by a group", "the shim", as("X-Remote-User", "pulsar:bob", "X-Remote-Group", "pulsar:team"), 200, ""},
		{"a group in lower case", "the shim", http.Header{"x-remote-user": {"pulsar:bob"}, "x-remote-group": {"pulsar:team"}}, 200, ""},
		{"no prefix", "the shim", as("X-Remote-User", "alice"), 401, ""},
		{"nothing but the prefix", "the shim", as("X-Remote-User", "pulsar:"), 401, ""},
		{"prefix in upper case", "the shim", as("X-Remote-User", "PULSAR:alice"), 401, ""},
		{"a system user", "the shim", as("X-Remote-User", "system:admin"), 401, ""},
		{"a system user, in lower case", "the shim", http.Header{"x-remote-user": {"system:admin"}}, 401, ""},
		{"a service account", "the shim", as("X-Remote-User", "system:serviceaccount:kube-system:default"), 401, ""},
		{"administrators", "the shim", as("X-Remote-User", "pulsar:alice", "X-Remote-Group", "system:masters"), 401, ""},
		{"administrators, in lower case", "the shim", http.Header{"X-Remote-User": {"pulsar:alice"}, "x-remote-group": {"system:masters"}}, 401, ""},
		{"administrators among others", "the shim", as("X-Remote-User", "pulsar:alice", "X-Remote-Group", "pulsar:team", "X-Remote-Group", "system:masters"), 401, ""},
		{"groups of everybody", "the shim", as("X-Remote-User", "pulsar:alice", "X-Remote-Group", "system:authenticated"), 401, ""},
		{"only a group", "the shim", as("X-Remote-Group", "pulsar:team"), 401, ""},
		{"no header", "the shim", nil, 401, ""},
		{"impersonation", "the shim", as("X-Remote-User", "pulsar:alice", "Impersonate-User", "pulsar:team-lead"), 403, "pulsar:alice"},
		{"impersonation of administrators", "the shim", as("X-Remote-User", "pulsar:alice", "Impersonate-User", "admin", "Impersonate-Group", "system:masters"), 403, "pulsar:alice"},

		{"asserting", "the shim's CA, another name", alice, 401, ""},
		{"asserting", "the shim's CA, an administrator", alice, 401, ""},
		{"being it", "the shim's CA, an administrator", nil, 401, ""},
		{"asserting", "the shim's CA, not for clients", alice, 401, ""},
		{"asserting", "another CA of the same name", alice, 401, ""},
		{"asserting", "the cluster's CA, the shim's name", alice, 403, shimName},
		{"asserting", "the aggregator's CA, the shim's name", alice, 401, ""},
		{"asserting", "no certificate", alice, 403, "system:anonymous"},
		{"with rights", "the cluster's CA, carol", nil, 200, ""},
		{"asserting another", "the cluster's CA, carol", as("X-Remote-User", "pulsar:bob"), 200, ""},
	} {
		t.Run(test.client+"/"+test.name, func(t *testing.T) {
			answer := clients[test.client].do(ctx, t, call{method: http.MethodGet, path: viewPath(namespace, ""), header: test.header})
			if answer.code != test.want {
				t.Errorf("want %d, got %v", test.want, answer)
			}
			if test.user != "" && !strings.Contains(answer.status(t).Message, `User "`+test.user+`"`) {
				t.Errorf("the message doesn't name %q: %v", test.user, answer)
			}
		})
	}

	t.Run("with a token, without headers", func(t *testing.T) {
		token := must[string](t)(env.ControlPlane.ServiceAccountToken(ctx, devenv.SystemNamespace, devenv.ShimServiceAccount, time.Hour))
		header := as("Authorization", "Bearer "+token)
		if answer := shim.do(ctx, t, call{method: http.MethodGet, path: viewPath("default", ""), header: header}); answer.code != http.StatusOK {
			t.Errorf("the token's owner may list here: %v", answer)
		}
	})
	t.Run("through the aggregator", func(t *testing.T) { testAggregatedIdentities(ctx, t, namespace) })
	t.Run("not in system:authenticated", func(t *testing.T) { testNotAuthenticatedGroup(ctx, t, shim) })
}

// clientCert is the configuration of a user by the cluster's CA, straight to
// functionmesh-apiserver.
func clientCert(user string) (*rest.Config, error) {
	config, err := env.ControlPlane.ClientCertConfig(user)
	if err != nil {
		return nil, err
	}
	return directConfig(config, env.APIServer), nil
}

// testAggregatedIdentities shows that the ordinary way is as it was: kube-apiserver
// says who calls, and headers of callers mean nothing.
func testAggregatedIdentities(ctx context.Context, t *testing.T, namespace string) {
	for user, want := range map[string]int{"carol": http.StatusOK, "dave": http.StatusForbidden} {
		config := must[*rest.Config](t)(env.ControlPlane.ClientCertConfig(user))
		client := newPlainClient(t, config)
		for _, header := range []http.Header{nil, as("X-Remote-User", "carol"), as("X-Remote-User", "pulsar:alice", "X-Remote-Group", "pulsar:team")} {
			if answer := client.do(ctx, t, call{method: http.MethodGet, path: viewPath(namespace, ""), header: header}); answer.code != want {
				t.Errorf("%s %v: want %d, got %v", user, header, want, answer)
			}
		}
	}
}

// testNotAuthenticatedGroup compares with a user of Kubernetes, who is.
func testNotAuthenticatedGroup(ctx context.Context, t *testing.T, shim *plainClient) {
	namespace := newNamespace(ctx, t, "everybody")
	bindAuthor(ctx, t, namespace, rbacv1.GroupKind, "system:authenticated")
	carol := newPlainClient(t, must[*rest.Config](t)(clientCert("carol")))
	for _, path := range []string{viewPath(namespace, ""), "/apis/admin.functionmesh.io/v1alpha1"} {
		if answer := carol.do(ctx, t, call{method: http.MethodGet, path: path}); answer.code != http.StatusOK {
			t.Errorf("carol, %s: %v", path, answer)
		}
		answer := shim.do(ctx, t, call{method: http.MethodGet, path: path, header: as("X-Remote-User", "pulsar:alice")})
		if answer.code != http.StatusForbidden {
			t.Errorf("pulsar:alice, %s: %v", path, answer)
		}
	}
}
