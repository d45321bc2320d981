package instances

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

const (
	// maxInstances bounds how many instances one answer has. The number is what an
	// object says, which need not be what runs.
	maxInstances = 10_000
	// callTimeout is how long an instance may take to answer.
	callTimeout = 5 * time.Second
	// askTimeout is how long all instances of one answer may take together. It leaves
	// time to answer before the request's own ends.
	askTimeout = 25 * time.Second
)

// Instances knows what runs.
type Instances struct {
	client kubernetes.Interface
	// slots bound how many instances are asked at once, for all requests.
	slots *slots.Slots
	// networks are those that pods have addresses in, none for any.
	networks []netip.Prefix
	// logs bound how many logs are read at once, for all requests.
	logs chan struct{}
	// stopping is closed when the server stops.
	stopping <-chan struct{}
}

// New returns an Instances that reads pods with a client. Instances are asked only at
// addresses in networks, at all that pods can have where there are none. When stopping is
// closed, nobody goes on with a log.
func New(client kubernetes.Interface, networks []netip.Prefix, stopping <-chan struct{}) *Instances {
	return &Instances{
		client: client, slots: slots.New(maxConnections), networks: networks, logs: make(chan struct{}, maxLogs), stopping: stopping,
	}
}

// Of returns what runs of a component: instances from the first to the one before the
// last. Each that can be asked is asked. What goes wrong with one is said of that one.
func (i *Instances) Of(ctx context.Context, component v1alpha1.Component, first, last int32) ([]v1alpha1.PulsarInstance, error) {
	if last-first > maxInstances {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("there are more than %d instances: ask for one", maxInstances))
	}
	pods, err := i.pods(ctx, component)
	if err != nil {
		return nil, failed(ctx, component, err)
	}
	found := make([]v1alpha1.PulsarInstance, 0, last-first)
	for id := first; id < last; id++ {
		found = append(found, describe(component, id, pods[id]))
	}
	i.askAll(ctx, component, found, pods)
	return found, nil
}

// Ready tells whether an instance of a component is ready, as its pod says.
func (i *Instances) Ready(ctx context.Context, component v1alpha1.Component) (bool, error) {
	pods, err := i.pods(ctx, component)
	if err != nil {
		return false, failed(ctx, component, err)
	}
	for id, pod := range pods {
		if describe(component, id, pod).Ready {
			return true, nil
		}
	}
	return false, nil
}

// Restart has the pod of an instance replaced, if it has one: the StatefulSet makes a new
// one of the same name.
func (i *Instances) Restart(ctx context.Context, component v1alpha1.Component, instance int32, dryRun []string) error {
	pods, err := i.pods(ctx, component)
	if err != nil {
		return failed(ctx, component, err)
	}
	pod := pods[instance]
	if pod == nil {
		return nil
	}
	// Not the pod that comes after it, if it is gone already.
	options := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID)), DryRun: dryRun}
	err = i.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, options)
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return failed(ctx, component, err)
}

// failed tells the caller that what runs couldn't be looked at, and the log why. The
// cause names objects that the caller need not have a right to know of.
func failed(ctx context.Context, component v1alpha1.Component, err error) error {
	klog.FromContext(ctx).Error(err, "Could not deal with the instances of a component",
		"kind", component.ComponentKind().Kind, "namespace", component.GetNamespace(), "name", component.GetName())
	if apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) {
		return apierrors.NewServiceUnavailable("could not reach the pods of the instances for the moment")
	}
	return apierrors.NewInternalError(errors.New("could not deal with the pods of the instances"))
}

// describe says what is known of an instance without asking it. pod is nil where it has
// none.
func describe(component v1alpha1.Component, id int32, pod *corev1.Pod) v1alpha1.PulsarInstance {
	instance := v1alpha1.PulsarInstance{ID: id}
	if pod == nil {
		instance.Reason, instance.Message = withoutPod(component)
		return instance
	}
	instance.Pod, instance.Phase = pod.Name, string(pod.Status.Phase)
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			instance.Ready = condition.Status == corev1.ConditionTrue
		}
	}
	name := containerName(component.ComponentKind())
	for _, container := range pod.Status.ContainerStatuses {
		if container.Name == name {
			instance.Restarts = container.RestartCount
		}
	}
	switch reason, message := status.PodProblem(pod); {
	case pod.DeletionTimestamp != nil:
		instance.Ready = false
		instance.Reason, instance.Message = status.PhaseTerminating, "The pod is being stopped."
	case reason != "":
		instance.Reason, instance.Message = reason, message
	case !instance.Ready:
		// What a pod can't be started without is not always said of the pod.
		instance.Reason, instance.Message = notAccepted(component)
	}
	return instance
}

// withoutPod says why an instance has no pod.
func withoutPod(component v1alpha1.Component) (reason, message string) {
	if component.Common().Suspend {
		return status.ReasonSuspended, "No instance should run."
	}
	if reason, message = notAccepted(component); reason != "" {
		return reason, message
	}
	return status.ReasonPending, "There is no pod yet."
}

// notAccepted says what the object lacks to run, "" for nothing that is known.
func notAccepted(component v1alpha1.Component) (reason, message string) {
	accepted := meta.FindStatusCondition(component.ObservedStatus().Conditions, v1alpha1.ConditionAccepted)
	if accepted == nil || accepted.Status != metav1.ConditionFalse {
		return "", ""
	}
	return accepted.Reason, accepted.Message
}
