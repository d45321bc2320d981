package packageservice

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"
)

// TestClaim names a package of which it was said some time ago that it is to be removed.
func TestClaim(t *testing.T) {
	for name, test := range map[string]struct {
		ago     time.Duration
		manager string
		// waits and keeps say that it isn't claimed yet, and that the mark stays.
		waits, keeps bool
	}{
		"just now":              {ago: 0, manager: Manager},
		"in time":               {ago: lastCall - time.Second, manager: Manager},
		"by a clock ahead":      {ago: -clockSkew, manager: Manager},
		"at the last moment":    {ago: lastCall + time.Second, manager: Manager, waits: true, keeps: true},
		"at the removal":        {ago: removalNotice, manager: Manager, waits: true, keeps: true},
		"so long ago, forgot":   {ago: removalWindow + clockSkew + time.Second, manager: Manager},
		"of somebody else's":    {ago: 0, manager: "somebody", keeps: true},
		"somebody else's, late": {ago: removalNotice, manager: "somebody", keeps: true},
	} {
		t.Run(name, func(t *testing.T) {
			service := &memory{}
			client := clientOf(t, service)
			service.put(Metadata{Properties: map[string]string{
				PropertyManager: test.manager, propertyInstallation + "here": "1", propertyRemoving: strconv.FormatInt(time.Now().Add(-test.ago).UnixMilli(), 10),
			}}, "content", time.Now())
			ctx := t.Context()
			if test.waits {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			there, err := client.Claim(ctx, "", latest, here)
			if test.waits != errors.Is(err, context.DeadlineExceeded) || there == test.waits {
				t.Errorf("there %t: %v", there, err)
			}
			service.lock.Lock()
			defer service.lock.Unlock()
			if _, marked := service.metadata.Properties[propertyRemoving]; marked != test.keeps {
				t.Errorf("it has %v", service.metadata.Properties)
			}
		})
	}
	if there, err := clientOf(t, &memory{}).Claim(t.Context(), "", latest, here); there || err != nil {
		t.Errorf("what isn't there: %t, %v", there, err)
	}
}

// TestAnnounceLate reads a package a while before it says that it is to be removed:
// somebody may have claimed it in between.
func TestAnnounceLate(t *testing.T) {
	service := &memory{}
	client := clientOf(t, service)
	service.put(withUse(Metadata{}, "here", false, time.UnixMilli(1)), "content", time.Now())
	if _, err := client.Announce(t.Context(), "", latest, *service.metadata, "here", time.Now().Add(-writeTime)); !errors.Is(err, errSlow) {
		t.Errorf("got %v", err)
	}
	// A claim may have been lost by that: it isn't due again before another grace period.
	if since, unused := UnusedSince(*service.metadata, "here"); !unused || time.Since(since) > time.Minute {
		t.Errorf("it is unused since %s, %t", since, unused)
	}
	if _, err := client.Announce(t.Context(), "", latest, *service.metadata, "here", time.Now()); err != nil {
		t.Error(err)
	}
}

// TestAnnounceShared announces the removal of what isn't one installation's alone.
func TestAnnounceShared(t *testing.T) {
	for name, metadata := range map[string]Metadata{
		"nobody's":      {},
		"another one's": withUse(Metadata{}, "there", false, time.UnixMilli(1)),
		"both's":        withUse(withUse(Metadata{}, "there", false, time.UnixMilli(1)), "here", false, time.UnixMilli(1)),
	} {
		service := &memory{}
		client := clientOf(t, service)
		service.put(metadata, "content", time.Now())
		if _, err := client.Announce(t.Context(), "", latest, metadata, "here", time.Now()); !errors.Is(err, ErrShared) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, announced := markedAt(*service.metadata, propertyRemoving); announced {
			t.Errorf("%s: its removal is announced", name)
		}
	}
}

// TestFinishShared removes nothing that another installation has got meanwhile, however
// it came to that without taking the mark away.
func TestFinishShared(t *testing.T) {
	service := &memory{}
	client := clientOf(t, service)
	service.put(here.sign(Metadata{}), "content", time.Now())
	removal, err := client.Announce(t.Context(), "", latest, *service.metadata, "here", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	service.metadata.Properties[propertyInstallation+"there"] = inUse
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return true }); gone || err != nil || service.metadata == nil {
		t.Errorf("it is gone: %t, %v", gone, err)
	}
}
