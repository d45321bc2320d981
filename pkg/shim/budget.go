package shim

import (
	"context"
	"net/http"
	"sync"

	"golang.org/x/sync/semaphore"
)

// configsAtOnce is how many configs of the largest size are worked on at once.
const configsAtOnce = 8

// budget bounds the configs that are worked on at once by the sum of their sizes: what
// is made of a config takes many times the memory of its text. Those of the usual size
// never wait.
type budget struct {
	total int64
	bytes *semaphore.Weighted
}

func newBudget(maxConfig int64) *budget {
	total := configsAtOnce * maxConfig
	return &budget{total: total, bytes: semaphore.NewWeighted(total)}
}

// take waits until there is room for a config of the given size, and returns what
// gives the room back.
func (b *budget) take(ctx context.Context, size int) (release func(), err error) {
	weight := min(int64(size), b.total)
	if err := b.bytes.Acquire(ctx, weight); err != nil {
		return nil, errorf(http.StatusTooManyRequests, "Too many large configs at once. Please try again in a little while.")
	}
	return sync.OnceFunc(func() { b.bytes.Release(weight) }), nil
}
