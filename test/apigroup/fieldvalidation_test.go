package apigroup

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// TestFieldValidation sends fields that don't exist, and fields twice.
func TestFieldValidation(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		client := k.restClient(authorConfigWith(k.warnings))
		send := func(verb, path, name, validation string, contentType string) error {
			body := strings.Replace(text(t, k.object(name, "")), `"spec": {`, `"spec": {"bogus":1,"className":"org.example.X",`, 1)
			return client.Verb(verb).Namespace(k.namespace).Resource(k.kind.Resource).Suffix(path).SetHeader("Content-Type", contentType).
				Param("fieldValidation", validation).Param("fieldManager", "tester").Body([]byte(body)).Do(k.ctx).Error()
		}
		k.create("echo", "")
		for name, write := range map[string]func(name, validation string) error{
			"create": func(name, validation string) error { return send("POST", "", name, validation, "application/json") },
			"update": func(_, validation string) error { return send("PUT", "echo", "echo", validation, "application/json") },
			"patch": func(_, validation string) error {
				return send("PATCH", "echo", "echo", validation, string(types.MergePatchType))
			},
		} {
			err := write("strict", "Strict")
			if !apierrors.IsBadRequest(err) && !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), `unknown field "spec.bogus"`) ||
				!strings.Contains(err.Error(), `duplicate field "spec.className"`) {
				t.Errorf("%s, strict: %v", name, err)
			}
			k.warnings.take()
			for validation, want := range map[string]bool{"Warn": true, "Ignore": false} {
				if err := write(strings.ToLower(validation), validation); err != nil {
					t.Errorf("%s, %s: %v", name, validation, err)
				}
				texts := strings.Join(k.warnings.take(), "; ")
				if strings.Contains(texts, `unknown field "spec.bogus"`) != want || strings.Contains(texts, `duplicate field "spec.className"`) != want {
					t.Errorf("%s, %s: the warnings are %q", name, validation, texts)
				}
			}
			if err := write("odd", "Odd"); !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
				t.Errorf("%s, odd: %v", name, err)
			}
		}
	})
}

// TestWarnings looks for warnings of what has no effect.
func TestWarnings(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.warnings.take()
	s.create("echo", func(f *v1alpha1.PulsarFunction) { f.Spec.CustomRuntimeOptions = `{"maxReplicas":3}` })
	texts := fmt.Sprint(s.warnings.take())
	for _, want := range []string{"spec.customRuntimeOptions", "spec.package.location: no package service"} {
		if !strings.Contains(texts, want) {
			t.Errorf("%q is not among the warnings %s", want, texts)
		}
	}
	function := s.get("echo")
	// The text says what the fields say, or it is none that is worth showing.
	if function.Spec.CustomRuntimeOptions != "{}" || function.Spec.MaxReplicas != nil {
		t.Errorf("customRuntimeOptions is %q", function.Spec.CustomRuntimeOptions)
	}
	s.warnings.take()
	function.Spec.SubscriptionName = "another"
	_, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
	s.check(err)
	if texts := fmt.Sprint(s.warnings.take()); !strings.Contains(texts, `leaves subscription "public/default/echo"`) {
		t.Errorf("nothing warns of the subscription: %s", texts)
	}
	condition := errors.New("there is no condition PackageResolved")
	for _, c := range function.Status.Conditions {
		if c.Type == v1alpha1.ConditionPackageResolved && c.Status == metav1.ConditionUnknown {
			condition = nil
		}
	}
	s.check(condition)
}
