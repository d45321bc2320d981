// Package claimevents is the loop that tells what is wrong with what Namespaces say
// they serve. A claim that can't be read, or that another Namespace has as well, has no
// object of ours with a condition that could say so.
package claimevents

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

const (
	// Name is the loop's.
	Name = "claim-events"
	// ReasonInvalidClaim is that of the events.
	ReasonInvalidClaim = "InvalidPulsarNamespaces"

	resource = "namespaces"
)

// Teller tells.
type Teller struct {
	claims   *tenancy.Index
	recorder record.EventRecorder
}

// New returns a teller.
func New(claims *tenancy.Index, recorder record.EventRecorder) *Teller {
	return &Teller{claims: claims, recorder: recorder}
}

// Watch has f called with the key of each Namespace of whose claims there may be
// something to tell. The result takes it back.
func (t *Teller) Watch(f func(work.Key)) (func() error, error) {
	return t.claims.OnChange(func(kubernetes string) {
		for _, name := range append(t.claims.Rivals(kubernetes), kubernetes) {
			f(work.Key{Resource: resource, Name: name})
		}
	})
}

// Reconcile writes an event of a Namespace whose claims are wrong. Events of Namespaces
// are kept in the namespace default.
func (t *Teller) Reconcile(_ context.Context, key work.Key) (time.Duration, error) {
	uid, problem := t.claims.Problem(key.Name)
	if problem != nil {
		t.recorder.Event(reference(key.Name, uid), corev1.EventTypeWarning, ReasonInvalidClaim, problem.Error())
	}
	return 0, nil
}

func reference(name string, uid types.UID) *corev1.ObjectReference {
	return &corev1.ObjectReference{APIVersion: "v1", Kind: "Namespace", Name: name, UID: uid}
}
