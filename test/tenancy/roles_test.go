package tenancy

import (
	"fmt"
	"strings"
	"testing"
)

// TestRoles compares what the roles of artifacts/ allow with what they are for.
func TestRoles(t *testing.T) {
	t.Parallel()
	m := newMatrix(t, "roles")
	reads := "get list watch"
	writes := reads + " create update patch delete deletecollection"
	for name, want := range map[string]map[string]string{
		"nobody": {},
		"viewer": {"": reads, "status": "get", "scale": "get", "instances": "get", "revisions": "get", "log": "get"},
		"view":   {"": reads, "status": "get", "scale": "get", "instances": "get", "revisions": "get", "log": "get"},
		"operator": {"": reads, "status": "get", "scale": "get update patch", "instances": "get", "revisions": "get", "log": "get",
			"restart": "create", "suspend": "create", "resume": "create", "rollback": "create"},
		"auditor": {"": reads, "status": "get", "scale": "get", "instances": "get", "revisions": "get"},
		"author":  author(writes), "edit": author(writes), "admin": author(writes),
		"customizer": {"": "customize"},
	} {
		var c *caller
		for _, candidate := range m.callers {
			if candidate.name == name {
				c = candidate
			}
		}
		for _, resource := range kindsByTitle {
			for _, subresource := range []string{"", "status", "scale", "instances", "revisions", "log", "restart", "suspend", "resume", "trigger", "rollback", "credential", "state", "package"} {
				for _, verb := range append([]string{"customize"}, objectVerbs...) {
					r := right{verb, strings.TrimSuffix(resource+"/"+subresource, "/")}
					wanted := strings.Contains(" "+want[subresource]+" ", " "+verb+" ")
					eventually(t, fmt.Sprintf("%s to %s: %t", name, r, wanted), func() error {
						if m.may(t, c, r) != wanted {
							return errNotYet
						}
						return nil
					})
				}
			}
		}
	}
}

func author(writes string) map[string]string {
	return map[string]string{"": writes, "status": "get", "scale": "get update patch", "instances": "get", "revisions": "get", "log": "get",
		"restart": "create", "suspend": "create", "resume": "create", "trigger": "create", "rollback": "create", "credential": "create",
		"state": "get update", "package": "get create"}
}
