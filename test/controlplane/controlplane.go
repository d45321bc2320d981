// Package controlplane starts and stops a real Kubernetes control plane without
// a cluster: etcd, kube-apiserver and kube-controller-manager as child processes
// on loopback, with RBAC, an aggregation layer, service account tokens and an
// audit log. There is no cluster network: an APIService reaches its server
// through a Service of type ExternalName.
//
// Unless asked for, there are no nodes either, so no pod is ever scheduled. Fake
// nodes run no containers: kube-scheduler binds pods to them, and kwok says of
// each pod what a kubelet would, that it is ready (or, see FailPod, that it isn't).
//
// `make run` and the tests use this package, so that what people try is what is
// tested. It runs on Linux only, because only there a child can be made to die
// with its parent.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Options says where a control plane finds its programs and keeps its state.
type Options struct {
	// BinDir holds etcd, kube-apiserver and kube-controller-manager, as
	// hack/build-tools.sh builds them.
	BinDir string
	// Dir receives keys, data, kubeconfigs and, in its folder logs, one log
	// file per process. It must not hold the state of an earlier control plane.
	Dir string
	// Logf, when set, is told each step in one line.
	Logf func(format string, args ...any)
	// ExtraAPIServerArgs are appended to kube-apiserver's flags.
	ExtraAPIServerArgs []string
	// Nodes is the number of fake nodes. With any, BinDir must also hold
	// kube-scheduler, kwok and kwok-stages.yaml.
	Nodes int
	// PodRange is where pods' addresses come from, in CIDR notation. The default is one
	// that nothing routes to; with one in 127.0.0.0/8, a test can be what runs in a pod.
	PodRange string
	// PodLogs are files from which the logs of pods come, in the format of container
	// runtimes, by NAMESPACE/NAME of the pod. Other pods have none.
	PodLogs map[string]string
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	options Options
	pki     *pki
	admin   *rest.Config
	client  kubernetes.Interface

	etcd              *Server
	apiServer         *Server
	controllerManager *Server
	// scheduler and kwok are nil without nodes.
	scheduler *Server
	kwok      *Server

	unexpected chan *UnexpectedExit
}

// Start starts a control plane and returns once kube-apiserver and
// kube-controller-manager are healthy, the namespace default has its service
// account and all nodes take pods. On an error nothing is left running.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("could not resolve %s: %w", options.Dir, err)
	}
	options.Dir = dir
	if options.Logf == nil {
		options.Logf = func(string, ...any) {}
	}
	// Keys and service account tokens of an earlier run don't fit a new one.
	for _, name := range []string{etcdDir, pkiDir} {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s holds state of an earlier control plane (or can't be read): remove it first", path)
		}
	}
	cp := &ControlPlane{options: options, unexpected: make(chan *UnexpectedExit, 8)}
	if cp.pki, err = newPKI(filepath.Join(dir, pkiDir)); err != nil {
		return nil, err
	}
	if err := cp.start(ctx); err != nil {
		cp.Stop()
		return nil, err
	}
	return cp, nil
}

func (cp *ControlPlane) start(ctx context.Context) error {
	cp.options.Logf("starting etcd")
	var err error
	if cp.etcd, err = StartServer(ctx, cp.etcdOptions()); err != nil {
		return err
	}
	cp.options.Logf("starting kube-apiserver")
	options, err := cp.apiServerOptions()
	if err != nil {
		return err
	}
	if cp.apiServer, err = StartServer(ctx, options); err != nil {
		return err
	}
	if cp.admin, err = cp.ClientCertConfig("admin", "system:masters"); err != nil {
		return err
	}
	if cp.client, err = kubernetes.NewForConfig(cp.admin); err != nil {
		return fmt.Errorf("could not make a client for kube-apiserver: %w", err)
	}
	if err := WriteKubeconfig(cp.AdminKubeconfig(), cp.admin); err != nil {
		return err
	}
	cp.options.Logf("starting kube-controller-manager")
	if options, err = cp.controllerManagerOptions(); err != nil {
		return err
	}
	if cp.controllerManager, err = StartServer(ctx, options); err != nil {
		return err
	}
	err = waitUntil(ctx, cp.controllerManager.Process(), func(ctx context.Context) error {
		_, err := cp.client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
	if err != nil || cp.options.Nodes == 0 {
		return err
	}
	return cp.startNodes(ctx)
}

// Stop ends all processes, the ones that use another first.
func (cp *ControlPlane) Stop() {
	for _, server := range []*Server{cp.kwok, cp.scheduler, cp.controllerManager, cp.apiServer, cp.etcd} {
		if server != nil {
			server.Stop()
		}
	}
}

// Unexpected tells of a process that ended without Stop.
func (cp *ControlPlane) Unexpected() <-chan *UnexpectedExit { return cp.unexpected }

// APIServer returns kube-apiserver, for tests that stop and start it.
func (cp *ControlPlane) APIServer() *Server { return cp.apiServer }

// ControllerManager returns kube-controller-manager, for tests that stop and
// start it. A new one knows all resources at once; a running one finds new
// resources within 30 seconds.
func (cp *ControlPlane) ControllerManager() *Server { return cp.controllerManager }

// RestartAPIServer stops kube-apiserver, gracefully if that takes a few seconds
// at most, and starts it again on the same port with the same data.
func (cp *ControlPlane) RestartAPIServer(ctx context.Context) error {
	return cp.apiServer.Restart(ctx)
}

// StartServer starts one more server beside the control plane: its log is in the
// same folder and its unexpected end told on the same channel. The caller stops
// it, and gives its Process a Name, a Path and, if needed, an Env.
func (cp *ControlPlane) StartServer(ctx context.Context, options ServerOptions) (*Server, error) {
	options.Process.LogPath = cp.LogPath(options.Process.Name)
	options.Unexpected = cp.unexpected
	if options.Grace == 0 {
		options.Grace = stopGrace
	}
	return StartServer(ctx, options)
}

// Client returns a client with all rights.
func (cp *ControlPlane) Client() kubernetes.Interface { return cp.client }

// Dir returns the absolute path of the folder that holds the state.
func (cp *ControlPlane) Dir() string { return cp.options.Dir }

// LogPath returns the log file for a process of that name, which need not be
// one of the control plane's own.
func (cp *ControlPlane) LogPath(process string) string {
	return filepath.Join(cp.options.Dir, logDir, process+".log")
}

// AuditLogPath returns kube-apiserver's audit log: one JSON event a line.
func (cp *ControlPlane) AuditLogPath() string { return cp.LogPath("kube-apiserver-audit") }

// AuditPolicyFile returns the path of the policy by which kube-apiserver writes
// its audit log: who did what, without bodies.
func (cp *ControlPlane) AuditPolicyFile() string {
	return filepath.Join(cp.options.Dir, "audit-policy.yaml")
}

// AdminKubeconfig returns the path of a kubeconfig with all rights.
func (cp *ControlPlane) AdminKubeconfig() string { return filepath.Join(cp.options.Dir, "kubeconfig") }

// stopGrace is how long a component may take to end. Data is thrown away
// afterwards, and kube-apiserver takes up to a minute when watches are open.
const stopGrace = 2 * time.Second
