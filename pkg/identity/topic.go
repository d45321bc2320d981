package identity

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// namedEntity is what Pulsar lets a tenant, a namespace or a legacy cluster be
// called in a topic name.
var namedEntity = regexp.MustCompile(`^[-=:.\w]+$`)

// ValidNamedEntity tells whether Pulsar would take s as the name of a tenant, of a
// namespace (without its tenant) or of a cluster.
func ValidNamedEntity(s string) bool {
	return namedEntity.MatchString(s)
}

// topicDomains are what a full topic name begins with, before "://".
var topicDomains = []string{"persistent", "non-persistent"}

// ValidTopicName tells whether Pulsar would take topic as the name of a topic, or
// of a pattern of topics: <domain>://tenant/namespace/topic with the domains
// persistent and non-persistent in any case, the legacy form with a cluster between
// tenant and namespace (there the topic may hold slashes), tenant/namespace/topic, or
// the topic alone, where slashes around it don't count.
func ValidTopicName(topic string) bool {
	domain, path, found := strings.Cut(topic, "://")
	if !found {
		// Pulsar counts what stands between slashes, but takes the name as it is.
		switch len(strings.FieldsFunc(topic, func(r rune) bool { return r == '/' })) {
		case 1:
			return !javaBlank(strings.Trim(topic, "/"))
		case 3:
			return validTopicPath(topic)
		default:
			return false
		}
	}
	for _, known := range topicDomains {
		if strings.EqualFold(domain, known) {
			return validTopicPath(path)
		}
	}
	return false
}

// CanonicalTopicName tells whether a valid topic name is written as everything but
// Pulsar itself expects it: with its domain in lower case, and without slashes around
// a topic alone. Function Mesh and Pulsar's Go client take no other.
func CanonicalTopicName(topic string) bool {
	domain, _, found := strings.Cut(topic, "://")
	if found {
		return slices.Contains(topicDomains, domain)
	}
	return !strings.HasPrefix(topic, "/") && !strings.HasSuffix(topic, "/")
}

// validTopicPath checks a topic name from its tenant on, which is the topic's from
// the fourth part on.
func validTopicPath(path string) bool {
	parts := strings.SplitN(path, "/", 4)
	last := len(parts) - 1
	if last < 2 {
		return false
	}
	for _, part := range parts[:last] {
		if !ValidNamedEntity(part) {
			return false
		}
	}
	return !javaBlank(parts[last])
}

// javaBlank tells whether a text is nothing but what Java calls white space: no space
// that keeps words together, but four separators among the control characters.
func javaBlank(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		switch {
		case r == '\u00a0' || r == '\u2007' || r == '\u202f' || r == '\u0085':
			return true
		case '\u001c' <= r && r <= '\u001f':
			return false
		default:
			return !unicode.IsSpace(r)
		}
	}) < 0
}

// FullTopicName returns a valid topic name as Pulsar itself calls the topic: with its
// domain, tenant and namespace.
func FullTopicName(topic string) string {
	if domain, path, found := strings.Cut(topic, "://"); found {
		return strings.ToLower(domain) + "://" + path
	}
	if short := strings.Trim(topic, "/"); !strings.Contains(short, "/") {
		return defaultTopicPrefix + short
	}
	return topicDomains[0] + "://" + topic
}

// defaultTopicPrefix is what the names of topics begin with that say no more than their
// own.
const defaultTopicPrefix = "persistent://public/default/"
