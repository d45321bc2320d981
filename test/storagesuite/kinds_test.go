package storagesuite

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/registry/rest/resttest"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apiserver"
	"github.com/function-mesh/functionmesh-apiserver/pkg/config"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarfunction"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarsink"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarsource"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// componentKind is a kind whose REST storage is under test.
type componentKind struct {
	v1alpha1.ComponentKind
	// behind is what its objects are stored in.
	behind backend
	// new returns an object without anything in it.
	new func() v1alpha1.Component
	// storage makes the kind's storage as the server does.
	storage func(component.Config, *crstorage.Client, *configv1alpha1.FunctionMeshAPIServerConfiguration) (map[string]rest.Storage, error)
	// fill makes a valid object of an empty one, and change changes it.
	fill, change func(v1alpha1.Component)
	// invalid are changes that make a valid object of this kind invalid.
	invalid []func(v1alpha1.Component)
}

const (
	inputTopic  = "persistent://public/default/input"
	outputTopic = "persistent://public/default/output"
)

func consume(object v1alpha1.Component) { object.Input().Inputs = []string{inputTopic} }
func produce(object v1alpha1.Component) { object.Output().Output = outputTopic }

// otherOutput and otherInput change where messages go and come from.
func otherOutput(object v1alpha1.Component) { object.Output().Output = outputTopic + "-2" }
func otherInput(object v1alpha1.Component)  { object.Input().Inputs = []string{inputTopic + "-2"} }
func noInput(object v1alpha1.Component)     { object.Input().Inputs = nil }
func wrongOutput(object v1alpha1.Component) { object.Output().Output = "a/b" }

var componentKinds = []componentKind{
	{
		ComponentKind: v1alpha1.FunctionKind, behind: behindOf("functions", computev1alpha1.FunctionKind),
		new: func() v1alpha1.Component { return &v1alpha1.PulsarFunction{} },
		storage: func(c component.Config, client *crstorage.Client, file *configv1alpha1.FunctionMeshAPIServerConfiguration) (map[string]rest.Storage, error) {
			return pulsarfunction.NewREST(c, client, translation.NewFunctionTranslator(file, nil))
		},
		fill: func(object v1alpha1.Component) {
			consume(object)
			produce(object)
			object.Common().Java = &v1alpha1.JavaRuntime{}
		},
		change:  otherOutput,
		invalid: []func(v1alpha1.Component){noInput, func(object v1alpha1.Component) { object.Common().Java = nil }},
	},
	{
		ComponentKind: v1alpha1.SourceKind, behind: behindOf("sources", computev1alpha1.SourceKind),
		new: func() v1alpha1.Component { return &v1alpha1.PulsarSource{} },
		storage: func(c component.Config, client *crstorage.Client, file *configv1alpha1.FunctionMeshAPIServerConfiguration) (map[string]rest.Storage, error) {
			return pulsarsource.NewREST(c, client, translation.NewSourceTranslator(file, nil))
		},
		fill: produce, change: otherOutput, invalid: []func(v1alpha1.Component){wrongOutput},
	},
	{
		ComponentKind: v1alpha1.SinkKind, behind: behindOf("sinks", computev1alpha1.SinkKind),
		new: func() v1alpha1.Component { return &v1alpha1.PulsarSink{} },
		storage: func(c component.Config, client *crstorage.Client, file *configv1alpha1.FunctionMeshAPIServerConfiguration) (map[string]rest.Storage, error) {
			return pulsarsink.NewREST(c, client, translation.NewSinkTranslator(file, nil))
		},
		fill: consume, change: otherInput, invalid: []func(v1alpha1.Component){noInput},
	},
}

func behindOf(resource, kind string) backend {
	return backend{resource: computev1alpha1.SchemeGroupVersion.WithResource(resource), kind: kind, namespaced: true}
}

// forEachKind runs a test for each kind.
func forEachKind(t *testing.T, test func(t *testing.T, kind componentKind)) {
	for _, kind := range componentKinds {
		t.Run(kind.Kind, func(t *testing.T) { test(t, kind) })
	}
}

// definitionFile is the definition of what is behind the kind that `make run`
// installs.
func (k componentKind) definitionFile() string {
	return fmt.Sprintf("../../artifacts/development/%s_%s.yaml", k.behind.resource.Group, k.behind.resource.Resource)
}

// newStorage returns the kind's storage as functionmesh-apiserver makes it.
func (k componentKind) newStorage(t *testing.T) *view.REST {
	t.Helper()
	file, err := config.Parse([]byte(devenv.DefaultConfig))
	if err != nil {
		t.Fatal(err)
	}
	resources, err := k.storage(component.Config{
		Scheme:     apiserver.Scheme,
		Validation: validation.Options{Clusters: config.ClusterNames(file)},
		// Rights and the ConfigMap are the business of the tests of the servers.
		Authorizer:       authorizerfactory.NewAlwaysAllowAuthorizer(),
		Identities:       &component.Identities{},
		Users:            &component.Users{},
		Tenancy:          everywhere{},
		CheckNamespace:   func(context.Context, string, string, string) error { return nil },
		EnsureConnection: func(context.Context, string, string) error { return nil },
	}, k.behind.client(t), file)
	if err != nil {
		t.Fatal(err)
	}
	served := resources[k.Resource].(*view.REST)
	t.Cleanup(served.Destroy)
	return served
}

// valid returns an object whose Pulsar name follows from its own, as the suites make
// several of it.
func (k componentKind) valid() v1alpha1.Component {
	object := k.new()
	object.SetName("valid")
	object.SetNamespace("test")
	*object.Common() = v1alpha1.ComponentSpec{
		ClassName: "org.example.Echo",
		Package:   &v1alpha1.Package{Location: k.Type + "://public/default/echo@1.0"},
	}
	k.fill(object)
	return object
}

// invalidObjects returns objects that can't be created.
func (k componentKind) invalidObjects() []runtime.Object {
	var objects []runtime.Object
	for _, spoil := range append([]func(v1alpha1.Component){
		func(object v1alpha1.Component) { object.Common().Parallelism = ptr.To[int32](-1) },
		func(object v1alpha1.Component) { object.Common().ClassName = "; rm -rf /" },
		func(object v1alpha1.Component) { object.Common().Cluster = "unknown" },
		func(object v1alpha1.Component) { object.Common().Package = nil },
	}, k.invalid...) {
		object := k.valid()
		spoil(object)
		objects = append(objects, object)
	}
	return objects
}

// invalidUpdates returns changes that can't be made.
func (k componentKind) invalidUpdates() []resttest.UpdateFunc {
	updates := []resttest.UpdateFunc{
		update(func(object v1alpha1.Component) { object.Common().Tenant = "other" }),
		update(func(object v1alpha1.Component) { object.Common().Name = "other" }),
		update(func(object v1alpha1.Component) { object.SetLabels(map[string]string{"not a key": ""}) }),
	}
	if k.Kind == v1alpha1.FunctionKind.Kind {
		updates = append(updates, update(func(object v1alpha1.Component) {
			function := object.(*v1alpha1.PulsarFunction)
			function.Spec.Java, function.Spec.Python = nil, &v1alpha1.Runtime{}
		}))
	}
	for _, spoil := range k.invalid {
		updates = append(updates, update(spoil))
	}
	return updates
}

// validUpdate changes what may change.
func (k componentKind) validUpdate() resttest.UpdateFunc {
	return update(func(object v1alpha1.Component) {
		object.Common().Parallelism = ptr.To[int32](3)
		object.SetLabels(map[string]string{"key": "other"})
		k.change(object)
	})
}

func update(change func(v1alpha1.Component)) resttest.UpdateFunc {
	return func(obj runtime.Object) runtime.Object {
		change(obj.(v1alpha1.Component))
		return obj
	}
}

// named returns an empty object of a name, to get one by.
func (k componentKind) named(name string) runtime.Object {
	object := k.new()
	object.SetName(name)
	return object
}

// everywhere lets everything be anywhere: it is the servers' tests that look at more
// than one namespace.
type everywhere struct{}

func (everywhere) Default(context.Context, string) (tenancy.PulsarNamespace, bool) {
	return tenancy.PulsarNamespace{}, false
}

func (everywhere) Check(context.Context, string, tenancy.PulsarNamespace) error { return nil }

func (everywhere) Serves(context.Context, string, tenancy.PulsarNamespace) (bool, error) {
	return true, nil
}

func (everywhere) ClaimedElsewhere(string, func(tenancy.PulsarNamespace) bool) bool { return false }
