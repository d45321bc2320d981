package disruption

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// ageCRD takes fields of spec out of the CRD of functions, so that it is as an older
// Function Mesh has it: what it doesn't know, it keeps and ignores. They come back when
// the test ends.
func ageCRD(ctx context.Context, t *testing.T, fields ...[]string) {
	t.Helper()
	t.Cleanup(func() { restoreCRD(context.Background(), t) })
	crds := env.Dynamic().Resource(crdResource)
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		crd, err := crds.Get(ctx, crdName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
		if err != nil {
			return err
		}
		version, ok := versions[0].(map[string]any)
		if !ok {
			return errors.New("the CRD has no version")
		}
		for _, field := range fields {
			path := []string{"schema", "openAPIV3Schema", "properties", "spec"}
			for _, name := range field {
				path = append(path, "properties", name)
			}
			if _, found, err := unstructured.NestedFieldNoCopy(version, path...); err != nil || !found {
				return errors.New("the CRD has no " + strings.Join(field, "."))
			}
			unstructured.RemoveNestedField(version, path...)
		}
		if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
			return err
		}
		_, err = crds.Update(ctx, crd, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func restoreCRD(ctx context.Context, t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := env.ApplyCRDs(ctx); err != nil {
		t.Error(err)
	}
}

// TestOlderCRD asks for fields that the installed CRD is too old for. It would keep
// them, and the operator would never see them.
func TestOlderCRD(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t, "old-crd")
	functions := newViews(t, env.ControlPlane.AdminConfig()).AdminV1alpha1().PulsarFunctions(namespace)
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	wants := func(change func(*v1alpha1.PulsarFunction)) error {
		function := newFunction(namespace, "wanted")
		change(function)
		_, err := functions.Create(ctx, function, dryRun)
		return err
	}
	skip := func(f *v1alpha1.PulsarFunction) { f.Spec.SkipToLatest = ptr.To(true) }
	scatter := func(f *v1alpha1.PulsarFunction) { f.Spec.Pod = &v1alpha1.Pod{DisableDefaultAffinity: true} }

	before := newFunction(namespace, "before")
	skip(before)
	before = must[*v1alpha1.PulsarFunction](t)(functions.Create(ctx, before, metav1.CreateOptions{}))
	plain := create(ctx, t, namespace, "plain")
	ageCRD(ctx, t, []string{"skipToLatest"}, []string{"pod", "disableDefaultAffinity"})

	for field, test := range map[string]struct {
		change func(*v1alpha1.PulsarFunction)
		since  string
	}{
		"spec.skipToLatest":               {skip, "Function Mesh of 2023-05"},
		"spec.pod.disableDefaultAffinity": {scatter, "Function Mesh v0.25.0 (2025-07)"},
	} {
		var refused error
		eventually(ctx, t, "the old CRD to be known", func() error {
			if refused = wants(test.change); !apierrors.IsInvalid(refused) {
				return errNotYet
			}
			return nil
		})
		text := "the installed Function Mesh definition has no such field: it came with " + test.since
		if !strings.Contains(refused.Error(), field+": ") || !strings.Contains(refused.Error(), text) {
			t.Errorf("it is refused with %v", refused)
		}
	}
	if err := wants(func(f *v1alpha1.PulsarFunction) { f.Spec.SkipToLatest = ptr.To(false) }); err != nil {
		t.Errorf("what the field's absence means is refused: %v", err)
	}

	skip(plain)
	// Loops write to both meanwhile.
	plain.ResourceVersion, before.ResourceVersion = "", ""
	if _, err := functions.Update(ctx, plain, metav1.UpdateOptions{}); !apierrors.IsInvalid(err) {
		t.Errorf("an update to it is answered %v", err)
	}
	before.Spec.LogTopic = "persistent://public/default/log"
	updated, err := functions.Update(ctx, before, metav1.UpdateOptions{})
	if err != nil || updated.Spec.SkipToLatest == nil {
		t.Errorf("an update of what always had it: %v", err)
	}

	restoreCRD(ctx, t)
	eventually(ctx, t, "the new CRD to be known", func() error { return wants(skip) })
	if err := wants(scatter); err != nil {
		t.Errorf("with the new CRD: %v", err)
	}
}
