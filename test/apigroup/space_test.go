package apigroup

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// functions is the resource behind the view.
var functions = schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: "functions"}

// space is a Kubernetes namespace of one test's own, and clients for it.
type space struct {
	t   *testing.T
	ctx context.Context
	// namespace is the Kubernetes namespace.
	namespace string
	// author and admin reach the views, crs the custom resources.
	author, admin adminclient.PulsarFunctionInterface
	crs           dynamic.ResourceInterface
	kube          kubernetes.Interface
	// warnings are those that author got.
	warnings *warnings
}

// newSpace makes a namespace in which authorUser is an author, who may also read
// Secrets and so name them.
func newSpace(t *testing.T) *space {
	t.Helper()
	s := bareSpace(t)
	s.allow(authorUser, "read-secrets", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}})
	s.bind(authorUser, devenv.AuthorRole)
	s.eventually("the author's rights", func() error {
		_, err := s.author.List(s.ctx, metav1.ListOptions{Limit: 1})
		return err
	})
	return s
}

// bind gives a user a cluster role in the namespace.
func (s *space) bind(user, role string) {
	s.t.Helper()
	s.bindTo(user, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role})
}

// allow gives a user a role of the namespace that it makes.
func (s *space) allow(user, role string, rules ...rbacv1.PolicyRule) {
	s.t.Helper()
	_, err := s.kube.RbacV1().Roles(s.namespace).Create(s.ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: role}, Rules: rules,
	}, metav1.CreateOptions{})
	s.check(err)
	s.bindTo(user, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role})
}

func (s *space) bindTo(user string, role rbacv1.RoleRef) {
	s.t.Helper()
	_, err := s.kube.RbacV1().RoleBindings(s.namespace).Create(s.ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: user + "-"},
		RoleRef:    role,
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	s.check(err)
}

// bareSpace makes a namespace in which only the administrator may do anything.
func bareSpace(t *testing.T) *space {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	s := &space{t: t, ctx: ctx, kube: env.ControlPlane.Client(), warnings: &warnings{}}
	namespace, err := s.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "apigroup-"},
	}, metav1.CreateOptions{})
	s.check(err)
	s.namespace = namespace.Name
	s.author = s.functions(authorConfigWith(s.warnings))
	s.admin = s.functions(adminConfig)
	s.crs = env.Dynamic().Resource(functions).Namespace(s.namespace)
	return s
}

// functions returns a client of the views.
func (s *space) functions(config *rest.Config) adminclient.PulsarFunctionInterface {
	s.t.Helper()
	clients, err := versioned.NewForConfig(config)
	s.check(err)
	return clients.AdminV1alpha1().PulsarFunctions(s.namespace)
}

// restClient returns a client of the view's group that shows raw requests.
func (s *space) restClient(config *rest.Config) rest.Interface {
	s.t.Helper()
	clients, err := versioned.NewForConfig(config)
	s.check(err)
	return clients.AdminV1alpha1().RESTClient()
}

func (s *space) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// eventually asks a condition until it returns nil.
func (s *space) eventually(what string, condition func() error) {
	s.t.Helper()
	deadline := time.Now().Add(waitTimeout)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("gave up waiting for %s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// cr returns the custom resource behind a view.
func (s *space) cr(name string) *unstructured.Unstructured {
	s.t.Helper()
	cr, err := s.crs.Get(s.ctx, name, metav1.GetOptions{})
	s.check(err)
	return cr
}

// crText returns the custom resource as JSON.
func (s *space) crText(name string) string {
	s.t.Helper()
	text, err := json.Marshal(s.cr(name))
	s.check(err)
	return string(text)
}

// mergeCR changes the custom resource without its view.
func (s *space) mergeCR(name, patch string) *unstructured.Unstructured {
	s.t.Helper()
	cr, err := s.crs.Patch(s.ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "by-hand"})
	s.check(err)
	return cr
}

// configMap creates a ConfigMap with an owner.
func (s *space) configMap(name string, owners ...metav1.OwnerReference) *corev1.ConfigMap {
	s.t.Helper()
	created, err := s.kube.CoreV1().ConfigMaps(s.namespace).Create(s.ctx,
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: owners}}, metav1.CreateOptions{})
	s.check(err)
	return created
}

// warnings collects the Warning headers that a client got.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

// take returns what came since the last call.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	texts := w.texts
	w.texts = nil
	return texts
}

// errIf returns an error with the text if the condition holds.
func errIf(condition bool, text string) error {
	if condition {
		return errors.New(text)
	}
	return nil
}

// authorConfigWith returns the author's configuration with a handler of warnings.
func authorConfigWith(handler rest.WarningHandler) *rest.Config {
	config := rest.CopyConfig(authorConfig)
	config.WarningHandler = handler
	return config
}

// cleanupContext is for what has to be done after the test, when its own context
// has ended.
func (s *space) cleanupContext() context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), waitTimeout)
	s.t.Cleanup(cancel)
	return ctx
}
