package running

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
)

const (
	// logged is a function whose pods have logs, and silent one whose haven't.
	logged, silent = "logged", "silent"
	// instancesLogged is how many of them.
	instancesLogged = 2
)

// logDir is where the logs are.
var logDir string

// podLogs says where the logs of pods will come from.
func podLogs(dir string) map[string]string {
	logDir = dir
	files := map[string]string{}
	for instance := range instancesLogged {
		files[namespace+"/"+podName(logged, instance)] = logFile(instance)
	}
	// It looks like a pod of a function that has none.
	files[namespace+"/"+podName(silent, 0)] = logFile(0)
	return files
}

func podName(name string, instance int) string {
	return fmt.Sprintf("%s-function-%d", objectName(name), instance)
}

func logFile(instance int) string {
	return filepath.Join(logDir, fmt.Sprintf("instance-%d.log", instance))
}

// began is when the first line of a log was written, each other one a minute later.
var began = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// writeLog writes lines to the log of an instance, as a container runtime does.
func writeLog(t *testing.T, instance, first int, lines ...string) {
	t.Helper()
	file := must[*os.File](t)(os.OpenFile(logFile(instance), os.O_APPEND|os.O_WRONLY, 0o600))
	defer file.Close()
	for i, line := range lines {
		at := began.Add(time.Duration(first+i) * time.Minute).Format(time.RFC3339Nano)
		if _, err := fmt.Fprintf(file, "%s stdout F %s\n", at, line); err != nil {
			t.Fatal(err)
		}
	}
}

// withLog has the function run, with logs that have nothing in them.
func withLog(t *testing.T) {
	t.Helper()
	for instance := range instancesLogged {
		if err := os.WriteFile(logFile(instance), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := views(t, "").AdminV1alpha1().PulsarFunctions(namespace).Get(t.Context(), objectName(logged), metav1.GetOptions{}); apierrors.IsNotFound(err) {
		createFunction(t, logged, instancesLogged)
	}
	podsOf(t, logged, instancesLogged)
}

// logRequest asks for the log of a function.
func logRequest(client *versioned.Clientset, name string, parameters map[string]string) *rest.Request {
	request := client.AdminV1alpha1().RESTClient().Get().Namespace(namespace).Resource("pulsarfunctions").Name(objectName(name)).SubResource("log").MaxRetries(0)
	for parameter, value := range parameters {
		request.Param(parameter, value)
	}
	return request
}

// TestLog reads the logs of a function's pods, as kubectl would those of pods.
func TestLog(t *testing.T) {
	withLog(t)
	writeLog(t, 0, 0, "one", "two", "three")
	writeLog(t, 1, 0, "other")
	admin := views(t, "")
	for _, test := range []struct {
		parameters map[string]string
		want       string
	}{
		{nil, "one\ntwo\nthree\n"},
		{map[string]string{"instance": "1"}, "other\n"},
		{map[string]string{"container": "pulsar-function"}, "one\ntwo\nthree\n"},
		{map[string]string{"tailLines": "1"}, "three\n"},
		{map[string]string{"tailLines": "2", "timestamps": "true"}, "2026-01-02T03:01:00.000000000Z two\n2026-01-02T03:02:00.000000000Z three\n"},
		{map[string]string{"sinceTime": "2026-01-02T03:01:00Z"}, "two\nthree\n"},
		{map[string]string{"sinceSeconds": "1"}, ""},
		{map[string]string{"limitBytes": "5"}, "one\nt"},
	} {
		if got, err := logRequest(admin, logged, test.parameters).DoRaw(t.Context()); err != nil || string(got) != test.want {
			t.Errorf("with %v it is %q (%v)", test.parameters, got, err)
		}
	}
	// kubectl says of the pod what it says of the function.
	output, err := env.Kubectl(t.Context(), "logs", "--namespace", namespace, podName(logged, 1)).CombinedOutput()
	if err != nil || string(output) != "other\n" {
		t.Errorf("kubectl shows %q (%v)", output, err)
	}
	for _, test := range []struct {
		name       string
		parameters map[string]string
		code       int32
		message    string
	}{
		{logged, map[string]string{"instance": "2"}, http.StatusBadRequest, "has no instance 2"},
		{logged, map[string]string{"instance": "-1"}, http.StatusBadRequest, "has no instance -1"},
		{logged, map[string]string{"instance": "x"}, http.StatusBadRequest, `"x" is not the number of an instance`},
		{logged, map[string]string{"tailLines": "x"}, http.StatusBadRequest, "tailLines"},
		{logged, map[string]string{"tailLines": "-1"}, http.StatusUnprocessableEntity, "tailLines"},
		{logged, map[string]string{"sinceTime": "yesterday"}, http.StatusBadRequest, "sinceTime"},
		{logged, map[string]string{"sinceTime": "2026-01-02T03:01:00Z", "sinceSeconds": "1"}, http.StatusUnprocessableEntity, "sinceSeconds"},
		{logged, map[string]string{"container": "nothing"}, http.StatusBadRequest, "container nothing is not valid"},
		{"nothing", nil, http.StatusNotFound, "not found"},
	} {
		notLogged(t, admin, test.name, test.parameters, test.code, test.message)
	}
}

// notLogged checks how a log is refused.
func notLogged(t *testing.T, client *versioned.Clientset, name string, parameters map[string]string, code int32, message string) {
	t.Helper()
	err := logRequest(client, name, parameters).Do(t.Context()).Error()
	status, ok := err.(apierrors.APIStatus)
	if !ok || status.Status().Code != code || !strings.Contains(err.Error(), message) {
		t.Errorf("the log of %s with %v is answered %v", name, parameters, err)
	}
}

// TestLogFollowed proves that who follows a log gets what is logged while it is, and that
// nobody reads it any more once they go.
func TestLogFollowed(t *testing.T) {
	withLog(t)
	writeLog(t, 1, 10, "before")
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	stream := must[io.ReadCloser](t)(logRequest(views(t, ""), logged, map[string]string{"instance": "1", "follow": "true", "tailLines": "1"}).Stream(ctx))
	defer stream.Close()
	lines := bufio.NewReader(stream)
	for i, want := range []string{"before", "after", "later"} {
		if i > 0 {
			writeLog(t, 1, 10+i, want)
		}
		if line, err := lines.ReadString('\n'); line != want+"\n" {
			t.Fatalf("line %d is %q (%v)", i, line, err)
		}
	}
	// The server says so only of what it sets no time.
	eventually(t, "the audit log to say that an answer began", func(context.Context) error {
		events := must[[]byte](t)(os.ReadFile(env.AuditLogPath("functionmesh-apiserver")))
		for line := range strings.Lines(string(events)) {
			if strings.Contains(line, "/log?follow=true") && strings.Contains(line, `"stage":"ResponseStarted"`) {
				return nil
			}
		}
		return errors.New("it doesn't")
	})
	if open := openLogs(ctx, t); open != 1 {
		t.Errorf("%d logs are read", open)
	}
	cancel()
	eventually(t, "the log to be closed", func(ctx context.Context) error {
		if open := openLogs(ctx, t); open != 0 {
			return fmt.Errorf("%d are read", open)
		}
		return nil
	})
}

// openLogs returns how many logs the server reads, from its metrics.
func openLogs(ctx context.Context, t *testing.T) int {
	t.Helper()
	config := rest.CopyConfig(env.ControlPlane.AdminConfig())
	config.Host = fmt.Sprintf("https://localhost:%d", env.APIServer.Port())
	direct := must[*versioned.Clientset](t)(versioned.NewForConfig(config))
	text := must[[]byte](t)(direct.AdminV1alpha1().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx))
	count := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "apiserver_longrunning_requests{") && strings.Contains(line, `subresource="log"`) {
			var value int
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &value); err != nil {
				t.Fatal(err)
			}
			count += value
		}
	}
	return count
}

// TestLogOfNoPod proves that no other pod's log is shown in the name of an instance.
func TestLogOfNoPod(t *testing.T) {
	withLog(t)
	createFunction(t, silent, 1)
	podsOf(t, silent, 1)
	if code, reason := post(t, functions+silent+"/stop"); code != 204 {
		t.Fatalf("%d %q", code, reason)
	}
	podsOf(t, silent, 0)
	pods := env.ControlPlane.Client().CoreV1().Pods(namespace)
	set := must[*appsv1.StatefulSet](t)(env.ControlPlane.Client().AppsV1().StatefulSets(namespace).Get(t.Context(), objectName(silent)+"-function", metav1.GetOptions{}))
	space := must[*corev1.Namespace](t)(env.ControlPlane.Client().CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}))
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: podName(silent, 0), Labels: set.Spec.Selector.MatchLabels,
			// Or the StatefulSet would take it over.
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(space, corev1.SchemeGroupVersion.WithKind("Namespace"))},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "pulsar-function", Image: "other"}}},
	}
	must[*corev1.Pod](t)(pods.Create(t.Context(), pod, metav1.CreateOptions{}))
	t.Cleanup(func() {
		if err := pods.Delete(context.Background(), pod.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	podsOf(t, silent, 1)
	// It has a log of its own.
	eventually(t, "the pod's log", func(ctx context.Context) error {
		_, err := pods.GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
		return err
	})
	notLogged(t, views(t, ""), silent, nil, http.StatusNotFound, "instance 0 of "+objectName(silent)+" has no pod (Suspended)")
}

// TestLogRights proves that a log needs both the right to the subresource and that to the
// log of the pod.
func TestLogRights(t *testing.T) {
	withLog(t)
	writeLog(t, 0, 20, "for some")
	rbac := env.ControlPlane.Client().RbacV1()
	grant := func(user, role string, rules ...rbacv1.PolicyRule) {
		t.Helper()
		meta := metav1.ObjectMeta{Name: user + "-" + role, Namespace: namespace}
		must[*rbacv1.Role](t)(rbac.Roles(namespace).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{}))
		must[*rbacv1.RoleBinding](t)(rbac.RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: meta,
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}},
		}, metav1.CreateOptions{}))
	}
	as := func(user string) *versioned.Clientset {
		t.Helper()
		return must[*versioned.Clientset](t)(versioned.NewForConfig(must[*rest.Config](t)(env.ControlPlane.ClientCertConfig(user))))
	}
	ours := rbacv1.PolicyRule{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"pulsarfunctions/log"}, Verbs: []string{"get"}}
	theirs := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"}}
	ofOne := theirs
	ofOne.ResourceNames = []string{podName(logged, 0)}
	grant("log-half", "ours", ours)
	grant("log-other-half", "theirs", theirs)
	grant("log-one", "both", ours, ofOne)
	grant("log-both", "both", ours, theirs)
	for _, user := range []string{"log-one", "log-both"} {
		eventually(t, "the rights of "+user, func(ctx context.Context) error {
			text, err := logRequest(as(user), logged, map[string]string{"tailLines": "1"}).DoRaw(ctx)
			if err == nil && string(text) != "for some\n" {
				t.Fatalf("%s reads %q", user, text)
			}
			return err
		})
	}
	// Rights come in the order in which they were given.
	const lacks = `needs the right to get pods/log "%s" in namespace "default", which the caller lacks`
	notLogged(t, as("log-half"), logged, nil, http.StatusForbidden, fmt.Sprintf(lacks, podName(logged, 0)))
	notLogged(t, as("log-half"), "nothing", nil, http.StatusForbidden, fmt.Sprintf(lacks, podName("nothing", 0)))
	notLogged(t, as("log-one"), logged, map[string]string{"instance": "1"}, http.StatusForbidden, fmt.Sprintf(lacks, podName(logged, 1)))
	notLogged(t, as("log-other-half"), logged, nil, http.StatusForbidden, `cannot get resource "pulsarfunctions/log"`)
}
