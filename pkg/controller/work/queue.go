// Package work runs the queues of the background loops: a fixed number of workers,
// each object at most once in a queue, and longer and longer waits after errors.
package work

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// Waits after errors of one object.
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 2 * time.Minute

	// timeout bounds the work on one object: a request that isn't answered must not
	// hold a worker.
	timeout = 30 * time.Second
)

// Key names a custom resource.
type Key struct {
	// Resource is functions, sources or sinks.
	Resource        string
	Namespace, Name string
}

// Reconcile brings one object to where it should be. It is called again after the
// time that it returns, unless that is zero or something happens earlier.
type Reconcile func(context.Context, Key) (time.Duration, error)

// Queue holds the keys of objects that may need work.
type Queue struct {
	name  string
	queue workqueue.TypedRateLimitingInterface[Key]
}

// NewQueue returns the queue of a loop.
func NewQueue(name string) *Queue {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[Key](minBackoff, maxBackoff)
	return &Queue{name: name, queue: workqueue.NewTypedRateLimitingQueueWithConfig(limiter,
		workqueue.TypedRateLimitingQueueConfig[Key]{Name: name})}
}

// Add has an object looked at.
func (q *Queue) Add(key Key) { q.queue.Add(key) }

// Run works on the queue until ctx ends, and returns when all workers have stopped.
func (q *Queue) Run(ctx context.Context, workers int, reconcile Reconcile) {
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for q.next(ctx, reconcile) {
			}
		})
	}
	<-ctx.Done()
	q.queue.ShutDown()
	running.Wait()
}

func (q *Queue) next(ctx context.Context, reconcile Reconcile) bool {
	key, stopped := q.queue.Get()
	if stopped {
		return false
	}
	defer q.queue.Done(key)
	if ctx.Err() != nil {
		return true
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	again, err := reconcile(bounded, key)
	cancel()
	switch {
	case err == nil:
		q.queue.Forget(key)
		if again > 0 {
			q.queue.AddAfter(key, again)
		}
	case ctx.Err() != nil:
		// The error is that of stopping.
	case apierrors.IsConflict(err):
		// Somebody else wrote, and the news of it is on its way.
		conflicts.WithLabelValues(q.name).Inc()
		q.queue.AddRateLimited(key)
	default:
		errorsTotal.WithLabelValues(q.name).Inc()
		klog.FromContext(ctx).Error(err, "Could not work on an object", "loop", q.name,
			"resource", key.Resource, "object", klog.KRef(key.Namespace, key.Name))
		q.queue.AddRateLimited(key)
	}
	return true
}
