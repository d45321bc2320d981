package shim

import (
	"context"
	"errors"
	"net/http"
	"testing"
)

func TestBudget(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	budget := newBudget(100)
	var releases []func()
	for range configsAtOnce - 1 {
		release, err := budget.take(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		releases = append(releases, release)
	}
	small, err := budget.take(t.Context(), 40)
	if err != nil {
		t.Fatal(err)
	}
	var refused *restError
	if _, err := budget.take(over, 100); !errors.As(err, &refused) || refused.code != http.StatusTooManyRequests {
		t.Errorf("got %v", err)
	}
	small()
	last, err := budget.take(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	last()
	for _, release := range releases {
		release()
	}
	// What is larger than all there is waits for all there is, not for ever.
	all, err := budget.take(t.Context(), 1e9)
	if err != nil {
		t.Fatal(err)
	}
	all()
}
