package apigroup

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var dryRun = []string{metav1.DryRunAll}

// TestDryRun checks that nothing is stored, and that the answer is what it would be.
func TestDryRun(t *testing.T) {
	t.Parallel()
	s := newSpace(t)

	created, err := s.author.Create(s.ctx, newFunction("absent"), metav1.CreateOptions{DryRun: dryRun})
	s.check(err)
	if created.Spec.Tenant != "public" || created.Name != "absent" || created.UID == "" {
		t.Errorf("a dry create returns %+v", created)
	}
	applied, err := s.author.Patch(s.ctx, "absent", types.ApplyYAMLPatchType, []byte(functionJSON(t, "absent")),
		metav1.PatchOptions{DryRun: dryRun, FieldManager: "tester"})
	s.check(err)
	if len(applied.ManagedFields) != 1 {
		t.Errorf("a dry apply returns %+v", applied)
	}
	if crs, err := s.crs.List(s.ctx, metav1.ListOptions{}); err != nil || len(crs.Items) != 0 {
		t.Errorf("a dry create stored something: %v, %v", crs, err)
	}
	// What functions need of their namespace is not made for a dry run either.
	if _, err := s.kube.CoreV1().ConfigMaps(s.namespace).Get(s.ctx, connectionName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("after a dry create, ConfigMap %s: %v", connectionName, err)
	}

	before := s.create("echo")
	function := before.DeepCopy()
	function.Spec.Parallelism = ptr.To(int32(7))
	for name, write := range map[string]func() (*v1alpha1.PulsarFunction, error){
		"update": func() (*v1alpha1.PulsarFunction, error) {
			return s.author.Update(s.ctx, function, metav1.UpdateOptions{DryRun: dryRun})
		},
		"patch": func() (*v1alpha1.PulsarFunction, error) {
			return s.author.Patch(s.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"parallelism":7}}`), metav1.PatchOptions{DryRun: dryRun})
		},
		"apply": func() (*v1alpha1.PulsarFunction, error) {
			return s.author.Patch(s.ctx, "echo", types.ApplyYAMLPatchType,
				[]byte(`{"apiVersion":"admin.functionmesh.io/v1alpha1","kind":"PulsarFunction","spec":{"parallelism":7}}`),
				metav1.PatchOptions{DryRun: dryRun, FieldManager: "tester", Force: ptr.To(true)})
		},
	} {
		dry, err := write()
		if err != nil || *dry.Spec.Parallelism != 7 || dry.Generation != before.Generation+1 {
			t.Errorf("a dry %s returns %+v, %v", name, dry, err)
		}
		// Else kubectl diff would show what nobody is going to change.
		if !equality.Semantic.DeepEqual(dry.Status, before.Status) {
			t.Errorf("a dry %s changes the status to %+v", name, dry.Status)
		}
	}
	s.check(s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{DryRun: dryRun}))
	if after := s.get("echo"); after.ResourceVersion != before.ResourceVersion || *after.Spec.Parallelism != 1 || after.DeletionTimestamp != nil {
		t.Errorf("a dry run stored %+v", after)
	}
}

// TestDryRunConflicts checks that a dry run refuses what the real one would.
func TestDryRunConflicts(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	stale := s.create("echo")
	_, err := s.author.Patch(s.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"parallelism":2}}`), metav1.PatchOptions{})
	s.check(err)

	stale.Spec.Parallelism = ptr.To(int32(7))
	_, err = s.author.Update(s.ctx, stale, metav1.UpdateOptions{DryRun: dryRun})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: "the object has been modified"})
	body := `{"metadata":{"resourceVersion":"` + stale.ResourceVersion + `"},"spec":{"parallelism":7}}`
	_, err = s.author.Patch(s.ctx, "echo", types.MergePatchType, []byte(body), metav1.PatchOptions{DryRun: dryRun})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: "the object has been modified"})

	_, err = s.author.Create(s.ctx, newFunction("echo"), metav1.CreateOptions{DryRun: dryRun})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonAlreadyExists, text: "already exists", pulsar: "Function echo already exists"})
	invalid := newFunction("invalid")
	invalid.Spec.Inputs = nil
	_, err = s.author.Create(s.ctx, invalid, metav1.CreateOptions{DryRun: dryRun})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonInvalid, fields: []string{"spec.inputs"},
		pulsar: "No input topic(s) specified for the function"})

	err = s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{DryRun: dryRun, Preconditions: &metav1.Preconditions{ResourceVersion: &stale.ResourceVersion}})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: "ResourceVersion in precondition"})
	err = s.author.Delete(s.ctx, "absent", metav1.DeleteOptions{DryRun: dryRun})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonNotFound, text: `"absent" not found`})
}

// TestBackendIsAsked has a rule that only kube-apiserver knows: a policy for the
// custom resources. What it says comes to the view's users in the view's terms,
// in dry runs as well.
func TestBackendIsAsked(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.refuseReplicas("refused-by-policy", 13)
	s.create("echo")

	function := newFunction("other")
	function.Spec.Parallelism = ptr.To(int32(13))
	for name, write := range map[string]func(dry []string) error{
		"create": func(dry []string) error {
			_, err := s.author.Create(s.ctx, function, metav1.CreateOptions{DryRun: dry})
			return err
		},
		"patch": func(dry []string) error {
			_, err := s.author.Patch(s.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"parallelism":13}}`), metav1.PatchOptions{DryRun: dry})
			return err
		},
	} {
		for kind, dry := range map[string][]string{"dry run": dryRun, "for real": nil} {
			err := write(dry)
			if err == nil || !strings.Contains(err.Error(), "thirteen brings bad luck") {
				t.Errorf("%s, %s: %v", name, kind, err)
				continue
			}
			noCRNames(t, err)
		}
	}
	if got := field(s.cr("echo"), "spec", "replicas"); got != int64(1) {
		t.Errorf("the custom resource has %v replicas", got)
	}
}
