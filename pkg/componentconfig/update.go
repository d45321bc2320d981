package componentconfig

import (
	"encoding/json"
	"strconv"

	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/utils/ptr"
)

// equalities compares configurations by what they mean: nothing is the same as an
// empty map or list, 5 is 5.0, and CPU is counted in thousandths of a core.
var equalities = conversion.EqualitiesOrDie(equalNumbers, equalCPU)

func equalNumbers(a, b json.Number) bool {
	if a == b {
		return true
	}
	wholeA, errA := strconv.ParseInt(a.String(), 10, 64)
	wholeB, errB := strconv.ParseInt(b.String(), 10, 64)
	if errA == nil && errB == nil {
		return wholeA == wholeB
	}
	floatA, errA := a.Float64()
	floatB, errB := b.Float64()
	return errA == nil && errB == nil && floatA == floatB
}

func equalCPU(a, b float64) bool {
	if a == b {
		return true
	}
	quantityA, errA := cpuQuantity(a)
	quantityB, errB := cpuQuantity(b)
	return errA == nil && errB == nil && quantityA.Cmp(quantityB) == 0
}

// check is something that an update may not alter.
type check struct {
	altered bool
	reason  string
}

func firstAltered(checks []check) error {
	for _, check := range checks {
		if check.altered {
			return &Error{Reason: check.reason}
		}
	}
	return nil
}

func differs(existing, update string) bool {
	return update != "" && update != existing
}

func pointerDiffers(existing, update *bool) bool {
	return update != nil && !ptr.Equal(existing, update)
}

// replace takes a member of an update that was given.
func replace(field *string, value string) {
	if value != "" {
		*field = value
	}
}

func replacePointer[T any](field **T, value *T) {
	if value != nil {
		*field = value
	}
}

// change writes a member that differs from what was there.
func change[T any](field *T, existing, merged T) {
	if !equalities.DeepEqual(existing, merged) {
		*field = merged
	}
}

func orElse[T ~string](value, otherwise T) T {
	if value == "" {
		return otherwise
	}
	return value
}
