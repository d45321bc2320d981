package component

import (
	"context"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	storeerr "k8s.io/apiserver/pkg/storage/errors"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/statestore"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// StateREST serves the subresource state of a kind: what a component keeps under a key.
// It is kept outside of Kubernetes, where its instances keep it.
type StateREST struct {
	store     *view.REST
	resources *crstorage.Storage
	tenancy   Tenancy
	// stores are the state stores of the Pulsar clusters that have one, by their names.
	stores map[string]StateStore
}

// StateStore is where the components of a Pulsar cluster keep state.
type StateStore interface {
	// Keeps tells whether a URL is that of the store.
	Keeps(serviceURL string) bool
	// Get and Put are those of a statestore.Store.
	Get(ctx context.Context, place string, table statestore.Table, key string) (*statestore.Value, error)
	Put(ctx context.Context, place string, table statestore.Table, key string, value []byte) error
}

var (
	_ StateStore             = (*statestore.Store)(nil)
	_ rest.Storage           = (*StateREST)(nil)
	_ rest.GetterWithOptions = (*StateREST)(nil)
	_ rest.Updater           = (*StateREST)(nil)
)

// New implements rest.Storage.
func (r *StateREST) New() runtime.Object { return &v1alpha1.PulsarState{} }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *StateREST) Destroy() {}

// NewGetOptions implements rest.GetterWithOptions.
func (r *StateREST) NewGetOptions() (runtime.Object, bool, string) {
	return &v1alpha1.PulsarStateOptions{}, false, ""
}

// Get implements rest.GetterWithOptions.
func (r *StateREST) Get(ctx context.Context, name string, options runtime.Object) (runtime.Object, error) {
	asked, ok := options.(*v1alpha1.PulsarStateOptions)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the options must be PulsarStateOptions, not a %T", options))
	}
	component, err := r.component(ctx, name)
	if err != nil {
		return nil, err
	}
	store, table, err := r.locate(ctx, component)
	if err != nil {
		return nil, err
	}
	if err := checkKey(asked.Key); err != nil {
		return nil, err
	}
	value, err := store.Get(ctx, component.GetNamespace(), table, asked.Key)
	if err != nil {
		return nil, stateError(ctx, component, asked.Key, err)
	}
	state := stateOf(component)
	state.Spec = specOf(asked.Key, value)
	return state, nil
}

// Update implements rest.Updater. It puts a value, whether there was one or not.
func (r *StateREST) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, _ rest.ValidateObjectFunc,
	validate rest.ValidateObjectUpdateFunc, _ bool, options *metav1.UpdateOptions) (runtime.Object, bool, error) {
	component, err := r.component(ctx, name)
	if err != nil {
		return nil, false, err
	}
	// What is there isn't read: nothing of it would stay.
	before := stateOf(component)
	obj, err := info.UpdatedObject(ctx, before)
	if err != nil {
		return nil, false, err
	}
	state, ok := obj.(*v1alpha1.PulsarState)
	if !ok {
		return nil, false, apierrors.NewBadRequest(fmt.Sprintf("it must be a PulsarState, not a %T", obj))
	}
	if state.UID != "" && state.UID != component.GetUID() {
		return nil, false, apierrors.NewConflict(resourceOf(component), name, fmt.Errorf(
			"precondition failed: UID in precondition: %v, UID in object meta: %v", state.UID, component.GetUID()))
	}
	if validate != nil {
		if err := validate(ctx, state.DeepCopy(), before); err != nil {
			return nil, false, err
		}
	}
	store, table, err := r.locate(ctx, component)
	if err != nil {
		return nil, false, err
	}
	if err := checkKey(state.Spec.Key); err != nil {
		return nil, false, err
	}
	value, err := valueOf(&state.Spec)
	if err != nil {
		return nil, false, err
	}
	if len(options.DryRun) == 0 {
		if err := store.Put(ctx, component.GetNamespace(), table, state.Spec.Key, value); err != nil {
			return nil, false, stateError(ctx, component, state.Spec.Key, err)
		}
	}
	answer := stateOf(component)
	state.Spec.Version = nil
	answer.Spec = state.Spec
	return answer, false, nil
}

func (r *StateREST) component(ctx context.Context, name string) (v1alpha1.Component, error) {
	obj, err := r.store.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return obj.(v1alpha1.Component), nil
}

// locate returns where a component keeps its state. Its namespace has to serve its Pulsar
// namespace: with a custom resource made by hand, anybody's state could be asked for else.
func (r *StateREST) locate(ctx context.Context, component v1alpha1.Component) (StateStore, statestore.Table, error) {
	none := statestore.Table{}
	pulsar := pulsarNamespaceOf(component)
	kubernetes := genericapirequest.NamespaceValue(ctx)
	served, err := r.tenancy.Serves(ctx, kubernetes, pulsar)
	switch {
	case err != nil:
		return nil, none, unknownPlace(ctx, component, err)
	case !served:
		return nil, none, refusedPlace(component, fmt.Sprintf("Kubernetes namespace %s does not serve Pulsar namespace %s", kubernetes, pulsar))
	}
	store, problem := r.storeOf(component)
	if problem != "" {
		return nil, none, view.WithPulsarReason(apierrors.NewServiceUnavailable(problem), noStateStore)
	}
	key, err := r.store.KeyFunc(ctx, component.GetName())
	if err != nil {
		return nil, none, err
	}
	resource, err := r.resources.ReadHidden(ctx, key)
	if err != nil {
		return nil, none, storeerr.InterpretGetError(err, resourceOf(component), component.GetName())
	}
	table := statestore.TableOf(pulsar.Tenant, pulsar.Namespace, translation.InstanceName(resource))
	if r.tenancy.ClaimedElsewhere(kubernetes, func(claim tenancy.PulsarNamespace) bool { return sharesTables(table, pulsar, claim) }) {
		return nil, none, refusedPlace(component, fmt.Sprintf("the state of Pulsar namespace %s is kept in namespace %s of the state store, "+
			"where another Kubernetes namespace may keep some, too: it can't be read or written here", pulsar, table.Namespace))
	}
	return store, table, nil
}

// sharesTables tells whether what is claimed may have the table of something in a Pulsar
// namespace. Of one tenant, who has all the rest is the one who may not have it: else a
// claim of a part would be of no use.
func sharesTables(table statestore.Table, pulsar, claim tenancy.PulsarNamespace) bool {
	if claim.Whole() {
		return claim.Tenant != pulsar.Tenant && table.Within(claim.Tenant, "")
	}
	return table.Within(claim.Tenant, claim.Namespace)
}

// storeOf returns the store of a component, or why there is none that can be asked. Only
// an administrator decides where this server connects to; what a component says of it
// counts for nothing but being the same.
func (r *StateREST) storeOf(component v1alpha1.Component) (StateStore, string) {
	spec := component.Common()
	state, store := spec.StateConfig, r.stores[spec.Cluster]
	switch {
	case store == nil:
		return nil, fmt.Sprintf("no state store is configured for Pulsar cluster %q", spec.Cluster)
	case state == nil:
		return nil, "it keeps no state: spec.stateConfig is not set"
	case state.JavaProvider != nil && state.JavaProvider.ClassName != statestore.JavaProvider:
		return nil, fmt.Sprintf("its state is kept by class %s, whose state can't be read or written here", state.JavaProvider.ClassName)
	case !store.Keeps(state.ServiceURL):
		return nil, fmt.Sprintf("its state isn't kept in the state store that is configured for Pulsar cluster %q", spec.Cluster)
	}
	return store, ""
}

// stateOf returns the state of a component without a key.
func stateOf(component v1alpha1.Component) *v1alpha1.PulsarState {
	return &v1alpha1.PulsarState{ObjectMeta: metav1.ObjectMeta{
		Name: component.GetName(), Namespace: component.GetNamespace(), UID: component.GetUID(),
		CreationTimestamp: component.GetCreationTimestamp(),
	}}
}

const bytesOfNumber = 8

// specOf describes what is under a key as Pulsar does.
func specOf(key string, value *statestore.Value) v1alpha1.PulsarStateSpec {
	spec := v1alpha1.PulsarStateSpec{Key: key, Version: &value.Version}
	if value.Counter != nil {
		spec.NumberValue = value.Counter
		return spec
	}
	if len(value.Bytes) == bytesOfNumber {
		number := int64(binary.BigEndian.Uint64(value.Bytes))
		spec.NumberValue = &number
	}
	if utf8.Valid(value.Bytes) {
		text := string(value.Bytes)
		spec.StringValue = &text
	} else {
		spec.ByteValue = value.Bytes
	}
	return spec
}

// valueOf returns what is to be put.
func valueOf(spec *v1alpha1.PulsarStateSpec) ([]byte, error) {
	var value []byte
	switch {
	case len(spec.ByteValue) > 0:
		value = spec.ByteValue
	case spec.StringValue != nil:
		value = []byte(*spec.StringValue)
	case spec.NumberValue != nil:
		value = binary.BigEndian.AppendUint64(nil, uint64(*spec.NumberValue))
	default:
		return nil, view.WithPulsarReason(apierrors.NewBadRequest("spec: one of stringValue, byteValue and numberValue is needed"), "Invalid state value")
	}
	if len(value) > statestore.MaxValue {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the value has more than %d bytes", statestore.MaxValue))
	}
	return value, nil
}
