package controlplane

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func clientFor(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestControlPlane shares one control plane: starting one costs seconds.
func TestControlPlane(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	dir := t.TempDir()
	began := time.Now()
	cp, err := Start(ctx, Options{BinDir: binDir(), Dir: dir, Logf: func(format string, args ...any) {
		t.Logf("%5.1f s: "+format, append([]any{time.Since(began).Seconds()}, args...)...)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer cp.Stop()
	t.Logf("%5.1f s: ready", time.Since(began).Seconds())

	t.Run("kubeconfig", func(t *testing.T) { testKubeconfig(t, cp) })
	t.Run("RBAC", func(t *testing.T) { testRBAC(t, cp) })
	t.Run("service account token", func(t *testing.T) { testServiceAccountToken(t, cp) })
	t.Run("aggregation", func(t *testing.T) { testAggregationConfig(t, cp) })
	t.Run("audit log", func(t *testing.T) { testAuditLog(t, cp) })
	t.Run("controllers", func(t *testing.T) { testControllers(t, cp) })
	t.Run("private keys", func(t *testing.T) { testPrivateKeys(t, dir) })
	t.Run("restart", func(t *testing.T) { testRestart(ctx, t, cp) })
	t.Run("second start in the same folder", func(t *testing.T) {
		if _, err := Start(ctx, Options{BinDir: binDir(), Dir: dir}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("unexpected exit", func(t *testing.T) { testUnexpectedExit(t, cp) })
}

func testKubeconfig(t *testing.T, cp *ControlPlane) {
	config, err := clientcmd.BuildConfigFromFlags("", cp.AdminKubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clientFor(t, config).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("the kubeconfig can't list nodes: %v", err)
	}
}

func testRBAC(t *testing.T, cp *ControlPlane) {
	admin := cp.Client()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "viewers", Namespace: metav1.NamespaceDefault},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "viewers"}},
	}
	if _, err := admin.RbacV1().RoleBindings(metav1.NamespaceDefault).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for user, groups := range map[string][]string{"alice": {"viewers"}, "bob": nil} {
		config, err := cp.ClientCertConfig(user, groups...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = clientFor(t, config).CoreV1().ConfigMaps(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{})
		if allowed := err == nil; allowed != (groups != nil) || (!allowed && !apierrors.IsForbidden(err)) {
			t.Errorf("%s of groups %v gets %v", user, groups, err)
		}
	}
}

func testServiceAccountToken(t *testing.T, cp *ControlPlane) {
	token, err := cp.ServiceAccountToken(t.Context(), metav1.NamespaceDefault, "default", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := cp.KubeconfigFor(path, token); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = clientFor(t, config).CoreV1().Secrets(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:default:default") {
		t.Errorf("listing Secrets as the service account gives %v, want 403 that names it", err)
	}
}

// testAggregationConfig checks what an aggregated API server reads to trust
// kube-apiserver.
func testAggregationConfig(t *testing.T, cp *ControlPlane) {
	trust, err := cp.Client().CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(t.Context(), "extension-apiserver-authentication", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"requestheader-client-ca-file": string(cp.FrontProxyCA().CertPEM()),
		"requestheader-allowed-names":  fmt.Sprintf("[%q]", frontProxyName),
		"client-ca-file":               string(cp.CAPEM()),
	} {
		if got := trust.Data[key]; strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func testAuditLog(t *testing.T, cp *ControlPlane) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "audited"}, StringData: map[string]string{"password": "hunter2"}}
	if _, err := cp.Client().CoreV1().Secrets(metav1.NamespaceDefault).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(cp.AuditLogPath())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("hunter2")) || bytes.Contains(data, []byte("RequestReceived")) {
		t.Error("the audit log has a body or an event of the stage RequestReceived")
	}
	found := false
	for line := range bytes.Lines(data) {
		var event struct {
			Verb      string
			ObjectRef struct{ Resource, Name string }
			User      struct{ Username string }
		}
		// The last line may be half-written.
		if json.Unmarshal(line, &event) == nil && event.Verb == "create" && event.ObjectRef.Name == "audited" {
			found = event.User.Username == "admin" && event.ObjectRef.Resource == "secrets"
		}
	}
	if !found {
		t.Error("the audit log doesn't say that admin created the secret")
	}
}

// testControllers proves that the garbage collector and the namespace
// controller work.
func testControllers(t *testing.T, cp *ControlPlane) {
	const namespace = "controllers"
	core := cp.Client().CoreV1()
	if _, err := core.Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	configMaps := core.ConfigMaps(namespace)
	owner, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dependent := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "dependent", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID},
	}}}
	if _, err := configMaps.Create(t.Context(), dependent, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := configMaps.Delete(t.Context(), owner.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the garbage collector", func() bool {
		_, err := configMaps.Get(t.Context(), dependent.Name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	if err := core.Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace to go", func() bool {
		_, err := core.Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func testPrivateKeys(t *testing.T, dir string) {
	entries, err := os.ReadDir(filepath.Join(dir, pkiDir))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may read %s (%s)", entry.Name(), info.Mode())
		}
	}
}

func testRestart(ctx context.Context, t *testing.T, cp *ControlPlane) {
	before := time.Now()
	if err := cp.RestartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("restarted kube-apiserver in %.1f s", time.Since(before).Seconds())
	if _, err := cp.Client().CoreV1().Secrets(metav1.NamespaceDefault).Get(t.Context(), "audited", metav1.GetOptions{}); err != nil {
		t.Errorf("after a restart, the same client gets %v", err)
	}
	select {
	case exit := <-cp.Unexpected():
		t.Errorf("the restart was reported as unexpected: %v", exit)
	default:
	}
}

func testUnexpectedExit(t *testing.T, cp *ControlPlane) {
	if err := cp.ControllerManager().Process().Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case exit := <-cp.Unexpected():
		if exit.Name != "kube-controller-manager" || exit.LogTail == "" {
			t.Errorf("reported %q with log tail %q", exit.Name, exit.LogTail)
		}
	case <-time.After(startTimeout):
		t.Error("the death of kube-controller-manager was not reported")
	}
}

func TestStartFailsWithTheLogOfTheCulprit(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	_, err := Start(ctx, Options{BinDir: binDir(), Dir: t.TempDir(), ExtraAPIServerArgs: []string{"--no-such-flag"}})
	var exit *UnexpectedExit
	if !errors.As(err, &exit) || exit.Name != "kube-apiserver" || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("the error is %v", err)
	}
}

// TestNothingSurvivesAKilledParent starts a control plane in a process of its
// own and kills that with SIGKILL, which leaves it no chance to clean up.
func TestNothingSurvivesAKilledParent(t *testing.T) {
	options := child(t, "plane")
	parent := exec.Command(options.Path)
	parent.Env = append(os.Environ(), append(options.Env, "PLANE_DIR="+t.TempDir())...)
	parent.Stderr = os.Stderr
	stdin, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n')
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // always "signal: killed"
	var pids map[string]int
	if err := json.Unmarshal([]byte(line), &pids); err != nil || len(pids) != 5 {
		t.Fatalf("the control plane did not start: %v, %v, processes %v", readErr, err, pids)
	}
	for name, pid := range pids {
		t.Cleanup(func() {
			if runs(pid, name) {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended just now
			}
		})
	}
	for name, pid := range pids {
		eventually(t, name+" to die with its parent", func() bool { return !runs(pid, name) })
	}
}

// runs says whether the process runs and is the named program. A dead one that
// nobody has waited for yet doesn't run.
func runs(pid int, name string) bool {
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && filepath.Base(program) == name
}
