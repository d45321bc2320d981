// Package slots bounds how many of something slow go on at once, all together and for
// each place, so that nobody keeps others from it. Both servers have such things: files
// that are taken, packages that are copied, requests to a store.
package slots

import "sync"

// Slots are a number of them. A place is a Kubernetes namespace: callers can invent names
// of tenants, and many of them may be served by one namespace. They can be used
// concurrently.
type Slots struct {
	limit int

	lock  sync.Mutex
	taken int
	// byPlace is how many of them each place has.
	byPlace map[string]int
}

// New returns a number of slots.
func New(limit int) *Slots { return &Slots{limit: limit, byPlace: map[string]int{}} }

// Enter takes a slot for a place, which may have half of them, or returns false. A slot
// that was taken is to be left.
func (s *Slots) Enter(place string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.taken >= s.limit || s.byPlace[place] >= s.limit/2 {
		return false
	}
	s.taken++
	s.byPlace[place]++
	return true
}

// Leave gives back a slot that a place has.
func (s *Slots) Leave(place string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.taken--
	if s.byPlace[place]--; s.byPlace[place] == 0 {
		delete(s.byPlace, place)
	}
}

// Taken returns how many slots are taken.
func (s *Slots) Taken() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.taken
}
