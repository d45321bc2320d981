package component

import (
	"context"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// Instances knows what runs.
type Instances interface {
	// Of returns what runs of a component: instances from the first to the one before the
	// last, of which there may be more than there are.
	Of(ctx context.Context, component v1alpha1.Component, first, last int32) ([]v1alpha1.PulsarInstance, error)
	// Ready tells whether an instance of a component is ready.
	Ready(ctx context.Context, component v1alpha1.Component) (bool, error)
	// Restart has the pod of an instance replaced, if it has one.
	Restart(ctx context.Context, component v1alpha1.Component, instance int32, dryRun []string) error
	// Log returns the log of an instance, to be closed. It doesn't ask for the caller's rights.
	Log(ctx context.Context, component v1alpha1.Component, options *v1alpha1.PulsarLogOptions) (io.ReadCloser, error)
}

// InstancesREST serves the subresource instances of a kind. It is the only part of a
// component that is looked up when it is asked for.
type InstancesREST struct {
	store     *view.REST
	instances Instances
}

var (
	_ rest.Storage           = (*InstancesREST)(nil)
	_ rest.GetterWithOptions = (*InstancesREST)(nil)
	_ rest.TableConvertor    = (*InstancesREST)(nil)
)

// New implements rest.Storage.
func (r *InstancesREST) New() runtime.Object { return &v1alpha1.PulsarInstances{} }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *InstancesREST) Destroy() {}

// NewGetOptions implements rest.GetterWithOptions.
func (r *InstancesREST) NewGetOptions() (runtime.Object, bool, string) {
	return &v1alpha1.PulsarInstancesOptions{}, false, ""
}

// Get implements rest.GetterWithOptions.
func (r *InstancesREST) Get(ctx context.Context, name string, options runtime.Object) (runtime.Object, error) {
	asked, ok := options.(*v1alpha1.PulsarInstancesOptions)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the options must be PulsarInstancesOptions, not a %T", options))
	}
	obj, err := r.store.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	component := obj.(v1alpha1.Component)
	answer := &v1alpha1.PulsarInstances{
		ObjectMeta: metav1.ObjectMeta{
			Name:              component.GetName(),
			Namespace:         component.GetNamespace(),
			UID:               component.GetUID(),
			ResourceVersion:   component.GetResourceVersion(),
			CreationTimestamp: component.GetCreationTimestamp(),
		},
		Parallelism: parallelismOf(component),
		Suspended:   component.Common().Suspend,
	}
	first, last := int32(0), answer.Parallelism
	if asked.Instance != nil {
		first = *asked.Instance
		if err := checkInstance(component, first); err != nil {
			return nil, err
		}
		last = first + 1
	}
	answer.Instances, err = r.instances.Of(ctx, component, first, last)
	return answer, err
}

// checkInstance refuses a number that no instance of a component has, before any pod is
// asked.
func checkInstance(component v1alpha1.Component, instance int32) error {
	if instance >= 0 && instance < parallelismOf(component) {
		return nil
	}
	missing := apierrors.NewBadRequest(fmt.Sprintf("%s has no instance %d", component.GetName(), instance))
	return view.WithPulsarReason(missing, fmt.Sprintf("%s %s doesn't have instance with id %d", component.ComponentKind().Title, component.Common().Name, instance))
}

// instanceColumns are those of a table of instances.
var instanceColumns = []metav1.TableColumnDefinition{
	{Name: "Instance", Type: "integer", Description: "The instance's number."},
	{Name: "Pod", Type: "string", Format: "name", Description: "The instance's pod."},
	{Name: "Ready", Type: "boolean", Description: "Whether the pod is ready."},
	{Name: "Phase", Type: "string", Description: "The phase of the pod."},
	{Name: "Restarts", Type: "integer", Description: "How often the container was restarted."},
	{Name: "Received", Type: "string", Description: "How many messages the instance received."},
	{Name: "Reason", Type: "string", Description: "What is wrong with the instance."},
}

// ConvertToTable implements rest.TableConvertor.
func (r *InstancesREST) ConvertToTable(_ context.Context, object, _ runtime.Object) (*metav1.Table, error) {
	answer, ok := object.(*v1alpha1.PulsarInstances)
	if !ok {
		return nil, fmt.Errorf("could not make a table of a %T", object)
	}
	table := &metav1.Table{ColumnDefinitions: instanceColumns}
	for i := range answer.Instances {
		instance := &answer.Instances[i]
		received := ""
		if instance.Status != nil {
			received = fmt.Sprint(instance.Status.NumReceived)
		}
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{
			int64(instance.ID), instance.Pod, instance.Ready, instance.Phase, int64(instance.Restarts), received, instance.Reason,
		}})
	}
	return table, nil
}
