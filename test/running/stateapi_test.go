package running

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/operator"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// statePath is that of the subresource of an object.
func statePath(resource, name string) string {
	return "/apis/admin.functionmesh.io/v1alpha1/namespaces/" + namespace + "/" + resource + "/" + name + "/state"
}

// putRaw puts a state as kubectl does, and returns what it prints.
func putRaw(ctx context.Context, path, state string) (string, error) {
	command := env.Kubectl(ctx, "replace", "--raw", path, "-f", "-")
	command.Stdin = strings.NewReader(state)
	output, err := command.CombinedOutput()
	return string(output), err
}

func getRaw(ctx context.Context, path string) (string, error) {
	output, err := env.Kubectl(ctx, "get", "--raw", path).CombinedOutput()
	return string(output), err
}

// makeFunction makes a function whose stateConfig is the server's, if it is nil.
func makeFunction(t *testing.T, name string, state *v1alpha1.StateConfig, set func(*v1alpha1.PulsarFunction)) *v1alpha1.PulsarFunction {
	t.Helper()
	function := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: objectName(name)}}
	function.Spec.Name, function.Spec.ClassName = name, "org.example.Measured"
	function.Spec.Java, function.Spec.Package = &v1alpha1.JavaRuntime{}, &v1alpha1.Package{Location: code}
	function.Spec.Inputs, function.Spec.StateConfig = []string{"persistent://public/default/in"}, state
	if set != nil {
		set(function)
	}
	client := must[*versioned.Clientset](t)(versioned.NewForConfig(env.ControlPlane.AdminConfig()))
	return must[*v1alpha1.PulsarFunction](t)(client.AdminV1alpha1().PulsarFunctions(namespace).Create(t.Context(), function, metav1.CreateOptions{}))
}

// TestStateWithKubectl reads and writes by the Kubernetes API.
func TestStateWithKubectl(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	realPulsar(t)
	function := makeFunction(t, "kubectl-state", nil, nil)
	if got := function.Spec.StateConfig; got == nil || got.ServiceURL != pulsarstandalone.StateURL(statePort) {
		t.Errorf("a new function has the state store %+v", got)
	}
	path := statePath("pulsarfunctions", function.Name)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	state := func(metadata, spec string) string {
		return fmt.Sprintf(`{"apiVersion":"admin.functionmesh.io/v1alpha1","kind":"PulsarState","metadata":{"name":%q%s},"spec":%s}`, function.Name, metadata, spec)
	}
	for _, test := range []struct{ what, output, want string }{
		{"a key that isn't there", first(getRaw(ctx, path+"?key=k")), "key 'k' doesn't exist."},
		{"no key", first(getRaw(ctx, path)), "a key is needed"},
		{"a dry run", first(putRaw(ctx, path+"?dryRun=All", state("", `{"key":"k","stringValue":"v"}`))), `"stringValue":"v"`},
		{"what a dry run did", first(getRaw(ctx, path+"?key=k")), "key 'k' doesn't exist."},
		{"another UID", first(putRaw(ctx, path, state(`,"uid":"x"`, `{"key":"k","stringValue":"v"}`))), "precondition failed"},
		{"nothing", first(putRaw(ctx, path, state("", `{"key":"k"}`))), "one of stringValue, byteValue and numberValue is needed"},
		{"a value", first(putRaw(ctx, path, state("", `{"key":"k","stringValue":"v","version":7}`))), `"spec":{"key":"k","stringValue":"v"}`},
		{"that value", first(getRaw(ctx, path+"?key=k")), `"spec":{"key":"k","stringValue":"v","version":0}`},
		{"bytes", first(putRaw(ctx, path, state("", `{"key":"k","byteValue":"/wAB"}`))), `"byteValue":"/wAB"`},
		{"those bytes", first(getRaw(ctx, path+"?key=k")), `"spec":{"key":"k","byteValue":"/wAB","version":1}`},
		{"no such function", first(getRaw(ctx, statePath("pulsarfunctions", "nothing")+"?key=k")), `"nothing" not found`},
	} {
		if !strings.Contains(test.output, test.want) {
			t.Errorf("%s: %s", test.what, test.output)
		}
	}
}

func first(output string, _ error) string { return output }

// TestStateElsewhere proves that nothing but the configured store is asked, whatever a
// component says of where it keeps state.
func TestStateElsewhere(t *testing.T) {
	listener := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	go func() {
		if connection, err := listener.Accept(); err == nil {
			t.Error("the store that a function names was connected to")
			connection.Close()
		}
	}()
	configured := pulsarstandalone.StateURL(statePort)
	for name, test := range map[string]struct {
		state   *v1alpha1.StateConfig
		set     func(*v1alpha1.PulsarFunction)
		problem string
	}{
		"elsewhere": {state: &v1alpha1.StateConfig{ServiceURL: "bk://" + listener.Addr().String()}, problem: "its state isn't kept in the state store that is configured"},
		"otherwise": {
			state:   &v1alpha1.StateConfig{ServiceURL: configured, JavaProvider: &v1alpha1.StateProvider{ClassName: "org.example.State"}},
			problem: "its state is kept by class org.example.State",
		},
		"nowhere": {set: func(function *v1alpha1.PulsarFunction) {
			function.Spec.ClassName, function.Spec.Java, function.Spec.Go = "", nil, &v1alpha1.Runtime{}
			function.Spec.Output = "persistent://public/default/out"
		}, problem: "it keeps no state"},
	} {
		function := makeFunction(t, "state-"+name, test.state, test.set)
		if output, err := getRaw(t.Context(), statePath("pulsarfunctions", function.Name)+"?key=k"); err == nil || !strings.Contains(output, test.problem) {
			t.Errorf("%s: %s (%v)", name, output, err)
		}
		const reason = "State storage client is not done initializing. Please try again in a little while."
		if code, answer, err := get(t.Context(), env.ShimURL(), functions+"state-"+name+"/state/k"); code != http.StatusServiceUnavailable || answer["reason"] != reason {
			t.Errorf("%s: %d %v (%v)", name, code, answer, err)
		}
		code, answer := postForm(t, env.ShimURL()+functions+"state-"+name+"/state/k", "state", "application/json", `{"key":"k","stringValue":"v"}`)
		if code != http.StatusServiceUnavailable || !strings.Contains(answer, reason) {
			t.Errorf("%s: %d %s", name, code, answer)
		}
	}
}

// TestStateOfWorkersFunction proves that the state of what the Java worker made is looked
// for under the name that its instances are told, not under that it is known by. It is of
// a sink, whose state Pulsar's clients ask for as if it were a function's.
func TestStateOfWorkersFunction(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	pulsar := realPulsar(t)
	name := identity.Name{Tenant: "public", Namespace: "default", Name: "Word_Sink"}
	object := identity.WorkerObjectName("dev", name.Tenant, name.Namespace, name.Name)
	manifest := fmt.Sprintf(`
apiVersion: compute.functionmesh.io/v1alpha1
kind: Sink
metadata:
  name: %s
  labels: {pulsar-cluster: dev, pulsar-tenant: public, pulsar-namespace: default, pulsar-component: %s}
spec:
  tenant: public
  namespace: default
  clusterName: dev
  className: org.example.Discard
  replicas: 1
  input: {topics: ["persistent://public/default/in"], typeClassName: java.lang.String}
  java: {jar: code.jar, jarLocation: "sink://public/default/code@1"}
  pulsar: {pulsarConfig: dev}
  statefulConfig: {pulsar: {serviceUrl: "%s"}}
`, object, name.Name, pulsarstandalone.StateURL(statePort))
	cr := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &cr.Object); err != nil {
		t.Fatal(err)
	}
	must[*unstructured.Unstructured](t)(env.Dynamic().Resource(operator.Resource("sinks")).Namespace(namespace).Create(t.Context(), cr, metav1.CreateOptions{}))
	path := functions + name.Name + "/state/k"
	eventually(t, "the shim to know the sink", func(context.Context) error {
		if code, answer := postForm(t, env.ShimURL()+path, "state", "application/json", `{"key":"k","stringValue":"v"}`); code != http.StatusNoContent {
			return fmt.Errorf("put: %d %s", code, answer)
		}
		return nil
	})
	_, values, err := pulsar.ReadTable(t.Context(), "public_default", object, "k")
	if err != nil || values[0] != "v" {
		t.Errorf("the table of %s has %v (%v)", object, values, err)
	}
	if _, answer, err := get(t.Context(), env.ShimURL(), path); err != nil || answer["stringValue"] != "v" {
		t.Errorf("get: %v (%v)", answer, err)
	}
}
