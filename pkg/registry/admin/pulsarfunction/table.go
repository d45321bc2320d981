package pulsarfunction

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
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// tableConvertor prints functions for people.
type tableConvertor struct{}

var _ rest.TableConvertor = tableConvertor{}

// wide is the priority of columns that only `kubectl get -o wide` shows.
const wide = 1

var columns = []metav1.TableColumnDefinition{
	{Name: "Name", Type: "string", Format: "name", Description: metav1.ObjectMeta{}.SwaggerDoc()["name"]},
	{Name: "Tenant", Type: "string", Description: "The Pulsar tenant."},
	{Name: "Namespace", Type: "string", Description: "The Pulsar namespace, without the tenant."},
	{Name: "Function", Type: "string", Description: "The function's name in Pulsar."},
	{Name: "Runtime", Type: "string", Description: "The language runtime."},
	{Name: "Replicas", Type: "integer", Description: "How many instances are wanted."},
	{Name: "Status", Type: "string", Description: "What the conditions amount to."},
	{Name: "Age", Type: "string", Description: metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"]},
	{Name: "Inputs", Type: "string", Priority: wide, Description: "The topics and patterns of topics that are consumed."},
	{Name: "Output", Type: "string", Priority: wide, Description: "The topic of the results."},
	{Name: "Package", Type: "string", Priority: wide, Description: "Where the code comes from."},
	{Name: "Class", Type: "string", Priority: wide, Description: "The class that runs."},
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
	function, ok := object.(*v1alpha1.PulsarFunction)
	if !ok {
		return nil, fmt.Errorf("could not print a %T as a PulsarFunction", object)
	}
	spec := &function.Spec
	return []any{
		name, spec.Tenant, spec.Namespace, spec.Name, runtimeOf(spec),
		int64(ptr.Deref(spec.Parallelism, 0)), function.Status.Phase, age(function.CreationTimestamp),
		strings.Join(inputsOf(spec), ","), spec.Output, location(function), spec.ClassName,
	}, nil
}

func runtimeOf(spec *v1alpha1.PulsarFunctionSpec) string {
	switch {
	case spec.Java != nil:
		return "Java"
	case spec.Python != nil:
		return "Python"
	case spec.Go != nil:
		return "Go"
	}
	return ""
}

// inputsOf returns every topic and pattern that a function consumes.
func inputsOf(spec *v1alpha1.PulsarFunctionSpec) []string {
	inputs := slices.Clone(spec.Inputs)
	if spec.TopicsPattern != "" {
		inputs = append(inputs, spec.TopicsPattern)
	}
	for _, named := range [][]string{
		slices.Sorted(maps.Keys(spec.CustomSerdeInputs)),
		slices.Sorted(maps.Keys(spec.CustomSchemaInputs)),
		slices.Sorted(maps.Keys(spec.InputSpecs)),
	} {
		for _, topic := range named {
			if !slices.Contains(inputs, topic) {
				inputs = append(inputs, topic)
			}
		}
	}
	return inputs
}

func age(created metav1.Time) string {
	if created.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(time.Since(created.Time))
}
