package shim

import (
	"context"
	"net/http"

	"github.com/emicklei/go-restful/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
)

const reasonNeedsSuperuser = "This operation requires super-user access"

// connectorDefinition is how Pulsar describes a built-in connector.
type connectorDefinition struct {
	Name              string `json:"name"`
	Description       string `json:"description,omitempty"`
	SourceClass       string `json:"sourceClass,omitempty"`
	SinkClass         string `json:"sinkClass,omitempty"`
	SourceConfigClass string `json:"sourceConfigClass,omitempty"`
	SinkConfigClass   string `json:"sinkConfigClass,omitempty"`
}

// functionDefinition is how Pulsar describes a built-in function.
type functionDefinition struct {
	Name          string `json:"name"`
	Description   string `json:"description,omitempty"`
	FunctionClass string `json:"functionClass"`
}

// configField is how Pulsar describes a member of a connector's configuration.
type configField struct {
	FieldName  string            `json:"fieldName"`
	TypeName   string            `json:"typeName,omitempty"`
	Attributes map[string]string `json:"attributes"`
}

// connectors serves the catalogue of built-in connectors and functions.
type connectors struct {
	client    adminclient.PulsarConnectorInterface
	superuser superuser
}

// routes returns the routes for the kind.
func (c *connectors) routes(kind *kind) []route {
	switch kind.ComponentKind {
	case v1alpha1.SinkKind:
		return c.connectorRoutes(kind, func(spec v1alpha1.PulsarConnectorSpec) bool { return spec.SinkClass != "" })
	case v1alpha1.SourceKind:
		return c.connectorRoutes(kind, func(spec v1alpha1.PulsarConnectorSpec) bool { return spec.SourceClass != "" })
	}
	return []route{
		{http.MethodGet, "/connectors", "functionConnectors", c.list(isConnector)},
		{http.MethodGet, "/builtins", "builtinFunctions", c.functions},
		{http.MethodPost, "/builtins/reload", "reloadBuiltinFunctions", c.reload(reasonUnauthorized)},
	}
}

func (c *connectors) connectorRoutes(kind *kind, isOne func(v1alpha1.PulsarConnectorSpec) bool) []route {
	builtins := "/builtin" + kind.Type + "s"
	return []route{
		{http.MethodGet, builtins, "builtin" + kind.Title + "s", c.list(isOne)},
		{http.MethodGet, builtins + "/{name}/configdefinition", "builtin" + kind.Title + "ConfigDefinition", c.configDefinition(kind, isOne)},
		{http.MethodPost, "/reloadBuiltIn" + kind.Title + "s", "reloadBuiltin" + kind.Title + "s", c.reload(reasonNeedsSuperuser)},
	}
}

func isConnector(spec v1alpha1.PulsarConnectorSpec) bool {
	return spec.SinkClass != "" || spec.SourceClass != ""
}

func (c *connectors) list(isOne func(v1alpha1.PulsarConnectorSpec) bool) handler {
	return func(writer http.ResponseWriter, request *restful.Request) error {
		definitions := []connectorDefinition{}
		err := c.each(request.Request.Context(), func(spec v1alpha1.PulsarConnectorSpec) {
			if isOne(spec) {
				definitions = append(definitions, connectorDefinition{
					Name:              spec.Name,
					Description:       spec.Description,
					SourceClass:       spec.SourceClass,
					SinkClass:         spec.SinkClass,
					SourceConfigClass: spec.SourceConfigClass,
					SinkConfigClass:   spec.SinkConfigClass,
				})
			}
		})
		if err != nil {
			return err
		}
		writeJSON(writer, request.Request, http.StatusOK, definitions)
		return nil
	}
}

func (c *connectors) functions(writer http.ResponseWriter, request *restful.Request) error {
	ctx := request.Request.Context()
	if err := c.superuser.mayRead(ctx, reasonUnauthorized); err != nil {
		return err
	}
	definitions := []functionDefinition{}
	err := c.each(ctx, func(spec v1alpha1.PulsarConnectorSpec) {
		if spec.FunctionClass != "" {
			definitions = append(definitions, functionDefinition{Name: spec.Name, Description: spec.Description, FunctionClass: spec.FunctionClass})
		}
	})
	if err != nil {
		return err
	}
	writeJSON(writer, request.Request, http.StatusOK, definitions)
	return nil
}

func (c *connectors) configDefinition(kind *kind, isOne func(v1alpha1.PulsarConnectorSpec) bool) handler {
	return func(writer http.ResponseWriter, request *restful.Request) error {
		name := pathParameter(request, parameterName)
		var fields []configField
		err := c.each(request.Request.Context(), func(spec v1alpha1.PulsarConnectorSpec) {
			if spec.Name != name || !isOne(spec) {
				return
			}
			fields = []configField{}
			for _, field := range spec.ConfigFields {
				attributes := field.Attributes
				if attributes == nil {
					attributes = map[string]string{}
				}
				fields = append(fields, configField{FieldName: field.FieldName, TypeName: field.TypeName, Attributes: attributes})
			}
		})
		switch {
		case err != nil:
			return err
		case fields == nil:
			return errorf(http.StatusNotFound, "builtin %s does not exist", kind.Type)
		}
		writeJSON(writer, request.Request, http.StatusOK, fields)
		return nil
	}
}

// reload answers who asks for the catalogue to be read again. There is nothing to do:
// each replica of the API server looks at its file before it answers what is in it, or
// what a built-in package stands for, and the shim keeps no copy.
func (c *connectors) reload(refusal string) handler {
	return func(writer http.ResponseWriter, request *restful.Request) error {
		if err := c.superuser.mayChange(request.Request.Context(), refusal); err != nil {
			return err
		}
		writeNothing(writer, request.Request)
		return nil
	}
}

// each calls visit with every entry of the catalogue. An API server that serves no
// catalogue has none.
func (c *connectors) each(ctx context.Context, visit func(v1alpha1.PulsarConnectorSpec)) error {
	options := metav1.ListOptions{Limit: listPageSize}
	for range maxConnectorPages {
		list, err := c.client.List(ctx, options)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return component{}.translate(err)
		}
		for _, connector := range list.Items {
			visit(connector.Spec)
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
	return errorf(http.StatusInternalServerError, "There are more than %d connectors", maxConnectorPages*listPageSize)
}
