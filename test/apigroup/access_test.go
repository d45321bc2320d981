package apigroup

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// apiServerAccount is who functionmesh-apiserver is to kube-apiserver.
const apiServerAccount = "system:serviceaccount:" + devenv.SystemNamespace + ":" + devenv.APIServerServiceAccount

// attempts tries each verb as a user, and returns the errors by verb.
func (s *space) attempts(config *rest.Config) map[string]error {
	s.t.Helper()
	client := s.functions(config)
	errs := map[string]error{}
	_, errs["get"] = client.Get(s.ctx, "echo", metav1.GetOptions{})
	_, errs["list"] = client.List(s.ctx, metav1.ListOptions{})
	w, err := client.Watch(s.ctx, metav1.ListOptions{})
	if errs["watch"] = err; err == nil {
		w.Stop()
	}
	_, errs["create"] = client.Create(s.ctx, newFunction("another"), metav1.CreateOptions{DryRun: dryRun})
	_, errs["update"] = client.Update(s.ctx, newFunction("echo"), metav1.UpdateOptions{})
	_, errs["patch"] = client.Patch(s.ctx, "echo", types.MergePatchType, []byte(`{"metadata":{"labels":{"x":"y"}}}`), metav1.PatchOptions{})
	errs["delete"] = client.Delete(s.ctx, "echo", metav1.DeleteOptions{DryRun: dryRun})
	errs["deletecollection"] = client.DeleteCollection(s.ctx, metav1.DeleteOptions{DryRun: dryRun}, metav1.ListOptions{})
	return errs
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("echo")
	other := newSpace(t)
	_, err := s.kube.RbacV1().RoleBindings(s.namespace).Create(s.ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "viewers"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "functionmesh-pulsar-viewer"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "viewer"}},
	}, metav1.CreateOptions{})
	s.check(err)
	viewer, err := env.ControlPlane.ClientCertConfig("viewer")
	s.check(err)
	stranger, err := env.ControlPlane.ClientCertConfig("stranger")
	s.check(err)
	s.eventually("the viewer's rights", func() error {
		_, err := s.functions(viewer).List(s.ctx, metav1.ListOptions{})
		return err
	})

	reads := map[string]bool{"get": true, "list": true, "watch": true}
	for user, test := range map[string]struct {
		space   *space
		config  *rest.Config
		allowed func(verb string) bool
	}{
		"author":                      {s, authorConfig, func(string) bool { return true }},
		"viewer":                      {s, viewer, func(verb string) bool { return reads[verb] }},
		"stranger":                    {s, stranger, func(string) bool { return false }},
		"viewer of another namespace": {other, viewer, func(string) bool { return false }},
	} {
		for verb, err := range test.space.attempts(test.config) {
			switch {
			case test.allowed(verb) && err != nil:
				t.Errorf("%s: %s: %v", user, verb, err)
			case !test.allowed(verb) && !apierrors.IsForbidden(err):
				t.Errorf("%s: %s is not forbidden: %v", user, verb, err)
			}
		}
	}
	if _, err := s.functions(env.ControlPlane.AnonymousConfig()).List(s.ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("anonymous: %v", err)
	}
	// The role is about views alone.
	direct, err := dynamic.NewForConfig(authorConfig)
	s.check(err)
	if _, err := direct.Resource(functions).Namespace(s.namespace).List(s.ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("an author reads custom resources: %v", err)
	}
	if _, err := direct.Resource(pulsarFunctions).List(s.ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("an author reads all namespaces: %v", err)
	}
}

// TestAPIServersAccount asks kube-apiserver what functionmesh-apiserver may do, with
// the roles as artifacts/ ships them.
func TestAPIServersAccount(t *testing.T) {
	t.Parallel()
	s := bareSpace(t)
	for _, test := range []struct {
		group, resource string
		allowed         string // verbs
	}{
		{"compute.functionmesh.io", "functions", "get list watch create update patch delete"},
		{"compute.functionmesh.io", "sources", "get list watch create update patch delete"},
		{"compute.functionmesh.io", "sinks", "get list watch create update patch delete"},
		{"", "configmaps", "create"},
		{"", "namespaces", "get list watch"},
		{"", "secrets", ""},
		{"", "pods", "list watch delete"},
		{"", "serviceaccounts", ""},
		{"", "events", "create patch"},
		{"apps", "statefulsets", "get list watch"},
		{"apps", "deployments", ""},
		{"autoscaling", "horizontalpodautoscalers", "list watch delete"},
		{"admin.functionmesh.io", "pulsarfunctions", ""},
		{"admin.functionmesh.io", "pulsarsources", ""},
		{"admin.functionmesh.io", "pulsarsinks", ""},
		{"rbac.authorization.k8s.io", "clusterroles", ""},
		{"apiextensions.k8s.io", "customresourcedefinitions", ""},
		{"apiregistration.k8s.io", "apiservices", ""},
	} {
		for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate"} {
			review, err := s.kube.AuthorizationV1().SubjectAccessReviews().Create(s.ctx, &authorizationv1.SubjectAccessReview{
				Spec: authorizationv1.SubjectAccessReviewSpec{
					User: apiServerAccount, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + devenv.SystemNamespace, "system:authenticated"},
					ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: s.namespace, Verb: verb, Group: test.group, Resource: test.resource},
				},
			}, metav1.CreateOptions{})
			s.check(err)
			if want := strings.Contains(" "+test.allowed+" ", " "+verb+" "); review.Status.Allowed != want {
				t.Errorf("%s %s.%s: allowed is %v", verb, test.resource, test.group, review.Status.Allowed)
			}
		}
	}
}

// isReference says whether a request looks for something that an object refers to. The
// server has no right to unless somebody gives it one in a namespace, and says in the
// object's condition Accepted that it doesn't know.
func isReference(verb, resource string) bool {
	return verb == "get" && (resource == "secrets" || resource == "configmaps" || resource == "serviceaccounts")
}

// refusedRequests reads in kube-apiserver's audit log what functionmesh-apiserver
// asked without the right to. What its callers lack is no concern of it.
func refusedRequests() error {
	log, err := os.Open(env.ControlPlane.AuditLogPath())
	if err != nil {
		return fmt.Errorf("could not read the audit log: %w", err)
	}
	defer log.Close()
	seen := 0
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			Verb, RequestURI string
			User             struct{ Username string }
			ObjectRef        struct{ Resource string }
			Annotations      map[string]string
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return fmt.Errorf("could not read the audit log: %w", err)
		}
		if event.User.Username != apiServerAccount {
			continue
		}
		seen++
		if event.Annotations["authorization.k8s.io/decision"] == "forbid" && !isReference(event.Verb, event.ObjectRef.Resource) {
			return fmt.Errorf("functionmesh-apiserver may not %s %s", event.Verb, event.RequestURI)
		}
	}
	if seen == 0 {
		return fmt.Errorf("%s is not in the audit log", apiServerAccount)
	}
	return lines.Err()
}
