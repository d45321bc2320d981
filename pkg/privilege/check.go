package privilege

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Check returns the first of some rights in a namespace that the caller of a request
// doesn't have, or nil. It asks no more than needed: once the rights are many, who may
// do something with all objects of a resource is asked about that first.
func Check(ctx context.Context, authorize authorizer.Authorizer, namespace string, rights []Right) (*Right, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	asked := questions{authorize: authorize, namespace: namespace, answers: map[Right]bool{}}
	several := map[Right]int{}
	for _, right := range rights {
		right.Name, right.Field, right.Changed = "", "", ""
		several[right]++
	}
	for _, right := range rights {
		all := right
		all.Name, all.Field, all.Changed = "", "", ""
		if several[all] > 1 {
			allowed, err := asked.allowed(ctx, all)
			if err != nil {
				return nil, err
			}
			if allowed {
				continue
			}
		}
		named := right
		named.Field, named.Changed = "", ""
		allowed, err := asked.allowed(ctx, named)
		if err != nil {
			return nil, err
		}
		if !allowed {
			return &right, nil
		}
	}
	return nil, nil
}

// questions asks for each right once.
type questions struct {
	authorize authorizer.Authorizer
	namespace string
	answers   map[Right]bool
}

func (q *questions) allowed(ctx context.Context, right Right) (bool, error) {
	if answer, known := q.answers[right]; known {
		return answer, nil
	}
	user, ok := genericapirequest.UserFrom(ctx)
	if !ok {
		return false, errors.New("could not tell who the request is from")
	}
	version := "v1"
	if right.Group != "" {
		version = v1alpha1.SchemeGroupVersion.Version
	}
	resource, subresource, _ := strings.Cut(right.Resource, "/")
	decision, _, err := q.authorize.Authorize(ctx, authorizer.AttributesRecord{
		User: user, Verb: right.Verb, Namespace: q.namespace,
		APIGroup: right.Group, APIVersion: version, Resource: resource, Subresource: subresource, Name: right.Name,
		ResourceRequest: true,
	})
	allowed := decision == authorizer.DecisionAllow
	if err != nil && !allowed {
		return false, fmt.Errorf("could not find out whether %q may %s %s %q: %w", user.GetName(), right.Verb, right.Resource, right.Name, err)
	}
	q.answers[right] = allowed
	return allowed, nil
}
