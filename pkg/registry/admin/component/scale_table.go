package component

import (
	"context"
	"fmt"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metatable "k8s.io/apimachinery/pkg/api/meta/table"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apiserver/pkg/registry/rest"
)

// scaleTable prints a scale in the columns that Kubernetes has for those of its own
// resources.
type scaleTable struct{}

var _ rest.TableConvertor = scaleTable{}

// ConvertToTable implements rest.TableConvertor.
func (scaleTable) ConvertToTable(_ context.Context, object, options runtime.Object) (*metav1.Table, error) {
	rows, err := metatable.MetaToTableRow(object, func(obj runtime.Object, _ metav1.Object, name, _ string) ([]any, error) {
		scale, ok := obj.(*autoscalingv1.Scale)
		if !ok {
			return nil, fmt.Errorf("it is a %T and no Scale", obj)
		}
		return []any{name, int64(scale.Spec.Replicas), int64(scale.Status.Replicas),
			duration.HumanDuration(time.Since(scale.CreationTimestamp.Time))}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("could not print: %w", err)
	}
	converted := &metav1.Table{Rows: rows}
	if options, ok := options.(*metav1.TableOptions); !ok || !options.NoHeaders {
		converted.ColumnDefinitions = []metav1.TableColumnDefinition{
			{Name: "Name", Type: "string", Format: "name", Description: metav1.ObjectMeta{}.SwaggerDoc()["name"]},
			{Name: "Desired", Type: "integer", Description: autoscalingv1.ScaleSpec{}.SwaggerDoc()["replicas"]},
			{Name: "Available", Type: "integer", Description: autoscalingv1.ScaleStatus{}.SwaggerDoc()["replicas"]},
			{Name: "Age", Type: "string", Description: metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"]},
		}
	}
	return converted, nil
}
