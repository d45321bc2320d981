package translation

import (
	"slices"
	"strings"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// setBuiltinDefaults fills in what the catalogue says of a built-in package and its
// user left out: the class, the class of messages, and schemas. before is nil for a
// new component. While an update leaves the package alone, what was filled in once
// stays, whatever the catalogue has become.
func (t *Translator[CR, P, View]) setBuiltinDefaults(view, before adminv1alpha1.Component) {
	entry, ok := t.entryOf(view)
	if !ok {
		return
	}
	class, typeClass := t.classOf(entry), t.typeClassOf(entry)
	spec, types := view.Common(), typesOf(view)
	samePackage := before != nil && locationOf(before) == locationOf(view)
	if samePackage {
		class, typeClass = before.Common().ClassName, *typesOf(before)
	} else if before != nil {
		if old, ok := t.entryOf(before); ok {
			forget(&spec.ClassName, t.classOf(old))
			forget(types, t.typeClassOf(old))
		}
	}
	spec.ClassName = orDefault(spec.ClassName, class)
	*types = orDefault(*types, typeClass)
	if !samePackage {
		before = nil
	}
	if view.ComponentKind() == adminv1alpha1.FunctionKind || entry.DefaultSchemaType == "" && entry.DefaultSerdeClassName == "" {
		return
	}
	if output := view.Output(); output != nil {
		setDefaultSchema(output, before, entry)
	} else {
		setDefaultSchemas(view.Input(), before, entry)
	}
}

// refreshCatalogue makes sure that a built-in package means what the catalogue's file
// says now. With a file that can't be read it means what it meant before.
func (t *Translator[CR, P, View]) refreshCatalogue(view adminv1alpha1.Component) {
	if strings.HasPrefix(locationOf(view), connectors.Prefix) {
		_ = t.catalogue.Reload()
	}
}

// entryOf returns the entry of the catalogue that a view's package is. One that is
// no longer there is an empty entry.
func (t *Translator[CR, P, View]) entryOf(view adminv1alpha1.Component) (adminv1alpha1.PulsarConnectorSpec, bool) {
	name, ok := strings.CutPrefix(locationOf(view), connectors.Prefix)
	if !ok {
		return adminv1alpha1.PulsarConnectorSpec{}, false
	}
	entry, _ := t.catalogue.Lookup(name)
	return entry, true
}

// classOf returns the class of an entry that components of this kind run.
func (t *Translator[CR, P, View]) classOf(entry adminv1alpha1.PulsarConnectorSpec) string {
	switch t.kind.names {
	case adminv1alpha1.SourceKind:
		return entry.SourceClass
	case adminv1alpha1.SinkKind:
		return entry.SinkClass
	}
	return entry.FunctionClass
}

// typeClassOf returns the class of the messages of an entry, if it names one.
func (t *Translator[CR, P, View]) typeClassOf(entry adminv1alpha1.PulsarConnectorSpec) string {
	switch t.kind.names {
	case adminv1alpha1.SourceKind:
		return orDefault(entry.SourceTypeClassName, entry.TypeClassName)
	case adminv1alpha1.SinkKind:
		return orDefault(entry.SinkTypeClassName, entry.TypeClassName)
	}
	return ""
}

// typesOf returns where a view has the class of the messages that a connector takes
// or makes.
func typesOf(view adminv1alpha1.Component) *string {
	if input := view.Input(); input != nil {
		return &input.InputTypeClassName
	}
	return &view.Output().OutputTypeClassName
}

// forget removes what another entry had filled in.
func forget(text *string, filledIn string) {
	if *text == filledIn {
		*text = ""
	}
}

// setDefaultSchema gives an output without a schema and a serde those that it had
// with the same package, else the entry's.
func setDefaultSchema(output *adminv1alpha1.OutputConfig, before adminv1alpha1.Component, entry adminv1alpha1.PulsarConnectorSpec) {
	if output.OutputSchemaType != "" || output.OutputSerdeClassName != "" {
		return
	}
	output.OutputSchemaType, output.OutputSerdeClassName = entry.DefaultSchemaType, entry.DefaultSerdeClassName
	if before != nil {
		output.OutputSchemaType, output.OutputSerdeClassName = before.Output().OutputSchemaType, before.Output().OutputSerdeClassName
	}
}

// setDefaultSchemas does the same for listed inputs.
func setDefaultSchemas(input *adminv1alpha1.InputConfig, before adminv1alpha1.Component, entry adminv1alpha1.PulsarConnectorSpec) {
	for _, topic := range input.Inputs {
		spec := input.InputSpecs[topic]
		if spec.SchemaType != "" || spec.SerdeClassName != "" || input.CustomSchemaInputs[topic] != "" || input.CustomSerdeInputs[topic] != "" {
			continue
		}
		spec.SchemaType, spec.SerdeClassName = entry.DefaultSchemaType, entry.DefaultSerdeClassName
		if before != nil && slices.Contains(before.Input().Inputs, topic) {
			was := before.Input().InputSpecs[topic]
			spec.SchemaType, spec.SerdeClassName = was.SchemaType, was.SerdeClassName
		}
		if spec.SchemaType == "" && spec.SerdeClassName == "" {
			continue
		}
		if input.InputSpecs == nil {
			input.InputSpecs = map[string]adminv1alpha1.ConsumerSpec{}
		}
		input.InputSpecs[topic] = spec
	}
}
