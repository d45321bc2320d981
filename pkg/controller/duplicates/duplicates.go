// Package duplicates is the loop that keeps one object running of those that have
// one Pulsar identity. Creates under chosen names can race; two instances of one
// identity would share a subscription and its messages.
package duplicates

import (
	"context"
	"strconv"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// Name is the loop's.
const Name = "duplicates"

// Stopper stops what isn't the oldest, and starts it again when it is.
type Stopper struct {
	informers *component.Informers
	writer    *work.Writer
}

// New returns a stopper.
func New(informers *component.Informers, writer *work.Writer) *Stopper {
	return &Stopper{informers: informers, writer: writer}
}

// NotStopped returns why an object wouldn't be stopped, empty if it would.
func NotStopped(object *component.Component) string {
	if _, ours := object.Labels[identity.LabelIdentity]; !ours {
		return "It is not stopped, because it was not made through this API."
	}
	if owner := object.ReplicasOwner; owner != "" {
		return "It is not stopped, because " + owner + " decides how many instances it has."
	}
	return ""
}

// Reconcile stops or starts an object.
func (s *Stopper) Reconcile(ctx context.Context, key work.Key) (time.Duration, error) {
	object := s.informers.Get(key)
	if object == nil || object.Broken || object.DeletionTimestamp != nil {
		return 0, nil
	}
	_, stopped := object.Annotations[component.StoppedAnnotation]
	switch elder := s.informers.Elder(object); {
	case elder != nil && object.Replicas > 0 && NotStopped(object) == "":
		return s.writer.Patch(ctx, Name, key, &object.ObjectMeta, stop(object))
	case elder == nil && stopped && s.informers.Complete():
		return s.writer.Patch(ctx, Name, key, &object.ObjectMeta, start(object))
	}
	return 0, nil
}

func stop(object *component.Component) work.Patch {
	return work.Patch{
		Spec: map[string]any{"replicas": 0},
		Annotations: map[string]any{
			translation.SuspendedParallelismAnnotation: strconv.Itoa(int(object.Replicas)),
			component.StoppedAnnotation:                object.Identity.String(),
		},
	}
}

// start gives an object the instances that it had, unless somebody gave it some in
// the meantime.
func start(object *component.Component) work.Patch {
	patch := work.Patch{Annotations: map[string]any{component.StoppedAnnotation: nil}}
	if object.Replicas > 0 {
		return patch
	}
	const bits = 32
	parallelism, err := strconv.ParseInt(object.Annotations[translation.SuspendedParallelismAnnotation], 10, bits)
	if err != nil || parallelism < 1 {
		parallelism = 1
	}
	patch.Spec = map[string]any{"replicas": parallelism}
	patch.Annotations[translation.SuspendedParallelismAnnotation] = nil
	return patch
}
