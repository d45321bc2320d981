package tenancy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	claims "github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const (
	// startTimeout bounds the start of the environment and waitTimeout each wait for a
	// condition. They are generous: the machine may be shared.
	startTimeout = 10 * time.Minute
	waitTimeout  = 3 * time.Minute
	pollInterval = 50 * time.Millisecond

	unauthorized = "Client is not authorized to perform operation"
)

var (
	env *devenv.Env

	views     = schema.GroupVersionResource{Group: "admin.functionmesh.io", Version: "v1alpha1", Resource: "pulsarfunctions"}
	resources = schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: "functions"}
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run keeps the state of a run that failed, since the logs are in it.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tenancy-")
	if err == nil {
		err = start(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err, "(the state is kept in", dir+")")
		return 1
	}
	code := m.Run()
	select {
	case exit := <-env.Unexpected():
		fmt.Fprintln(os.Stderr, exit)
		code = 1
	default:
	}
	env.Stop()
	if code != 0 {
		fmt.Fprintln(os.Stderr, "the state, logs included, is kept in", dir)
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func start(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	binDir, err := filepath.Abs("../../bin")
	if err != nil {
		return fmt.Errorf("could not find the programs: %w", err)
	}
	env, err = devenv.Start(ctx, devenv.Options{
		BinDir: binDir, Dir: dir, ArtifactsDir: filepath.Join(binDir, "..", "artifacts"),
		DefaultNamespace: metav1.NamespaceDefault,
	})
	return err
}

func kube() kubernetes.Interface { return env.ControlPlane.Client() }

// newNamespace makes a Namespace that claims what the annotation says, unless that is
// empty.
func newNamespace(t *testing.T, words, annotation string) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: words + "-"}}
	if annotation != "" {
		namespace.Annotations = map[string]string{claims.Annotation: annotation}
	}
	return must[*corev1.Namespace](t)(kube().CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})).Name
}

// caller is a service account: somebody who can come through both doors.
type caller struct {
	name, namespace string
	token           string
	config          *rest.Config
}

// newCaller makes a service account in a namespace without any right.
func newCaller(t *testing.T, namespace, name string) *caller {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	must[*corev1.ServiceAccount](t)(kube().CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}))
	token := must[string](t)(env.ControlPlane.ServiceAccountToken(t.Context(), namespace, name, time.Hour))
	config := env.ControlPlane.TokenConfig(token)
	config.WarningHandler = rest.NoWarnings{}
	return &caller{name: name, namespace: namespace, token: token, config: config}
}

func (c *caller) user() string { return "system:serviceaccount:" + c.namespace + ":" + c.name }

func (c *caller) subjects() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: c.name, Namespace: c.namespace}}
}

// bind gives the caller a ClusterRole in its namespace.
func (c *caller) bind(t *testing.T, role string) *caller {
	t.Helper()
	must[*rbacv1.RoleBinding](t)(kube().RbacV1().RoleBindings(c.namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: c.name + "-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}, Subjects: c.subjects(),
	}, metav1.CreateOptions{}))
	return c
}

// bindEverywhere gives the caller a ClusterRole in the whole cluster.
func (c *caller) bindEverywhere(t *testing.T, role string) *caller {
	t.Helper()
	must[*rbacv1.ClusterRoleBinding](t)(kube().RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: c.name + "-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}, Subjects: c.subjects(),
	}, metav1.CreateOptions{}))
	return c
}

// clusterRole makes a ClusterRole of one rule and returns its name.
func clusterRole(t *testing.T, rule rbacv1.PolicyRule) string {
	t.Helper()
	return must[*rbacv1.ClusterRole](t)(kube().RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "tenancy-test-"}, Rules: []rbacv1.PolicyRule{rule},
	}, metav1.CreateOptions{})).Name
}

func (c *caller) dynamic(t *testing.T) dynamic.Interface {
	t.Helper()
	return must[dynamic.Interface](t)(newDynamic(c.config))
}

func newDynamic(config *rest.Config) (dynamic.Interface, error) { return dynamic.NewForConfig(config) }

func must[T any](t *testing.T) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// errNotYet is what a condition says of itself that needs no other words.
var errNotYet = errors.New("not yet")

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
