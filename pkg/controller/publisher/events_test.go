package publisher

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

// published makes a status of words such as Ready=True:Ready.
func published(words string) *status.Published {
	if words == "" {
		return nil
	}
	made := &status.Published{}
	for word := range strings.FieldsSeq(words) {
		conditionType, rest, _ := strings.Cut(word, "=")
		value, reason, _ := strings.Cut(rest, ":")
		made.Conditions = append(made.Conditions, metav1.Condition{Type: conditionType, Status: metav1.ConditionStatus(value), Reason: reason, Message: "m"})
	}
	return made
}

func TestEvents(t *testing.T) {
	const (
		starting  = "Ready=False:NotReady Stalled=False:None Accepted=True:Accepted"
		ready     = "Ready=True:Ready Stalled=False:None Accepted=True:Accepted"
		crashing  = "Ready=False:CrashLoopBackOff Stalled=True:CrashLoopBackOff Accepted=True:Accepted"
		pulling   = "Ready=False:ImagePullBackOff Stalled=True:ImagePullBackOff Accepted=True:Accepted"
		suspended = "Ready=True:Suspended Stalled=False:None Accepted=True:Accepted"
		duplicate = "Ready=False:DuplicateIdentity Stalled=True:DuplicateIdentity Accepted=False:DuplicateIdentity"
		expired   = ready + " CredentialsValid=False:CredentialsExpired"
		missing   = ready + " CredentialsValid=False:SecretNotFound"
		valid     = ready + " CredentialsValid=True:CredentialsValid"
		unchecked = ready + " CredentialsValid=Unknown:CredentialsNotChecked"
		resolved  = " PackageResolved=True:Resolved"
		moved     = " PackageResolved=True:Moved"
		gone      = " PackageResolved=False:NotFound"
		unknown   = "Ready=False:NotReady Stalled=False:None Accepted=Unknown:ReferencesNotChecked"
	)
	for _, test := range []struct{ name, before, now, events string }{
		{"first", "", starting, ""},
		{"first, ready", "", ready, "Normal Ready"},
		{"first, bad", "", duplicate, "Warning DuplicateIdentity"},
		{"ready", starting, ready, "Normal Ready"},
		{"same", ready, ready, ""},
		{"same trouble", crashing, crashing, ""},
		{"trouble", ready, crashing, "Warning CrashLoopBackOff"},
		{"other trouble", crashing, pulling, "Warning ImagePullBackOff"},
		{"recovered", crashing, ready, "Normal Recovered, Normal Ready"},
		{"suspended", ready, suspended, "Normal Suspended"},
		{"resumed", suspended, starting, "Normal Resumed"},
		{"stopped", ready, duplicate, "Warning DuplicateIdentity"},
		{"nothing known", ready, unknown, ""},
		{"first, expired", "", expired, "Warning CredentialsExpired, Normal Ready"},
		{"expired", valid, expired, "Warning CredentialsExpired"},
		{"still expired", expired, expired, ""},
		{"expired, then gone", expired, missing, "Warning SecretNotFound"},
		{"renewed", expired, valid, "Normal Recovered"},
		{"not readable any more", expired, unchecked, ""},
		{"not used any more", expired, ready, ""},
		{"package", starting + resolved, starting + resolved, ""},
		{"first, package", "", starting + resolved, ""},
		{"first, no package", "", starting + gone, "Warning NotFound"},
		{"package gone", starting + resolved, starting + gone, "Warning NotFound"},
		{"package back", starting + gone, starting + resolved, "Normal Recovered"},
		{"package moved", starting + resolved, starting + moved, "Warning Moved"},
		{"package moved before", starting + moved, starting + moved, ""},
		{"package of no interest", starting + gone, starting, ""},
	} {
		var got []string
		for _, event := range eventsOf(published(test.before), published(test.now)) {
			got = append(got, event.eventType+" "+event.reason)
		}
		if text := strings.Join(got, ", "); text != test.events {
			t.Errorf("%s: told %q, not %q", test.name, text, test.events)
		}
	}
}

// That a package moved is told once, also when nobody could say so for a while.
func TestMovedOnce(t *testing.T) {
	const ready = "Ready=True:Ready Stalled=False:None Accepted=True:Accepted"
	unknown, moved := published(ready+" PackageResolved=Unknown:Unreachable"), published(ready+" PackageResolved=True:Moved")
	unknown.Package, moved.Package = &status.PublishedPackage{MovedTo: "one"}, &status.PublishedPackage{MovedTo: "one"}
	if events := eventsOf(unknown, moved); len(events) != 0 {
		t.Errorf("told again: %+v", events)
	}
	moved.Package.MovedTo = "another"
	if events := eventsOf(unknown, moved); len(events) != 1 {
		t.Errorf("told of another content: %+v", events)
	}
}
