package validation

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const (
	// maxSpecBytes bounds the spec as JSON. Function Mesh passes nearly all of it to
	// an instance within one argument of a command, and Linux takes no argument over
	// 128 KiB: what comes on top of it, and the escaping, need the rest.
	maxSpecBytes = 96 << 10
	// maxEntries bounds each list and each map of the spec.
	maxEntries = 1000
	// maxNameBytes bounds names in Pulsar, maxTextBytes texts of any kind but JSON.
	maxNameBytes = 255
	maxTextBytes = 4096
)

// checkSize refuses what is too large to be looked at more closely.
func (c *checks) checkSize() {
	c.checkEntries(reflect.ValueOf(c.wholeSpec()).Elem(), c.path)
	size, err := c.specSize()
	if err != nil {
		c.own(field.Invalid(c.path, omitted, "can't be written as JSON"))
		return
	}
	if size > maxSpecBytes {
		c.own(field.Invalid(c.path, omitted, fmt.Sprintf(
			"has %d bytes as JSON, and no more than %d fit into the command line of an instance", size, maxSpecBytes)))
	}
}

// specSize returns the size of the spec as JSON. Free configuration may hold
// anything, JSON or not, until it is checked.
func (c *checks) specSize() (int, error) {
	whole := takeApart(c.component.DeepCopyObject().(v1alpha1.Component))
	size := 0
	for _, raw := range whole.rawConfigs() {
		if *raw.value != nil {
			size += len((*raw.value).Raw)
			*raw.value = nil
		}
	}
	encoded, err := json.Marshal(whole.wholeSpec())
	return size + len(encoded), err
}

// checkEntries bounds every list and map of a value. It goes by the types, so that
// a new field can't be forgotten.
func (c *checks) checkEntries(value reflect.Value, path *field.Path) {
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			c.checkEntries(value.Elem(), path)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			member := value.Type().Field(i)
			name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
			switch {
			case !member.IsExported() || name == "-":
			case name == "": // inline
				c.checkEntries(value.Field(i), path)
			default:
				c.checkEntries(value.Field(i), path.Child(name))
			}
		}
	case reflect.Slice:
		if value.Type().Elem().Kind() == reflect.Uint8 || c.tooMany(value, path) {
			return
		}
		for i := range value.Len() {
			c.checkEntries(value.Index(i), path.Index(i))
		}
	case reflect.Map:
		if c.tooMany(value, path) {
			return
		}
		for entries := value.MapRange(); entries.Next(); {
			c.checkEntries(entries.Value(), path.Key(shortened(entries.Key().String())))
		}
	}
}

// tooMany tells whether a list or map has too many entries.
func (c *checks) tooMany(collection reflect.Value, path *field.Path) bool {
	if collection.Len() <= maxEntries {
		return false
	}
	c.own(field.TooMany(path, collection.Len(), maxEntries))
	return true
}
