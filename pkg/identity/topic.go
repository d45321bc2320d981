package identity

import (
	"regexp"
	"strings"
)

// namedEntity is what Pulsar lets a tenant, a namespace or a legacy cluster be
// called in a topic name.
var namedEntity = regexp.MustCompile(`^[-=:.\w]+$`)

// ValidNamedEntity tells whether Pulsar would take s as the name of a tenant, of a
// namespace (without its tenant) or of a cluster.
func ValidNamedEntity(s string) bool {
	return namedEntity.MatchString(s)
}

// ValidTopicName tells whether Pulsar would take topic as the name of a topic, or
// of a pattern of topics: <domain>://tenant/namespace/topic with the domains
// persistent and non-persistent, the legacy form with a cluster between tenant and
// namespace (there the topic may hold slashes), tenant/namespace/topic, or the
// topic alone.
func ValidTopicName(topic string) bool {
	domain, path, found := strings.Cut(topic, "://")
	if !found {
		parts := strings.Split(topic, "/")
		return len(parts) == 1 && topic != "" || len(parts) == 3 && validTopicPath(parts)
	}
	if domain != "persistent" && domain != "non-persistent" {
		return false
	}
	parts := strings.SplitN(path, "/", 4)
	return len(parts) >= 3 && validTopicPath(parts)
}

// validTopicPath checks the parts of a topic name, of which the last is the topic.
func validTopicPath(parts []string) bool {
	last := len(parts) - 1
	for _, part := range parts[:last] {
		if !ValidNamedEntity(part) {
			return false
		}
	}
	return parts[last] != ""
}
