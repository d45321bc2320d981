package pulsarfunction

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// Pulsar's texts for what can't be triggered.
const (
	manyTopics   = "Function in trigger function has more than 1 input topics"
	unknownTopic = "Function in trigger function has unidentified topic"
	notReady     = "Function in trigger function is not ready"
)

// TriggerREST serves the subresource trigger: who creates it may trigger a function, and
// is told how. The message goes to Pulsar with the caller's own credential there, which
// this server neither has nor wants.
type TriggerREST struct {
	store     *view.REST
	instances component.Instances
	clusters  component.Clusters
}

var (
	_ rest.Storage                        = (*TriggerREST)(nil)
	_ rest.NamedCreater                   = (*TriggerREST)(nil)
	_ rest.SubresourceObjectMetaPreserver = (*TriggerREST)(nil)
)

// New implements rest.Storage.
func (r *TriggerREST) New() runtime.Object { return &v1alpha1.PulsarTrigger{} }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *TriggerREST) Destroy() {}

// PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate implements
// rest.SubresourceObjectMetaPreserver: the UID says which object is meant.
func (r *TriggerREST) PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate() bool { return true }

// Create implements rest.NamedCreater. It changes nothing, so that a dry run is the same.
func (r *TriggerREST) Create(ctx context.Context, name string, obj runtime.Object, validate rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	trigger, ok := obj.(*v1alpha1.PulsarTrigger)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("it must be a PulsarTrigger, not a %T", obj))
	}
	if validate != nil {
		if err := validate(ctx, obj.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	found, err := r.store.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	function := found.(*v1alpha1.PulsarFunction)
	if trigger.UID != "" && trigger.UID != function.UID {
		return nil, apierrors.NewConflict(v1alpha1.Resource(v1alpha1.FunctionKind.Resource), name, errors.New("it was deleted and created again meanwhile"))
	}
	topic, reason := inputsOf(&function.Spec.InputConfig).choose(trigger.Spec.Topic)
	if reason != "" {
		return nil, view.WithPulsarReason(apierrors.NewBadRequest(reason), reason)
	}
	// Pulsar would keep the message for the instance that comes, and answer after a while
	// that there was no answer.
	ready, err := r.instances.Ready(ctx, function)
	if err != nil {
		return nil, err
	}
	if !ready || function.Spec.Suspend {
		return nil, view.WithPulsarReason(apierrors.NewBadRequest("no instance of the function is ready"), notReady)
	}
	cluster, ok := r.clusters(function.Spec.Cluster)
	if !ok {
		unknown := fmt.Sprintf("The server is not configured with the Pulsar cluster %s, where the function runs", function.Spec.Cluster)
		return nil, view.WithPulsarReason(apierrors.NewBadRequest(unknown), unknown)
	}
	answer := &v1alpha1.PulsarTrigger{
		ObjectMeta: metav1.ObjectMeta{Name: function.Name, Namespace: function.Namespace, UID: function.UID, CreationTimestamp: function.CreationTimestamp},
		Spec:       trigger.Spec,
		Status:     v1alpha1.PulsarTriggerStatus{ServiceURL: cluster.ServiceURL, WebServiceURL: cluster.WebServiceURL, Topic: topic},
	}
	if output := function.Spec.Output; output != "" {
		answer.Status.OutputTopic = identity.FullTopicName(output)
	}
	return answer, nil
}
