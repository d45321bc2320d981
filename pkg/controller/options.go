package controller

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	componentconfig "k8s.io/component-base/config"
	"k8s.io/component-base/config/options"
	"k8s.io/component-base/config/validation"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/autoscaler"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/collection"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/credentials"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/duplicates"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/packages"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/publisher"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/revisions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/subscriptions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/trust"
)

const (
	// leaseName is the Lease's.
	leaseName = "functionmesh-apiserver"
	// namespaceFile has the namespace of a pod.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	// defaultNamespace is the one that artifacts/ install into.
	defaultNamespace = "functionmesh-system"

	// As in Kubernetes' own components.
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second

	// packageInterval is after what time a package is asked for again by default, and
	// minPackageInterval is how short that may be.
	packageInterval    = 5 * time.Minute
	minPackageInterval = 5 * time.Second
)

// The names of what isn't a loop of its own, but part of one.
const (
	referencesName = "references"
	eventsName     = "events"
	// credentialsName is of looking at credentials for their condition.
	credentialsName = "credentials"
)

// Names are what can be switched on and off.
var Names = []string{publisher.Name, referencesName, eventsName, duplicates.Name, autoscaler.Name, credentialsName, credentials.Name, trust.Name, packages.Name, revisions.Name, collection.Name, subscriptions.Name}

// Options are the part of the command line that is about background loops.
type Options struct {
	// Controllers are the names that are switched on: "*" is all that aren't named,
	// "-name" is off.
	Controllers []string
	// LeaderElection says by which Lease one of several servers is chosen.
	LeaderElection componentconfig.LeaderElectionConfiguration
	// CredentialHashKeyFile has the key of the hashes by which a changed credential is
	// found. Without it none is.
	CredentialHashKeyFile string
	// PackageInterval is after what time a package is asked for again.
	PackageInterval time.Duration
	// SubscriptionDeadline is how long a deleted object waits for its subscription in
	// Pulsar to be removed.
	SubscriptionDeadline time.Duration
}

// NewOptions returns the defaults: all loops, led by who holds the Lease in this
// server's namespace.
func NewOptions() *Options {
	return &Options{
		Controllers:          []string{"*"},
		PackageInterval:      packageInterval,
		SubscriptionDeadline: subscriptions.DefaultDeadline,
		LeaderElection: componentconfig.LeaderElectionConfiguration{
			LeaderElect:       true,
			LeaseDuration:     metav1.Duration{Duration: leaseDuration},
			RenewDeadline:     metav1.Duration{Duration: renewDeadline},
			RetryPeriod:       metav1.Duration{Duration: retryPeriod},
			ResourceLock:      resourcelock.LeasesResourceLock,
			ResourceName:      leaseName,
			ResourceNamespace: ownNamespace(),
		},
	}
}

func ownNamespace() string {
	data, err := os.ReadFile(namespaceFile)
	if namespace := strings.TrimSpace(string(data)); err == nil && namespace != "" {
		return namespace
	}
	return defaultNamespace
}

// AddFlags adds the options to a command line.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&o.Controllers, "controllers", o.Controllers,
		"The background loops to run: '*' switches on all that are not named, 'foo' switches foo on, '-foo' switches it off. Requests are served without any. All of them: "+strings.Join(Names, ", ")+".")
	flags.StringVar(&o.CredentialHashKeyFile, "credential-hash-key-file", o.CredentialHashKeyFile,
		"A file with a random key of at least 32 bytes, the same for all servers, for hashes of the Secrets by which functions prove who they are. With it the pods of a function are replaced when that Secret changes ("+credentials.Name+").")
	flags.DurationVar(&o.PackageInterval, "package-check-interval", o.PackageInterval,
		"After what time a package service is asked again for a package that components name by URL ("+packages.Name+").")
	flags.DurationVar(&o.SubscriptionDeadline, "subscription-cleanup-deadline", o.SubscriptionDeadline,
		"How long a deleted function or sink waits for its subscription in Pulsar to be removed ("+subscriptions.Name+"); then it goes without.")
	options.BindLeaderElectionFlags(&o.LeaderElection, flags)
}

// Validate returns all that is wrong with the options.
func (o *Options) Validate() []error {
	var errs []error
	for _, name := range o.Controllers {
		if name != "*" && !slices.Contains(Names, strings.TrimPrefix(name, "-")) {
			errs = append(errs, fmt.Errorf("--controllers: there is no %q, only %s", name, strings.Join(Names, ", ")))
		}
	}
	if o.SubscriptionDeadline <= 0 {
		errs = append(errs, errors.New("--subscription-cleanup-deadline must be positive"))
	}
	if o.PackageInterval < minPackageInterval {
		errs = append(errs, fmt.Errorf("--package-check-interval must be at least %s", minPackageInterval))
	}
	if election := &o.LeaderElection; election.LeaderElect && election.ResourceLock != resourcelock.LeasesResourceLock {
		errs = append(errs, errors.New("--leader-elect-resource-lock must be leases"))
	}
	for _, err := range validation.ValidateLeaderElectionConfiguration(&o.LeaderElection, field.NewPath("leader-elect")) {
		errs = append(errs, err)
	}
	return errs
}

// Enabled tells whether something is switched on. The last word on it counts.
func (o *Options) Enabled(name string) bool {
	enabled, named := false, false
	for _, word := range o.Controllers {
		switch {
		case word == name:
			enabled, named = true, true
		case word == "-"+name:
			enabled, named = false, true
		case word == "*" && !named:
			enabled = true
		}
	}
	return enabled
}
