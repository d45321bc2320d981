package pinning

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// slots bound how many packages are copied at once, all together and for each place, so
// that nobody keeps others from it.
type slots struct {
	lock sync.Mutex
	all  int
	// byPlace is how many of them each place has.
	byPlace map[string]int
}

// enter takes a slot for a place, which may have half of them, or waits for one a little.
func (s *slots) enter(ctx context.Context, place string) bool {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, slotTimeout, true, func(context.Context) (bool, error) {
		s.lock.Lock()
		defer s.lock.Unlock()
		if s.all >= maxAtOnce || s.byPlace[place] >= maxAtOnce/2 {
			return false, nil
		}
		s.all++
		s.byPlace[place]++
		return true, nil
	})
	return err == nil
}

func (s *slots) leave(place string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.all--
	if s.byPlace[place]--; s.byPlace[place] == 0 {
		delete(s.byPlace, place)
	}
}
