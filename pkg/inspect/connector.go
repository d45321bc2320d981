package inspect

import (
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/archive"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass"
)

const bothOfConnector = "Only one of serdeClassName or schemaType should be set"

// connectorClass returns the class of a source or sink: the spec's, else the one that
// the archive says.
func (i *inspection) connectorClass(component v1alpha1.Component, ofService func(*archive.Service) string) (string, error) {
	spec, kind := component.Common(), component.ComponentKind()
	if spec.ClassName != "" {
		return spec.ClassName, nil
	}
	service, err := i.archive.Service()
	if err != nil {
		return "", err
	}
	if service == nil {
		return "", refuse("%s package doesn't contain the META-INF/services/pulsar-io.yaml file.", kind.Title)
	}
	name := ofService(service)
	if name == "" {
		return "", refuse("Failed to extract %s class from archive", kind.Type)
	}
	spec.ClassName = name
	return name, nil
}

// sink does the part of SinkConfigUtils.validateAndExtractDetails that is about
// classes.
func (i *inspection) sink(sink *v1alpha1.PulsarSink) error {
	name, err := i.connectorClass(sink, func(service *archive.Service) string { return service.SinkClass })
	if err != nil {
		return err
	}
	class, err := i.class(name, refuse("Sink class %s not found", name))
	if err != nil || class == nil {
		return err
	}
	switch answer, err := i.pool.Implements(class, javaclass.Sink); {
	case err != nil:
		return err
	case answer == javaclass.No:
		return refuse("Sink class %s does not implement the correct interface", name)
	case answer == javaclass.Unknown:
		return nil
	}
	taken, err := i.argument(class, javaclass.Sink)
	if err != nil {
		return err
	}
	if err := i.checkInput(&sink.Spec.InputConfig, taken, bothOfConnector); err != nil {
		return err
	}
	fill(&sink.Spec.InputTypeClassName, nameOf(taken))
	return nil
}

// source does the part of SourceConfigUtils.validateAndExtractDetails that is about
// classes.
func (i *inspection) source(source *v1alpha1.PulsarSource) error {
	name, err := i.connectorClass(source, func(service *archive.Service) string { return service.SourceClass })
	if err != nil {
		return err
	}
	class, err := i.class(name, refuse("Source class %s not found in class loader", name))
	if err != nil || class == nil {
		return err
	}
	implemented, answer, err := i.implementsAny(class, javaclass.Source, javaclass.BatchSource)
	switch {
	case err != nil:
		return err
	case answer == javaclass.No:
		return refuse("Source class %s does not implement the correct interface", name)
	case answer == javaclass.Unknown:
		return nil
	}
	batch, err := i.pool.Implements(class, javaclass.BatchSource)
	if err != nil {
		return err
	}
	if batch == javaclass.Yes && source.Spec.BatchSourceConfig == nil {
		return refuse("Source class %s implements %s but batch source source config is not specified", name, javaclass.BatchSource)
	}
	given, err := i.argument(class, implemented)
	if err != nil {
		return err
	}
	if err := i.checkOutput(&source.Spec.OutputConfig, given, bothOfConnector); err != nil {
		return err
	}
	fill(&source.Spec.OutputTypeClassName, nameOf(given))
	return nil
}
