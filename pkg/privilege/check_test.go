package privilege

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
)

func secretRight(name, field string) Right {
	return Right{Verb: "get", Resource: "secrets", Name: name, Field: field}
}

func TestCheck(t *testing.T) {
	many := make([]Right, 1000)
	for i := range many {
		many[i] = secretRight(fmt.Sprint(i), fmt.Sprint("spec.", i))
	}
	custom := Right{Verb: VerbCustomize, Group: "admin.functionmesh.io", Resource: "pulsarsinks", Name: "echo", Field: "spec.pod.image"}
	log := Right{Verb: "get", Resource: "pods/log", Name: "p", Field: "the log"}
	for name, test := range map[string]struct {
		rights  []Right
		allowed map[string]bool
		missing string
		asked   int
	}{
		"nothing":                    {nil, nil, "", 0},
		"one that is there":          {[]Right{secretRight("a", "spec.a")}, map[string]bool{"get /v1 secrets a in n": true}, "", 1},
		"one that is missing":        {[]Right{secretRight("a", "spec.a")}, nil, "spec.a", 1},
		"one for several fields":     {[]Right{custom, custom}, map[string]bool{"customize admin.functionmesh.io/v1alpha1 pulsarsinks echo in n": true}, "", 2},
		"all of many":                {many, map[string]bool{"get /v1 secrets  in n": true}, "", 1},
		"none of many":               {many, nil, "spec.0", 2},
		"the second of two":          {many[:2], map[string]bool{"get /v1 secrets 0 in n": true}, "spec.1", 3},
		"that to a subresource":      {[]Right{log}, map[string]bool{"get /v1 pods/log p in n": true}, "", 1},
		"what is for the resource":   {[]Right{log}, map[string]bool{"get /v1 pods p in n": true}, "the log", 1},
		"what isn't the right named": {[]Right{custom}, map[string]bool{"get /v1 secrets  in n": true}, "spec.pod.image", 1},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			authorize := authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
				asked++
				resource := a.GetResource()
				if a.GetSubresource() != "" {
					resource += "/" + a.GetSubresource()
				}
				text := fmt.Sprintf("%s %s/%s %s %s in %s", a.GetVerb(), a.GetAPIGroup(), a.GetAPIVersion(), resource, a.GetName(), a.GetNamespace())
				if a.GetUser().GetName() == "author" && a.IsResourceRequest() && test.allowed[text] {
					return authorizer.DecisionAllow, "", nil
				}
				return authorizer.DecisionNoOpinion, "", nil
			})
			ctx := genericapirequest.WithUser(t.Context(), &user.DefaultInfo{Name: "author"})
			missing, err := Check(ctx, authorize, "n", test.rights)
			if err != nil {
				t.Fatal(err)
			}
			field := ""
			if missing != nil {
				field = missing.Field
			}
			if field != test.missing || asked != test.asked {
				t.Errorf("%q is missing, after %d questions", field, asked)
			}
		})
	}
}

func TestCheckFails(t *testing.T) {
	rights := []Right{secretRight("a", "spec.a")}
	deny := authorizer.AuthorizerFunc(func(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
		return authorizer.DecisionNoOpinion, "", errors.New("away")
	})
	if _, err := Check(genericapirequest.WithUser(t.Context(), &user.DefaultInfo{Name: "author"}), deny, "n", rights); err == nil {
		t.Error("without an answer the right is there")
	}
	if _, err := Check(t.Context(), deny, "n", rights); err == nil {
		t.Error("without a user the right is there")
	}
}
