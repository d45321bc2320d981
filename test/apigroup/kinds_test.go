package apigroup

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestKinds(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		if _, err := k.views.Create(k.ctx, k.object("echo", ""), metav1.CreateOptions{DryRun: dryRun}); err != nil {
			t.Errorf("a dry run: %v", err)
		}
		created := k.create("echo", "")
		resource := k.behind("echo")
		if created.GetName() != resource.GetName() || created.GetUID() == resource.GetUID() {
			t.Errorf("the view is %v, the resource %v", created.Object["metadata"], resource.Object["metadata"])
		}
		if got := field(resource, k.kind.path...); !sameJSON(t, got, k.kind.outcome) {
			t.Errorf("%s is %v", strings.Join(k.kind.path, "."), got)
		}
		for _, path := range [][]string{{"spec", "tenant"}, {"spec", "namespace"}} {
			if field(created, path...) == nil || field(created, path...) != field(resource, path...) {
				t.Errorf("%v is %v in the view, %v behind it", path, field(created, path...), field(resource, path...))
			}
		}

		_, err := k.views.Create(k.ctx, k.object("echo", ""), metav1.CreateOptions{})
		checkRefusal(t, err, refusal{
			reason: metav1.StatusReasonAlreadyExists, pulsar: k.kind.Title + " echo already exists", text: k.kind.Resource + `.admin.functionmesh.io "echo" already exists`,
		})
		_, err = k.views.Create(k.ctx, k.object("other", "spec: {parallelism: 0}"), metav1.CreateOptions{})
		checkRefusal(t, err, refusal{
			reason: metav1.StatusReasonInvalid, pulsar: k.kind.Title + " parallelism must be a positive number",
			text: k.kind.Kind + `.admin.functionmesh.io "other" is invalid`,
		})
		_, err = k.views.Get(k.ctx, "absent", metav1.GetOptions{})
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonNotFound, text: k.kind.Resource + `.admin.functionmesh.io "absent" not found`})

		patched, err := k.patch("echo", `{"spec":{"parallelism":2}}`)
		k.check(err)
		if got := field(k.behind("echo"), "spec", "replicas"); got != int64(2) || patched.GetGeneration() != 2 {
			t.Errorf("after a patch there are %v replicas, in generation %d", got, patched.GetGeneration())
		}
		apply := func(manager, spec string) error {
			text, err := json.Marshal(decode(t, fmt.Sprintf("{apiVersion: %s, kind: %s, spec: %s}", v1alpha1.SchemeGroupVersion, k.kind.Kind, spec)))
			k.check(err)
			_, err = k.views.Patch(k.ctx, "echo", types.ApplyYAMLPatchType, text, metav1.PatchOptions{FieldManager: manager})
			return err
		}
		k.check(apply("first", "{logTopic: persistent://public/default/log}"))
		if err := apply("second", "{logTopic: persistent://public/default/other}"); !apierrors.IsConflict(err) {
			t.Errorf("another manager's apply: %v", err)
		}
		k.check(apply("first", "{}"))
		if got := field(k.behind("echo"), "spec", "logTopic"); got != nil {
			t.Errorf("what is no longer applied is still %v", got)
		}

		list, err := k.views.List(k.ctx, metav1.ListOptions{})
		k.check(err)
		if len(list.Items) != 1 || list.GetKind() != k.kind.Kind+"List" {
			t.Errorf("the list is %s with %d items", list.GetKind(), len(list.Items))
		}
		k.check(k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{}))
		k.eventually("the end of it", func() error {
			_, err := k.resources.Get(k.ctx, "echo", metav1.GetOptions{})
			return errIf(!apierrors.IsNotFound(err), fmt.Sprint(err))
		})
	})
}

// TestKindsTables prints each kind.
func TestKindsTables(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	for _, kind := range kinds {
		// The identity is unique across kinds.
		kind.in(k.space).create(kind.Type, "spec: {suspend: true}")
		for _, resource := range []string{kind.Resource, kind.short, strings.ToLower(kind.Kind)} {
			lines := strings.Split(k.run("", "get", resource), "\n")
			if got := strings.Join(strings.Fields(lines[0]), " "); got != kind.columns {
				t.Errorf("get %s prints %s", resource, got)
			}
			row := strings.Fields(lines[1])
			if row[0] != kind.Type || row[3] != kind.Type || row[len(row)-4] != "0" {
				t.Errorf("get %s prints %v", resource, row)
			}
		}
		header, _, _ := strings.Cut(k.run("", "get", kind.short, "-o", "wide"), "\n")
		if got := strings.Join(strings.Fields(header), " "); got != kind.columns+kind.wide {
			t.Errorf("get -o wide prints %s", got)
		}
	}
	all := k.run("", "get", "pulsar", "-o", "name")
	for _, kind := range kinds {
		if name := strings.ToLower(kind.Kind) + ".admin.functionmesh.io/" + kind.Type; !strings.Contains(all, name) {
			t.Errorf("the category doesn't have %s: %s", name, all)
		}
	}
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	first, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(first) == string(second)
}

// TestStatusIsReadOnly reads the subresource, and finds no way to write it.
func TestStatusIsReadOnly(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", "")
		status, err := k.views.Get(k.ctx, "echo", metav1.GetOptions{}, "status")
		k.check(err)
		if status.GetKind() != k.kind.Kind || field(status, "status", "phase") == nil || status.GetUID() != created.GetUID() {
			t.Errorf("the status is %v", status.Object)
		}
		if _, err := k.patch("echo", `{"status":{"phase":"Fine"}}`, "status"); !apierrors.IsMethodNotSupported(err) && !apierrors.IsForbidden(err) {
			t.Errorf("a patch of the status: %v", err)
		}
		admin := k.space.views(adminConfig, k.kind)
		if _, err := admin.UpdateStatus(k.ctx, created, metav1.UpdateOptions{}); !apierrors.IsMethodNotSupported(err) {
			t.Errorf("an update of the status: %v", err)
		}
	})
}
