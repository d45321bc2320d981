// Package privilege keeps an author from getting through a component what the author
// doesn't have: the pods of a component are made by others, with rights of their own,
// and may use whatever Secret, service account or node feature the spec names.
//
// Each field that gives a pod something of that kind needs a right in the namespace:
//
//   - a service account the right to use it,
//   - a Secret or ConfigMap the right to get it,
//   - what changes the pod otherwise the right to customize the component.
//
// All other fields are free. What the server fills in by itself is no part of the
// view, and so never counts; nor does a credential that the server found for the
// caller.
//
// Who changes what the code does or where data goes (see counting) uses all that the
// component holds already, and needs the rights to its Secrets and service account.
// The credential that is bound to a caller is free for that caller.
package privilege

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
)

// The verbs that aren't those of requests.
const (
	// VerbUse is the right to run pods with a service account.
	VerbUse = "use"
	// VerbCustomize is the right to change what the pods of a component are, beyond
	// what any author may.
	VerbCustomize = "customize"
)

// Right is a right in a component's namespace that one of its fields needs.
type Right struct {
	// Verb, Group, Resource and Name are as in a rule of RBAC: a subresource stands behind
	// its resource and a slash.
	Verb, Group, Resource, Name string
	// Field is the path in the component of what needs it.
	Field string
	// Changed is the path of what was changed, where Field wasn't: the change uses what
	// stands there.
	Changed string
}

// Required returns the rights that are needed to make component of old: those of what
// is new in it, or not as it was, and of what the change uses. Without old it is a new
// component. The order is that of the fields. caller is whose credentials are free.
func Required(component, old v1alpha1.Component, caller credential.Caller) []Right {
	return RequiredBeyond(nil, component, old, caller)
}

// RequiredBeyond is Required where the server gives such a component something, which
// needs no right. Getting rid of what restricts a pod does, also where what is left is
// the server's.
func RequiredBeyond(given, component, old v1alpha1.Component, caller credential.Caller) []Right {
	before, after := &uses{}, usesOf(component)
	if old != nil {
		before = usesOf(old)
	}
	known, remaining := map[use]bool{}, map[Right]bool{}
	for _, use := range before.all {
		known[use] = true
	}
	servers := map[use]bool{}
	if given != nil {
		for _, use := range usesOf(given).all {
			servers[use] = true
			known[use] = known[use] || old == nil || !use.restricts
		}
	}
	counting := ""
	if old != nil {
		counting = firstCounting(component, old)
	}
	own := ownCredential(component, old, caller)
	var rights []Right
	for _, use := range after.all {
		remaining[use.right] = true
		switch {
		case own != "" && use.right.isSecret(own) && isCredentialField(use.right.Field):
		case !known[use]:
			rights = append(rights, use.right)
		case counting != "" && use.right.isCredential() && !servers[use]:
			right := use.right
			right.Changed = counting
			rights = append(rights, right)
		}
	}
	for _, use := range before.all {
		if use.restricts && !remaining[use.right] {
			rights = append(rights, use.right)
		}
	}
	return rights
}

// use is a part of a component that needs a right.
type use struct {
	right Right
	// value is the part as a text: a change of it is a new use.
	value string
	// restricts says that a pod without that part may be able to do more.
	restricts bool
}

// uses collects the uses of one component.
type uses struct {
	kind v1alpha1.ComponentKind
	name string
	all  []use
}

func usesOf(component v1alpha1.Component) *uses {
	u := &uses{kind: component.ComponentKind(), name: component.GetName()}
	u.ofComponent(field.NewPath("spec"), component)
	return u
}

func (u *uses) add(right Right, path *field.Path, value any, restricts bool) {
	right.Field = path.String()
	// What was decoded from JSON can be encoded.
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte(err.Error())
	}
	u.all = append(u.all, use{right: right, value: string(text), restricts: restricts})
}

// secret notes that value names a Secret, unless there is no name.
func (u *uses) secret(path *field.Path, name string, value any) {
	if name != "" {
		u.add(Right{Verb: "get", Resource: "secrets", Name: name}, path, value, false)
	}
}

// configMap notes that value names a ConfigMap, unless there is no name.
func (u *uses) configMap(path *field.Path, name string, value any) {
	if name != "" {
		u.add(Right{Verb: "get", Resource: "configmaps", Name: name}, path, value, false)
	}
}

// serviceAccount notes a service account, unless there is no name.
func (u *uses) serviceAccount(path *field.Path, name string) {
	if name != "" {
		u.add(Right{Verb: VerbUse, Resource: "serviceaccounts", Name: name}, path, name, false)
	}
}

// custom notes that a value that is set changes the pod.
func (u *uses) custom(path *field.Path, set bool, value any) {
	if set {
		u.add(u.customize(), path, value, false)
	}
}

// restriction is custom for what can't be taken away either.
func (u *uses) restriction(path *field.Path, set bool, value any) {
	if set {
		u.add(u.customize(), path, value, true)
	}
}

func (u *uses) customize() Right {
	return Right{Verb: VerbCustomize, Group: v1alpha1.GroupName, Resource: u.kind.Resource, Name: u.name}
}
