package translation

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

func javaFunction() *computev1alpha1.Function {
	return &computev1alpha1.Function{
		ObjectMeta: metav1.ObjectMeta{Name: "word-count", Namespace: "team", Generation: 2, CreationTimestamp: metav1.Unix(1_700_000_000, 0)},
		Spec: computev1alpha1.FunctionSpec{
			CommonSpec: computev1alpha1.CommonSpec{
				Java: &computev1alpha1.JavaRuntime{Jar: "/pulsar/examples/api.jar"},
			},
		},
	}
}

// A Function that says next to nothing is shown as the operator runs it.
func TestSilentFunction(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	view, err := translator.FromCR(javaFunction())
	if err != nil {
		t.Fatal(err)
	}
	want := adminv1alpha1.PulsarFunctionSpec{
		ComponentSpec: adminv1alpha1.ComponentSpec{
			Tenant: "public", Namespace: "default", Name: "word-count", Cluster: "kubernetes",
			Package: &adminv1alpha1.Package{FileName: "/pulsar/examples/api.jar"}, Java: &adminv1alpha1.JavaRuntime{},
			Parallelism: ptr.To[int32](1), MinReplicas: ptr.To[int32](1), ProcessingGuarantees: adminv1alpha1.AtLeastOnce,
		},
		InputConfig: adminv1alpha1.InputConfig{
			InputTypeClassName:   "[B",
			SubscriptionPosition: adminv1alpha1.Earliest,
			CleanupSubscription:  ptr.To(false),
			AutoAck:              ptr.To(true),
		},
		OutputConfig: adminv1alpha1.OutputConfig{
			OutputTypeClassName:          "[B",
			ForwardSourceMessageProperty: ptr.To(true),
		},
		MaxPendingAsyncRequests: ptr.To[int32](1000),
	}
	if diff := cmp.Diff(want, view.Spec); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFunctionsThatCannotBeShown(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	for want, change := range map[string]func(*computev1alpha1.FunctionSpec){
		"none of the blocks spec.java, spec.python, spec.golang and spec.genericRuntime": func(spec *computev1alpha1.FunctionSpec) { spec.Java = nil },
		"more than one runtime: java, golang": func(spec *computev1alpha1.FunctionSpec) {
			spec.Golang = &computev1alpha1.GoRuntime{}
		},
		"more than one runtime: java, genericRuntime": func(spec *computev1alpha1.FunctionSpec) {
			spec.GenericRuntime = &computev1alpha1.GenericRuntime{}
		},
		`spec.processingGuarantee "twice" is not known`: func(spec *computev1alpha1.FunctionSpec) {
			spec.ProcessingGuarantee = "twice"
		},
		`spec.subscriptionPosition "middle" is not known`: func(spec *computev1alpha1.FunctionSpec) {
			spec.SubscriptionPosition = "middle"
		},
		`spec.windowConfig.processingGuarantees "MANUAL" is not known`: func(spec *computev1alpha1.FunctionSpec) {
			spec.WindowConfig = &computev1alpha1.WindowConfig{ProcessingGuarantees: "MANUAL"}
		},
	} {
		cr := javaFunction()
		change(&cr.Spec)
		view, err := translator.FromCR(cr)
		if err == nil {
			t.Errorf("%s: got %v", want, view.Spec)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func TestUntranslatable(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	meta := javaFunction().ObjectMeta
	meta.Labels = map[string]string{"team": "a", ReservedPrefix + "identity": "x"}
	view := translator.Untranslatable(meta, errors.New("it has two runtimes"))
	want := []metav1.Condition{{
		Type: "Translated", Status: "False", Reason: "NotTranslatable", ObservedGeneration: 2,
		LastTransitionTime: meta.CreationTimestamp,
		Message:            "The Function behind this object can't be shown: it has two runtimes.",
	}}
	if diff := cmp.Diff(want, view.Status.Conditions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if view.Name != "word-count" || view.Status.Phase != "NotTranslatable" || len(view.Labels) != 1 {
		t.Errorf("got %v, phase %s", view.ObjectMeta, view.Status.Phase)
	}
	meta.DeletionTimestamp = &metav1.Time{}
	if got := translator.Untranslatable(meta, errors.New("x")).Status.Phase; got != "Terminating" {
		t.Errorf("phase is %s while it goes", got)
	}
}

// The Java worker leaves spec.name to the webhook, which takes metadata.name.
func TestAdoptedNames(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	const hashed = "word-count-640ae9e6"
	labels := func(prefix, tenant, component string) map[string]string {
		return map[string]string{
			prefix + "pulsar-cluster": "test-pulsar", prefix + "pulsar-tenant": tenant,
			prefix + "pulsar-namespace": "default", prefix + "pulsar-component": component,
		}
	}
	for name, test := range map[string]struct {
		object string
		labels map[string]string
		want   string
	}{
		"new labels":              {hashed, labels("compute.functionmesh.io/", "public", "word-count"), "word-count"},
		"old labels":              {hashed, labels("", "public", "word-count"), "word-count"},
		"another tenant":          {hashed, labels("", "acme", "word-count"), hashed},
		"another component":       {hashed, labels("", "public", "other"), hashed},
		"another object":          {"word-count-00000000", labels("", "public", "word-count"), hashed},
		"no labels":               {hashed, nil, hashed},
		"cluster of the spec":     {hashed, map[string]string{"pulsar-tenant": "public", "pulsar-namespace": "default", "pulsar-component": "word-count"}, "word-count"},
		"a component with a case": {"word-count-640ae9e6", labels("", "public", "Word-Count"), hashed},
	} {
		cr := javaFunction()
		cr.Name, cr.Labels = test.object, test.labels
		cr.Spec.Name, cr.Spec.ClusterName, cr.Spec.Tenant, cr.Spec.Namespace = hashed, "test-pulsar", "public", "default"
		raw := toJSONMap(cr)
		view, err := translator.FromCR(cr)
		if err != nil {
			t.Fatal(err)
		}
		if view.Spec.Name != test.want {
			t.Errorf("%s: got %q, want %q", name, view.Spec.Name, test.want)
		}
		// Whatever else changes, the operator's name for it stays: it names subscriptions.
		view.Spec.Parallelism = ptr.To[int32](5)
		if _, err := update(translator, raw, view); err != nil {
			t.Fatal(err)
		}
		if got := member(raw, []string{"spec", "name"}); got != hashed {
			t.Errorf("%s: spec.name became %v", name, got)
		}
	}
}

func TestStatus(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	now := metav1.Unix(1_800_000_000, 0)
	const (
		pending    = "Ready=Unknown:Pending Reconciling=True:Pending Reconciled=Unknown:Pending"
		reconciled = "Ready=Unknown:NotObserved Reconciled=True:Reconciled"
	)
	for name, test := range map[string]struct {
		observed       int64
		deleted        *metav1.Time
		location       string
		phase, reasons string
	}{
		"not seen yet":       {0, nil, "", "Pending", pending},
		"an older one seen":  {1, nil, "https://example.org/a.jar", "Pending", pending},
		"seen":               {2, nil, "", "Reconciled", reconciled},
		"seen, with package": {2, nil, "function://a/b/c", "Reconciled", reconciled + " PackageResolved=Unknown:NotChecked"},
		"going":              {2, &now, "", "Terminating", reconciled},
	} {
		cr := javaFunction()
		cr.DeletionTimestamp = test.deleted
		cr.Spec.Java.JarLocation = test.location
		if test.observed > 0 {
			cr.Status = &computev1alpha1.Status{ObservedGeneration: test.observed, Replicas: 3}
		}
		view, err := translator.FromCR(cr)
		if err != nil {
			t.Fatal(err)
		}
		var reasons []string
		for _, condition := range view.Status.Conditions {
			reasons = append(reasons, condition.Type+"="+string(condition.Status)+":"+condition.Reason)
			if !condition.LastTransitionTime.Equal(&cr.CreationTimestamp) || condition.ObservedGeneration != 2 {
				t.Errorf("%s: %v", name, condition)
			}
		}
		if got := strings.Join(reasons, " "); view.Status.Phase != test.phase || got != test.reasons {
			t.Errorf("%s: got %s, %s; want %s, %s", name, view.Status.Phase, got, test.phase, test.reasons)
		}
		if test.observed > 0 && view.Status.Replicas != 3 {
			t.Errorf("%s: %d replicas", name, view.Status.Replicas)
		}
	}
}
