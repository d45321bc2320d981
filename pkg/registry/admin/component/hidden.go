package component

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/privilege"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// hiddenCredentials are where a custom resource can have credentials that views don't
// show: inline, or for the removal of subscriptions.
var hiddenCredentials = [][]string{
	{"spec", "pulsar", "authConfig", "genericAuth"},
	{"spec", "pulsar", "cleanupAuthConfig"},
	{"spec", "pulsarPackageService", "authConfig", "genericAuth"},
	{"spec", "pulsarPackageService", "cleanupAuthConfig"},
}

// notUsing are the members of a custom resource's spec whose change uses no credential:
// how many instances run, how large, and where. privilege says the same of views.
var notUsing = []string{
	"replicas", "minReplicas", "maxReplicas", "showPreciseParallelism", "resources",
	"pod.terminationGracePeriodSeconds", "pod.nodeSelector", "pod.affinity", "pod.tolerations", "pod.liveness",
	"pod.builtinAutoscaler", "pod.autoScalingMetrics", "pod.autoScalingBehavior", "pod.vpa",
}

// hiddenCredentialsChecker returns what refuses to change the code, or where data goes,
// of a resource of a kind with credentials that only the resource shows: who may read
// those may use them, and nobody else.
func (c *checks) hiddenCredentialsChecker(kind v1alpha1.ComponentKind, plural string) func(ctx context.Context, name string, stored, before, after map[string]any) error {
	return func(ctx context.Context, name string, stored, before, after map[string]any) error {
		held := slices.IndexFunc(hiddenCredentials, func(path []string) bool {
			_, found, err := unstructured.NestedFieldNoCopy(stored, path...)
			return found || err != nil
		})
		if held < 0 || !changesUse(before, after) {
			return nil
		}
		missing, err := firstMissing(ctx, c.config.Authorizer, name, []privilege.Right{
			{Verb: "get", Group: computev1alpha1.GroupName, Resource: plural, Name: name},
		})
		if err != nil || missing == nil {
			return err
		}
		lack := "the resource behind it holds credentials that aren't shown here, which a change of what runs would use: it " +
			lackOf(missing, genericapirequest.NamespaceValue(ctx))
		refused := apierrors.NewForbidden(v1alpha1.Resource(kind.Resource), name, fmt.Errorf("spec: %s", lack))
		refused.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: view.CauseTypeMissingRight, Field: "spec", Message: lack}}
		return view.WithPulsarReason(refused, view.NotAuthorized)
	}
}

// changesUse tells whether two projections differ in more than what uses no credential.
func changesUse(before, after map[string]any) bool {
	former, _, _ := unstructured.NestedMap(before, "spec")
	latter, _, _ := unstructured.NestedMap(after, "spec")
	return differ(former, latter, "")
}

func differ(former, latter map[string]any, path string) bool {
	members := maps.Clone(former)
	if members == nil {
		members = map[string]any{}
	}
	maps.Copy(members, latter)
	for member := range members {
		at := path + member
		if slices.Contains(notUsing, at) || reflect.DeepEqual(former[member], latter[member]) {
			continue
		}
		if at != "pod" {
			return true
		}
		podBefore, _ := former[member].(map[string]any)
		podAfter, _ := latter[member].(map[string]any)
		if differ(podBefore, podAfter, "pod.") {
			return true
		}
	}
	return false
}
