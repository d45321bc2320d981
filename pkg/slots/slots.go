// Package slots bounds how many of something slow go on at once, all together and for
// each place, so that nobody keeps others from it. Both servers have such things: files
// that are taken, packages that are copied, requests to a store.
package slots

import (
	"context"
	"sync"
)

// Slots are a number of them. A place is a Kubernetes namespace: callers can invent names
// of tenants, and many of them may be served by one namespace. They can be used
// concurrently.
type Slots struct {
	limit int

	lock  sync.Mutex
	taken int
	// byPlace is how many of them each place has.
	byPlace map[string]int
	// left is closed when a slot is left, nil while nobody waits for that.
	left chan struct{}
}

// New returns a number of slots.
func New(limit int) *Slots { return &Slots{limit: limit, byPlace: map[string]int{}} }

// Enter takes a slot for a place, which may have half of them, or returns false. A slot
// that was taken is to be left.
func (s *Slots) Enter(place string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.enter(place)
}

func (s *Slots) enter(place string) bool {
	if s.taken >= s.limit || s.byPlace[place] >= s.limit/2 {
		return false
	}
	s.taken++
	s.byPlace[place]++
	return true
}

// Wait takes a slot for a place as Enter does, but waits where there is none, and returns
// false only if ctx ends before there is.
func (s *Slots) Wait(ctx context.Context, place string) bool {
	for ctx.Err() == nil {
		s.lock.Lock()
		entered := s.enter(place)
		if !entered && s.left == nil {
			s.left = make(chan struct{})
		}
		left := s.left
		s.lock.Unlock()
		if entered {
			return true
		}
		select {
		case <-left:
		case <-ctx.Done():
		}
	}
	return false
}

// Leave gives back a slot that a place has.
func (s *Slots) Leave(place string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.taken--
	if s.byPlace[place]--; s.byPlace[place] == 0 {
		delete(s.byPlace, place)
	}
	if s.left != nil {
		close(s.left)
		s.left = nil
	}
}

// Taken returns how many slots are taken.
func (s *Slots) Taken() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.taken
}
