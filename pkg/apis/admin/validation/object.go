package validation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const (
	// reservedPrefix is that of labels and annotations which the server writes.
	reservedPrefix = "admin.functionmesh.io/"

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
	for _, collection := range []struct {
		member string
		length int
	}{
		{"inputs", len(c.spec.Inputs)},
		{"customSerdeInputs", len(c.spec.CustomSerdeInputs)},
		{"customSchemaInputs", len(c.spec.CustomSchemaInputs)},
		{"inputSpecs", len(c.spec.InputSpecs)},
		{"customSchemaOutputs", len(c.spec.CustomSchemaOutputs)},
		{"secrets", len(c.spec.Secrets)},
	} {
		if collection.length > maxEntries {
			c.own(field.TooMany(c.child(collection.member), collection.length, maxEntries))
		}
	}
	size := 0
	// userConfig may hold anything, JSON or not, until it is checked.
	spec := *c.spec
	if spec.UserConfig != nil {
		size += len(spec.UserConfig.Raw)
		spec.UserConfig = nil
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		c.own(field.Invalid(c.path, omitted, "can't be written as JSON"))
		return
	}
	if size += len(encoded); size > maxSpecBytes {
		c.own(field.Invalid(c.path, omitted, fmt.Sprintf(
			"has %d bytes as JSON, and no more than %d fit into the command line of an instance", size, maxSpecBytes)))
	}
}

// checkObject checks the metadata.
func (c *checks) checkObject() {
	if name := c.function.Name; c.old == nil && name != "" {
		path := c.metadata.Child("name")
		if len(name) > identity.MaxObjectNameLength {
			c.own(field.Invalid(path, name, fmt.Sprintf(
				"the Function Mesh operator takes no names with more than %d characters", identity.MaxObjectNameLength)))
		}
		// The operator names a Service after the object.
		for _, message := range validation.IsDNS1035Label(name) {
			c.own(field.Invalid(path, name, message))
		}
	}
	var oldLabels, oldAnnotations map[string]string
	if c.old != nil {
		oldLabels, oldAnnotations = c.old.Labels, c.old.Annotations
	}
	c.checkReserved(c.metadata.Child("labels"), c.function.Labels, oldLabels)
	c.checkReserved(c.metadata.Child("annotations"), c.function.Annotations, oldAnnotations)
}

// checkReserved refuses keys that the server writes. The identity label with the
// right value says nothing new, so that an exported object can be applied.
func (c *checks) checkReserved(path *field.Path, entries, old map[string]string) {
	for _, key := range sortedKeys(entries) {
		if !strings.HasPrefix(key, reservedPrefix) {
			continue
		}
		if value, found := old[key]; found && value == entries[key] {
			continue
		}
		if key == identity.LabelIdentity && entries[key] == c.identity().Label() {
			continue
		}
		c.own(field.Forbidden(path.Key(key), "keys that begin with "+reservedPrefix+" are reserved for the server"))
	}
}

func (c *checks) identity() identity.Name {
	return identity.Name{Tenant: c.spec.Tenant, Namespace: c.spec.Namespace, Name: c.spec.Name}
}

// checkIdentity checks what a function is called in Pulsar, where it runs, and that
// none of it changes. The names reach a shell command of the operator as they are.
func (c *checks) checkIdentity() {
	var oldTenant, oldNamespace, oldName, oldCluster string
	if c.old != nil {
		oldSpec := &c.old.Spec
		oldTenant, oldNamespace, oldName, oldCluster = oldSpec.Tenant, oldSpec.Namespace, oldSpec.Name, oldSpec.Cluster
	}
	for _, name := range []struct{ member, value, old string }{
		{"tenant", c.spec.Tenant, oldTenant},
		{"namespace", c.spec.Namespace, oldNamespace},
		{"name", c.spec.Name, oldName},
	} {
		switch path := c.child(name.member); {
		case c.old != nil && name.value == name.old, name.value == "":
		case c.old != nil:
			c.own(field.Invalid(path, name.value, "is immutable: delete the function and create another"))
		case len(name.value) > maxNameBytes:
			c.own(field.TooLong(path, name.value, maxNameBytes))
		case !identity.ValidNamedEntity(name.value) || name.value == "." || name.value == "..":
			c.own(field.Invalid(path, name.value, "may hold only letters of a to z in either case, digits and - = : . _"))
		}
	}
	if c.spec.Cluster != "" && (c.old == nil || c.spec.Cluster != oldCluster) && !slices.Contains(c.options.Clusters, c.spec.Cluster) {
		c.own(field.NotSupported(c.child("cluster"), shortened(c.spec.Cluster), c.options.Clusters))
	}
	if c.old == nil {
		return
	}
	c.checkWorkerLabels()
	if was, is := runtimeOf(&c.old.Spec), runtimeOf(c.spec); was != "" && is != "" && was != is {
		c.own(field.Forbidden(c.child(is), fmt.Sprintf(
			"the runtime is immutable and was %s: delete the function and create another", was)))
	}
}

// workerLabels are the labels of the Java worker, which it sets with and without the
// prefix of Function Mesh's group.
var workerLabels = []string{"pulsar-cluster", "pulsar-tenant", "pulsar-namespace", "pulsar-component"}

// checkWorkerLabels keeps the labels by which the Java worker names its functions, on
// those that have their name from them. Without them the function would get another
// name, and with it another subscription.
func (c *checks) checkWorkerLabels() {
	if spec := &c.old.Spec; !strings.HasPrefix(c.old.Name, identity.SanitizeWorkerName(spec.Name)+"-") || spec.Name == c.old.Name {
		return
	}
	for _, key := range workerLabels {
		for _, key := range []string{key, "compute.functionmesh.io/" + key} {
			if old, found := c.old.Labels[key]; found && c.function.Labels[key] != old {
				c.own(field.Invalid(c.metadata.Child("labels").Key(key), c.function.Labels[key],
					"is immutable: the function has its name in Pulsar from the labels of the Java worker"))
			}
		}
	}
}

// shortened returns the beginning of a text for an error to repeat.
func shortened(s string) string {
	if len(s) > maxNameBytes {
		return strings.ToValidUTF8(s[:maxNameBytes], "") + "..."
	}
	return s
}
