package component

import (
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

// What operators of any age have made is known once, and little else.
func TestChildSelectors(t *testing.T) {
	for name, test := range map[string]struct {
		labels labels.Set
		want   int
	}{
		"of today":         {labels.Set{"compute.functionmesh.io/component": "sink", "component": "sink"}, 1},
		"of tomorrow":      {labels.Set{"compute.functionmesh.io/component": "source"}, 1},
		"of an early one":  {labels.Set{"component": "function", "name": "f"}, 1},
		"of somebody else": {labels.Set{"component": "database"}, 0},
		"without labels":   {nil, 0},
	} {
		found := 0
		for _, text := range childSelectors() {
			selector, err := labels.Parse(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if selector.Matches(test.labels) {
				found++
			}
		}
		if found != test.want {
			t.Errorf("%s: selected %d times, want %d", name, found, test.want)
		}
	}
}
