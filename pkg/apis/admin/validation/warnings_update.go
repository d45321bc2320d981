package validation

import (
	"fmt"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// UpdateWarnings says what a valid change does to subscriptions, which hold the
// messages that wait, and to credentials that can't be set again: nothing else would
// tell that they are left.
func UpdateWarnings(component, old v1alpha1.Component) []string {
	w, before := &warnings{subject: takeApart(component)}, takeApart(old)
	if w.kind != v1alpha1.SourceKind {
		w.ofSubscription(before)
	}
	for _, auth := range []struct {
		path    string
		is, was *v1alpha1.Auth
	}{
		{"spec.auth.oauth2", w.spec.Auth, before.spec.Auth},
		{"spec.packageService.auth.oauth2", w.packageAuth(), before.packageAuth()},
	} {
		if auth.was != nil && auth.was.OAuth2 != nil && (auth.is == nil || auth.is.OAuth2 == nil) {
			w.add("%s: the account is gone: instances prove in no way who they are, unless something else says how", auth.path)
		}
	}
	return w.texts
}

// packageAuth returns how the download of the package proves who it is, or nil.
func (s *subject) packageAuth() *v1alpha1.Auth {
	if s.spec.PackageService == nil {
		return nil
	}
	return s.spec.PackageService.Auth
}

func (w *warnings) ofSubscription(before *subject) {
	subscription, oldSubscription := w.subscription(), before.subscription()
	if subscription != oldSubscription {
		w.add("spec.subscriptionName: the %s leaves subscription %q and what waits there, and begins %q at %s;"+
			" the old one keeps its messages until somebody removes it",
			w.kind.Type, oldSubscription, subscription, w.input.SubscriptionPosition)
	} else if left := topicsLeft(w.subject, before); len(left) > 0 {
		w.add("the %s leaves subscription %q on %s, which keeps its messages until somebody removes it",
			w.kind.Type, oldSubscription, summary(left))
	}
	if w.input.SubscriptionPosition != before.input.SubscriptionPosition {
		w.add("spec.subscriptionPosition: has an effect only on subscriptions that don't exist yet")
	}
	if isTrue(w.function.SkipToLatest) && !isTrue(before.function.SkipToLatest) {
		w.add("spec.skipToLatest: the messages that wait in subscription %q are skipped when an instance starts", subscription)
	}
	if isTrue(before.input.CleanupSubscription) && !isTrue(w.input.CleanupSubscription) {
		w.add("spec.cleanupSubscription: subscription %q will stay when the %s is deleted", subscription, w.kind.Type)
	}
	if was, is := before.subscriptionType(), w.subscriptionType(); was != is && subscription == oldSubscription {
		w.add("the type of subscription %q changes from %s to %s: Pulsar refuses the new consumers until the old ones are gone",
			subscription, was, is)
	}
}

// subscription returns the name of the subscription, Pulsar's default included.
func (s *subject) subscription() string {
	if s.input.SubscriptionName != "" {
		return s.input.SubscriptionName
	}
	return s.identity().String()
}

// subscriptionType returns the type that Pulsar derives.
func (s *subject) subscriptionType() string {
	switch {
	case s.input.RetainOrdering || s.effectivelyOnce():
		return "Failover"
	case s.input.RetainKeyOrdering:
		return "Key_Shared"
	default:
		return "Shared"
	}
}

// topicsLeft returns the topics and patterns that are consumed no more.
func topicsLeft(s, before *subject) []string {
	consumed := map[string]bool{}
	for _, input := range s.inputTopics(nil) {
		consumed[input.name] = true
	}
	left := map[string]bool{}
	for _, input := range before.inputTopics(nil) {
		if !consumed[input.name] {
			left[input.name] = true
		}
	}
	return sortedKeys(left)
}

// summary names the first of many things.
func summary(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

func isTrue(b *bool) bool {
	return b != nil && *b
}
