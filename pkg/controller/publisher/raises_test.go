package publisher

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
)

// Writes that raise the generation are told from those that don't, and from changes by
// others in between.
func TestRaises(t *testing.T) {
	key := work.Key{Resource: "functions", Namespace: "n", Name: "f"}
	r := raises{of: map[work.Key]raise{}}
	expect := func(what string, uid types.UID, generation, first int64, raising bool) {
		t.Helper()
		if gotFirst, gotRaising := r.find(key, uid, generation); gotFirst != first || gotRaising != raising {
			t.Errorf("%s: from %d on, raising=%v; want %d, %v", what, gotFirst, gotRaising, first, raising)
		}
	}
	expect("never written", "a", 3, 3, false)
	r.written(key, "a", 3, 3)
	expect("not raised", "a", 3, 3, false)
	r.written(key, "a", 3, 4)
	r.written(key, "a", 4, 5)
	expect("raised twice", "a", 5, 3, true)
	expect("changed by somebody", "a", 6, 6, true)
	r.written(key, "a", 6, 7)
	expect("changed and raised", "a", 7, 6, true)
	expect("another of the name", "b", 7, 7, false)
	r.written(key, "b", 1, 2)
	expect("another, raised", "b", 2, 1, true)
	r.written(key, "b", 2, 2)
	expect("raised no more", "b", 2, 2, false)
	r.written(key, "b", 2, 3)
	r.forget(key)
	expect("gone", "b", 3, 3, false)
}
