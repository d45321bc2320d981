package shim

import (
	"context"
	"net/http"
	"strconv"

	"github.com/emicklei/go-restful/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// parameterRevision is the query parameter with the number of a revision.
const parameterRevision = "revision"

func (s subresources) revisions(ctx context.Context, object v1alpha1.Component) (*v1alpha1.PulsarRevisions, error) {
	answer := &v1alpha1.PulsarRevisions{}
	err := s.rest.Get().Namespace(s.namespace).Resource(s.resource).Name(object.GetName()).SubResource("revisions").
		MaxRetries(0).Do(ctx).Into(answer)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s subresources) rollback(ctx context.Context, object v1alpha1.Component, revision int64) error {
	// The UID makes sure that it is done with what was looked up.
	body := &v1alpha1.PulsarRollback{ObjectMeta: metav1.ObjectMeta{Name: object.GetName(), UID: object.GetUID()}, Revision: revision}
	return s.rest.Post().Namespace(s.namespace).Resource(s.resource).Name(object.GetName()).SubResource("rollback").
		Param("fieldManager", fieldManager).Body(body).MaxRetries(0).Do(ctx).Error()
}

// revisionRoutes returns what Pulsar's API doesn't have: the revisions of components.
func (c *components) revisionRoutes() []route {
	return []route{
		{http.MethodGet, componentPath + "/revisions", "get" + c.kind.Title + "Revisions", c.revisions},
		{http.MethodPost, componentPath + "/rollback", "rollback" + c.kind.Title, c.rollback},
	}
}

// revisions answers with the revisions of a component, the newest first, as the API
// server has them.
func (c *components) revisions(writer http.ResponseWriter, request *restful.Request) error {
	name, object, err := c.find(request)
	if err != nil {
		return err
	}
	answer, err := c.kind.in(object.GetNamespace()).revisions(request.Request.Context(), object)
	if err != nil {
		return c.kind.called(name.Name).translate(err)
	}
	writeJSON(writer, request.Request, http.StatusOK, answer.Revisions)
	return nil
}

// rollback gives a component the code and the configuration of a revision again.
func (c *components) rollback(writer http.ResponseWriter, request *restful.Request) error {
	name, object, err := c.find(request)
	if err != nil {
		return err
	}
	revision := int64(0)
	if text := request.QueryParameter(parameterRevision); text != "" {
		if revision, err = strconv.ParseInt(text, 10, 64); err != nil || revision < 0 {
			return errorf(http.StatusBadRequest, "The revision must be a number")
		}
	}
	if err := c.kind.in(object.GetNamespace()).rollback(request.Request.Context(), object, revision); err != nil {
		return c.kind.called(name.Name).translate(err)
	}
	writeNothing(writer, request.Request)
	return nil
}
