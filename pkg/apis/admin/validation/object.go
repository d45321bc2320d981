package validation

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// reservedPrefix is that of labels and annotations which the server writes.
const reservedPrefix = "admin.functionmesh.io/"

// checkObject checks the metadata.
func (c *checks) checkObject() {
	path, name := c.metadata.Child("name"), c.component.GetName()
	switch {
	case c.old != nil:
	case name == "":
		// The library's own words, which come too late where a rule here fails as well.
		c.own(field.Required(path, "name or generateName is required"))
	default:
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
		oldLabels, oldAnnotations = c.old.component.GetLabels(), c.old.component.GetAnnotations()
	}
	c.checkReserved(c.metadata.Child("labels"), c.component.GetLabels(), oldLabels)
	c.checkReserved(c.metadata.Child("annotations"), c.component.GetAnnotations(), oldAnnotations)
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

// checkIdentity checks what a component is called in Pulsar, where it runs, and that
// none of it changes. The names reach a shell command of the operator as they are.
func (c *checks) checkIdentity() {
	var oldTenant, oldNamespace, oldName, oldCluster string
	if c.old != nil {
		oldSpec := c.old.spec
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
			c.own(field.Invalid(path, name.value, "is immutable: delete the "+c.kind.Type+" and create another"))
		case len(name.value) > maxNameBytes:
			c.own(field.TooLong(path, name.value, maxNameBytes))
		case !identity.ValidNamedEntity(name.value) || name.value == "." || name.value == "..":
			c.own(field.Invalid(path, name.value, "may hold only letters of a to z in either case, digits and - = : . _"))
		}
	}
	if c.spec.Cluster != "" && (c.old == nil || c.spec.Cluster != oldCluster) && !slices.Contains(c.options.Clusters, c.spec.Cluster) {
		c.own(field.NotSupported(c.child("cluster"), shortened(c.spec.Cluster), c.options.Clusters))
	}
	c.checkNoRename()
	if c.old == nil {
		return
	}
	c.checkWorkerLabels()
	if was, is := c.old.runtime(), c.runtime(); was != "" && is != "" && was != is {
		c.own(field.Forbidden(c.child(is), fmt.Sprintf(
			"the runtime is immutable and was %s: delete the function and create another", was)))
	}
	if was, is := c.old.function.Generic, c.function.Generic; was != nil && is != nil && was.Language != is.Language {
		c.own(field.Invalid(c.child(runtimeGeneric, "language"), shortened(is.Language),
			"is immutable: delete the function and create another"))
	}
}

// workerLabels are the labels of the Java worker, which it sets with and without the
// prefix of Function Mesh's group.
var workerLabels = []string{"pulsar-cluster", "pulsar-tenant", "pulsar-namespace", "pulsar-component"}

// checkNoRename refuses labels of the Java worker by which a component would be found
// under another name in Pulsar than its own, and so in the way of who has that name.
func (c *checks) checkNoRename() {
	label := func(key string) string {
		if value, found := c.component.GetLabels()["compute.functionmesh.io/"+key]; found {
			return value
		}
		return c.component.GetLabels()[key]
	}
	cluster, name := label("pulsar-cluster"), label("pulsar-component")
	if cluster == "" {
		cluster = c.spec.Cluster
	}
	if name == "" || name == c.identity().Name {
		return
	}
	if identity.WorkerObjectName(cluster, label("pulsar-tenant"), label("pulsar-namespace"), name) == c.component.GetName() {
		c.own(field.Forbidden(c.metadata.Child("labels"), "by these labels of the Java worker it would have another name in Pulsar than spec.name"))
	}
}

// checkWorkerLabels keeps the labels by which the Java worker names its components, on
// those that have their name from them. Without them the component would get another
// name, and with it another subscription.
func (c *checks) checkWorkerLabels() {
	name, objectName := c.old.spec.Name, c.old.component.GetName()
	if !strings.HasPrefix(objectName, identity.SanitizeWorkerName(name)+"-") || name == objectName {
		return
	}
	for _, key := range workerLabels {
		for _, key := range []string{key, "compute.functionmesh.io/" + key} {
			if old, found := c.old.component.GetLabels()[key]; found && c.component.GetLabels()[key] != old {
				c.own(field.Invalid(c.metadata.Child("labels").Key(key), c.component.GetLabels()[key],
					"is immutable: the "+c.kind.Type+" has its name in Pulsar from the labels of the Java worker"))
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
