package controlplane

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// kwokUser is whom kwok's client certificate names. Its rights are our own to
	// give, those of Kubernetes' components are kube-apiserver's.
	kwokUser = "kwok"
	// fakeNode is the annotation of the nodes that kwok plays, and its value.
	fakeNode, fakeNodeValue = "kwok.x-k8s.io/node", "fake"
	// defaultPodRange is where pods' addresses come from. Nothing routes there.
	defaultPodRange = "10.244.0.0/16"
	// nodeLeaseSeconds is a kubelet's default. kube-controller-manager evicts the
	// pods of nodes whose lease nobody renews.
	nodeLeaseSeconds = 40
)

// failingStages are the stages of pods that FailPod marked.
//
//go:embed failing-stages.yaml
var failingStages []byte

// startNodes starts what runs pods and returns once every node takes some.
func (cp *ControlPlane) startNodes(ctx context.Context) error {
	cp.options.Logf("starting kube-scheduler")
	options, err := cp.controllerOptions("kube-scheduler")
	if err != nil {
		return err
	}
	if cp.scheduler, err = StartServer(ctx, options); err != nil {
		return err
	}
	cp.options.Logf("starting kwok")
	if err := cp.allowKwok(ctx); err != nil {
		return err
	}
	if options, err = cp.kwokOptions(); err != nil {
		return err
	}
	if cp.kwok, err = StartServer(ctx, options); err != nil {
		return err
	}
	for i := range cp.options.Nodes {
		if err := cp.addNode(ctx, fmt.Sprintf("node-%d", i)); err != nil {
			return err
		}
	}
	return waitUntil(ctx, cp.kwok.Process(), cp.nodesTakePods)
}

func (cp *ControlPlane) kwokOptions() (ServerOptions, error) {
	kubeconfig, err := cp.componentKubeconfig("kwok", kwokUser)
	if err != nil {
		return ServerOptions{}, err
	}
	failing := filepath.Join(cp.options.Dir, "failing-stages.yaml")
	if err := writeFile(failing, failingStages); err != nil {
		return ServerOptions{}, err
	}
	logs, err := podLogs(cp.options.PodLogs)
	if err != nil {
		return ServerOptions{}, err
	}
	logsFile := filepath.Join(cp.options.Dir, "pod-logs.yaml")
	if err := writeFile(logsFile, logs); err != nil {
		return ServerOptions{}, err
	}
	files := cp.pki
	process := cp.process("kwok")
	// kwok adds the configuration in its user's home to what it is told.
	process.Env = []string{"HOME=" + cp.options.Dir}
	return ServerOptions{
		Process:    process,
		Grace:      stopGrace,
		Unexpected: cp.unexpected,
		Args: func(port int) []string {
			return []string{
				"--server-address=" + net.JoinHostPort(Loopback, strconv.Itoa(port)),
				"--tls-cert-file=" + files.serving, "--tls-private-key-file=" + files.servingKey,
				"--kubeconfig=" + kubeconfig,
				"--config=" + filepath.Join(cp.options.BinDir, "kwok-stages.yaml"),
				"--config=" + failing,
				"--config=" + logsFile,
				"--manage-nodes-with-annotation-selector=" + fakeNode + "=" + fakeNodeValue,
				"--node-lease-duration-seconds=" + strconv.Itoa(nodeLeaseSeconds),
				"--cidr=" + cmp.Or(cp.options.PodRange, defaultPodRange),
				// As every node's kubelet, kwok has the logs that it is told of, and refuses
				// others and exec at once, where an address that nobody has would let
				// clients wait.
				"--node-ip=" + Loopback, "--node-port=" + strconv.Itoa(port),
			}
		},
		Ready: cp.healthz,
	}, nil
}

// podLogs is how kwok is told which files the logs of pods are.
func podLogs(files map[string]string) ([]byte, error) {
	var documents []byte
	for pod, file := range files {
		namespace, name, found := strings.Cut(pod, "/")
		if !found {
			return nil, fmt.Errorf("could not give a pod a log: %q is not NAMESPACE/NAME", pod)
		}
		document, err := json.Marshal(map[string]any{
			"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs",
			"metadata": map[string]string{"namespace": namespace, "name": name},
			"spec":     map[string]any{"logs": []any{map[string]string{"logsFile": file}}},
		})
		if err != nil {
			return nil, fmt.Errorf("could not give a pod a log: %w", err)
		}
		documents = append(append(documents, "---\n"...), append(document, '\n')...)
	}
	return documents, nil
}

// allowKwok gives kwok's user the rights of a kubelet, on all nodes.
func (cp *ControlPlane) allowKwok(ctx context.Context) error {
	rbac := cp.client.RbacV1()
	meta := metav1.ObjectMeta{Name: kwokUser}
	role := &rbacv1.ClusterRole{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list", "watch", "patch", "delete"}},
		{APIGroups: []string{""}, Resources: []string{"nodes/status", "pods/status"}, Verbs: []string{"patch"}},
		{APIGroups: []string{"", "events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch"}},
	}}
	if _, err := rbac.ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create kwok's role: %w", err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: kwokUser}},
	}
	if _, err := rbac.ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not bind kwok's role: %w", err)
	}
	return nil
}

// addNode adds a node with the labels that a kubelet would give it.
func (cp *ControlPlane) addNode(ctx context.Context, name string) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name:        name,
		Annotations: map[string]string{fakeNode: fakeNodeValue},
		Labels: map[string]string{
			corev1.LabelHostname:   name,
			corev1.LabelOSStable:   "linux",
			corev1.LabelArchStable: "amd64",
		},
	}}
	if _, err := cp.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("could not create node %s: %w", name, err)
	}
	return nil
}

// nodesTakePods returns nil when kwok plays every node and no node repels pods:
// a new one does until kube-controller-manager has seen that it is ready.
func (cp *ControlPlane) nodesTakePods(ctx context.Context) error {
	nodes, err := cp.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, node := range nodes.Items {
		if node.Status.Allocatable.Pods().IsZero() || len(node.Spec.Taints) > 0 {
			return fmt.Errorf("node %s takes no pods (taints %v)", node.Name, node.Spec.Taints)
		}
	}
	return nil
}
