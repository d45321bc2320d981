package subscriptions

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
)

// hanging is a Pulsar that never answers, and counts how often it is asked.
type hanging struct{ asked int }

func (h *hanging) RemoveSubscription(ctx context.Context, _, _ string) error {
	h.asked++
	<-ctx.Done()
	return ctx.Err()
}

func (h *hanging) Matching(ctx context.Context, _ string) ([]string, error) {
	h.asked++
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestPulsarThatHangs asks it for several topics: nothing more is asked when the time is
// over, and that nothing was removed is an error.
func TestPulsarThatHangs(t *testing.T) {
	pulsar := &hanging{}
	cleaner := New(Config{Clusters: map[string]Topics{"c": pulsar}})
	object := &component.Component{Subscription: &component.Subscription{Cluster: "c", Name: "s", Own: true,
		Topics: []string{"persistent://a/b/1", "persistent://a/b/2"}, Patterns: []string{"persistent://a/b/x.*"}}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cleaner.removeAll(ctx, object); err == nil || pulsar.asked != 0 {
		t.Errorf("asked %d times: %v", pulsar.asked, err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := cleaner.removeAll(ctx, object); err == nil || pulsar.asked != 1 {
		t.Errorf("asked %d times: %v", pulsar.asked, err)
	}
}

// TestUnreadablePattern has what is left told.
func TestUnreadablePattern(t *testing.T) {
	cleaner := New(Config{Clusters: map[string]Topics{"c": &hanging{}}})
	object := &component.Component{Subscription: &component.Subscription{Cluster: "c", Name: "s", Own: true, Patterns: []string{"persistent://a/b/(?!x-).*"}}}
	kept, err := cleaner.removeAll(t.Context(), object)
	if err != nil || !strings.Contains(kept, "can't be read here") {
		t.Errorf("kept %q: %v", kept, err)
	}
}
