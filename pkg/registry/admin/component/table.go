package component

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metatable "k8s.io/apimachinery/pkg/api/meta/table"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// wide is the priority of columns that only `kubectl get -o wide` shows.
const wide = 1

// Column is a column of a table for people.
type Column struct {
	metav1.TableColumnDefinition
	// Cell returns what stands in it, a string or an int64.
	Cell func(v1alpha1.Component) any
}

// table prints the objects of a kind for people.
type table struct {
	kind    Kind
	columns []Column
}

var _ rest.TableConvertor = table{}

func newTable(kind Kind) table {
	text := func(name, description string, priority int32, cell func(v1alpha1.Component) string) Column {
		return Column{metav1.TableColumnDefinition{Name: name, Type: "string", Description: description, Priority: priority},
			func(component v1alpha1.Component) any { return cell(component) }}
	}
	number := func(name, description string, cell func(v1alpha1.Component) int32) Column {
		return Column{metav1.TableColumnDefinition{Name: name, Type: "integer", Description: description},
			func(component v1alpha1.Component) any { return int64(cell(component)) }}
	}
	name := text("Name", metav1.ObjectMeta{}.SwaggerDoc()["name"], 0, v1alpha1.Component.GetName)
	name.Format = "name"
	columns := slices.Concat([]Column{
		name,
		text("Tenant", "The Pulsar tenant.", 0, func(c v1alpha1.Component) string { return c.Common().Tenant }),
		text("Namespace", "The Pulsar namespace, without the tenant.", 0, func(c v1alpha1.Component) string { return c.Common().Namespace }),
		text(kind.Title, "The "+kind.Type+"'s name in Pulsar.", 0, func(c v1alpha1.Component) string { return c.Common().Name }),
	}, kind.Columns, []Column{
		number("Replicas", "How many instances should run.", replicasOfView),
		number("Ready", "How many instances are ready.", func(c v1alpha1.Component) int32 { return c.ObservedStatus().ReadyReplicas }),
		text("Status", "What the conditions amount to.", 0, func(c v1alpha1.Component) string { return c.ObservedStatus().Phase }),
		text("Age", metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"], 0, age),
	})
	empty := kind.New()
	if empty.Input() != nil {
		columns = append(columns, text("Inputs", "The topics and patterns of topics that are consumed.", wide, inputs))
	}
	if empty.Output() != nil {
		columns = append(columns, text("Output", "The topic of what is produced.", wide, func(c v1alpha1.Component) string { return c.Output().Output }))
	}
	columns = append(columns,
		text("Package", "Where the code comes from.", wide, location),
		text("Class", "The class that runs.", wide, func(c v1alpha1.Component) string { return c.Common().ClassName }))
	return table{kind: kind, columns: columns}
}

// ConvertToTable implements rest.TableConvertor.
func (t table) ConvertToTable(_ context.Context, object, options runtime.Object) (*metav1.Table, error) {
	converted := &metav1.Table{}
	rows, err := metatable.MetaToTableRow(object, t.row)
	if err != nil {
		return nil, fmt.Errorf("could not print: %w", err)
	}
	converted.Rows = rows
	if list, err := meta.ListAccessor(object); err == nil {
		converted.ResourceVersion = list.GetResourceVersion()
		converted.Continue = list.GetContinue()
		converted.RemainingItemCount = list.GetRemainingItemCount()
	} else if single, err := meta.CommonAccessor(object); err == nil {
		converted.ResourceVersion = single.GetResourceVersion()
	}
	if tableOptions, ok := options.(*metav1.TableOptions); !ok || !tableOptions.NoHeaders {
		for _, column := range t.columns {
			converted.ColumnDefinitions = append(converted.ColumnDefinitions, column.TableColumnDefinition)
		}
	}
	return converted, nil
}

func (t table) row(object runtime.Object, _ metav1.Object, _, _ string) ([]any, error) {
	component, ok := object.(v1alpha1.Component)
	if !ok || component.ComponentKind() != t.kind.ComponentKind {
		return nil, fmt.Errorf("could not print a %T as a %s", object, t.kind.Kind)
	}
	cells := make([]any, len(t.columns))
	for i, column := range t.columns {
		cells[i] = column.Cell(component)
	}
	return cells, nil
}

// inputs returns every topic and pattern that a component consumes.
func inputs(component v1alpha1.Component) string {
	input := component.Input()
	all := slices.Clone(input.Inputs)
	if input.TopicsPattern != "" {
		all = append(all, input.TopicsPattern)
	}
	for _, named := range [][]string{
		slices.Sorted(maps.Keys(input.CustomSerdeInputs)),
		slices.Sorted(maps.Keys(input.CustomSchemaInputs)),
		slices.Sorted(maps.Keys(input.InputSpecs)),
	} {
		for _, topic := range named {
			if !slices.Contains(all, topic) {
				all = append(all, topic)
			}
		}
	}
	return strings.Join(all, ",")
}

func age(component v1alpha1.Component) string {
	created := component.GetCreationTimestamp()
	if created.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(time.Since(created.Time))
}
