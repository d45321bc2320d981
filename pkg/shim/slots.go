package shim

import "sync"

// slots bound how many of something slow go on at once, all together and for each place.
// That is a Kubernetes namespace: callers can invent names of tenants, and many of them
// may be served by one namespace.
type slots struct {
	// all has an entry for each one that goes on.
	all chan struct{}

	lock sync.Mutex
	// byPlace is how many of them each place has.
	byPlace map[string]int
}

func newSlots(limit int) *slots {
	return &slots{all: make(chan struct{}, limit), byPlace: map[string]int{}}
}

// enter takes a slot for a place, which may have half of them: a slow client holds one for
// as long as it is allowed to take.
func (s *slots) enter(place string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.byPlace[place] >= cap(s.all)/2 {
		return false
	}
	select {
	case s.all <- struct{}{}:
		s.byPlace[place]++
		return true
	default:
		return false
	}
}

func (s *slots) leave(place string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	<-s.all
	if s.byPlace[place]--; s.byPlace[place] == 0 {
		delete(s.byPlace, place)
	}
}
