package slots

import "testing"

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
