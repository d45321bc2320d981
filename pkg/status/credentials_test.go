package status

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestCredential(t *testing.T) {
	for name, test := range map[string]struct {
		credential *Credential
		status     metav1.ConditionStatus
		reason     string
		text       string
		recheck    time.Duration
	}{
		"missing":   {&Credential{Missing: true}, metav1.ConditionFalse, ReasonSecretNotFound, "Secret alice (spec.auth.oauth2.secretName) isn't there.", 0},
		"unchecked": {&Credential{Unchecked: "no right"}, metav1.ConditionUnknown, ReasonCredentialsNotChecked, "was not checked: no right.", 0},
		"invalid":   {&Credential{Invalid: "no key"}, metav1.ConditionFalse, ReasonCredentialsInvalid, "can't be used: no key.", 0},
		"there":     {&Credential{}, metav1.ConditionTrue, ReasonCredentialsValid, "can be read", 0},
		"expires":   {&Credential{Expires: now.Add(time.Hour)}, metav1.ConditionTrue, ReasonCredentialsValid, "expires at 2026-01-02T04:04:05Z", time.Hour},
		"expired":   {&Credential{Expires: now}, metav1.ConditionFalse, ReasonCredentialsExpired, "expired at 2026-01-02T03:04:05Z", 0},
	} {
		in := running()
		in.Credential = test.credential
		in.Credential.Secret, in.Credential.Field = "alice", "spec.auth.oauth2.secretName"
		published, recheck := Compute(in)
		condition := published.Condition(v1alpha1.ConditionCredentialsValid)
		if condition == nil || condition.Status != test.status || condition.Reason != test.reason || !strings.Contains(condition.Message, test.text) || recheck != test.recheck {
			t.Errorf("%s: %+v, again in %s", name, condition, recheck)
		}
		// What runs, runs.
		if !published.Is(v1alpha1.ConditionReady) {
			t.Errorf("%s: it isn't ready", name)
		}
	}
	published, _ := Compute(running())
	if condition := published.Condition(v1alpha1.ConditionCredentialsValid); condition != nil {
		t.Errorf("without a credential: %+v", condition)
	}
}

// TestLeftoverCondition has the condition about a subscription on what is being deleted,
// and on nothing else.
func TestLeftoverCondition(t *testing.T) {
	in := Input{UID: "u", Generation: 1, Now: time.Unix(1_800_000_000, 0), Leftover: "Not removed yet."}
	published, _ := Compute(in)
	if condition := published.Condition(v1alpha1.ConditionSubscriptionRemoved); condition != nil {
		t.Errorf("of what stays it is said: %+v", condition)
	}
	in.Deleted = true
	published, _ = Compute(in)
	condition := published.Condition(v1alpha1.ConditionSubscriptionRemoved)
	if condition == nil || condition.Status != metav1.ConditionFalse || condition.Message != in.Leftover {
		t.Errorf("of what goes it is said: %+v", condition)
	}
}
