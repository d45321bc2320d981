package shim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

const (
	// replicasPeriod is for how long what was read of the API server's replicas is used.
	replicasPeriod = 2 * time.Second
	maxReplicas    = 100
)

// replicas tells which replicas the API server has.
type replicas interface {
	list(ctx context.Context) (knownReplicas, error)
}

// knownReplicas are the API server's replicas at one time.
type knownReplicas struct {
	workers []workerInfo
	// leading is the identifier of the one that leads, empty if none is known to.
	leading string
}

// leader returns the replica that leads, or nil.
func (k knownReplicas) leader() *workerInfo {
	place := slices.IndexFunc(k.workers, func(worker workerInfo) bool { return worker.WorkerID == k.leading })
	if place < 0 {
		return nil
	}
	return &k.workers[place]
}

// addressReplicas is what is known without a look at Kubernetes: one API server, at the
// address at which the shim calls it.
type addressReplicas struct{ url string }

func (a addressReplicas) list(context.Context) (knownReplicas, error) {
	address, err := url.Parse(a.url)
	if err != nil {
		return knownReplicas{}, fmt.Errorf("could not read the API server's address: %w", err)
	}
	port, err := strconv.Atoi(address.Port())
	if err != nil {
		port = 443
	}
	worker := workerInfo{WorkerID: address.Hostname(), WorkerHostname: address.Hostname(), Port: port}
	return knownReplicas{workers: []workerInfo{worker}, leading: worker.WorkerID}, nil
}

// serviceReplicas reads the replicas from the API server's Service, and which of them
// leads from the Lease of the same name, with the shim's own account. It reads at most
// once per period, however often it is asked.
type serviceReplicas struct {
	client          kubernetes.Interface
	namespace, name string

	lock  sync.Mutex
	read  time.Time
	known knownReplicas
}

func (s *serviceReplicas) list(ctx context.Context) (knownReplicas, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if !s.read.IsZero() && time.Since(s.read) < replicasPeriod {
		return s.known, nil
	}
	// What is read is for all who ask meanwhile, so it mustn't depend on whether this
	// one stays.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replicasPeriod)
	defer cancel()
	known, err := s.readAll(ctx)
	if err != nil {
		unavailable := errorf(http.StatusServiceUnavailable, "The replicas of the API server can't be read. Please try again in a little while.")
		unavailable.cause = err
		return knownReplicas{}, unavailable
	}
	s.known, s.read = known, time.Now()
	return known, nil
}

func (s *serviceReplicas) readAll(ctx context.Context) (knownReplicas, error) {
	slicesOfService, err := s.client.DiscoveryV1().EndpointSlices(s.namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{discoveryv1.LabelServiceName: s.name}.String(),
		Limit:         maxReplicas,
	})
	if err != nil {
		return knownReplicas{}, fmt.Errorf("could not list the endpoints of the API server: %w", err)
	}
	known := knownReplicas{workers: []workerInfo{}}
	for _, slice := range slicesOfService.Items {
		known.workers = append(known.workers, workersIn(slice)...)
	}
	slices.SortFunc(known.workers, func(a, b workerInfo) int { return strings.Compare(a.WorkerID, b.WorkerID) })
	known.workers = slices.CompactFunc(known.workers, func(a, b workerInfo) bool { return a.WorkerID == b.WorkerID })
	lease, err := s.client.CoordinationV1().Leases(s.namespace).Get(ctx, s.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return knownReplicas{}, fmt.Errorf("could not get the lease of the API server: %w", err)
	default:
		known.leading = holderAmong(known.workers, ptr.Deref(lease.Spec.HolderIdentity, ""))
	}
	return known, nil
}

// workersIn returns the replicas of a slice that can be reached.
func workersIn(slice discoveryv1.EndpointSlice) []workerInfo {
	port := 0
	for _, of := range slice.Ports {
		port = int(ptr.Deref(of.Port, 0))
	}
	var workers []workerInfo
	for _, endpoint := range slice.Endpoints {
		if len(endpoint.Addresses) == 0 || !ptr.Deref(endpoint.Conditions.Ready, true) {
			continue
		}
		worker := workerInfo{WorkerID: endpoint.Addresses[0], WorkerHostname: endpoint.Addresses[0], Port: port}
		if endpoint.TargetRef != nil {
			worker.WorkerID = endpoint.TargetRef.Name
		}
		workers = append(workers, worker)
	}
	return workers
}

// holderAmong returns the replica that holds a lease. A holder calls itself by the name
// of its pod, and something behind it that makes it unique.
func holderAmong(workers []workerInfo, holder string) string {
	for _, worker := range workers {
		if holder == worker.WorkerID || strings.HasPrefix(holder, worker.WorkerID+"_") {
			return worker.WorkerID
		}
	}
	return ""
}
