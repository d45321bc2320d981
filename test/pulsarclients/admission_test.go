package pulsarclients

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// denial makes somebody's rule deny every creation of functions with a class.
type denial struct {
	class  string
	group  string
	reason *metav1.StatusReason
}

// policy denies by a ValidatingAdmissionPolicy.
func (d denial) policy(t *testing.T, name, resource string) {
	t.Helper()
	client := world.env.ControlPlane.Client().AdmissionregistrationV1()
	must[*admissionregistrationv1.ValidatingAdmissionPolicy](t)(client.ValidatingAdmissionPolicies().Create(t.Context(),
		&admissionregistrationv1.ValidatingAdmissionPolicy{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
				MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
					RuleWithOperations: d.rule(resource),
				}}},
				Validations: []admissionregistrationv1.Validation{{
					Expression: "!(" + d.condition() + ")", Message: "the house has rules", Reason: d.reason,
				}},
			},
		}, metav1.CreateOptions{}))
	must[*admissionregistrationv1.ValidatingAdmissionPolicyBinding](t)(client.ValidatingAdmissionPolicyBindings().Create(t.Context(),
		&admissionregistrationv1.ValidatingAdmissionPolicyBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
				PolicyName: name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
			},
		}, metav1.CreateOptions{}))
	t.Cleanup(func() {
		_ = client.ValidatingAdmissionPolicyBindings().Delete(context.Background(), name, metav1.DeleteOptions{})
		_ = client.ValidatingAdmissionPolicies().Delete(context.Background(), name, metav1.DeleteOptions{})
	})
}

// condition is true for an object with the class, in CEL.
func (d denial) condition() string {
	return "has(object.spec.className) && object.spec.className == '" + d.class + "'"
}

func (d denial) rule(resource string) admissionregistrationv1.RuleWithOperations {
	return admissionregistrationv1.RuleWithOperations{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{d.group}, APIVersions: []string{"*"}, Resources: []string{resource}},
	}
}

// webhook denies by a webhook that answers 403, as the one of the Function Mesh
// operator does.
func (d denial) webhook(t *testing.T, name, resource string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(request.Body).Decode(&review); err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: !strings.Contains(string(review.Request.Object.Raw), d.class)}
		if !review.Response.Allowed {
			review.Response.Result = &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "the house has rules"}
		}
		review.Request = nil
		_ = json.NewEncoder(writer).Encode(review)
	}))
	pair := must[controlplane.KeyPair](t)(world.env.ControlPlane.SignServerCert(controlplane.Loopback))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{must[tls.Certificate](t)(tls.X509KeyPair(pair.CertPEM, pair.KeyPEM))}}
	server.StartTLS()
	client := world.env.ControlPlane.Client().AdmissionregistrationV1().ValidatingWebhookConfigurations()
	must[*admissionregistrationv1.ValidatingWebhookConfiguration](t)(client.Create(t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:         name + ".example.org",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: &server.URL, CABundle: world.env.ControlPlane.CAPEM()},
			Rules:        []admissionregistrationv1.RuleWithOperations{d.rule(resource)},
			// Other tests' functions must not depend on this server.
			MatchConditions:         []admissionregistrationv1.MatchCondition{{Name: "class", Expression: d.condition()}},
			FailurePolicy:           ptr.To(admissionregistrationv1.Ignore),
			SideEffects:             ptr.To(admissionregistrationv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{}))
	t.Cleanup(func() {
		_ = client.Delete(context.Background(), name, metav1.DeleteOptions{})
		server.Close()
	})
}

// TestAdmission lets rules of the cluster deny functions, on the view and on the
// resource behind it. The caller has to hear which: it is neither their rights nor
// their function's form that is wrong.
func TestAdmission(t *testing.T) {
	t.Parallel()
	const views, resources = "admin.functionmesh.io", "compute.functionmesh.io"
	for i, test := range []struct {
		what string
		make func(t *testing.T, class string)
		says string
	}{
		{"a policy on the view", func(t *testing.T, class string) {
			denial{class: class, group: views}.policy(t, "deny-views", "pulsarfunctions")
		}, "ValidatingAdmissionPolicy 'deny-views' with binding 'deny-views' denied request: the house has rules"},
		{"a forbidding policy on the view", func(t *testing.T, class string) {
			denial{class: class, group: views, reason: ptr.To(metav1.StatusReasonForbidden)}.policy(t, "forbid-views", "pulsarfunctions")
		}, "ValidatingAdmissionPolicy 'forbid-views' with binding 'forbid-views' denied request: the house has rules"},
		{"a policy on the resource", func(t *testing.T, class string) {
			denial{class: class, group: resources}.policy(t, "deny-resources", "functions")
		}, "ValidatingAdmissionPolicy 'deny-resources' with binding 'deny-resources' denied request: the house has rules"},
		{"a forbidding policy on the resource", func(t *testing.T, class string) {
			denial{class: class, group: resources, reason: ptr.To(metav1.StatusReasonForbidden)}.policy(t, "forbid-resources", "functions")
		}, "ValidatingAdmissionPolicy 'forbid-resources' with binding 'forbid-resources' denied request: the house has rules"},
		{"a webhook on the view", func(t *testing.T, class string) {
			denial{class: class, group: views}.webhook(t, "webhook-views", "pulsarfunctions")
		}, `admission webhook "webhook-views.example.org" denied the request: the house has rules`},
		{"a webhook on the resource", func(t *testing.T, class string) {
			denial{class: class, group: resources}.webhook(t, "webhook-resources", "functions")
		}, `admission webhook "webhook-resources.example.org" denied the request: the house has rules`},
	} {
		t.Run(test.what, func(t *testing.T) {
			class := fmt.Sprintf("org.example.Denied%d", i)
			test.make(t, class)
			name := identity.Name{Tenant: "admission", Namespace: "n", Name: fmt.Sprintf("f%d", i)}
			// Servers learn of rules by a watch.
			var got answer
			eventually(t, "the rule to be followed", func(context.Context) error {
				got = rest().create(t, name, config(encode(t, changed(t, leastConfig, `{"className":"`+class+`"}`))))
				if got.code == http.StatusNoContent {
					expectOK(t, "delete", rest().remove(t, name))
					return fmt.Errorf("created")
				}
				return nil
			})
			if got.code != 400 || !strings.HasPrefix(got.reason, "Function "+name.Name+" cannot be admitted:- ") || !strings.HasSuffix(got.reason, test.says) {
				t.Errorf("the answer is %s", got)
			}
			if strings.Contains(got.reason, "compute.functionmesh.io") {
				t.Errorf("the reason is about the resource behind: %s", got.reason)
			}
		})
	}
}
