package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Credential is what is known of the credential by which instances prove who they are.
type Credential struct {
	// Secret holds it; Field is where the object says so, in the view's words.
	Secret, Field string
	// Missing says that the Secret isn't there.
	Missing bool
	// Invalid is what is wrong with it, and Unchecked why nobody knows; empty otherwise.
	Invalid, Unchecked string
	// Expires is when it ends, zero where that can't be known.
	Expires time.Time
}

// checkCredential says whether the object's credential can be used. Without one there is
// nothing to say.
func (c *computation) checkCredential() {
	credential := c.Credential
	if credential == nil {
		return
	}
	set := func(value metav1.ConditionStatus, reason, message string) {
		c.conditions.set(v1alpha1.ConditionCredentialsValid, value, reason, message)
	}
	of := fmt.Sprintf("Secret %s (%s)", credential.Secret, credential.Field)
	end := credential.Expires.UTC().Format(time.RFC3339)
	switch {
	case credential.Missing:
		set(metav1.ConditionFalse, ReasonSecretNotFound, of+" isn't there.")
	case credential.Unchecked != "":
		set(metav1.ConditionUnknown, ReasonCredentialsNotChecked, of+" was not checked: "+credential.Unchecked+".")
	case credential.Invalid != "":
		set(metav1.ConditionFalse, ReasonCredentialsInvalid, of+" can't be used: "+credential.Invalid+".")
	case credential.Expires.IsZero():
		set(metav1.ConditionTrue, ReasonCredentialsValid, of+" is there and can be read.")
	case !c.Now.Before(credential.Expires):
		set(metav1.ConditionFalse, ReasonCredentialsExpired, of+" has a token that expired at "+end+".")
	default:
		set(metav1.ConditionTrue, ReasonCredentialsValid, of+" has a token that expires at "+end+".")
		c.recheckIn(credential.Expires.Sub(c.Now))
	}
}
