package running

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// TestBroken proves that the subresource and the status of Pulsar's API say what is wrong
// with a pod.
func TestBroken(t *testing.T) {
	createFunction(t, "broken", 2)
	podsOf(t, "broken", 2)
	name := objectName("broken")
	for _, failure := range []controlplane.PodFailure{
		{Reason: "CrashLoopBackOff", Message: "back-off 5m0s", Restarts: 3},
		{Reason: "ImagePullBackOff", Message: "Back-off pulling image"},
		{Reason: "CreateContainerConfigError", Message: `secret "password" not found`},
	} {
		if err := env.ControlPlane.FailPod(t.Context(), namespace, name+"-function-1", failure); err != nil {
			t.Fatal(err)
		}
		eventually(t, failure.Reason, func(ctx context.Context) error {
			found, err := instancesOf(ctx, "pulsarfunctions", name, "")
			if err != nil {
				return err
			}
			if len(found.Instances) != 2 || found.Instances[1].Reason != failure.Reason || found.Instances[1].Ready ||
				found.Instances[1].Restarts != int32(failure.Restarts) || found.Instances[0].Reason != "" || !found.Instances[0].Ready {
				return fmt.Errorf("it says %+v", found.Instances)
			}
			return nil
		})
		_, status, err := get(t.Context(), env.ShimURL(), functions+"broken/1/status")
		if text, _ := status["error"].(string); err != nil || status["running"] != false || !strings.Contains(text, failure.Reason) ||
			status["numRestarts"] != float64(failure.Restarts) {
			t.Errorf("the status of one with %s: %v (%v)", failure.Reason, status, err)
		}
	}
	only, err := instancesOf(t.Context(), "pulsarfunctions", name, "?instance=1")
	if err != nil || len(only.Instances) != 1 || only.Instances[0].ID != 1 || only.Parallelism != 2 {
		t.Errorf("one alone is %+v (%v)", only, err)
	}
	for _, query := range []string{"?instance=2", "?instance=-1", "?instance=x"} {
		if _, err := instancesOf(t.Context(), "pulsarfunctions", name, query); err == nil {
			t.Errorf("%s is answered", query)
		}
	}
	for _, instance := range []string{"2", "-1", "x"} {
		code, answer, err := get(t.Context(), env.ShimURL(), functions+"broken/"+instance+"/stats")
		if err != nil || code != 400 || answer["reason"] != "Function broken doesn't have instance with id "+instance {
			t.Errorf("the stats of instance %s: %d %v (%v)", instance, code, answer, err)
		}
	}
}

// TestUnschedulable is about a pod that no node takes, and one that isn't there yet.
func TestUnschedulable(t *testing.T) {
	createFunction(t, "homeless", 1)
	podsOf(t, "homeless", 1)
	patch := []byte(`{"spec":{"pod":{"nodeSelector":{"nowhere":"true"}}}}`)
	if _, err := views(t, "").AdminV1alpha1().PulsarFunctions(namespace).Patch(t.Context(), objectName("homeless"), types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if code, reason := post(t, functions+"homeless/0/restart"); code != 204 {
		t.Fatalf("%d %q", code, reason)
	}
	var last v1alpha1.PulsarInstance
	eventually(t, "the pod to wait", func(ctx context.Context) error {
		found, err := instancesOf(ctx, "pulsarfunctions", objectName("homeless"), "")
		if err != nil {
			return err
		}
		if last = found.Instances[0]; last.Reason != "Unschedulable" || !strings.Contains(last.Message, "nodes are available") {
			return fmt.Errorf("it says %+v", last)
		}
		return nil
	})
}
