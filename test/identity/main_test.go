// Package identity tests whom pulsar-admin-shim takes a caller for, on a real control
// plane with a real OpenID provider, real tokens and certificates, Pulsar's own clients
// and Pulsar's proxy. It holds nothing but tests.
package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/openid"
)

const (
	// startTimeout and waitTimeout are generous: tests share the machine with others.
	startTimeout = 5 * time.Minute
	waitTimeout  = 2 * time.Minute
	pollInterval = 50 * time.Millisecond

	audience     = "pulsar-cluster"
	proxyRole    = "proxy"
	weakProxy    = "weak-proxy"
	unauthorized = "Client is not authorized to perform operation"
)

// programs are what a test needs to have been built.
var programs = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "functionmesh-apiserver", "pulsar-admin-shim"}

// accounts are those of the OpenID provider, by client ID.
var accounts = map[string]openid.Account{
	"oidc-author": {Secret: "secret-of-oidc-author", Audience: audience, Lifetime: time.Hour},
	"oidc-member": {Secret: "secret-of-oidc-member", Audience: audience, Groups: []string{"authors"}, Lifetime: time.Hour},
	"oidc-nobody": {Secret: "secret-of-oidc-nobody", Audience: audience, Groups: []string{"others"}, Lifetime: time.Hour},
	"oidc-banned": {Secret: "secret-of-oidc-banned", Audience: audience, Groups: []string{"authors", "banned"}, Lifetime: time.Hour},
	"oidc-other":  {Secret: "secret-of-oidc-other", Audience: "another-cluster", Groups: []string{"authors"}, Lifetime: time.Hour},
	"oidc-late":   {Secret: "secret-of-oidc-late", Audience: audience, Groups: []string{"authors"}, Lifetime: -time.Hour},
	"oidc-space":  {Secret: "secret-of-oidc-space", Audience: audience, Groups: []string{"authors "}, Lifetime: time.Hour},
}

// authors are the users and groups that may work on functions.
var authors = []rbacv1.Subject{
	{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "pulsar:oidc-author"},
	{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "pulsar:authors"},
	{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "pulsar:author"},
	{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "pulsar:Schrödinger, Erwin"},
	{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "pulsar:tls-author"},
	{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "pulsar:" + proxyRole},
	{Kind: rbacv1.ServiceAccountKind, Name: "author", Namespace: metav1.NamespaceDefault},
}

// world is what all tests share. It is set before the first test runs.
var world struct {
	env  *devenv.Env
	root string
	dir  string
	java *javaclient.Client
	// issuer is the provider that the shim knows, stranger one that it doesn't.
	issuer, stranger *openid.Provider
	// secret signs Pulsar's tokens.
	secret []byte
	// clients signs the certificates of clients, strangers those of nobody known.
	clients, strangers *controlplane.CA
	// shim lets no anonymous callers in; open does, with everything else the same.
	shim, open doors
}

// doors are the ports of a shim.
type doors struct {
	server *controlplane.Server
	secure int
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if world.root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		return 1, fmt.Errorf("could not find the repository: %w", err)
	}
	binDir := filepath.Join(world.root, "bin")
	for _, program := range programs {
		if _, err := os.Stat(filepath.Join(binDir, program)); err != nil {
			return 1, fmt.Errorf("%w: run make test, or make build control-plane", err)
		}
	}
	if world.dir, err = os.MkdirTemp("", "identity-"); err != nil {
		return 1, fmt.Errorf("could not make a folder for the environment: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	world.env, err = devenv.Start(ctx, devenv.Options{BinDir: binDir, Dir: filepath.Join(world.dir, "env"), ArtifactsDir: filepath.Join(world.root, "artifacts")})
	if err != nil {
		return 1, fmt.Errorf("could not start an environment in %s: %w", world.dir, err)
	}
	world.java = javaclient.New(world.root, binDir)
	defer func() {
		err = errors.Join(err, world.java.Stop())
		world.env.Stop()
		if code == 0 && err == nil {
			err = os.RemoveAll(world.dir)
			return
		}
		fmt.Fprintln(os.Stderr, "logs are in", world.dir)
	}()
	// Pulsar's Go client trusts an OpenID provider as the system does.
	if err := os.Setenv("SSL_CERT_FILE", world.env.ControlPlane.CAFile()); err != nil {
		return 1, fmt.Errorf("could not trust the control plane's authority: %w", err)
	}
	if err := prepare(ctx); err != nil {
		return 1, err
	}
	defer world.issuer.Stop()
	defer world.stranger.Stop()
	code = m.Run()
	select {
	case exit := <-world.env.Unexpected():
		return 1, exit
	default:
		return code, nil
	}
}

// prepare makes who issues credentials, gives authors their rights, and starts shims.
func prepare(ctx context.Context) error {
	if err := bindAuthors(ctx); err != nil {
		return err
	}
	var err error
	if world.issuer, err = openid.Start(world.env.ControlPlane, accounts); err != nil {
		return err
	}
	if world.stranger, err = openid.Start(world.env.ControlPlane, accounts); err != nil {
		return err
	}
	if world.clients, err = controlplane.NewCA("pulsar-clients"); err != nil {
		return err
	}
	if world.strangers, err = controlplane.NewCA("strangers"); err != nil {
		return err
	}
	world.secret = make([]byte, 32)
	_, _ = rand.Read(world.secret)
	if err := os.WriteFile(inDir("secret.key"), world.secret, 0o600); err != nil {
		return fmt.Errorf("could not write the secret: %w", err)
	}
	if err := os.WriteFile(inDir("clients-ca.crt"), world.clients.CertPEM(), 0o600); err != nil {
		return fmt.Errorf("could not write the CA of clients: %w", err)
	}
	if err := os.WriteFile(inDir("authentication.yaml"), []byte(configuration(world.issuer)), 0o600); err != nil {
		return fmt.Errorf("could not write the authentication configuration: %w", err)
	}
	serving, err := world.env.ControlPlane.SignServerCert("localhost", controlplane.Loopback)
	if err != nil {
		return err
	}
	if _, _, err := serving.Write(world.dir, "serving"); err != nil {
		return err
	}
	if world.shim, err = startShim(ctx, "shim-strict", "--anonymous=false"); err != nil {
		return err
	}
	world.open, err = startShim(ctx, "shim-open")
	return err
}

func inDir(name string) string { return filepath.Join(world.dir, name) }

func startShim(ctx context.Context, name string, args ...string) (doors, error) {
	secure, err := controlplane.FreePort()
	if err != nil {
		return doors{}, err
	}
	server, err := world.env.StartShim(ctx, devenv.ShimOptions{Name: name, ExtraArgs: append([]string{
		"--secure-port=" + strconv.Itoa(secure), "--tls-cert-file=" + inDir("serving.crt"), "--tls-private-key-file=" + inDir("serving.key"),
		"--authentication-config=" + inDir("authentication.yaml"),
		"--token-secret-key-file=" + inDir("secret.key"), "--token-audience=" + audience,
		"--client-ca-file=" + inDir("clients-ca.crt"),
		"--proxy-roles=" + proxyRole + "," + weakProxy,
	}, args...)})
	return doors{server, secure}, err
}

// configuration is one with claim mappings and rules of each sort.
func configuration(issuers ...*openid.Provider) string {
	authority := strings.ReplaceAll(strings.TrimSpace(string(world.env.ControlPlane.CAPEM())), "\n", "\n      ")
	text := "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt:\n"
	for _, issuer := range issuers {
		text += `- issuer:
    url: ` + issuer.Issuer() + `
    audiences: [` + audience + `]
    certificateAuthority: |
      ` + authority + `
  claimMappings:
    username: {expression: claims.sub}
    groups: {claim: groups, prefix: ""}
  claimValidationRules:
  - expression: '!("banned" in claims.groups)'
    message: banned
`
	}
	return text
}

func bindAuthors(ctx context.Context) error {
	rbac := world.env.ControlPlane.Client().RbacV1()
	_, err := rbac.RoleBindings(metav1.NamespaceDefault).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "authors"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: devenv.AuthorRole},
		Subjects:   authors,
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("could not give authors their rights: %w", err)
	}
	return nil
}

// eventually waits until a condition returns nil.
func eventually(t *testing.T, what string, condition func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("gave up waiting for %s: %v", what, err)
		case <-time.After(pollInterval):
		}
	}
}

func must[T any](t *testing.T) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
