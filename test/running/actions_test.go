package running

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/operator"
)

const (
	code      = "function://public/default/code@1"
	restarted = "admin.functionmesh.io/restarted-at"
	perOne    = "Externally managed schedulers can't do per instance stop"
	forbidden = "Operation not permitted"
	functions = "/admin/v3/functions/public/default/"
	onCall    = "functionmesh-pulsar-operator"
	viewer    = "functionmesh-pulsar-viewer"
)

// createFunction creates a function by way of the shim.
func createFunction(t *testing.T, name string, parallelism int) {
	t.Helper()
	function := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: objectName(name)}}
	function.Spec.Name, function.Spec.ClassName = name, "org.example.Measured"
	function.Spec.Java, function.Spec.Package = &v1alpha1.JavaRuntime{}, &v1alpha1.Package{Location: code}
	function.Spec.Parallelism, function.Spec.Inputs = ptr.To(int32(parallelism)), []string{"persistent://public/default/in"}
	client := must[*versioned.Clientset](t)(versioned.NewForConfig(env.ControlPlane.AdminConfig()))
	must[*v1alpha1.PulsarFunction](t)(client.AdminV1alpha1().PulsarFunctions(namespace).Create(t.Context(), function, metav1.CreateOptions{}))
}

func resourceOf(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	return must[*unstructured.Unstructured](t)(env.Dynamic().Resource(operator.Resource("functions")).Namespace(namespace).Get(t.Context(), objectName(name), metav1.GetOptions{}))
}

func replicasOf(t *testing.T, name string) int64 {
	t.Helper()
	replicas, _, err := unstructured.NestedInt64(resourceOf(t, name).Object, "spec", "replicas")
	if err != nil {
		t.Fatal(err)
	}
	return replicas
}

// restartedAt returns what the resource of a function says of its restart.
func restartedAt(t *testing.T, name string) string {
	t.Helper()
	text, _, err := unstructured.NestedString(resourceOf(t, name).Object, "spec", "pod", "annotations", restarted)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestStopAndStart proves Pulsar's rules for it: what would change nothing is refused.
func TestStopAndStart(t *testing.T) {
	createFunction(t, "stops", 2)
	podsOf(t, "stops", 2)
	path := functions + "stops"
	step := func(action string, wantCode int, wantReason string) {
		t.Helper()
		if code, reason := post(t, path+"/"+action); code != wantCode || reason != wantReason {
			t.Errorf("%s: %d %q", action, code, reason)
		}
	}
	step("start", 400, forbidden)
	step("0/start", 400, forbidden)
	step("stop", 204, "")
	step("stop", 400, forbidden)
	step("0/stop", 400, forbidden)
	if replicas := replicasOf(t, "stops"); replicas != 0 {
		t.Errorf("a stopped function has %d replicas", replicas)
	}
	podsOf(t, "stops", 0)
	if code, status, err := get(t.Context(), env.ShimURL(), path+"/status"); err != nil || code != 200 ||
		status["numInstances"] != 2.0 || status["numRunning"] != 0.0 {
		t.Errorf("the status of a stopped function: %d %v (%v)", code, status, err)
	}
	// A manifest that leaves suspend out doesn't start it.
	manifest := fmt.Sprintf(`{"apiVersion":"admin.functionmesh.io/v1alpha1","kind":"PulsarFunction","metadata":{"name":%q},"spec":{"parallelism":2,`+
		`"className":"org.example.Measured","java":{},"package":{"location":%q},"name":"stops","inputs":["persistent://public/default/in"]}}`, objectName("stops"), code)
	apply := env.Kubectl(t.Context(), "apply", "--server-side", "--force-conflicts", "--namespace", namespace, "-f", "-")
	apply.Stdin = strings.NewReader(manifest)
	if output, err := apply.CombinedOutput(); err != nil || replicasOf(t, "stops") != 0 {
		t.Errorf("after a sync it has %d replicas (%v: %s)", replicasOf(t, "stops"), err, output)
	}
	step("1/start", 501, perOne)
	step("2/start", 400, forbidden)
	step("-1/start", 204, "")
	step("start", 400, forbidden)
	step("1/stop", 501, perOne)
	step("x/stop", 400, forbidden)
	podsOf(t, "stops", 2)
	if code, reason := post(t, functions+"nothing/stop"); code != 404 || reason != "Function nothing doesn't exist" {
		t.Errorf("of nothing: %d %q", code, reason)
	}
}

// TestRestart proves that all pods are new after a restart, or the one of an instance,
// and that nobody sees how it is done.
func TestRestart(t *testing.T) {
	createFunction(t, "restarts", 3)
	before := podsOf(t, "restarts", 3)
	if code, reason := post(t, functions+"restarts/1/restart"); code != 204 {
		t.Fatalf("the restart of an instance: %d %q", code, reason)
	}
	eventually(t, "the pod to be another", func(context.Context) error {
		after := podsOf(t, "restarts", 3)
		if after[1].UID == before[1].UID {
			return fmt.Errorf("it is still the same")
		}
		if after[0].UID != before[0].UID || after[2].UID != before[2].UID {
			t.Errorf("with one instance others restarted: %v became %v", uids(before), uids(after))
		}
		return nil
	})
	for _, missing := range []string{"3", "-1", "x"} {
		if code, reason := post(t, functions+"restarts/"+missing+"/restart"); code != 400 || reason != "public/default/restarts/"+missing+" doesn't exist" {
			t.Errorf("the restart of instance %s: %d %q", missing, code, reason)
		}
	}
	if code, reason := post(t, functions+"restarts/restart"); code != 204 {
		t.Fatalf("the restart: %d %q", code, reason)
	}
	eventually(t, "all pods to be others", func(context.Context) error {
		for i, pod := range podsOf(t, "restarts", 3) {
			if pod.UID == before[i].UID || pod.Annotations[restarted] == "" {
				return fmt.Errorf("%s is still the same", pod.Name)
			}
		}
		return nil
	})
	after := must[*v1alpha1.PulsarFunction](t)(views(t, "").AdminV1alpha1().PulsarFunctions(namespace).Get(t.Context(), objectName("restarts"), metav1.GetOptions{}))
	if after.Spec.Pod != nil {
		t.Errorf("the view shows %+v of pods", after.Spec.Pod)
	}
	// Who sets and takes away annotations of pods keeps it.
	since := restartedAt(t, "restarts")
	for _, patch := range []string{`{"spec":{"pod":{"annotations":{"a":"b"}}}}`, `{"spec":{"pod":null}}`} {
		if _, err := views(t, "").AdminV1alpha1().PulsarFunctions(namespace).Patch(t.Context(), objectName("restarts"), types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := restartedAt(t, "restarts"); got != since || got == "" {
			t.Errorf("after %s it says %q, not %q", patch, got, since)
		}
	}
}

// TestRestartBeforeThereArePods proves that a restart of what doesn't run takes effect
// with the first pod.
func TestRestartBeforeThereArePods(t *testing.T) {
	createFunction(t, "later", 1)
	podsOf(t, "later", 1)
	for _, action := range []string{"stop", "restart", "start"} {
		if code, reason := post(t, functions+"later/"+action); code != 204 {
			t.Fatalf("%s: %d %q", action, code, reason)
		}
		if action == "stop" {
			podsOf(t, "later", 0)
		}
	}
	if pods := podsOf(t, "later", 1); pods[0].Annotations[restarted] != restartedAt(t, "later") || restartedAt(t, "later") == "" {
		t.Errorf("the pod says %v", pods[0].Annotations)
	}
}

// TestOwned proves that what somebody else decides is left to them.
func TestOwned(t *testing.T) {
	createFunction(t, "owned", 1)
	manifest := fmt.Sprintf(`{"apiVersion":"compute.functionmesh.io/v1alpha1","kind":"Function","metadata":{"name":%q},"spec":{"replicas":1}}`, objectName("owned"))
	force := true
	if _, err := env.Dynamic().Resource(operator.Resource("functions")).Namespace(namespace).Patch(t.Context(), objectName("owned"), types.ApplyPatchType,
		[]byte(manifest), metav1.PatchOptions{FieldManager: "gitops", Force: &force}); err != nil {
		t.Fatal(err)
	}
	if code, reason := post(t, functions+"owned/stop"); code != 400 || !strings.Contains(reason, `"gitops"`) || replicasOf(t, "owned") != 1 {
		t.Errorf("the stop of what another declares: %d %q", code, reason)
	}
}

// views returns clients as a user with a role in the namespace, or with all rights.
func views(t *testing.T, role string) *versioned.Clientset {
	t.Helper()
	if role == "" {
		return must[*versioned.Clientset](t)(versioned.NewForConfig(env.ControlPlane.AdminConfig()))
	}
	user := "with-" + role
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user, Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}},
	}
	if _, err := env.ControlPlane.Client().RbacV1().RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	config, err := env.ControlPlane.ClientCertConfig(user)
	if err != nil {
		t.Fatal(err)
	}
	return must[*versioned.Clientset](t)(versioned.NewForConfig(config))
}

// act sends a subresource of a function what it takes.
func act(t *testing.T, client *versioned.Clientset, name, action string, body *v1alpha1.PulsarAction) error {
	t.Helper()
	return client.AdminV1alpha1().RESTClient().Post().Namespace(namespace).Resource("pulsarfunctions").Name(objectName(name)).
		SubResource(action).Body(body).Do(t.Context()).Error()
}

// TestRights proves that each subresource has a right of its own, apart from update.
func TestRights(t *testing.T) {
	createFunction(t, "rights", 1)
	podsOf(t, "rights", 1)
	caller, reader := views(t, onCall), views(t, viewer)
	eventually(t, "the roles to count", func(ctx context.Context) error {
		if _, err := reader.AdminV1alpha1().PulsarFunctions(namespace).Get(ctx, objectName("rights"), metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := caller.AdminV1alpha1().PulsarFunctions(namespace).Get(ctx, objectName("rights"), metav1.GetOptions{})
		return err
	})
	for _, action := range []string{"restart", "suspend", "resume"} {
		if err := act(t, reader, "rights", action, &v1alpha1.PulsarAction{}); !apierrors.IsForbidden(err) {
			t.Errorf("a viewer's %s: %v", action, err)
		}
		if err := act(t, caller, "rights", action, &v1alpha1.PulsarAction{}); err != nil {
			t.Errorf("a caller's %s: %v", action, err)
		}
	}
	if err := act(t, caller, "rights", "restart", &v1alpha1.PulsarAction{Instance: ptr.To[int32](0)}); err != nil {
		t.Errorf("a caller's restart of an instance: %v", err)
	}
	if err := act(t, caller, "rights", "restart", &v1alpha1.PulsarAction{ObjectMeta: metav1.ObjectMeta{UID: "other"}}); !apierrors.IsConflict(err) {
		t.Errorf("a restart of another object of the name: %v", err)
	}
	patch := []byte(`{"spec":{"suspend":true}}`)
	if _, err := caller.AdminV1alpha1().PulsarFunctions(namespace).Patch(t.Context(), objectName("rights"), types.MergePatchType, patch, metav1.PatchOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a caller's patch: %v", err)
	}
	answer := &v1alpha1.PulsarInstances{}
	if err := reader.AdminV1alpha1().RESTClient().Get().Namespace(namespace).Resource("pulsarfunctions").Name(objectName("rights")).
		SubResource("instances").Do(t.Context()).Into(answer); err != nil || len(answer.Instances) != 1 {
		t.Errorf("a viewer sees %+v (%v)", answer, err)
	}
}

// TestJavaClient does with Pulsar's own command line what its users do.
func TestJavaClient(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	ran(t, of("functions", "create", "java", "--jar", code, "--classname", "org.example.Measured", "--inputs", "in", "--parallelism", "2")...)
	before := podsOf(t, "java", 2)
	refused(t, forbidden, of("functions", "start", "java")...)
	ran(t, of("functions", "stop", "java")...)
	refused(t, forbidden, of("functions", "stop", "java")...)
	ran(t, of("functions", "start", "java")...)
	podsOf(t, "java", 2)
	ran(t, of("functions", "restart", "java")...)
	ran(t, of("functions", "restart", "java", "--instance-id", "1")...)
	refused(t, perOne, of("functions", "stop", "java", "--instance-id", "1")...)
	refused(t, "Function java doesn't have instance with id 2", of("functions", "status", "java", "--instance-id", "2")...)
	if got := pulsarAdmin(t, env.ShimURL(), of("functions", "status", "java")...); got.Exit != 0 || !strings.Contains(got.Out, `"numInstances" : 2`) {
		t.Errorf("status ended with %+v", got)
	}
	if got := pulsarAdmin(t, env.ShimURL(), of("functions", "stats", "java")...); got.Exit != 0 || !strings.Contains(got.Out, `"1min"`) {
		t.Errorf("stats ended with %+v", got)
	}
	ran(t, of("sinks", "create", "java-sink", "--archive", "sink://public/default/code@1", "--classname", "org.example.Discard", "--inputs", "in")...)
	ran(t, of("sinks", "stop", "java-sink")...)
	ran(t, of("sinks", "restart", "java-sink")...)
	if got := pulsarAdmin(t, env.ShimURL(), of("sinks", "status", "java-sink")...); got.Exit != 0 || !strings.Contains(got.Out, `"numWrittenToSink" : 0`) {
		t.Errorf("a sink's status ended with %+v", got)
	}
	eventually(t, "all pods to be others", func(context.Context) error {
		if after := podsOf(t, "java", 2); slices.ContainsFunc(uids(after), func(uid string) bool { return slices.Contains(uids(before), uid) }) {
			return fmt.Errorf("pods %v became %v", uids(before), uids(after))
		}
		return nil
	})
}
