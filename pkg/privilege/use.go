package privilege

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
)

// notCounting are the parts of a spec whose change uses none of the credentials that a
// component holds: how many instances run, where, how large, and for how long. The
// credentials themselves are here as well, since who changes one needs the right to
// that one. Whatever isn't here counts: what a new field does isn't known until somebody
// decides.
var notCounting = []string{
	"parallelism", "suspend", "minReplicas", "maxReplicas", "showPreciseParallelism",
	"resources",
	"auth",
	"pod.terminationGracePeriodSeconds", "pod.nodeSelector", "pod.affinity", "pod.tolerations", "pod.disableDefaultAffinity",
	"pod.liveness", "pod.hpa", "pod.vpa",
}

// firstCounting returns the path of the first field whose change counts as a use of
// what a component holds, or "".
func firstCounting(component, old v1alpha1.Component) string {
	after, before := specOf(component), specOf(old)
	if after == nil || before == nil {
		return "spec"
	}
	if different := firstDifference(after, before, ""); different != "" {
		return different
	}
	if changesVariables(component.Common().Auth, old.Common().Auth) {
		return "spec.auth.secretName"
	}
	return ""
}

// changesVariables tells whether another Secret stands where the credential does. The
// operator makes a variable of every key of it, over those that say where Pulsar is and
// where the code comes from, so that whoever chooses it decides what runs. One that the
// server made of a token has no other keys.
func changesVariables(auth, before *v1alpha1.Auth) bool {
	switch {
	case auth == nil || auth.SecretName == "", before != nil && before.SecretName == auth.SecretName:
		return false
	}
	return auth.Resolved == nil || auth.Resolved.Binding.Rule != v1alpha1.CredentialToken
}

// specOf returns the members of a component's spec as JSON has them, nil if it can't be
// encoded.
func specOf(component v1alpha1.Component) map[string]any {
	var object struct {
		Spec map[string]any `json:"spec"`
	}
	data, err := json.Marshal(component)
	if err != nil {
		return nil
	}
	// Large numbers of a user's configuration would be the same as others nearby.
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return nil
	}
	return object.Spec
}

// firstDifference compares the members at a path, except those that don't count.
func firstDifference(after, before map[string]any, path string) string {
	members := map[string]bool{}
	for _, side := range []map[string]any{after, before} {
		for member := range side {
			members[member] = true
		}
	}
	for _, member := range slices.Sorted(maps.Keys(members)) {
		at := member
		if path != "" {
			at = path + "." + member
		}
		if slices.Contains(notCounting, at) || reflect.DeepEqual(after[member], before[member]) {
			continue
		}
		if at != "pod" {
			return "spec." + at
		}
		afterPod, _ := after[member].(map[string]any)
		beforePod, _ := before[member].(map[string]any)
		if different := firstDifference(afterPod, beforePod, at); different != "" {
			return different
		}
	}
	return ""
}

// ownCredential returns the Secret that is the credential of a component and the
// caller's own: the server found it for the caller, in this request or earlier.
func ownCredential(component, old v1alpha1.Component, caller credential.Caller) string {
	auth := component.Common().Auth
	if auth == nil {
		return ""
	}
	var binding *v1alpha1.CredentialBinding
	switch {
	case auth.Resolved != nil:
		binding = &auth.Resolved.Binding
	case old != nil && old.Common().Auth != nil:
		binding = old.Common().Auth.Bound
	}
	if binding == nil || binding.SecretName != auth.CredentialSecret() || !caller.Owns(binding) {
		return ""
	}
	return binding.SecretName
}

// isCredentialField tells whether a Secret stands where a component's own credential
// does. The same Secret elsewhere, such as in a variable, is read by the code.
func isCredentialField(path string) bool {
	return path == "spec.auth.secretName" || path == "spec.auth.oauth2.secretName"
}

func (r Right) isSecret(name string) bool {
	return r.Verb == "get" && r.Resource == "secrets" && r.Name == name
}

// isCredential tells whether a right is to something that proves who somebody is.
func (r Right) isCredential() bool {
	return r.Group == "" && (r.Resource == "secrets" || r.Resource == "serviceaccounts")
}
