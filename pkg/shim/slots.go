package shim

import "sync"

// slots bound how many of something slow go on at once, all together and for each tenant.
type slots struct {
	// all has an entry for each one that goes on.
	all chan struct{}

	lock sync.Mutex
	// byTenant is how many of them each tenant has.
	byTenant map[string]int
}

func newSlots(limit int) *slots {
	return &slots{all: make(chan struct{}, limit), byTenant: map[string]int{}}
}

// enter takes a slot for a tenant, who may have half of them: a slow client holds one for
// as long as it is allowed to take.
func (s *slots) enter(tenant string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.byTenant[tenant] >= cap(s.all)/2 {
		return false
	}
	select {
	case s.all <- struct{}{}:
		s.byTenant[tenant]++
		return true
	default:
		return false
	}
}

func (s *slots) leave(tenant string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	<-s.all
	if s.byTenant[tenant]--; s.byTenant[tenant] == 0 {
		delete(s.byTenant, tenant)
	}
}
