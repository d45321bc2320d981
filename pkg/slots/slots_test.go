package slots

import (
	"context"
	"testing"
)

func TestSlots(t *testing.T) {
	slots := New(4)
	enter := func(place string, want bool) {
		t.Helper()
		if got := slots.Enter(place); got != want {
			t.Errorf("a slot for %s: %t", place, got)
		}
	}
	enter("a", true)
	enter("a", true)
	enter("a", false) // The other half is for others.
	enter("b", true)
	enter("c", true)
	enter("d", false)
	slots.Leave("a")
	enter("d", true)
	for _, place := range []string{"a", "b", "c", "d"} {
		slots.Leave(place)
	}
	if slots.Taken() != 0 || len(slots.byPlace) != 0 {
		t.Errorf("%d are taken, by %v", slots.Taken(), slots.byPlace)
	}
}

// TestWait proves that who waits gets what others leave, and goes without it when its time
// is over.
func TestWait(t *testing.T) {
	slots := New(4)
	for range 2 {
		if !slots.Wait(t.Context(), "a") {
			t.Fatal("a free slot was not taken")
		}
	}
	ended, end := context.WithCancel(t.Context())
	results := make(chan bool)
	go func() { results <- slots.Wait(ended, "a") }()
	end()
	if <-results || slots.Wait(ended, "b") {
		t.Error("a slot was taken after the end")
	}
	for range 2 {
		go func() { results <- slots.Wait(t.Context(), "a") }()
	}
	slots.Leave("a")
	slots.Leave("a")
	for range 2 {
		if !<-results {
			t.Error("who waited has no slot")
		}
	}
	if taken := slots.Taken(); taken != 2 {
		t.Errorf("%d are taken", taken)
	}
}
