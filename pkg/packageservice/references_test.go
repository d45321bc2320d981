package packageservice

import (
	"slices"
	"strings"
	"testing"
)

// TestDigestsIn finds digests wherever a text has them.
func TestDigestsIn(t *testing.T) {
	a, b, c := strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64)
	got := DigestsIn(`{"jarLocation":"function://t/n/f@sha256-` + b + `","x":"{\"l\":\"SINK://t/n/f@SHA256-` + strings.ToUpper(a) + `\"}"} sha256-` + b + ` sha256-abc 100% %zz sha256%2D%63` + c[1:])
	if !slices.Equal(got, []string{a, b, c}) {
		t.Errorf("got %q", got)
	}
}
