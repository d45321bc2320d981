package tenancy

import (
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// right is a verb on a resource of the group, or on a subresource: RESOURCE/SUBRESOURCE.
// Those in clusterScoped are in no namespace.
type right struct{ verb, resource string }

func (r right) String() string { return r.verb + " " + r.resource }

var clusterScoped = map[string]bool{"pulsarconnectors": true, "pulsarworkers": true, "pulsartenants": true}

// matrix is a namespace with callers who have one role each, or one right.
type matrix struct {
	namespace, tenant string
	callers           []*caller
}

// objectVerbs are the verbs on objects, each of which is a role of its own.
var objectVerbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}

func newMatrix(t *testing.T, tenant string) *matrix {
	t.Helper()
	m := &matrix{tenant: tenant, namespace: newNamespace(t, "matrix", tenant+"/x")}
	add := func(name string) *caller {
		c := newCaller(t, m.namespace, name)
		m.callers = append(m.callers, c)
		return c
	}
	add("nobody")
	for _, role := range []string{"viewer", "author", "operator", "customizer"} {
		add(role).bind(t, "functionmesh-pulsar-"+role)
	}
	for _, role := range []string{"view", "edit", "admin"} {
		add(role).bind(t, role)
	}
	for _, role := range []string{"auditor", "superuser", "claimer"} {
		add(role).bindEverywhere(t, "functionmesh-pulsar-"+role)
	}
	all := []string{"pulsarfunctions", "pulsarsinks", "pulsarsources"}
	for _, verb := range objectVerbs {
		role := clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{"admin.functionmesh.io"}, Resources: all, Verbs: []string{verb}})
		add(verb).bind(t, role)
		if verb != "get" {
			getter := clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{"admin.functionmesh.io"}, Resources: all, Verbs: []string{"get", verb}})
			add("get-and-"+verb).bind(t, getter)
		}
	}
	return m
}

// may asks kube-apiserver whether a caller has a right.
func (m *matrix) may(t *testing.T, c *caller, r right) bool {
	t.Helper()
	resource, subresource, _ := strings.Cut(r.resource, "/")
	attributes := &authorizationv1.ResourceAttributes{Group: "admin.functionmesh.io", Version: "v1alpha1", Verb: r.verb, Resource: resource, Subresource: subresource}
	if resource == "pods" {
		attributes.Group, attributes.Version = "", "v1"
	}
	if !clusterScoped[resource] {
		attributes.Namespace = m.namespace
	}
	review := must[*authorizationv1.SubjectAccessReview](t)(kube().AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: c.user(), ResourceAttributes: attributes,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + c.namespace, "system:authenticated"},
		},
	}, metav1.CreateOptions{}))
	return review.Status.Allowed
}

// mayAll tells whether a caller has all rights, remembered by answers.
func (m *matrix) mayAll(t *testing.T, c *caller, rights []right, answers map[string]bool) bool {
	t.Helper()
	allowed := true
	for _, r := range rights {
		key := c.name + " " + r.String()
		if _, asked := answers[key]; !asked {
			answers[key] = m.may(t, c, r)
		}
		allowed = allowed && answers[key]
	}
	return allowed
}
