package packageservice

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// here and there are two installations that share a Pulsar.
var here, there = Keeper{Manager, "here"}, Keeper{Manager, "there"}

// TestClaimOfOthers claims what another installation has stored, while that one writes.
func TestClaimOfOthers(t *testing.T) {
	removing := func(metadata *Metadata) *Metadata {
		announced := withUse(*metadata, "there", false, time.Now())
		announced.Properties[propertyRemoving] = mark(time.Now())
		return &announced
	}
	for name, test := range map[string]struct {
		keeper Keeper
		before Metadata
		// lost are those writes after which theirs take the place of what was written.
		lost []int
		// writes and reads are how often it takes which.
		writes, reads int
		has           []string
	}{
		"which nobody else has": {here, here.sign(Metadata{}), nil, 1, 1, []string{"here"}},
		"which both have":       {here, here.sign(there.sign(Metadata{})), nil, 1, 1, []string{"here", "there"}},
		"for the first time":    {here, there.sign(Metadata{}), nil, 1, 2, []string{"here", "there"}},
		"which nobody has":      {here, Metadata{Properties: map[string]string{PropertyManager: Manager}}, nil, 1, 2, []string{"here"}},
		"about to be removed":   {here, *removing(&Metadata{Properties: there.sign(Metadata{}).Properties}), nil, 1, 2, []string{"here", "there"}},
		"and is lost":           {here, there.sign(Metadata{}), []int{1}, 2, 3, []string{"here", "there"}},
		"for whoever uploads":   {Keeper{Manager: "pulsar-admin-shim"}, there.sign(Metadata{}), nil, 1, 2, nil},
		"for one, and is lost":  {Keeper{Manager: "pulsar-admin-shim"}, there.sign(Metadata{}), []int{1}, 2, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := map[string]int{}
			service := &memory{}
			service.described = func(method string) {
				if asked[method]++; method == http.MethodPut && slices.Contains(test.lost, asked[method]) {
					service.metadata = removing(&test.before)
				}
			}
			client := clientOf(t, service)
			service.put(test.before, "content", time.Now())
			claimed, err := client.Claim(t.Context(), "", latest, test.keeper)
			if !claimed || err != nil || asked[http.MethodPut] != test.writes || asked[http.MethodGet] != test.reads {
				t.Fatalf("%t, %v, with %v", claimed, err, asked)
			}
			if _, announced := markedAt(*service.metadata, propertyRemoving); announced {
				t.Error("it is still about to be removed")
			}
			if has := Installations(*service.metadata); !slices.Equal(has, test.has) || !test.keeper.keeps(*service.metadata) {
				t.Errorf("it has %v", service.metadata.Properties)
			}
		})
	}
	if _, err := clientOf(t, &memory{}).Claim(t.Context(), "", latest, Keeper{Manager: Manager}); !errors.Is(err, errNoInstallation) {
		t.Errorf("before it is known whose: %v", err)
	}
}

// TestLeave takes one installation out, and has those that remain begin anew.
func TestLeave(t *testing.T) {
	service := &memory{}
	client := clientOf(t, service)
	long := time.UnixMilli(1)
	metadata := withUse(withUse(here.sign(Metadata{}), "there", false, long), "here", false, long)
	service.put(metadata, "content", time.Now())
	if err := client.Leave(t.Context(), "", latest, metadata, "here"); err != nil {
		t.Fatal(err)
	}
	if has := Installations(*service.metadata); !slices.Equal(has, []string{"there"}) {
		t.Errorf("%q have it", has)
	}
	if since, unused := UnusedSince(*service.metadata, "there"); unused {
		t.Errorf("it is unused since %s", since)
	}
}

// TestUnusedSince believes no time that is still to come.
func TestUnusedSince(t *testing.T) {
	now := time.Now()
	for value, want := range map[string]bool{
		mark(now): true, mark(now.Add(-time.Hour)): true, "0": true, mark(now.Add(clockSkew / 2)): true,
		mark(now.Add(time.Hour)): false, strconv.FormatInt(1<<62, 10): false, inUse: false, "": false, "yesterday": false, strings.Repeat("9", 30): false,
	} {
		if _, unused := UnusedSince(Metadata{Properties: map[string]string{propertyInstallation + "here": value}}, "here"); unused != want {
			t.Errorf("%q: %t", value, unused)
		}
	}
	if _, unused := UnusedSince(there.sign(Metadata{}), "here"); unused {
		t.Error("what only another installation has is unused here")
	}
}

// TestReplaceShared stores what another installation has only half of: it still has it.
func TestReplaceShared(t *testing.T) {
	t.Parallel()
	service := &memory{}
	client, stored := clientOf(t, service), ofContent("ours")
	stored.Keeper, stored.Owned = here, Managed
	service.put(there.sign(described("ours", "us")), "ou", time.Now().Add(-2*unfinishedAfter))
	if err := client.Store(t.Context(), "", stored); err != nil {
		t.Fatal(err)
	}
	expectKept(t, service, "ours")
	if has := Installations(*service.metadata); !slices.Equal(has, []string{"here", "there"}) {
		t.Errorf("%q have it", has)
	}
}
