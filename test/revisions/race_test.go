package revisions

import (
	"errors"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// TestRace names a package again that is about to be removed.
func TestRace(t *testing.T) {
	t.Parallel()
	// It is another installation's, so that the server leaves it alone.
	client, here := service(t), packageservice.Keeper{Manager: packageservice.Manager, Installation: "racing"}
	made := upload(t, "raced", here)
	announce := func() packageservice.Removal {
		return must[packageservice.Removal](t)(client.Announce(t.Context(), "", made.Name, metadataOf(t, made.Name), here.Installation, time.Now()))
	}
	// Announced, and uploaded again soon: it isn't removed.
	removal := announce()
	if err := client.Store(t.Context(), "", made); err != nil {
		t.Fatal(err)
	}
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return true }); err != nil || gone {
		t.Fatalf("what was uploaded again is removed: %t, %v", gone, err)
	}
	// Announced, and uploaded again at the end of the notice: whoever uploads has it when
	// it returns.
	removal = announce()
	if !packageservice.AwaitNotice(t.Context()) {
		t.Fatal(t.Context().Err())
	}
	stored := make(chan error, 1)
	go func() { stored <- client.Store(t.Context(), "", made) }()
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return true }); err != nil || !gone {
		t.Fatalf("nobody has it yet, and it isn't removed: %t, %v", gone, err)
	}
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	if err := isThere(t.Context(), client, made.Name, true); err != nil {
		t.Errorf("who uploaded it again doesn't have it: %v", err)
	}
	if properties := metadataOf(t, made.Name).Properties; properties["other"] != "kept" {
		t.Errorf("its properties are %v", properties)
	}

	// Claimed in between: it stays.
	removal = announce()
	if err := client.SetUse(t.Context(), "", made.Name, metadataOf(t, made.Name), here.Installation, true); err != nil {
		t.Fatal(err)
	}
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return true }); err != nil || gone {
		t.Errorf("what is in use again is removed: %t, %v", gone, err)
	}
	// Named in between: it stays.
	removal = announce()
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return false }); err != nil || gone {
		t.Errorf("what is named is removed: %t, %v", gone, err)
	}

	// Claimed by another installation in between: it stays, and is both's, also when this
	// one tries again.
	removal = announce()
	if there, err := client.Claim(t.Context(), "", made.Name, elsewhere); err != nil || !there {
		t.Fatalf("there %t: %v", there, err)
	}
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return true }); err != nil || gone {
		t.Errorf("what another installation has is removed: %t, %v", gone, err)
	}
	metadata := metadataOf(t, made.Name)
	if _, err := client.Announce(t.Context(), "", made.Name, metadata, here.Installation, time.Now()); !errors.Is(err, packageservice.ErrShared) {
		t.Errorf("got %v", err)
	}
	if has := packageservice.Installations(metadata); len(has) != 2 {
		t.Errorf("%q have it", has)
	}
}
