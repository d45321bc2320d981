package apigroup

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// webhook is a server that kube-apiserver asks about custom resources, as it asks the
// operator's: it makes 8 replicas of 7, and refuses 13.
type webhook struct {
	*httptest.Server
	ca []byte

	lock sync.Mutex
	// dry and wet count the requests that were dry runs, and those that were not.
	dry, wet int
}

func startWebhook(t *testing.T) *webhook {
	t.Helper()
	ca, err := controlplane.NewCA("webhook")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.SignServer(controlplane.Loopback)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	w := &webhook{ca: ca.CertPEM()}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(w.review))
	w.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	w.StartTLS()
	t.Cleanup(w.Close)
	return w
}

func (w *webhook) review(writer http.ResponseWriter, request *http.Request) {
	review := &admissionv1.AdmissionReview{}
	object := &unstructured.Unstructured{}
	if json.NewDecoder(request.Body).Decode(review) != nil || json.Unmarshal(review.Request.Object.Raw, &object.Object) != nil {
		http.Error(writer, "not a review", http.StatusBadRequest)
		return
	}
	w.lock.Lock()
	if ptr.Deref(review.Request.DryRun, false) {
		w.dry++
	} else {
		w.wet++
	}
	w.lock.Unlock()
	answer := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	switch replicas, _, _ := unstructured.NestedNumberAsFloat64(object.Object, "spec", "replicas"); {
	case replicas == 7 && request.URL.Path == "/mutate":
		answer.PatchType = ptr.To(admissionv1.PatchTypeJSONPatch)
		answer.Patch = []byte(`[{"op":"replace","path":"/spec/replicas","value":8}]`)
	case replicas == 13 && request.URL.Path == "/validate":
		answer.Allowed, answer.Result = false, &metav1.Status{Message: "the webhook says no"}
	}
	review.Request, review.Response = nil, answer
	writer.Header().Set("Content-Type", "application/json")
	// Should kube-apiserver be gone, nobody waits for it.
	_ = json.NewEncoder(writer).Encode(review)
}

// register has kube-apiserver ask the webhook about a kind's resources in its namespace.
func (w *webhook) register(k *ofKind) {
	k.t.Helper()
	name := "webhook." + k.namespace
	config := func(path string) admissionregistrationv1.WebhookClientConfig {
		return admissionregistrationv1.WebhookClientConfig{URL: ptr.To(w.URL + path), CABundle: w.ca}
	}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: k.namespace}}
	rules := []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{functions.Group}, APIVersions: []string{"*"}, Resources: []string{k.kind.crs}},
	}}
	none, versions := admissionregistrationv1.SideEffectClassNone, []string{"v1"}
	api := k.kube.AdmissionregistrationV1()
	_, err := api.MutatingWebhookConfigurations().Create(k.ctx, &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "mutate.test.functionmesh.io", ClientConfig: config("/mutate"), Rules: rules, NamespaceSelector: selector, SideEffects: &none, AdmissionReviewVersions: versions,
		}},
	}, metav1.CreateOptions{})
	k.check(err)
	_, err = api.ValidatingWebhookConfigurations().Create(k.ctx, &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "validate.test.functionmesh.io", ClientConfig: config("/validate"), Rules: rules, NamespaceSelector: selector, SideEffects: &none, AdmissionReviewVersions: versions,
		}},
	}, metav1.CreateOptions{})
	k.check(err)
	k.t.Cleanup(func() {
		ctx := k.cleanupContext()
		k.check(api.MutatingWebhookConfigurations().Delete(ctx, name, metav1.DeleteOptions{}))
		k.check(api.ValidatingWebhookConfigurations().Delete(ctx, name, metav1.DeleteOptions{}))
	})
	for _, probe := range []string{"spec: {replicas: 13}", "spec: {replicas: 7}"} {
		k.eventually("the webhooks to be asked", func() error {
			created, err := k.resources.Create(k.ctx, k.resource("probe", probe), metav1.CreateOptions{DryRun: dryRun})
			if err != nil {
				return errIf(!strings.Contains(err.Error(), "the webhook says no"), err.Error())
			}
			return errIf(member(created, "spec.replicas") != int64(8), "they are not")
		})
	}
}

// TestWebhooks has kube-apiserver ask webhooks about the custom resources: what they
// change is in the answers of dry runs, and what they refuse comes to the view's users
// in the view's terms. A dry run is one to the webhook too.
func TestWebhooks(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		w := startWebhook(t)
		w.register(k)
		k.create("echo", "")
		w.lock.Lock()
		dry, wet := w.dry, w.wet
		w.lock.Unlock()

		created, err := k.views.Create(k.ctx, k.object("other", "spec: {parallelism: 7}"), metav1.CreateOptions{DryRun: dryRun})
		k.check(err)
		if got := member(created, "spec.parallelism"); got != int64(8) {
			t.Errorf("a dry run creates %v instances, which the webhook makes 8", got)
		}
		patched, err := k.views.Patch(k.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"parallelism":7}}`), metav1.PatchOptions{DryRun: dryRun})
		k.check(err)
		if got := member(patched, "spec.parallelism"); got != int64(8) {
			t.Errorf("a dry run patches to %v instances, which the webhook makes 8", got)
		}
		_, err = k.views.Create(k.ctx, k.object("other", "spec: {parallelism: 13}"), metav1.CreateOptions{DryRun: dryRun})
		if err == nil || !strings.Contains(err.Error(), "the webhook says no") {
			t.Errorf("a dry run of what the webhook refuses: %v", err)
		} else {
			noCRNames(t, err)
		}
		w.lock.Lock()
		if w.dry <= dry || w.wet != wet {
			t.Errorf("the webhook saw %d dry runs, and %d requests that were none", w.dry-dry, w.wet-wet)
		}
		w.lock.Unlock()
		if _, err := k.views.Get(k.ctx, "other", metav1.GetOptions{}); err == nil {
			t.Error("a dry run created an object")
		}

		// For real it is the same.
		if got := member(k.create("seven", "spec: {parallelism: 7}"), "spec.parallelism"); got != int64(8) {
			t.Errorf("%v instances were created, which the webhook makes 8", got)
		}
		if got := member(k.behind("seven"), "spec.replicas"); got != int64(8) {
			t.Errorf("the custom resource has %v replicas", got)
		}
	})
}
