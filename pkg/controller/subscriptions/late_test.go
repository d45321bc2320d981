package subscriptions

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
)

// TestLate looks at how long what is deleted waits: less where its whole namespace does.
func TestLate(t *testing.T) {
	deleted := metav1.NewTime(time.Unix(1_800_000_000, 0))
	kube := fake.NewClientset(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "stays"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ends", DeletionTimestamp: &deleted, Finalizers: []string{"x"}}})
	for _, test := range []struct {
		namespace string
		after     time.Duration
		late      bool
	}{
		{"stays", terminatingDeadline + time.Second, false},
		{"stays", DefaultDeadline, false},
		{"stays", DefaultDeadline + time.Second, true},
		{"ends", terminatingDeadline, false},
		{"ends", terminatingDeadline + time.Second, true},
		// What can't be known is no reason to leave a subscription.
		{"unknown", terminatingDeadline + time.Second, false},
	} {
		cleaner := New(Config{Kube: kube, Deadline: DefaultDeadline, Clock: clocktesting.NewFakePassiveClock(deleted.Add(test.after))})
		object := &component.Component{ObjectMeta: metav1.ObjectMeta{Namespace: test.namespace, DeletionTimestamp: &deleted}}
		if late := cleaner.late(t.Context(), object); late != test.late {
			t.Errorf("%s after %v: %t", test.namespace, test.after, late)
		}
	}
}
