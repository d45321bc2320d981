package revisions

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const groupPath = "/apis/admin.functionmesh.io/v1alpha1/namespaces/" + namespace + "/"

// kubectl runs kubectl with an input, and returns what it prints.
func kubectl(ctx context.Context, input string, arguments ...string) (string, error) {
	command := env.Kubectl(ctx, arguments...)
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, output)
	}
	return string(output), err
}

func resources(plural string) dynamic.ResourceInterface {
	return env.Dynamic().Resource(schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: plural}).Namespace(namespace)
}

func views(plural string) dynamic.ResourceInterface {
	return env.Dynamic().Resource(v1alpha1.SchemeGroupVersion.WithResource(plural)).Namespace(namespace)
}

// manifests are objects of the kinds, with a log topic as what is changed in them.
var manifests = map[string]string{
	"pulsarfunctions": `{"kind":"PulsarFunction","spec":{"className":"org.example.F","java":{},"package":{"location":"function://public/default/code@1"},
		"inputs":["persistent://public/default/in"],"parallelism":2,"logTopic":"persistent://public/default/log-%s"}}`,
	"pulsarsinks": `{"kind":"PulsarSink","spec":{"className":"org.example.S","package":{"location":"sink://public/default/code@1"},
		"inputs":["persistent://public/default/in"],"parallelism":2,"logTopic":"persistent://public/default/log-%s"}}`,
	"pulsarsources": `{"kind":"PulsarSource","spec":{"className":"org.example.S","package":{"location":"source://public/default/code@1"},
		"output":"persistent://public/default/out","parallelism":2,"logTopic":"persistent://public/default/log-%s"}}`,
}

// apply makes or changes an object as kubectl apply does.
func apply(t *testing.T, plural, name, log string) {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(fmt.Sprintf(manifests[plural], log)), &object.Object); err != nil {
		t.Fatal(err)
	}
	object.SetAPIVersion(v1alpha1.SchemeGroupVersion.String())
	object.SetName(name)
	data := must[[]byte](t)(object.MarshalJSON())
	must[string](t)(kubectl(t.Context(), string(data), "apply", "--namespace", namespace, "-f", "-"))
}

func patch(t *testing.T, of dynamic.ResourceInterface, name, manager, change string) {
	t.Helper()
	must[*unstructured.Unstructured](t)(of.Patch(t.Context(), name, types.MergePatchType, []byte(change), metav1.PatchOptions{FieldManager: manager}))
}

// revisionsOf asks for revisions as kubectl does.
func revisionsOf(ctx context.Context, plural, name string) ([]v1alpha1.PulsarRevision, error) {
	output, err := kubectl(ctx, "", "get", "--raw", groupPath+plural+"/"+name+"/revisions")
	if err != nil {
		return nil, err
	}
	var answer v1alpha1.PulsarRevisions
	return answer.Revisions, json.Unmarshal([]byte(output), &answer)
}

// rollback asks for a rollback as kubectl does.
func rollback(ctx context.Context, plural, name string, revision int, arguments ...string) error {
	body := fmt.Sprintf(`{"apiVersion":"admin.functionmesh.io/v1alpha1","kind":"PulsarRollback","revision":%d}`, revision)
	_, err := kubectl(ctx, body, append([]string{"create", "--raw", groupPath + plural + "/" + name + "/rollback", "-f", "-"}, arguments...)...)
	return err
}

// logOf returns what log topic a spec has, without what all have in common.
func logOf(spec []byte) string {
	var read struct{ LogTopic string }
	if err := json.Unmarshal(spec, &read); err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(read.LogTopic, "persistent://public/default/log-")
}

// expectRevisions waits until an object has these revisions, each as number and log, the
// newest first, of which that is the present one. It returns them.
func expectRevisions(t *testing.T, plural, name string, want ...string) []v1alpha1.PulsarRevision {
	t.Helper()
	var found []v1alpha1.PulsarRevision
	eventually(t, "revisions of "+name, func(ctx context.Context) (err error) {
		if found, err = revisionsOf(ctx, plural, name); err != nil {
			return err
		}
		var got []string
		for i, revision := range found {
			got = append(got, fmt.Sprintf("%d %s", revision.Revision, logOf(revision.Spec.Raw)))
			if revision.Current != (i == 0) {
				return fmt.Errorf("revision %d is current: %t", revision.Revision, revision.Current)
			}
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			return fmt.Errorf("there are %q, not %q", got, want)
		}
		return nil
	})
	return found
}

func expectSpec(t *testing.T, plural, name, log string, parallelism int64) {
	t.Helper()
	object := must[*unstructured.Unstructured](t)(views(plural).Get(t.Context(), name, metav1.GetOptions{}))
	spec := must[[]byte](t)(json.Marshal(object.Object["spec"]))
	replicas, _, err := unstructured.NestedInt64(object.Object, "spec", "parallelism")
	if got := logOf(spec); got != log || replicas != parallelism || err != nil {
		t.Errorf("%s has log %s and parallelism %d (%v), not %s and %d", name, got, replicas, err, log, parallelism)
	}
}

func expectError(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v", what, err)
	}
}
