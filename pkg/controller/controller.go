// Package controller runs the background loops of functionmesh-apiserver: what has
// to be observed, published and cleaned up whether anybody asks or not. One of
// several servers runs them, elected by a Lease. Serving needs none of them.
package controller

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	// Metrics of the election and the queues.
	_ "k8s.io/component-base/metrics/prometheus/clientgo/leaderelection"
	_ "k8s.io/component-base/metrics/prometheus/workqueue"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/revisions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/subscriptions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/trust"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

const (
	hookName = "functionmesh-controllers"
	// electAgain is the pause between the end of one term and the next candidacy.
	electAgain = time.Second
)

// Config is what the loops work with.
type Config struct {
	// Client is of the account that they have in Kubernetes.
	Client *restclient.Config
	// Claims are of an informer that the server runs.
	Claims *tenancy.Index
	// Packages are the package services of Pulsar clusters, by the name of the cluster, for
	// the server's own account. Clusters where it has none are missing.
	Packages map[string]*packageservice.Client
	// TrustCertsFiles have the certificates by which brokers are verified, by the name of
	// the Pulsar cluster.
	TrustCertsFiles map[string]string
	// Pulsar are the same clusters' web services.
	Pulsar map[string]*pulsaradmin.Client
	// PackageGracePeriod is for how long an uploaded package is kept that nothing names.
	PackageGracePeriod time.Duration
	// Project has the projection of each kind, by the name of its custom resources.
	Project map[string]revisions.Project
	// RevisionLimit is how many revisions an object has at most.
	RevisionLimit int
	// Topics are those of the Pulsar clusters where the server has an account, by the name
	// of the cluster.
	Topics map[string]subscriptions.Topics
	// ConfigMapName returns the ConfigMap by which components reach a cluster of a name.
	ConfigMapName func(cluster string) string
	// Options are what the command line says.
	Options *Options
}

// Install has a server run the loops from its start to its end.
func Install(server *genericapiserver.GenericAPIServer, config Config) error {
	manager, err := newManager(config)
	if err != nil {
		return err
	}
	hook := func(hook genericapiserver.PostStartHookContext) error {
		// A server is ready whether or not it leads.
		go manager.run(klog.NewContext(hook.Context, klog.LoggerWithName(klog.Background(), "loops")))
		return nil
	}
	if err := server.AddPostStartHook(hookName, hook); err != nil {
		return fmt.Errorf("could not install the background loops: %w", err)
	}
	return nil
}

// manager runs the loops while it leads.
type manager struct {
	Config

	lock     resourcelock.Interface
	identity string
	// term is held while loops run, so that a term begins only when the loops of the
	// one before have ended.
	term sync.Mutex
}

func newManager(config Config) (*manager, error) {
	if err := trust.Check(config.TrustCertsFiles); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("could not find out this host's name: %w", err)
	}
	m := &manager{Config: config, identity: host + "_" + string(uuid.NewUUID())}
	// A renewal must not wait behind what loops ask for.
	client, err := kubernetes.NewForConfig(restclient.AddUserAgent(restclient.CopyConfig(config.Client), "leader-election"))
	if err != nil {
		return nil, fmt.Errorf("could not make a client: %w", err)
	}
	election := &config.Options.LeaderElection
	m.lock, err = resourcelock.New(election.ResourceLock, election.ResourceNamespace, election.ResourceName,
		client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: m.identity})
	if err != nil {
		return nil, fmt.Errorf("could not describe the Lease: %w", err)
	}
	return m, nil
}

// run leads whenever it is elected, until ctx ends. Losing the Lease ends the loops
// and not the process, which goes on serving.
func (m *manager) run(ctx context.Context) {
	if !m.Options.LeaderElection.LeaderElect {
		m.lead(ctx)
		return
	}
	election := &m.Options.LeaderElection
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name:            election.ResourceName,
		Lock:            m.lock,
		LeaseDuration:   election.LeaseDuration.Duration,
		RenewDeadline:   election.RenewDeadline.Duration,
		RetryPeriod:     election.RetryPeriod.Duration,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: m.lead,
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		klog.FromContext(ctx).Error(err, "Could not take part in the election: no background loops run")
		return
	}
	for ctx.Err() == nil {
		elector.Run(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(electAgain):
		}
	}
}

// lead runs the loops until ctx ends.
func (m *manager) lead(ctx context.Context) {
	m.term.Lock()
	defer m.term.Unlock()
	logger := klog.FromContext(ctx)
	logger.Info("Running the background loops", "identity", m.identity, "controllers", m.Options.Controllers)
	if err := runLoops(ctx, m.Config); err != nil {
		logger.Error(err, "Could not run the background loops")
		return
	}
	logger.Info("Stopped the background loops", "identity", m.identity)
}
