package crstorage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/storage"
)

var (
	functions = schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: "functions"}
	testKey   = "/pulsarfunctions/default/f"
)

func testMapper() *errorMapper {
	return &errorMapper{
		cr:       functions,
		crKind:   "Function",
		view:     schema.GroupResource{Group: "admin.functionmesh.io", Resource: "pulsarfunctions"},
		viewKind: "PulsarFunction",
		viewPath: func(path string) string { return strings.Replace(path, "spec.replicas", "spec.parallelism", 1) },
	}
}

func statusOf(t *testing.T, err error) metav1.Status {
	t.Helper()
	// Not errors.As: what is wrapped is a 500 to the caller.
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		t.Fatalf("%T is not a status: %v", err, err)
	}
	return status.Status()
}

func TestReadErrors(t *testing.T) {
	mapper := testMapper()
	ctx := context.Background()

	if err := mapper.read(ctx, testKey, apierrors.NewNotFound(functions.GroupResource(), "f")); !storage.IsNotFound(err) {
		t.Errorf("a missing object: %v", err)
	}
	namespace := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "default")
	if err := mapper.create(ctx, testKey, namespace); storage.IsNotFound(err) || !strings.Contains(err.Error(), `namespaces "default" not found`) {
		t.Errorf("a missing namespace: %v", err)
	}
	if err := mapper.create(ctx, testKey, apierrors.NewAlreadyExists(functions.GroupResource(), "f")); !storage.IsExist(err) {
		t.Errorf("an existing object: %v", err)
	}
}

// notServed is what client-go makes of the plain text that kube-apiserver answers
// for a resource that no definition is installed for.
func notServed() error {
	return apierrors.NewGenericServerResponse(http.StatusNotFound, "get", functions.GroupResource(), "f", "404 page not found", 0, true)
}

func TestMissingDefinition(t *testing.T) {
	if !missingDefinition(notServed()) {
		t.Error("a path that isn't served is not taken for a missing definition")
	}
	if missingDefinition(apierrors.NewNotFound(functions.GroupResource(), "f")) {
		t.Error("a missing object is taken for a missing definition")
	}
	status := statusOf(t, testMapper().create(context.Background(), testKey, notServed()))
	if status.Code != http.StatusServiceUnavailable || status.Details.RetryAfterSeconds == 0 || !strings.Contains(status.Message, "functions.compute.functionmesh.io") {
		t.Errorf("got %+v", status)
	}
}

func TestStatusErrors(t *testing.T) {
	quota := apierrors.NewForbidden(functions.GroupResource(), "f",
		errors.New("exceeded quota: q, requested: count/functions.compute.functionmesh.io=1"))
	uncounted := apierrors.NewForbidden(functions.GroupResource(), "f",
		errors.New("status unknown for quota: q, resources: count/functions.compute.functionmesh.io"))
	invalid := apierrors.NewInvalid(schema.GroupKind{Group: functions.Group, Kind: "Function"}, "f", field.ErrorList{
		field.Invalid(field.NewPath("spec", "replicas"), -4, "spec.replicas in body should be greater than or equal to 0"),
	})
	timeout := apierrors.NewTimeoutError("Too large resource version", 3)
	strict := apierrors.NewBadRequest(`Function in version "v1alpha1" cannot be handled as a Function: strict decoding error: unknown field "spec.replicas"`)

	for name, test := range map[string]struct {
		err      error
		code     int32
		contains []string
		lacks    []string
	}{
		"a quota that is not counted yet": {uncounted, http.StatusForbidden, []string{"count/functions.compute.functionmesh.io"}, nil},
		"quota text stays":                {quota, http.StatusForbidden, []string{"count/functions.compute.functionmesh.io=1"}, nil},
		"paths are the view's": {invalid, http.StatusUnprocessableEntity,
			[]string{`PulsarFunction.admin.functionmesh.io "f" is invalid`, "spec.parallelism"}, []string{"spec.replicas", "compute"}},
		"retry-after stays": {timeout, http.StatusGatewayTimeout, []string{"Too large resource version"}, nil},
		"an old definition": {strict, http.StatusUnprocessableEntity, []string{"spec.parallelism: ", "older Function Mesh"}, nil},
		"kinds are renamed": {apierrors.NewForbidden(functions.GroupResource(), "f", errors.New("denied")), http.StatusForbidden,
			[]string{`pulsarfunctions.admin.functionmesh.io "f" is forbidden`}, []string{"compute"}},
		"own rights": {apierrors.NewForbidden(functions.GroupResource(), "f", errors.New(
			`User "system:serviceaccount:s:a" cannot create resource "functions" in API group "compute.functionmesh.io" in the namespace "n"`)),
			http.StatusInternalServerError, []string{"ClusterRole"}, []string{"system:serviceaccount"}},
		"no answer": {errors.New("connection refused by 10.0.0.1"), http.StatusServiceUnavailable, []string{"can't be reached"}, []string{"10.0.0.1"}},
		"too late":  {fmt.Errorf("get: %w", context.DeadlineExceeded), http.StatusGatewayTimeout, []string{"in time"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			status := statusOf(t, testMapper().status(context.Background(), test.err))
			if status.Code != test.code {
				t.Errorf("code %d, want %d", status.Code, test.code)
			}
			text := status.Message
			if status.Details != nil {
				text += fmt.Sprintf(" %+v", *status.Details)
			}
			for _, want := range test.contains {
				if !strings.Contains(text, want) {
					t.Errorf("%q lacks %q", text, want)
				}
			}
			for _, leak := range test.lacks {
				if strings.Contains(text, leak) {
					t.Errorf("%q has %q", text, leak)
				}
			}
		})
	}
	if status := statusOf(t, testMapper().status(context.Background(), timeout)); status.Details.RetryAfterSeconds != 3 {
		t.Errorf("retry-after %d", status.Details.RetryAfterSeconds)
	}
}
