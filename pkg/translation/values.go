package translation

import (
	"fmt"
	"math"
)

// lookUp translates a value of an enumeration. path says where it stands.
func lookUp[K ~string, V any](values map[K]V, key K, path string) (V, error) {
	value, ok := values[key]
	if !ok {
		return value, fmt.Errorf("%s %q is not known", path, key)
	}
	return value, nil
}

func inverse[K, V comparable](values map[K]V) map[V]K {
	inverted := make(map[V]K, len(values))
	for key, value := range values {
		inverted[value] = key
	}
	return inverted
}

// millisecondsToCR narrows a time to what Function Mesh has room for.
func millisecondsToCR(milliseconds *int64, path string) (*int32, error) {
	if milliseconds == nil {
		return nil, nil
	}
	if *milliseconds < math.MinInt32 || *milliseconds > math.MaxInt32 {
		return nil, fmt.Errorf("%s %d is more than Function Mesh has room for", path, *milliseconds)
	}
	narrow := int32(*milliseconds)
	return &narrow, nil
}

func millisecondsFromCR(milliseconds *int32) *int64 {
	if milliseconds == nil {
		return nil
	}
	wide := int64(*milliseconds)
	return &wide
}

func orDefault[T ~string](value, fallback T) T {
	if value == "" {
		return fallback
	}
	return value
}

func emptyAsNil[K comparable, V any](values map[K]V) map[K]V {
	if len(values) == 0 {
		return nil
	}
	return values
}

func emptyListAsNil[T any](values []T) []T {
	if len(values) == 0 {
		return nil
	}
	return values
}
