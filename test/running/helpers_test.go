package running

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// pulsarAdmin runs a command of Pulsar's own command line against an admin URL.
func pulsarAdmin(t *testing.T, url string, args ...string) javaclient.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return must[javaclient.Result](t)(java.Run(ctx, url, args...))
}

// of returns the arguments of an operation on the component of a name.
func of(kind, operation, name string, more ...string) []string {
	return append([]string{kind, operation, "--tenant", "public", "--namespace", "default", "--name", name}, more...)
}

// ran checks that a command against the shim succeeded.
func ran(t *testing.T, args ...string) {
	t.Helper()
	if got := pulsarAdmin(t, env.ShimURL(), args...); got.Exit != 0 || !strings.Contains(got.Out, "successfully") {
		t.Fatalf("%v ended with %+v", args, got)
	}
}

// refused checks with which reason a command against the shim failed.
func refused(t *testing.T, reason string, args ...string) {
	t.Helper()
	if got := pulsarAdmin(t, env.ShimURL(), args...); got.Exit == 0 || !strings.Contains(got.Err, reason) {
		t.Errorf("%v ended with %+v", args, got)
	}
}

// get returns the JSON at a path below an admin URL.
func get(ctx context.Context, url, path string) (code int, answer map[string]any, err error) {
	code, err = getInto(ctx, url, path, &answer)
	return code, answer, err
}

// getInto decodes the JSON at a path below an admin URL.
func getInto(ctx context.Context, url, path string, answer any) (code int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", path, err, text)
	}
	return response.StatusCode, nil
}

// post sends a request without a body, as Pulsar's Go client does.
func post(t *testing.T, path string) (code int, reason string) {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, env.ShimURL()+path, nil))
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	var answer struct{ Reason string }
	if text := must[[]byte](t)(io.ReadAll(response.Body)); len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s: %v: %s", path, err, text)
		}
	}
	return response.StatusCode, answer.Reason
}

// postForm sends a form with one part, and returns the answer.
func postForm(t *testing.T, url, name, contentType, content string) (code int, answer string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", name)}}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	part := must[io.Writer](t)(form.CreatePart(header))
	must[int](t)(part.Write([]byte(content)))
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	response := must[*http.Response](t)(http.Post(url, form.FormDataContentType(), &body))
	defer response.Body.Close()
	return response.StatusCode, string(must[[]byte](t)(io.ReadAll(response.Body)))
}

// objectName is that of the object of a component that the shim made.
func objectName(name string) string {
	return identity.Name{Tenant: "public", Namespace: "default", Name: name}.ObjectName()
}

// podsOf returns the pods of a function in the order of their instances, which have to be
// so many and ready.
func podsOf(t *testing.T, name string, count int) []corev1.Pod {
	t.Helper()
	var pods []corev1.Pod
	eventually(t, fmt.Sprintf("%d pods of %s", count, name), func(ctx context.Context) error {
		list, err := env.ControlPlane.Client().CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
			LabelSelector: "compute.functionmesh.io/name=" + objectName(name)})
		if err != nil {
			return err
		}
		pods = list.Items
		if len(pods) != count {
			return fmt.Errorf("there are %d", len(pods))
		}
		for _, pod := range pods {
			if pod.DeletionTimestamp != nil || !slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
				return condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue
			}) {
				return fmt.Errorf("%s isn't ready", pod.Name)
			}
		}
		return nil
	})
	return pods
}

// uids are those of pods.
func uids(pods []corev1.Pod) []string {
	var all []string
	for _, pod := range pods {
		all = append(all, string(pod.UID))
	}
	return all
}

// instancesOf asks the subresource instances as kubectl does.
func instancesOf(ctx context.Context, resource, name, query string) (*v1alpha1.PulsarInstances, error) {
	output, err := env.Kubectl(ctx, "get", "--raw", "/apis/admin.functionmesh.io/v1alpha1/namespaces/"+namespace+"/"+resource+"/"+name+"/instances"+query).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	answer := &v1alpha1.PulsarInstances{}
	return answer, json.Unmarshal(output, answer)
}
