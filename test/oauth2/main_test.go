// Package oauth2 tests on a real control plane, with a real OpenID provider, that
// functions run with the account of who made them, and with nobody else's.
package oauth2

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/openid"
)

const (
	startTimeout = 5 * time.Minute
	waitTimeout  = 2 * time.Minute
	testTimeout  = 5 * time.Minute

	apiServerName = "functionmesh-apiserver-oauth2"
	audience      = "urn:pulsar:test"
	// clientSecret is the secret of every account; no log and no answer may have it.
	clientSecret = "cl13nt-s3cr3t-of-tests"
)

var functions = schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: "functions"}

// accounts are those of the provider, by client ID.
var accounts = map[string]openid.Account{}

func init() {
	for _, client := range []string{"alice", "bob", "carol", "etl"} {
		accounts[client] = openid.Account{Secret: clientSecret, Audience: audience, Lifetime: time.Hour}
	}
}

// world is what all tests share. It is set before the first test runs.
var world struct {
	env      *devenv.Env
	provider *openid.Provider
	// server is the functionmesh-apiserver that knows the provider, bare one that knows no
	// accounts.
	server, bare *controlplane.Server
	// accounts is a shim of server, tokens one of bare. Both know Pulsar's tokens by secret.
	accounts, tokens *controlplane.Server
	secret           []byte
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run keeps the state of a run that failed, since the logs are in it.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "oauth2-")
	if err != nil {
		return 1, fmt.Errorf("could not make a folder for the environment: %w", err)
	}
	defer func() {
		if code == 0 && err == nil {
			err = os.RemoveAll(dir)
			return
		}
		fmt.Fprintf(os.Stderr, "the state, logs included, is kept in %s\n", dir)
	}()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return 1, fmt.Errorf("could not find the repository: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	world.env, err = devenv.Start(ctx, devenv.Options{
		BinDir: filepath.Join(root, "bin"), Dir: dir, ArtifactsDir: filepath.Join(root, "artifacts"),
		// The server that knows no account must not be the one that looks at them.
		APIServerArgs: []string{"--controllers=", "--leader-elect=false"},
	})
	if err != nil {
		return 1, err
	}
	defer world.env.Stop()
	world.bare = world.env.APIServer
	if world.provider, err = openid.Start(world.env.ControlPlane, accounts); err != nil {
		return 1, err
	}
	defer world.provider.Stop()
	hashKey := filepath.Join(dir, "hash.key")
	if err := os.WriteFile(hashKey, []byte(rand.Text()+rand.Text()), 0o600); err != nil {
		return 1, fmt.Errorf("could not write a key for hashes: %w", err)
	}
	world.server, err = world.env.StartAPIServer(ctx, devenv.APIServerOptions{
		Name: apiServerName, ExtraArgs: []string{"--verify-oauth2", "--credential-hash-key-file=" + hashKey, "--controllers=*"},
		Config: devenv.DefaultConfig + `oauth2:
  issuers:
  - issuerUrl: ` + world.provider.Issuer() + `
    caFile: ` + world.env.ControlPlane.CAFile() + `
`})
	if err != nil {
		return 1, err
	}
	if err := world.env.Route(ctx, world.server); err != nil {
		return 1, err
	}
	if err := startShims(ctx, dir); err != nil {
		return 1, err
	}
	code = m.Run()
	select {
	case exit := <-world.env.Unexpected():
		return 1, exit
	default:
	}
	return code, nil
}

func startShims(ctx context.Context, dir string) error {
	world.secret = []byte(rand.Text() + rand.Text())
	file := filepath.Join(dir, "token.key")
	if err := os.WriteFile(file, world.secret, 0o600); err != nil {
		return fmt.Errorf("could not write the key of tokens: %w", err)
	}
	for _, shim := range []struct {
		name string
		of   *controlplane.Server
		into **controlplane.Server
	}{{"shim-accounts", world.server, &world.accounts}, {"shim-tokens", world.bare, &world.tokens}} {
		var err error
		*shim.into, err = world.env.StartShim(ctx, devenv.ShimOptions{Name: shim.name, APIServer: shim.of, ExtraArgs: []string{"--token-secret-key-file=" + file}})
		if err != nil {
			return err
		}
	}
	return nil
}

// space is a Kubernetes namespace of one test's own.
type space struct {
	*testing.T
	ctx       context.Context
	namespace string
	kube      kubernetes.Interface
	crs       dynamic.ResourceInterface
}

// newSpace makes a namespace where the server may read accounts and keep tokens.
func newSpace(t *testing.T) *space {
	t.Helper()
	s := bareSpace(t)
	for _, role := range []string{"functionmesh-apiserver-oauth2", "functionmesh-apiserver-tokens"} {
		s.bind(rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: devenv.APIServerServiceAccount, Namespace: devenv.SystemNamespace}, role)
	}
	return s
}

func bareSpace(t *testing.T) *space {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	s := &space{T: t, ctx: ctx, kube: world.env.ControlPlane.Client()}
	namespace, err := s.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "oauth2-"}}, metav1.CreateOptions{})
	s.check(err)
	s.namespace = namespace.Name
	s.crs = world.env.Dynamic().Resource(functions).Namespace(s.namespace)
	return s
}

func (s *space) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *space) bind(subject rbacv1.Subject, role string) {
	s.Helper()
	_, err := s.kube.RbacV1().RoleBindings(s.namespace).Create(s.ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "oauth2-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{subject},
	}, metav1.CreateOptions{})
	s.check(err)
}

// allowSecret lets a user read one Secret.
func (s *space) allowSecret(user, secret string) {
	s.Helper()
	role, err := s.kube.RbacV1().Roles(s.namespace).Create(s.ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "oauth2-"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{secret}, Verbs: []string{"get"}}},
	}, metav1.CreateOptions{})
	s.check(err)
	_, err = s.kube.RbacV1().RoleBindings(s.namespace).Create(s.ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "oauth2-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{userSubject(user)},
	}, metav1.CreateOptions{})
	s.check(err)
}

func userSubject(user string) rbacv1.Subject {
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}
}

// author returns a client of a role, as the shim calls for it, who is an author.
func (s *space) author(role string) adminclient.PulsarFunctionInterface {
	s.Helper()
	user := "pulsar:" + role
	pair, err := world.env.ShimCA.SignClient("pulsar-admin-shim")
	s.check(err)
	return s.asAuthor(user, &rest.Config{
		Host: "https://localhost:" + strconv.Itoa(world.server.Port()), QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: world.env.ControlPlane.CAPEM(), CertData: pair.CertPEM, KeyData: pair.KeyPEM},
		WrapTransport: func(next http.RoundTripper) http.RoundTripper {
			return transport.NewAuthProxyRoundTripper(user, "", nil, nil, next)
		},
	})
}

// person returns a client of somebody with a certificate, as kubectl, who is an author.
func (s *space) person(user string) adminclient.PulsarFunctionInterface {
	s.Helper()
	config, err := world.env.ControlPlane.ClientCertConfig(user)
	s.check(err)
	return s.asAuthor(user, config)
}

func (s *space) asAuthor(user string, config *rest.Config) adminclient.PulsarFunctionInterface {
	s.Helper()
	s.bind(userSubject(user), devenv.AuthorRole)
	config.WarningHandler = rest.NoWarnings{}
	clients, err := versioned.NewForConfig(config)
	s.check(err)
	client := clients.AdminV1alpha1().PulsarFunctions(s.namespace)
	s.eventually("the rights of "+user, func() error {
		_, err := client.List(s.ctx, metav1.ListOptions{Limit: 1})
		return err
	})
	return client
}

// eventually asks a condition until it returns nil.
func (s *space) eventually(what string, condition func() error) {
	s.Helper()
	deadline := time.Now().Add(waitTimeout)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("waiting for %s: %v", what, err)
		}
		select {
		case <-s.ctx.Done():
			s.Fatal(errors.Join(s.ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
