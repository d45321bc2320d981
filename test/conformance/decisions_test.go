package conformance

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// TestDecisions looks up the decisions that differences refer to.
func TestDecisions(t *testing.T) {
	t.Parallel()
	text := string(must[[]byte](t)(os.ReadFile("../../docs/decisions.md")))
	for _, d := range must[[]*difference](t)(loadDifferences("differences.yaml")) {
		if d.Decision == 0 {
			continue
		}
		if ok, err := regexp.MatchString(fmt.Sprintf(`(?m)^%d\. \*\*`, d.Decision), text); err != nil || !ok {
			t.Errorf("%q refers to decision %d, which there is not", d.Name, d.Decision)
		}
	}
}
