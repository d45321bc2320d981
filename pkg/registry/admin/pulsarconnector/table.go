package pulsarconnector

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metatable "k8s.io/apimachinery/pkg/api/meta/table"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// tableConvertor prints connectors for people.
type tableConvertor struct{}

var _ rest.TableConvertor = tableConvertor{}

// wide is the priority of columns that only `kubectl get -o wide` shows.
const wide = 1

// There is no age: nobody knows when an entry was first written.
var columns = []metav1.TableColumnDefinition{
	{Name: "Name", Type: "string", Format: "name", Description: metav1.ObjectMeta{}.SwaggerDoc()["name"]},
	{Name: "Version", Type: "string", Description: "The connector's version."},
	{Name: "Source", Type: "boolean", Description: "Whether it can be a source."},
	{Name: "Sink", Type: "boolean", Description: "Whether it can be a sink."},
	{Name: "Function", Type: "boolean", Description: "Whether it can be a function."},
	{Name: "Image", Type: "string", Description: "The image that runs it."},
	{Name: "Location", Type: "string", Priority: wide, Description: "How objects refer to it."},
	{Name: "Archive", Type: "string", Priority: wide, Description: "The path of the archive in the image."},
	{Name: "Description", Type: "string", Priority: wide, Description: "What it is for."},
}

// ConvertToTable implements rest.TableConvertor.
func (tableConvertor) ConvertToTable(_ context.Context, object runtime.Object, options runtime.Object) (*metav1.Table, error) {
	table := &metav1.Table{}
	rows, err := metatable.MetaToTableRow(object, row)
	if err != nil {
		return nil, fmt.Errorf("could not print: %w", err)
	}
	table.Rows = rows
	if list, err := meta.ListAccessor(object); err == nil {
		table.ResourceVersion = list.GetResourceVersion()
		table.Continue = list.GetContinue()
		table.RemainingItemCount = list.GetRemainingItemCount()
	} else if single, err := meta.CommonAccessor(object); err == nil {
		table.ResourceVersion = single.GetResourceVersion()
	}
	if tableOptions, ok := options.(*metav1.TableOptions); !ok || !tableOptions.NoHeaders {
		table.ColumnDefinitions = columns
	}
	return table, nil
}

func row(object runtime.Object, _ metav1.Object, name, _ string) ([]any, error) {
	connector, ok := object.(*v1alpha1.PulsarConnector)
	if !ok {
		return nil, fmt.Errorf("could not print a %T as a PulsarConnector", object)
	}
	spec := &connector.Spec
	return []any{
		name, spec.Version, spec.SourceClass != "", spec.SinkClass != "", spec.FunctionClass != "", spec.Image,
		connectors.Prefix + spec.Name, spec.Archive, spec.Description,
	}, nil
}
