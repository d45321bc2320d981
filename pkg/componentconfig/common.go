package componentconfig

import (
	"strings"

	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// Common is what the configurations of all kinds have in common.
//
// In it and in all configurations, members that are nil or empty are those that the
// client didn't give, so that a false, a zero and an empty map can be told from them
// where Pulsar tells them apart. Members without omitempty are those that every
// answer of GET has.
type Common struct {
	Tenant    string `json:"tenant"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`

	ProcessingGuarantees string            `json:"processingGuarantees,omitempty"`
	Secrets              map[string]Secret `json:"secrets,omitempty"`
	Parallelism          *int32            `json:"parallelism,omitempty"`
	Resources            *Resources        `json:"resources,omitempty"`
	RuntimeFlags         string            `json:"runtimeFlags,omitempty"`
	CustomRuntimeOptions string            `json:"customRuntimeOptions,omitempty"`
	LogTopic             string            `json:"logTopic,omitempty"`
	LogLevel             string            `json:"logLevel,omitempty"`
}

func parseCommon(in object) Common {
	return Common{
		Tenant:               in.text("tenant"),
		Namespace:            in.text("namespace"),
		Name:                 in.text("name"),
		ProcessingGuarantees: in.enum("processingGuarantees", "ATLEAST_ONCE", "ATMOST_ONCE", "EFFECTIVELY_ONCE", "MANUAL"),
		Secrets:              parseSecrets(in),
		Parallelism:          in.int32("parallelism"),
		Resources:            parseResources(in),
		RuntimeFlags:         in.text("runtimeFlags"),
		CustomRuntimeOptions: in.text("customRuntimeOptions"),
		LogTopic:             in.text("logTopic"),
		LogLevel:             in.text("logLevel"),
	}
}

func (c *Common) setIdentity(name identity.Name) {
	c.Tenant, c.Namespace, c.Name = name.Tenant, name.Namespace, name.Name
}

func (c *Common) setDefaults() {
	if c.Parallelism == nil {
		c.Parallelism = ptr.To(v1alpha1.DefaultParallelism)
	}
}

func (c *Common) toView() (v1alpha1.ComponentSpec, error) {
	resources, err := resourcesToView(c.Resources)
	if err != nil {
		return v1alpha1.ComponentSpec{}, err
	}
	return v1alpha1.ComponentSpec{
		Tenant:               c.Tenant,
		Namespace:            c.Namespace,
		Name:                 c.Name,
		RuntimeFlags:         c.RuntimeFlags,
		CustomRuntimeOptions: c.CustomRuntimeOptions,
		Parallelism:          c.Parallelism,
		Resources:            resources,
		ProcessingGuarantees: v1alpha1.ProcessingGuarantees(c.ProcessingGuarantees),
		Secrets:              secretsToView(c.Secrets),
		LogTopic:             c.LogTopic,
	}, nil
}

// runtimeLog returns the part of a runtime's settings that a configuration has.
func (c *Common) runtimeLog() v1alpha1.Runtime {
	if c.LogLevel == "" {
		return v1alpha1.Runtime{}
	}
	return v1alpha1.Runtime{Log: &v1alpha1.RuntimeLog{Level: strings.ToLower(c.LogLevel)}}
}

func commonFromView(component v1alpha1.Component) Common {
	spec := component.Common()
	return Common{
		Tenant:               orElse(spec.Tenant, v1alpha1.DefaultTenant),
		Namespace:            orElse(spec.Namespace, v1alpha1.DefaultNamespace),
		Name:                 orElse(spec.Name, component.GetName()),
		ProcessingGuarantees: string(orElse(spec.ProcessingGuarantees, v1alpha1.AtLeastOnce)),
		Secrets:              secretsFromView(spec.Secrets),
		Parallelism:          ptr.To(ptr.Deref(spec.Parallelism, v1alpha1.DefaultParallelism)),
		Resources:            resourcesFromView(spec.Resources),
		RuntimeFlags:         spec.RuntimeFlags,
		CustomRuntimeOptions: spec.CustomRuntimeOptions,
		LogTopic:             spec.LogTopic,
	}
}

// checkIdentity refuses another identity than there is. title is how Pulsar calls
// the kind here.
func (c *Common) checkIdentity(update *Common, title string) error {
	return firstAltered([]check{
		{differs(c.Tenant, update.Tenant), "Tenants differ"},
		{differs(c.Namespace, update.Namespace), "Namespaces differ"},
		{differs(c.Name, update.Name), title + " Names differ"},
	})
}

// checkGuarantees is what no kind can change once messages have been processed.
func (c *Common) checkGuarantees(update *Common) check {
	return check{differs(c.ProcessingGuarantees, update.ProcessingGuarantees), "Processing Guarantees cannot be altered"}
}

// merge takes from an update what every kind takes.
func (c *Common) merge(update *Common) {
	replace(&c.LogTopic, update.LogTopic)
	replace(&c.RuntimeFlags, update.RuntimeFlags)
	replace(&c.CustomRuntimeOptions, update.CustomRuntimeOptions)
	replacePointer(&c.Parallelism, update.Parallelism)
	if update.Secrets != nil {
		c.Secrets = update.Secrets
	}
	if update.Resources != nil {
		resources := ptr.Deref(c.Resources, Resources{})
		replacePointer(&resources.CPU, update.Resources.CPU)
		replacePointer(&resources.RAM, update.Resources.RAM)
		replacePointer(&resources.Disk, update.Resources.Disk)
		c.Resources = &resources
	}
}

// applyCommon writes into a view what an update changed of it.
func applyCommon(component v1alpha1.Component, existing, merged *Common) error {
	spec := component.Common()
	change(&spec.LogTopic, existing.LogTopic, merged.LogTopic)
	change(&spec.RuntimeFlags, existing.RuntimeFlags, merged.RuntimeFlags)
	change(&spec.CustomRuntimeOptions, existing.CustomRuntimeOptions, merged.CustomRuntimeOptions)
	change(&spec.Parallelism, existing.Parallelism, merged.Parallelism)
	if !equalities.DeepEqual(existing.Secrets, merged.Secrets) {
		spec.Secrets = secretsToView(merged.Secrets)
	}
	if err := applyOptions(component, existing.CustomRuntimeOptions, merged.CustomRuntimeOptions); err != nil {
		return err
	}
	return applyResources(spec, existing.Resources, merged.Resources)
}

// parseSecrets takes the one shape that a reference to a Kubernetes Secret has.
// Anything else would be dropped on the way to the pod, so it is refused here,
// without showing what may be the secret itself.
func parseSecrets(in object) map[string]Secret {
	secrets, found := in.object("secrets")
	if !found {
		return nil
	}
	result := make(map[string]Secret, len(secrets.members))
	for _, name := range secrets.names() {
		members, _ := secrets.members[name].(map[string]any)
		path, _ := members["path"].(string)
		key, _ := members["key"].(string)
		if path == "" || key == "" {
			secrets.fail(name, `an object that names a Kubernetes Secret and one of its keys: {"path": "secret", "key": "key"}`)
			return nil
		}
		result[name] = Secret{Path: path, Key: key}
	}
	return result
}

func secretsToView(secrets map[string]Secret) map[string]v1alpha1.SecretRef {
	if len(secrets) == 0 {
		return nil
	}
	result := make(map[string]v1alpha1.SecretRef, len(secrets))
	for name, secret := range secrets {
		result[name] = v1alpha1.SecretRef(secret)
	}
	return result
}

func secretsFromView(secrets map[string]v1alpha1.SecretRef) map[string]Secret {
	if len(secrets) == 0 {
		return nil
	}
	result := make(map[string]Secret, len(secrets))
	for name, secret := range secrets {
		result[name] = Secret(secret)
	}
	return result
}
