package apigroup

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

const (
	// benchObjects is how many functions there are while is measured.
	benchObjects = 5000
	// benchCreators is how many are created at once.
	benchCreators   = 8
	benchNamespace  = "bench"
	benchFieldOwner = "bench"
)

// BenchmarkBesideResources measures what the view costs beside the resources behind it, by
// the same kube-apiserver: what README says of the price of the one hop more.
func BenchmarkBesideResources(b *testing.B) {
	config := rest.CopyConfig(adminConfig)
	config.QPS = -1 // No limit of the client's own.
	views := dynamic.NewForConfigOrDie(config).Resource(v1alpha1.SchemeGroupVersion.WithResource("pulsarfunctions")).Namespace(benchNamespace)
	resources := dynamic.NewForConfigOrDie(config).Resource(computev1alpha1.SchemeGroupVersion.WithResource("functions")).Namespace(benchNamespace)
	fill(b, config)
	raw := kubernetes.NewForConfigOrDie(config).Discovery().RESTClient()
	doors := map[string]string{
		"resource": "/apis/compute.functionmesh.io/v1alpha1/namespaces/" + benchNamespace + "/functions",
		"view":     "/apis/admin.functionmesh.io/v1alpha1/namespaces/" + benchNamespace + "/pulsarfunctions",
	}
	for _, door := range []string{"resource", "view"} {
		for what, path := range map[string]string{"Get": doors[door] + "/bench-7", "List": doors[door]} {
			b.Run(what+"/"+door, func(b *testing.B) {
				for b.Loop() {
					if _, err := raw.Get().AbsPath(path).DoRaw(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("Event", func(b *testing.B) { measureEvents(b, resources, views) })
}

// fill makes the functions.
func fill(b *testing.B, config *rest.Config) {
	b.Helper()
	clients := kubernetes.NewForConfigOrDie(config)
	made := dynamic.NewForConfigOrDie(config).Resource(v1alpha1.SchemeGroupVersion.WithResource("pulsarfunctions")).Namespace(benchNamespace)
	if _, err := clients.CoreV1().Namespaces().Patch(b.Context(), benchNamespace, types.ApplyPatchType,
		fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, benchNamespace), metav1.PatchOptions{FieldManager: benchFieldOwner}); err != nil {
		b.Fatal(err)
	}
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(benchCreators)
	for i := range benchObjects {
		group.Go(func() error {
			name := fmt.Sprintf("bench-%d", i)
			_, err := made.Patch(ctx, name, types.ApplyPatchType, []byte(functionYAML(name)), metav1.PatchOptions{FieldManager: benchFieldOwner})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// measureEvents reports how much later a watch of the view tells of a change than one of
// the resources does.
func measureEvents(b *testing.B, resources, views dynamic.ResourceInterface) {
	name := metav1.ListOptions{FieldSelector: "metadata.name=bench-7"}
	var watches []watch.Interface
	for _, door := range []dynamic.ResourceInterface{resources, views} {
		watching, err := door.Watch(b.Context(), name)
		if err != nil {
			b.Fatal(err)
		}
		defer watching.Stop()
		// What is there comes first.
		<-watching.ResultChan()
		watches = append(watches, watching)
	}
	var later time.Duration
	changes := 0
	for b.Loop() {
		changes++
		if err := annotate(b.Context(), resources, changes); err != nil {
			b.Fatal(err)
		}
		arrivals := make([]chan time.Time, len(watches))
		for i, watching := range watches {
			arrivals[i] = make(chan time.Time, 1)
			go func() {
				<-watching.ResultChan()
				arrivals[i] <- time.Now()
			}()
		}
		resource, view := <-arrivals[0], <-arrivals[1]
		later += view.Sub(resource)
	}
	b.ReportMetric(float64(later.Microseconds())/float64(changes)/1000, "ms-later/op")
}

func annotate(ctx context.Context, resources dynamic.ResourceInterface, change int) error {
	_, err := resources.Patch(ctx, "bench-7", types.MergePatchType,
		fmt.Appendf(nil, `{"metadata":{"annotations":{"example.org/change":"%d"}}}`, change), metav1.PatchOptions{})
	return err
}
