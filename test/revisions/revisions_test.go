package revisions

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
)

var plurals = map[string]string{"pulsarfunctions": "functions", "pulsarsinks": "sinks", "pulsarsources": "sources"}

// TestHistory follows objects of each kind through what makes a revision and what doesn't,
// and back.
func TestHistory(t *testing.T) {
	t.Parallel()
	for plural, behind := range plurals {
		t.Run(plural, func(t *testing.T) {
			t.Parallel()
			name := "history-" + behind
			apply(t, plural, name, "a")
			first := expectRevisions(t, plural, name, "1 a")[0]
			if first.User == "" || first.Manager != "" || first.Time == nil || !strings.HasSuffix(first.Package, "://public/default/code@1") {
				t.Errorf("the first revision is %+v", first)
			}
			found := must[*appsv1.ControllerRevision](t)(env.ControlPlane.Client().AppsV1().ControllerRevisions(namespace).Get(t.Context(), first.Name, metav1.GetOptions{}))
			resource := must[*unstructured.Unstructured](t)(resources(behind).Get(t.Context(), name, metav1.GetOptions{}))
			if !metav1.IsControlledBy(found, resource) || found.Revision != 1 || found.Labels[revision.NameLabel] != name {
				t.Errorf("it is kept as %+v", found)
			}
			for _, member := range []string{"parallelism", "auth", "suspend"} {
				if strings.Contains(string(found.Data.Raw), `"`+member+`"`) {
					t.Errorf("it has %s: %s", member, found.Data.Raw)
				}
			}

			// What is neither code nor configuration makes none.
			patch(t, views(plural), name, "test", `{"spec":{"parallelism":3}}`)
			patch(t, views(plural), name, "test", `{"metadata":{"labels":{"a":"b"}}}`)
			patch(t, views(plural), name, "test", `{"spec":{"suspend":true}}`)
			patch(t, views(plural), name, "test", `{"spec":{"suspend":false}}`)
			must[string](t)(kubectl(t.Context(), `{"apiVersion":"admin.functionmesh.io/v1alpha1","kind":"PulsarAction"}`,
				"create", "--raw", groupPath+plural+"/"+name+"/restart", "-f", "-"))
			apply(t, plural, name, "b")
			expectRevisions(t, plural, name, "2 b", "1 a")

			// Nobody is known of a change of the resource, but what changed it is.
			patch(t, resources(behind), name, "by-hand", `{"spec":{"logTopic":"persistent://public/default/log-c"}}`)
			if newest := expectRevisions(t, plural, name, "3 c", "2 b", "1 a")[0]; newest.User != "" || newest.Manager != "by-hand" {
				t.Errorf("what was changed by hand is %+v", newest)
			}

			// What it was before it is again, under a new number, and by whom it is now.
			patch(t, views(plural), name, "test", `{"spec":{"logTopic":"persistent://public/default/log-a"}}`)
			again := expectRevisions(t, plural, name, "4 a", "3 c", "2 b")[0]
			if again.Name != first.Name || again.User != first.User {
				t.Errorf("what is used again is %+v", again)
			}
			patch(t, resources(behind), name, "by-hand", `{"spec":{"logTopic":"persistent://public/default/log-b"}}`)
			if newest := expectRevisions(t, plural, name, "5 b", "4 a", "3 c")[0]; newest.User != "" || newest.Manager != "by-hand" {
				t.Errorf("what was used again by hand is %+v", newest)
			}

			// No more are kept than there should be.
			for _, log := range []string{"d", "e"} {
				apply(t, plural, name, log)
				eventually(t, "revision "+log, func(ctx context.Context) error {
					latest, err := revisionsOf(ctx, plural, name)
					if err == nil && (len(latest) == 0 || logOf(latest[0].Spec.Raw) != log) {
						err = fmt.Errorf("it isn't there yet")
					}
					return err
				})
			}
			expectRevisions(t, plural, name, "7 e", "6 d", "5 b", "4 a")
			selector := revision.NameLabel + "=" + name + "," + revision.TypeLabel + "=" + strings.TrimSuffix(behind, "s")
			eventually(t, "as many ControllerRevisions", func(ctx context.Context) error {
				list, err := env.ControlPlane.Client().AppsV1().ControllerRevisions(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
				if err == nil && len(list.Items) != kept {
					err = fmt.Errorf("there are %d", len(list.Items))
				}
				return err
			})

			// They go with the object.
			if err := views(plural).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "no ControllerRevision", func(ctx context.Context) error {
				list, err := env.ControlPlane.Client().AppsV1().ControllerRevisions(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
				if err == nil && len(list.Items) > 0 {
					err = fmt.Errorf("there are %d", len(list.Items))
				}
				return err
			})
		})
	}
}

// TestRollback proves that a rollback restores code and configuration, and nothing else.
func TestRollback(t *testing.T) {
	t.Parallel()
	for plural := range plurals {
		t.Run(plural, func(t *testing.T) {
			t.Parallel()
			name := "rollback-" + plural
			apply(t, plural, name, "a")
			expectRevisions(t, plural, name, "1 a")
			expectError(t, "without a former revision", rollback(t.Context(), plural, name, 0), "has no former revision")
			apply(t, plural, name, "b")
			expectRevisions(t, plural, name, "2 b", "1 a")
			apply(t, plural, name, "c")
			expectRevisions(t, plural, name, "3 c", "2 b", "1 a")
			patch(t, views(plural), name, "test", `{"spec":{"parallelism":5},"metadata":{"labels":{"now":"here"}}}`)
			expectError(t, "to what isn't there", rollback(t.Context(), plural, name, 9), "has no revision 9")

			if err := rollback(t.Context(), plural, name, 0); err != nil {
				t.Fatal(err)
			}
			expectSpec(t, plural, name, "b", 5)
			expectRevisions(t, plural, name, "4 b", "3 c", "1 a")
			if err := rollback(t.Context(), plural, name, 1); err != nil {
				t.Fatal(err)
			}
			expectSpec(t, plural, name, "a", 5)
			expectRevisions(t, plural, name, "5 a", "4 b", "3 c")
			object := must[*unstructured.Unstructured](t)(views(plural).Get(t.Context(), name, metav1.GetOptions{}))
			if object.GetLabels()["now"] != "here" {
				t.Errorf("the labels are %v", object.GetLabels())
			}

			// To what it is already: nothing changes.
			version := object.GetResourceVersion()
			if err := rollback(t.Context(), plural, name, 5); err != nil {
				t.Fatal(err)
			}
			if now := must[*unstructured.Unstructured](t)(views(plural).Get(t.Context(), name, metav1.GetOptions{})); now.GetResourceVersion() != version {
				t.Error("a rollback to the present changed something")
			}
		})
	}
}

// TestForgery puts what isn't a revision among the revisions of a function.
func TestForgery(t *testing.T) {
	const name = "forged"
	client := env.ControlPlane.Client().AppsV1().ControllerRevisions(namespace)
	apply(t, "pulsarfunctions", name, "a")
	expectNewest(t, name, "a")
	apply(t, "pulsarfunctions", name, "b")
	newest := expectNewest(t, name, "b")
	apply(t, "pulsarfunctions", name, "c")
	expectNewest(t, name, "c")

	// One beside them is none, and doesn't stay when the next one comes.
	real := must[*appsv1.ControllerRevision](t)(client.Get(t.Context(), newest, metav1.GetOptions{}))
	forged := real.DeepCopy()
	forged.ObjectMeta = metav1.ObjectMeta{Name: name + "-planted", Labels: real.Labels, OwnerReferences: real.OwnerReferences}
	forged.Revision = 99
	forged.Data = runtime.RawExtension{Raw: []byte(strings.Replace(string(real.Data.Raw), "log-b", "log-evil", 1))}
	must[*appsv1.ControllerRevision](t)(client.Create(t.Context(), forged, metav1.CreateOptions{}))
	expectError(t, "to what was planted", rollback(t.Context(), "pulsarfunctions", name, 99), "has no revision 99")
	for _, shown := range must[[]string](t)(logs(t.Context(), name)) {
		if shown == "evil" {
			t.Error("what was planted is shown")
		}
	}

	// One in the place of a real one is none either.
	if err := client.Delete(t.Context(), real.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	forged.Name = real.Name
	must[*appsv1.ControllerRevision](t)(client.Create(t.Context(), forged, metav1.CreateOptions{}))
	expectError(t, "to what was replaced", rollback(t.Context(), "pulsarfunctions", name, 0), "somebody put something else in its place")
	apply(t, "pulsarfunctions", name, "d")
	expectNewest(t, name, "d")
	eventually(t, "the end of what was planted", func(ctx context.Context) error {
		if _, err := client.Get(ctx, name+"-planted", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %v", err)
		}
		return nil
	})
}

func logs(ctx context.Context, name string) ([]string, error) {
	found, err := revisionsOf(ctx, "pulsarfunctions", name)
	var all []string
	for _, shown := range found {
		all = append(all, logOf(shown.Spec.Raw))
	}
	return all, err
}

// expectNewest waits until a function's newest revision has a log, and returns its name.
func expectNewest(t *testing.T, name, log string) string {
	t.Helper()
	newest := ""
	eventually(t, "revision "+log, func(ctx context.Context) error {
		found, err := revisionsOf(ctx, "pulsarfunctions", name)
		if err != nil || len(found) == 0 || logOf(found[0].Spec.Raw) != log {
			return fmt.Errorf("there are %d (%v)", len(found), err)
		}
		newest = found[0].Name
		return nil
	})
	return newest
}

// TestRollbackRights rolls back as somebody who may roll back, and lacks what else an
// update of the same content needs.
func TestRollbackRights(t *testing.T) {
	const name, user = "rights", "rita"
	apply(t, "pulsarfunctions", name, "a")
	expectNewest(t, name, "a")
	patch(t, views("pulsarfunctions"), name, "test", `{"spec":{"pod":{"serviceAccountName":"powerful"}}}`)
	eventually(t, "the revision with an account", func(ctx context.Context) error {
		found, err := revisionsOf(ctx, "pulsarfunctions", name)
		if err == nil && !slices.ContainsFunc(found, func(r v1alpha1.PulsarRevision) bool { return strings.Contains(string(r.Spec.Raw), "powerful") }) {
			err = fmt.Errorf("it isn't there")
		}
		return err
	})
	patch(t, views("pulsarfunctions"), name, "test", `{"spec":{"pod":{"serviceAccountName":null},"logTopic":"persistent://public/default/log-b"}}`)
	expectNewest(t, name, "b")
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "functionmesh-pulsar-operator"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}}
	must[*rbacv1.RoleBinding](t)(env.ControlPlane.Client().RbacV1().RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}))
	as := []string{"--as", user}
	var found []v1alpha1.PulsarRevision
	eventually(t, "her right to look", func(ctx context.Context) (err error) {
		if _, err = kubectl(ctx, "", "get", "--raw", groupPath+"pulsarfunctions/"+name+"/revisions", "--as", user); err == nil {
			found, err = revisionsOf(ctx, "pulsarfunctions", name)
		}
		return err
	})
	for _, shown := range found {
		if strings.Contains(string(shown.Spec.Raw), "powerful") {
			expectError(t, "to an account of somebody else's", rollback(t.Context(), "pulsarfunctions", name, int(shown.Revision), as...), "needs the right to use serviceaccounts")
		}
	}
	if err := rollback(t.Context(), "pulsarfunctions", name, 1, as...); err != nil {
		t.Error(err)
	}
	expectSpec(t, "pulsarfunctions", name, "a", 2)
	eventually(t, "her name", func(ctx context.Context) error {
		found, err := revisionsOf(ctx, "pulsarfunctions", name)
		if err == nil && found[0].User != user {
			err = fmt.Errorf("it is by %q", found[0].User)
		}
		return err
	})
	expectError(t, "as nobody", rollback(t.Context(), "pulsarfunctions", name, 0, "--as", "nobody"), "cannot create resource")
}
