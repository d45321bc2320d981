package work

import (
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

// TestInterval looks at when a resource may be written: a second after the end of
// the last write, and never twice at once.
func TestInterval(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Unix(1_800_000_000, 0))
	writer := NewWriter(nil, clock)
	pass := func(duration time.Duration) { clock.SetTime(clock.Now().Add(duration)) }
	for _, step := range []struct {
		what string
		pass time.Duration
		uid  types.UID
		wait time.Duration
	}{
		{"first", 0, "a", 0},
		{"while it is written", 300 * time.Millisecond, "a", 700 * time.Millisecond},
		{"another", 0, "b", 0},
	} {
		pass(step.pass)
		if wait := writer.reserve(step.uid); wait != step.wait {
			t.Errorf("%s: has to wait %v, not %v", step.what, wait, step.wait)
		}
	}
	pass(500 * time.Millisecond)
	writer.ended("a")
	if wait := writer.reserve("a"); wait != time.Second {
		t.Errorf("after the end of a write: has to wait %v", wait)
	}
	pass(time.Second)
	if wait := writer.reserve("a"); wait != 0 {
		t.Errorf("after an interval: has to wait %v", wait)
	}
	for i := range 10 * sweepSize {
		pass(10 * time.Millisecond)
		writer.ended(types.UID(strconv.Itoa(i)))
	}
	if known := len(writer.last); known > sweepSize {
		t.Errorf("%d resources are remembered", known)
	}
}
