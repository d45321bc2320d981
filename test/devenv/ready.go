package devenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// PulsarFunctions is the resource that both doors lead to.
var PulsarFunctions = schema.GroupVersionResource{Group: "admin.functionmesh.io", Version: "v1alpha1", Resource: "pulsarfunctions"}

var crdResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

const pollInterval = 100 * time.Millisecond

// wait asks a condition until it returns nil or the context ends.
func wait(ctx context.Context, what string, condition func(context.Context) error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting for %s (%w): %w", what, context.Cause(ctx), err)
		}
	}
}

// waitServed waits until everything that kubectl and the shim's clients ask
// first is answered: the APIService, discovery, the schemas and a list.
func (e *Env) waitServed(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	defer close(done)
	go func() {
		// Nobody else can read this channel before Start returns.
		select {
		case exit := <-e.unexpected:
			cancel(exit)
		case <-done:
		}
	}()
	if err := e.waitAPIServiceAvailable(ctx); err != nil {
		return err
	}
	client, err := discovery.NewDiscoveryClientForConfig(e.ControlPlane.AdminConfig())
	if err != nil {
		return fmt.Errorf("could not make a discovery client: %w", err)
	}
	groupVersion := PulsarFunctions.GroupVersion()
	err = wait(ctx, "discovery of "+groupVersion.String(), func(context.Context) error {
		_, resources, _, err := client.GroupsAndMaybeResources()
		if err != nil {
			return err
		}
		if resources[groupVersion] == nil {
			return errors.New("the group is not listed")
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = wait(ctx, "the schemas of "+groupVersion.String(), func(context.Context) error {
		paths, err := client.OpenAPIV3().Paths()
		if err != nil {
			return err
		}
		if _, ok := paths["apis/"+groupVersion.String()]; !ok {
			return errors.New("the group is not listed")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return wait(ctx, "a list of pulsarfunctions", func(ctx context.Context) error {
		_, err := e.dynamic.Resource(PulsarFunctions).Namespace(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{})
		return err
	})
}

// Route lets the APIService lead to server, as a rollout does, and returns when
// requests to kube-apiserver arrive there.
func (e *Env) Route(ctx context.Context, server *controlplane.Server) error {
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"service": map[string]any{"port": server.Port()}}})
	if err != nil {
		return fmt.Errorf("could not encode a patch of the APIService: %w", err)
	}
	_, err = e.dynamic.Resource(apiServices).Patch(ctx, APIServiceName, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	if err != nil {
		return fmt.Errorf("could not patch the APIService: %w", err)
	}
	// The APIService may still be called available because of where it led
	// before, so the server's audit log is asked who arrived.
	config := e.ControlPlane.AdminConfig()
	config.UserAgent = fmt.Sprintf("%s/route-to-%d", fieldManager, server.Port())
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("could not make a client for kube-apiserver: %w", err)
	}
	err = wait(ctx, "requests to arrive at "+server.Process().Name(), func(ctx context.Context) error {
		if _, err := client.Resource(PulsarFunctions).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
			return err
		}
		log, err := os.ReadFile(e.AuditLogPath(server.Process().Name()))
		if err != nil {
			return fmt.Errorf("could not read the audit log: %w", err)
		}
		if !bytes.Contains(log, []byte(config.UserAgent)) {
			return errors.New("kube-apiserver still asks another server")
		}
		return nil
	})
	if err != nil {
		return err
	}
	e.APIServer = server
	return e.waitAPIServiceAvailable(ctx)
}

func (e *Env) waitAPIServiceAvailable(ctx context.Context) error {
	return wait(ctx, "APIService "+APIServiceName, func(ctx context.Context) error {
		apiService, err := e.dynamic.Resource(apiServices).Get(ctx, APIServiceName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return conditionTrue(apiService, "Available")
	})
}

func (e *Env) waitEstablished(ctx context.Context, crds []string) error {
	for _, name := range crds {
		err := wait(ctx, "CRD "+name, func(ctx context.Context) error {
			crd, err := e.dynamic.Resource(crdResource).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			return conditionTrue(crd, "Established")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// conditionTrue returns nil when the object has the condition with status True,
// else an error with what the condition says.
func conditionTrue(object *unstructured.Unstructured, name string) error {
	conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	if err != nil {
		return fmt.Errorf("could not read the conditions of %s: %w", object.GetName(), err)
	}
	i := slices.IndexFunc(conditions, func(condition any) bool {
		fields, ok := condition.(map[string]any)
		return ok && fields["type"] == name
	})
	if i < 0 {
		return fmt.Errorf("%s has no condition %s yet", object.GetName(), name)
	}
	condition := conditions[i].(map[string]any)
	if condition["status"] != "True" {
		return fmt.Errorf("%s is not %s: %v: %v", object.GetName(), name, condition["reason"], condition["message"])
	}
	return nil
}
