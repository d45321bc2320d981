package translation

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
