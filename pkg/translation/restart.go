package translation

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// RestartedAnnotation is among the annotations of a custom resource's pods, and says
// when they were asked to restart. It stands in the resource and not in what the
// operator makes of it, which is written anew with each change. Views don't show it.
const RestartedAnnotation = ReservedPrefix + "restarted-at"

// Restart changes a custom resource such that its pods are replaced.
func Restart(resource map[string]any, now time.Time) error {
	// Two restarts in a second are two.
	text := now.UTC().Format(time.RFC3339Nano)
	if err := unstructured.SetNestedField(resource, text, "spec", "pod", "annotations", RestartedAnnotation); err != nil {
		return fmt.Errorf("could not ask for a restart: %w", err)
	}
	return nil
}

// unreserved returns the annotations of pods that views show.
func unreserved(annotations map[string]string) map[string]string {
	shown := make(map[string]string, len(annotations))
	for key, value := range annotations {
		if !Reserved(key) {
			shown[key] = value
		}
	}
	return emptyAsNil(shown)
}
