package translation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

func TestUIDs(t *testing.T) {
	for _, uid := range []types.UID{
		"", "A", "not a uid", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "6BA7B810-9DAD-41D1-80B4-00C04FD430C8",
		"6ba7b810-9dad-41d1-80b4-00c04fd430c", "6ba7b810-9dad-41d1-80b4-00c04fd430c8x", "uid-\u00fc",
	} {
		view := ViewUID(uid)
		if uid != "" && view == uid {
			t.Errorf("%q: the view's is the same", uid)
		}
		if back := CRUID(view); back != uid {
			t.Errorf("%q became %q, and that %q", uid, view, back)
		}
		if again := ViewUID(view); again != uid {
			t.Errorf("%q is not swapped back", uid)
		}
	}
	// It must never change: objects hold it.
	if got := ViewUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8"); got != "31b97f29-197f-4abe-a127-e88d3f68053e" {
		t.Errorf("got %q", got)
	}
	// A text that would turn into a UUID stays, so that it comes back.
	rotated := types.UID(rotate47("6ba7b810-9dad-41d1-80b4-00c04fd430c8"))
	if got := ViewUID(rotated); got != rotated {
		t.Errorf("%q became %q", rotated, got)
	}
}

func TestMetadataFromCR(t *testing.T) {
	deleted := metav1.Unix(1_700_000_000, 0)
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: "6ba7b810-9dad-41d1-80b4-00c04fd430c8"}
	cr := metav1.ObjectMeta{
		Name: "f", Namespace: "team", GenerateName: "f-", ResourceVersion: "7", Generation: 3,
		CreationTimestamp: metav1.Unix(1_600_000_000, 0), DeletionTimestamp: &deleted,
		Labels: map[string]string{
			"app.kubernetes.io/instance":                       "the resource's",
			"kustomize.toolkit.fluxcd.io/name":                 "the resource's",
			ReservedPrefix + "identity":                        "x",
			ReservedPrefix + "app.kubernetes.io_managed-by":    "Helm",
			ReservedPrefix + "example.org_not-a-claim":         "x",
			"compute.functionmesh.io/pulsar-tenant":            "acme",
			"kubectl.kubernetes.io/last-applied-configuration": "the resource's",
		},
		Annotations: map[string]string{
			"kubectl.kubernetes.io/last-applied-configuration":                  "the resource's",
			ReservedPrefix + "kubectl.kubernetes.io_last-applied-configuration": "the view's",
			ReservedPrefix + "kept-fields":                                      "{}",
			ReservedPrefix + "managed-fields":                                   `[{"manager":"kubectl"}]`,
			"note":                                                              "n",
		},
		Finalizers:      []string{"orphan", "example.org/hold", "foregroundDeletion"},
		OwnerReferences: []metav1.OwnerReference{owner},
		ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "functionmesh-apiserver"}},
	}
	want := metav1.ObjectMeta{
		Name: "f", Namespace: "team", GenerateName: "f-", ResourceVersion: "7", Generation: 3,
		CreationTimestamp: cr.CreationTimestamp, DeletionTimestamp: &deleted,
		Labels:          map[string]string{"app.kubernetes.io/managed-by": "Helm", "compute.functionmesh.io/pulsar-tenant": "acme"},
		Annotations:     map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "the view's", "note": "n"},
		Finalizers:      []string{"example.org/hold"},
		OwnerReferences: []metav1.OwnerReference{owner},
		ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
	}
	if diff := cmp.Diff(want, MetaFromCR(cr)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	cr.Annotations[ManagedFieldsAnnotation] = "no JSON"
	if got := MetaFromCR(cr).ManagedFields; got != nil {
		t.Errorf("unreadable managed fields became %v", got)
	}
}

func TestMetadataToCR(t *testing.T) {
	cr, err := MetaToCR(metav1.ObjectMeta{
		Labels:      map[string]string{ReservedPrefix + "identity": "forged", "helm.toolkit.fluxcd.io/name": "release"},
		Annotations: map[string]string{ReservedPrefix + "kept-fields": "forged"},
		Finalizers:  []string{"foregroundDeletion"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := metav1.ObjectMeta{Labels: map[string]string{ReservedPrefix + "helm.toolkit.fluxcd.io_name": "release"}}
	if diff := cmp.Diff(want, cr); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for claim := range claimKeys {
		if _, err := MetaToCR(metav1.ObjectMeta{Annotations: map[string]string{claim: "x"}}); err != nil {
			t.Errorf("%s: %v", claim, err)
		}
	}
	long := "kustomize.toolkit.fluxcd.io/" + strings.Repeat("x", 63)
	if _, err := MetaToCR(metav1.ObjectMeta{Annotations: map[string]string{long: "x"}}); err == nil {
		t.Errorf("%s was stored", long)
	}
}

func TestSelectors(t *testing.T) {
	long := "kustomize.toolkit.fluxcd.io/" + strings.Repeat("x", 63)
	for selector, want := range map[string]string{
		"":                                      "",
		"team=a,!gone":                          "!gone,team=a",
		"app.kubernetes.io/instance=x":          ReservedPrefix + "app.kubernetes.io_instance=x",
		"app.kubernetes.io/instance notin (x)":  ReservedPrefix + "app.kubernetes.io_instance notin (x)",
		"!helm.toolkit.fluxcd.io/name,a in (b)": "a in (b),!" + ReservedPrefix + "helm.toolkit.fluxcd.io_name",
		ReservedPrefix + "identity=x":           ReservedPrefix + "identity=x",
		"!" + long + ",team=a":                  "team=a",
		long + "!=x":                            "",
	} {
		parsed, err := labels.Parse(selector)
		if err != nil {
			t.Fatal(err)
		}
		if got := SelectorToCR(parsed).String(); got != want {
			t.Errorf("%q: got %q, want %q", selector, got, want)
		}
	}
	exists, err := labels.Parse(long)
	if err != nil {
		t.Fatal(err)
	}
	for name, selector := range map[string]labels.Selector{"nothing": labels.Nothing(), "no view has the key": exists} {
		if got := SelectorToCR(selector); !labels.MatchesNothing(got) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// A selector of views selects the resources of exactly the views that it selects.
func FuzzSelectorsAgree(f *testing.F) {
	for _, selector := range []string{"app.kubernetes.io/instance=x", "team", "!app.kubernetes.io/managed-by", "team!=a"} {
		f.Add(selector, "app.kubernetes.io/instance", "x")
		f.Add(selector, "app.kubernetes.io/instance", "y")
		f.Add(selector, "team", "a")
	}
	f.Fuzz(func(t *testing.T, selector, key, value string) {
		parsed, err := labels.Parse(selector)
		if err != nil || Reserved(key) || strings.Contains(selector, ReservedPrefix) {
			return
		}
		cr, err := MetaToCR(metav1.ObjectMeta{Labels: map[string]string{key: value}})
		if err != nil {
			return
		}
		// The resource's own claim must not count.
		cr.Labels["app.kubernetes.io/instance"] = "x"
		if parsed.Matches(labels.Set{key: value}) != SelectorToCR(parsed).Matches(labels.Set(cr.Labels)) {
			t.Errorf("%q and %s=%s", selector, key, value)
		}
	})
}
