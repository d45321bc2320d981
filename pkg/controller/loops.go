package controller

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/autoscaler"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/claimevents"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/collection"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/credentials"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/duplicates"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/packages"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/publisher"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/revisions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/subscriptions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/trust"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

const (
	// What all loops together may ask of kube-apiserver in a second.
	requestsPerSecond = 50
	requestBurst      = 100
	// How many objects a loop works on at once.
	publishers, stoppers, cleaners, tellers, rotators, keepers, resolvers, historians, removers = 4, 1, 1, 1, 1, 1, 2, 2, 4

	// What one object may have told about itself: at first, and then how often.
	eventBurst     = 25
	eventPerSecond = 1.0 / 60
	// eventSource is who tells.
	eventSource = "functionmesh-apiserver"
)

// loop is a queue and what works on it.
type loop struct {
	queue     *work.Queue
	workers   int
	reconcile work.Reconcile
}

// clients are what loops talk to kube-apiserver with.
type clients struct {
	kube     kubernetes.Interface
	dynamic  dynamic.Interface
	metadata metadata.Interface
}

func newClients(config *restclient.Config) (*clients, error) {
	config = restclient.CopyConfig(config)
	// One limit for all of them.
	config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(requestsPerSecond, requestBurst)
	httpClient, err := restclient.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("could not make a client: %w", err)
	}
	made := &clients{}
	if made.kube, err = kubernetes.NewForConfigAndClient(config, httpClient); err != nil {
		return nil, fmt.Errorf("could not make a client: %w", err)
	}
	if made.dynamic, err = dynamic.NewForConfigAndClient(config, httpClient); err != nil {
		return nil, fmt.Errorf("could not make a dynamic client: %w", err)
	}
	if made.metadata, err = metadata.NewForConfigAndClient(config, httpClient); err != nil {
		return nil, fmt.Errorf("could not make a client of metadata: %w", err)
	}
	return made, nil
}

// runLoops runs what is switched on until ctx ends, and returns when all has
// stopped. What it knows, it knows for one term.
func runLoops(ctx context.Context, config Config) error {
	claims, options := config.Claims, config.Options
	made, err := newClients(config.Client)
	if err != nil {
		return err
	}
	informers, err := component.NewInformers(made.dynamic, made.kube)
	if err != nil {
		return err
	}
	var recorder record.EventRecorder
	if options.Enabled(eventsName) {
		broadcaster := newBroadcaster(ctx, made.kube)
		defer broadcaster.Shutdown()
		recorder = broadcaster.NewRecorder(runtime.NewScheme(), corev1.EventSource{Component: eventSource})
	}
	writer := work.NewWriter(made.dynamic, clock.RealClock{})
	var hashKey []byte
	if options.CredentialHashKeyFile != "" {
		if hashKey, err = credentials.LoadHashKey(options.CredentialHashKeyFile); err != nil {
			return err
		}
	}
	reader := credentials.NewReader(made.kube, hashKey)
	var loops []loop
	if options.Enabled(publisher.Name) {
		publish := publisher.Config{
			Informers: informers, Writer: writer, Clock: clock.RealClock{}, Recorder: recorder,
			Claims: claims, StopsDuplicates: options.Enabled(duplicates.Name),
		}
		if options.Enabled(referencesName) {
			publish.References = publisher.NewReferences(made.metadata)
		}
		if options.Enabled(credentialsName) {
			publish.Credentials = reader
		}
		queue := work.NewQueue(publisher.Name)
		changed := []*work.Queue{queue}
		if options.Enabled(packages.Name) {
			publish.Packages = newResolver(config, informers, queue.Add)
			resolving := work.NewQueue(packages.Name)
			changed = append(changed, resolving)
			loops = append(loops, loop{resolving, resolvers, publish.Packages.Reconcile})
		}
		// What a namespace serves decides about objects in others, too.
		forget, err := claims.OnChange(func(string) {
			for _, queue := range changed {
				informers.Each(queue.Add)
			}
		})
		if err != nil {
			return err
		}
		defer forget()
		loops = append(loops, loop{queue, publishers, publisher.New(publish).Reconcile})
	}
	if options.Enabled(duplicates.Name) {
		loops = append(loops, loop{work.NewQueue(duplicates.Name), stoppers, duplicates.New(informers, writer).Reconcile})
	}
	if options.Enabled(credentials.Name) && len(hashKey) > 0 {
		loops = append(loops, loop{work.NewQueue(credentials.Name), rotators, credentials.NewRotation(informers, writer, reader).Reconcile})
	}
	if options.Enabled(trust.Name) && len(config.TrustCertsFiles) > 0 {
		loops = append(loops, loop{work.NewQueue(trust.Name), keepers, trust.New(informers, made.kube, config.TrustCertsFiles).Reconcile})
	}
	// Switched off it goes on, to leave none of its finalizers.
	remover := subscriptions.New(subscriptions.Config{
		Informers: informers, Writer: writer, Kube: made.kube, Clock: clock.RealClock{}, Recorder: recorder, Claims: claims,
		Clusters: config.Topics, Enabled: options.Enabled(subscriptions.Name), Deadline: options.SubscriptionDeadline,
	})
	loops = append(loops, loop{work.NewQueue(subscriptions.Name), removers, remover.Reconcile})
	watchers := []func(context.Context){informers.Run}
	// Without either loop nobody needs the index, which costs the server memory.
	index, err := revisions.NewIndex(made.kube)
	if err != nil {
		return err
	}
	collects := options.Enabled(collection.Name) && len(config.Packages) > 0
	if options.Enabled(revisions.Name) || collects {
		watchers = append(watchers, index.Run)
	}
	if collects {
		watchers = append(watchers, collection.New(collection.Config{
			Informers: informers, Index: index, Claims: claims, Dynamic: made.dynamic,
			Services: config.Packages, Pulsar: config.Pulsar, GracePeriod: config.PackageGracePeriod,
		}).Run)
	}
	if options.Enabled(revisions.Name) {
		queue := work.NewQueue(revisions.Name)
		if err := index.OnDelete(queue.Add); err != nil {
			return err
		}
		keeper := revisions.New(revisions.Config{
			Informers: informers, Index: index, Kube: made.kube, Dynamic: made.dynamic, Writer: writer,
			Project: config.Project, Limit: config.RevisionLimit,
		})
		loops = append(loops, loop{queue, historians, keeper.Reconcile})
	}
	if options.Enabled(autoscaler.Name) {
		queue := work.NewQueue(autoscaler.Name)
		cleaner, err := autoscaler.New(informers, made.dynamic, made.metadata, recorder, queue.Add)
		if err != nil {
			return err
		}
		watchers = append(watchers, cleaner.Run)
		loops = append(loops, loop{queue, cleaners, cleaner.Reconcile})
	}
	if recorder != nil {
		teller, queue := claimevents.New(claims, recorder), work.NewQueue(claimevents.Name)
		forget, err := teller.Watch(queue.Add)
		if err != nil {
			return err
		}
		defer forget()
		watchers = append(watchers, func(ctx context.Context) { queue.Run(ctx, tellers, teller.Reconcile) })
	}
	for _, loop := range loops {
		if err := informers.OnChange(loop.queue.Add); err != nil {
			return err
		}
	}
	var running sync.WaitGroup
	for _, watch := range watchers {
		running.Go(func() { watch(ctx) })
	}
	// Before all is known, what is there would be taken for missing.
	if claims.WaitForSync(ctx) && informers.WaitForSync(ctx) {
		for _, loop := range loops {
			running.Go(func() { loop.queue.Run(ctx, loop.workers, loop.reconcile) })
		}
	}
	running.Wait()
	return nil
}

// newResolver returns what asks for packages. Components name package services by the
// ConfigMap that they reach them by.
func newResolver(config Config, informers *component.Informers, publish func(work.Key)) *packages.Resolver {
	services := make(map[string]*packageservice.Client, len(config.Packages))
	for cluster, service := range config.Packages {
		services[config.ConfigMapName(cluster)] = service
	}
	return packages.New(packages.Config{
		Informers: informers, Clock: clock.RealClock{}, Services: services, Claims: config.Claims,
		Interval: config.Options.PackageInterval, Publish: publish,
	})
}

func newBroadcaster(ctx context.Context, client kubernetes.Interface) record.EventBroadcaster {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx), record.WithCorrelatorOptions(record.CorrelatorOptions{
		BurstSize: eventBurst, QPS: eventPerSecond,
	}))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster
}
