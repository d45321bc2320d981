package controlplane

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Annotations of pods by which failing-stages.yaml knows what to say.
const (
	waitingReason  = "controlplane.test/waiting-reason"
	waitingMessage = "controlplane.test/waiting-message"
	restarts       = "controlplane.test/restarts"
)

// PodFailure is what the status of a pod's first container says of why it waits.
type PodFailure struct {
	// Reason is CrashLoopBackOff, ImagePullBackOff or any other of a kubelet's.
	Reason  string
	Message string
	// Restarts of the container. With none the pod is Pending, as it is when an
	// image can't be pulled; with any it is Running and the last run ended with
	// exit code 1.
	Restarts int
}

// Annotations returns what makes pods fail from the start, for pod templates.
func (f PodFailure) Annotations() map[string]string {
	return map[string]string{
		waitingReason:  f.Reason,
		waitingMessage: f.Message,
		restarts:       strconv.Itoa(f.Restarts),
	}
}

// FailPod makes an existing pod on a fake node fail, whether it is ready or fails
// differently. A pod that replaces it doesn't. The caller waits for the status.
func (cp *ControlPlane) FailPod(ctx context.Context, namespace, name string, failure PodFailure) error {
	return cp.annotatePod(ctx, namespace, name, failure.Annotations())
}

// RecoverPod makes a pod that fails ready. The caller waits for the status.
func (cp *ControlPlane) RecoverPod(ctx context.Context, namespace, name string) error {
	return cp.annotatePod(ctx, namespace, name, map[string]any{waitingReason: nil, waitingMessage: nil, restarts: nil})
}

func (cp *ControlPlane) annotatePod(ctx context.Context, namespace, name string, annotations any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	if err != nil {
		return fmt.Errorf("could not encode the annotations of pod %s/%s: %w", namespace, name, err)
	}
	if _, err := cp.client.CoreV1().Pods(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("could not annotate pod %s/%s: %w", namespace, name, err)
	}
	return nil
}
