package pulsarclients

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// atOnce runs all functions side by side and waits for them.
func atOnce(functions ...func()) {
	var group sync.WaitGroup
	start := make(chan struct{})
	for _, function := range functions {
		group.Go(func() {
			<-start
			function()
		})
	}
	close(start)
	group.Wait()
}

// TestUpdatesAtOnce lets updates of different members race each other through
// Pulsar's door, and patches through Kubernetes': each lasts, or its caller hears
// that it didn't.
func TestUpdatesAtOnce(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "concurrency", Namespace: "updates", Name: "f"}
	someFunction(t, name)
	const rounds = 5
	for round := 1; round <= rounds; round++ {
		value := fmt.Sprintf("r%d", round)
		updates := []struct {
			update string
			path   string
			want   any
		}{
			{`{"parallelism":` + fmt.Sprint(round+1) + `}`, "parallelism", round + 1},
			{`{"userConfig":{"v":"` + value + `"}}`, "userConfig.v", value},
			{`{"output":"` + value + `"}`, "output", value},
			{`{"logTopic":"` + value + `"}`, "logTopic", value},
			{`{"className":"org.example.` + value + `"}`, "className", "org.example." + value},
			{`{"timeoutMs":` + fmt.Sprint(1000+round) + `}`, "timeoutMs", 1000 + round},
			{`{"runtimeFlags":"` + value + `"}`, "runtimeFlags", value},
			{`{"secrets":{"S":{"path":"` + value + `","key":"k"}}}`, "secrets.S.path", value},
			{`{"inputSpecs":{"in":{"schemaType":"` + value + `"}}}`, "inputSpecs.in.schemaType", value},
		}
		answers := make([]answer, len(updates))
		var functions []func()
		for i, update := range updates {
			body, contentType := encodeForm(t, config(update.update))
			functions = append(functions, func() {
				result, err := rest().try(t, http.MethodPut, functionPath(name), contentType, body)
				if err != nil {
					t.Error(err)
				}
				answers[i] = result
			})
		}
		patchErrors := make([]error, 3)
		for i := range patchErrors {
			patch := fmt.Appendf(nil, `{"metadata":{"labels":{"l%d":"%s"}},"spec":{"maxPendingAsyncRequests":%d}}`, i, value, round)
			functions = append(functions, func() {
				_, patchErrors[i] = world.views.Patch(t.Context(), name.ObjectName(), types.MergePatchType, patch, metav1.PatchOptions{})
			})
		}
		atOnce(functions...)

		config := rest().read(t, name)
		landed := 0
		for i, update := range updates {
			switch got := answers[i]; {
			case got.code == http.StatusNoContent:
				landed++
				expectFields(t, "after "+update.update, config, map[string]any{update.path: update.want})
			case got.code != http.StatusConflict || !strings.Contains(got.reason, "Please try again"):
				t.Errorf("%s: %s", update.update, got)
			}
		}
		if landed == 0 {
			t.Errorf("in round %d no update landed", round)
		}
		labels := view(t, name).Labels
		for i, err := range patchErrors {
			if label := labels[fmt.Sprintf("l%d", i)]; err != nil || label != value {
				t.Errorf("in round %d patch %d ended with %v and its label is %q", round, i, err, label)
			}
		}
	}
}

// TestCreatesAtOnce lets creations of one function race each other, through one door
// and through both.
func TestCreatesAtOnce(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		name := identity.Name{Tenant: "concurrency", Namespace: "creates", Name: fmt.Sprintf("f%d", round)}
		answers := make([]answer, 10)
		var functions []func()
		for i := range answers {
			body, contentType := encodeForm(t, config(javaConfig))
			functions = append(functions, func() {
				result, err := rest().try(t, http.MethodPost, functionPath(name), contentType, body)
				if err != nil {
					t.Error(err)
				}
				answers[i] = result
			})
		}
		var created int
		var kubernetesError error
		object := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: name.ObjectName()}, Spec: specOf(t, decode(t, leastSpec))}
		object.Spec.Tenant, object.Spec.Namespace, object.Spec.Name = name.Tenant, name.Namespace, name.Name
		functions = append(functions, func() {
			_, kubernetesError = world.views.Create(t.Context(), object, metav1.CreateOptions{})
		})
		atOnce(functions...)
		if kubernetesError == nil {
			created++
		}
		for _, got := range answers {
			if got.code == http.StatusNoContent {
				created++
				continue
			}
			expect(t, "create", got, 400, "Function "+name.Name+" already exists")
		}
		if created != 1 {
			t.Errorf("%d creations of %s succeeded", created, name)
		}
		view(t, name)
	}
	if names := rest().names(t, "concurrency", "creates"); !slices.Equal(names, []string{"f0", "f1", "f2"}) {
		t.Errorf("list answers %v", names)
	}
}

// TestDeletesAtOnce lets deletions race each other: one does it, and to the others
// the function is gone, or was changed meanwhile.
func TestDeletesAtOnce(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "concurrency", Namespace: "deletes", Name: "f"}
	someFunction(t, name)
	answers := make([]answer, 5)
	var functions []func()
	for i := range answers {
		functions = append(functions, func() {
			result, err := rest().try(t, http.MethodDelete, functionPath(name), "", nil)
			if err != nil {
				t.Error(err)
			}
			answers[i] = result
		})
	}
	atOnce(functions...)
	deleted := 0
	for _, got := range answers {
		if got.code == http.StatusNoContent {
			deleted++
			continue
		}
		expect(t, "delete", got, 404, "Function f doesn't exist")
	}
	if deleted != 1 {
		t.Errorf("%d deletions succeeded", deleted)
	}
	expectGone(t, name, name.ObjectName())
}
