package shim

import (
	"mime/multipart"
	"net/http"

	"github.com/emicklei/go-restful/v3"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/componentconfig"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const (
	parameterKey = "key"
	partState    = "state"

	// maxStateBytes is room for the largest value as a text in which every character is
	// escaped, and for its key.
	maxStateBytes = 6<<20 + 64<<10
	// maxStates bounds the states that are held at once.
	maxStates = 8
	// maxPlainText is how long a text is put as one. Kubernetes' JSON makes six bytes of
	// some characters, which are too many for a request if there are more of them.
	maxPlainText = 500_000

	reasonKeysDiffer = "Path key doesn't match key in json"
)

// stateRoutes returns what deals with the state of components. Pulsar has these paths
// among those of functions alone, and takes the names of the other kinds there.
func (c *components) stateRoutes() []route {
	if c.kind.ComponentKind != v1alpha1.FunctionKind {
		return nil
	}
	path := componentPath + "/state/{" + parameterKey + "}"
	return []route{
		{http.MethodGet, path, "getFunctionState", c.getState},
		{http.MethodPost, path, "putFunctionState", c.putState},
	}
}

func (c *components) getState(writer http.ResponseWriter, request *restful.Request) error {
	name, object, kind, err := c.findAny(request)
	if err != nil {
		return err
	}
	state, err := kind.in(object.GetNamespace()).state(request.Request.Context(), object, pathParameter(request, parameterKey))
	if err != nil {
		return kind.called(name.Name).translate(err)
	}
	writeJSON(writer, request.Request, http.StatusOK, componentconfig.State(state.Spec))
	return nil
}

func (c *components) putState(writer http.ResponseWriter, request *restful.Request) error {
	// The look-up comes first, since it proves the caller, before a state is held in memory.
	name, object, kind, err := c.findAny(request)
	if err != nil {
		return err
	}
	if !c.states.Enter(object.GetNamespace()) {
		return errorf(http.StatusTooManyRequests, "Too many states are put at once. Please try again in a little while.")
	}
	defer c.states.Leave(object.GetNamespace())
	content, err := readState(request.Request, c.limits.parts)
	if err != nil {
		return err
	}
	state, err := componentconfig.ParseState(content)
	switch {
	case err != nil:
		return refusal(err)
	case state == nil:
		return errorf(http.StatusBadRequest, "The state is not provided")
	case state.Key != pathParameter(request, parameterKey):
		return errorf(http.StatusBadRequest, reasonKeysDiffer)
	}
	if text := state.StringValue; text != nil && len(*text) > maxPlainText && len(state.ByteValue) == 0 {
		// It comes to the same, and doesn't grow.
		state.ByteValue, state.StringValue = []byte(*text), nil
	}
	if err := kind.in(object.GetNamespace()).putState(request.Request.Context(), object, v1alpha1.PulsarStateSpec(*state)); err != nil {
		return kind.called(name.Name).translate(err)
	}
	writeNothing(writer, request.Request)
	return nil
}

// findAny returns the component of any kind that a request's path names, and its kind. A
// 404 has the words that Pulsar has where it doesn't ask for the kind.
func (c *components) findAny(request *restful.Request) (name identity.Name, object v1alpha1.Component, of *kind, err error) {
	if name, err = c.nameOf(request); err != nil {
		return name, nil, nil, err
	}
	object, err = c.lookup.findAny(request.Request.Context(), c.kind, name)
	switch {
	case err != nil:
		return name, nil, nil, c.kind.called(name.Name).translate(err)
	case object == nil:
		return name, nil, nil, errorf(http.StatusNotFound, "'%s' is not found", name.Name)
	}
	return name, object, c.lookup.kindOf(object.ComponentKind().Type), nil
}

// readState reads the state of a form. It is nil where there is none, or none that is said
// to be JSON. Errors are of type *restError.
func readState(request *http.Request, parts int) (content []byte, err error) {
	limits := formLimits{config: maxStateBytes, parts: parts}
	err = readParts(request, limits, func(part *multipart.Part, body *meteredBody, name string) error {
		if name != partState {
			return skip(part)
		}
		if content, err = readPart(part, body, name, maxStateBytes); !saidToBeJSON(part) {
			content = nil
		}
		return err
	})
	return content, err
}
