package apiserver

import (
	"net/netip"
	"slices"
	"testing"
)

func TestPodNetworks(t *testing.T) {
	options := NewOptions()
	for _, wrong := range []string{"10.244.0.0", "10.244.0.0/33", "pods", ""} {
		options.PodNetworks = []string{"fd01::/64", wrong}
		if _, err := options.podNetworks(); err == nil || options.Validate() == nil {
			t.Errorf("%q is taken for a network", wrong)
		}
	}
	options.PodNetworks = []string{"10.244.0.0/16", "fd01::/64"}
	want := []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("fd01::/64")}
	if networks, err := options.podNetworks(); err != nil || !slices.Equal(networks, want) {
		t.Errorf("they are %v (%v)", networks, err)
	}
}
