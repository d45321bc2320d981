// Package devenv puts the product on a control plane: CRDs of Function Mesh, the
// access rules and the APIService from artifacts/, functionmesh-apiserver under
// the service account that artifacts/ gives it, and pulsar-admin-shim in front.
// `make run` and the end-to-end tests start the same thing.
//
// What needs nodes or cert-manager is left out: Deployments become child
// processes, and certificates come from the control plane's own CA.
package devenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"k8s.io/client-go/dynamic"

	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// Names that artifacts/ gives things.
const (
	SystemNamespace         = "functionmesh-system"
	APIServerServiceAccount = "functionmesh-apiserver"
	ShimServiceAccount      = "pulsar-admin-shim"
	APIServiceName          = "v1alpha1.admin.functionmesh.io"
	AuthorRole              = "functionmesh-pulsar-author"
	CustomizerRole          = "functionmesh-pulsar-customizer"
	// ConnectorViewerRole and SuperuserRole are those of artifacts/ for what isn't in
	// any namespace.
	ConnectorViewerRole = "functionmesh-pulsar-connector-viewer"
	SuperuserRole       = "functionmesh-pulsar-superuser"
	// AnonymousUser is who the shim says a caller without a credential is.
	AnonymousUser = "pulsar:anonymous"
)

// Where DefaultConfig says that Pulsar is.
const (
	DefaultWebServiceURL = "http://localhost:8080"
	defaultServiceURL    = "pulsar://localhost:6650"
)

// DefaultConfig is functionmesh-apiserver's configuration. Its Pulsar cluster
// need not exist: nothing here runs a function.
const DefaultConfig = `apiVersion: config.functionmesh.io/v1alpha1
kind: FunctionMeshAPIServerConfiguration
pulsarClusters:
- name: dev
  serviceUrl: ` + defaultServiceURL + `
  webServiceUrl: ` + DefaultWebServiceURL + `
runnerImages:
  java: streamnative/pulsar-functions-java-runner:2.10.0.0-rc10
  python: streamnative/pulsar-functions-python-runner:2.10.0.0-rc10
  go: streamnative/pulsar-functions-go-runner:2.10.0.0-rc10
packageDirectory: /pulsar
defaultResources:
  cpu: "1"
  memory: 1Gi
`

// ConfigFor is DefaultConfig for a Pulsar that is there, in which the server has the
// rights of whoever shows nothing.
func ConfigFor(serviceURL, webServiceURL string) string {
	return strings.NewReplacer(
		"serviceUrl: "+defaultServiceURL, "serviceUrl: "+serviceURL,
		"webServiceUrl: "+DefaultWebServiceURL, "webServiceUrl: "+webServiceURL+"\n  adminUrl: "+webServiceURL,
	).Replace(DefaultConfig)
}

// Options says what to start and where.
type Options struct {
	// BinDir holds the programs: the control plane's, kubectl,
	// functionmesh-apiserver and pulsar-admin-shim.
	BinDir string
	// Dir receives all state; see controlplane.Options.
	Dir string
	// ArtifactsDir is the repository's folder artifacts.
	ArtifactsDir string
	// Logf, when set, is told each step in one line.
	Logf func(format string, args ...any)
	// ShimPort is the shim's port on loopback, or 0 for a free one.
	ShimPort int
	// Nodes is the number of fake nodes; see controlplane.Options.
	Nodes int
	// PodRange is where pods' addresses come from; see controlplane.Options.
	PodRange string
	// PodLogs are where pods' logs come from; see controlplane.Options.
	PodLogs map[string]string
	// Config replaces DefaultConfig.
	Config string
	// DefaultNamespace is functionmesh-apiserver's: the namespace that serves what none
	// claims. Default *: most tests are about other things than which namespace they use.
	DefaultNamespace string
	// Connectors replaces artifacts/samples/connectors.yaml.
	Connectors []byte
	// KubeAPIServerArgs, APIServerArgs and ShimArgs are appended to the flags of
	// kube-apiserver, functionmesh-apiserver and pulsar-admin-shim.
	KubeAPIServerArgs []string
	APIServerArgs     []string
	ShimArgs          []string
}

// Env is a running environment.
type Env struct {
	// ControlPlane is what the environment stands on.
	ControlPlane *controlplane.ControlPlane
	// APIServer is the functionmesh-apiserver that the APIService leads to.
	APIServer *controlplane.Server
	// Shim is the pulsar-admin-shim that ShimURL leads to.
	Shim *controlplane.Server
	// ShimCA signs the certificates by which functionmesh-apiserver knows shims.
	ShimCA *controlplane.CA

	options    Options
	dynamic    dynamic.Interface
	apply      *applier
	files      credentialFiles
	serversMu  sync.Mutex
	servers    []*controlplane.Server
	unexpected <-chan *controlplane.UnexpectedExit
}

// Start starts an environment and returns once both doors answer. On an error
// nothing is left running.
func Start(ctx context.Context, options Options) (*Env, error) {
	if options.Logf == nil {
		options.Logf = func(string, ...any) {}
	}
	if options.Config == "" {
		options.Config = DefaultConfig
	}
	if options.DefaultNamespace == "" {
		options.DefaultNamespace = tenancy.Anywhere
	}
	controlPlane, err := controlplane.Start(ctx, controlplane.Options{
		BinDir:             options.BinDir,
		Dir:                options.Dir,
		Logf:               options.Logf,
		ExtraAPIServerArgs: options.KubeAPIServerArgs,
		Nodes:              options.Nodes,
		PodRange:           options.PodRange,
		PodLogs:            options.PodLogs,
	})
	if err != nil {
		return nil, err
	}
	env := &Env{ControlPlane: controlPlane, options: options, unexpected: controlPlane.Unexpected()}
	if err := env.start(ctx); err != nil {
		env.Stop()
		return nil, err
	}
	return env, nil
}

func (e *Env) start(ctx context.Context) error {
	var err error
	if e.dynamic, err = dynamic.NewForConfig(e.ControlPlane.AdminConfig()); err != nil {
		return fmt.Errorf("could not make a client for kube-apiserver: %w", err)
	}
	if e.apply, err = newApplier(e.ControlPlane.AdminConfig(), e.dynamic); err != nil {
		return err
	}
	e.options.Logf("installing the CRDs of Function Mesh")
	if err := e.ApplyCRDs(ctx); err != nil {
		return err
	}
	e.options.Logf("installing service accounts, RBAC and APIService from %s", e.options.ArtifactsDir)
	apiService, err := e.applyManifests(ctx)
	if err != nil {
		return err
	}
	if err := e.bindAnonymous(ctx); err != nil {
		return err
	}
	if err := e.writeCredentials(ctx); err != nil {
		return err
	}
	connectors := e.options.Connectors
	if connectors == nil {
		connectors, err = os.ReadFile(filepath.Join(e.options.ArtifactsDir, "samples", "connectors.yaml"))
		if err != nil {
			return fmt.Errorf("could not read the connectors file: %w", err)
		}
	}
	if err := os.WriteFile(e.ConnectorsFile(), connectors, 0o600); err != nil {
		return fmt.Errorf("could not write the connectors file: %w", err)
	}
	e.options.Logf("starting functionmesh-apiserver")
	if e.APIServer, err = e.StartAPIServer(ctx, APIServerOptions{}); err != nil {
		return err
	}
	if err := e.applyAPIService(ctx, apiService, e.APIServer.Port()); err != nil {
		return err
	}
	e.options.Logf("starting pulsar-admin-shim")
	if e.Shim, err = e.StartShim(ctx, ShimOptions{Port: e.options.ShimPort}); err != nil {
		return err
	}
	e.options.Logf("waiting for the group to be served through kube-apiserver")
	return e.waitServed(ctx)
}

// Stop ends all processes.
func (e *Env) Stop() {
	e.serversMu.Lock()
	servers := e.servers
	e.servers = nil
	e.serversMu.Unlock()
	// Side by side: each may take its whole grace period.
	var wg sync.WaitGroup
	for _, server := range servers {
		wg.Go(server.Stop)
	}
	wg.Wait()
	e.ControlPlane.Stop()
}

// Unexpected tells of a process that ended without being asked to.
func (e *Env) Unexpected() <-chan *controlplane.UnexpectedExit { return e.unexpected }

// Dynamic returns a dynamic client with all rights.
func (e *Env) Dynamic() dynamic.Interface { return e.dynamic }

// ShimURL returns the base URL for Pulsar's admin clients.
func (e *Env) ShimURL() string { return shimURL(e.Shim.Port()) }

func shimURL(port int) string {
	return "http://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(port))
}

// Kubectl returns a command that runs kubectl with all rights and a discovery
// cache of this environment's own.
func (e *Env) Kubectl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(e.options.BinDir, "kubectl"), args...)
	cmd.Env = append(os.Environ(),
		"KUBECONFIG="+e.ControlPlane.AdminKubeconfig(),
		"KUBECACHEDIR="+e.KubectlCacheDir())
	return cmd
}

// ConnectorsFile returns the path of the connectors file that every
// functionmesh-apiserver follows. It begins as Options.Connectors.
func (e *Env) ConnectorsFile() string {
	return filepath.Join(e.ControlPlane.Dir(), "connectors.yaml")
}

// KubectlCacheDir returns where kubectl should keep what it discovers. Its
// default is shared by all clusters that ever had the same port.
func (e *Env) KubectlCacheDir() string {
	return filepath.Join(e.ControlPlane.Dir(), "kubectl-cache")
}
