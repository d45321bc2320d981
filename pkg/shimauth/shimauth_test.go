package shimauth

import (
	"testing"

	"k8s.io/apiserver/pkg/authentication/user"
)

func TestCheckIdentity(t *testing.T) {
	for name, test := range map[string]struct {
		user    user.DefaultInfo
		allowed bool
	}{
		"a Pulsar role":            {user.DefaultInfo{Name: "pulsar:alice"}, true},
		"with a group":             {user.DefaultInfo{Name: "pulsar:alice", Groups: []string{"pulsar:team"}}, true},
		"a Kubernetes user":        {user.DefaultInfo{Name: "alice"}, false},
		"an administrator":         {user.DefaultInfo{Name: "system:admin"}, false},
		"one of its groups":        {user.DefaultInfo{Name: "pulsar:alice", Groups: []string{"pulsar:team", "system:masters"}}, false},
		"authenticated":            {user.DefaultInfo{Name: "pulsar:alice", Groups: []string{user.AllAuthenticated}}, false},
		"nobody":                   {user.DefaultInfo{Name: "pulsar:"}, false},
		"another case":             {user.DefaultInfo{Name: "Pulsar:alice"}, false},
		"the prefix further along": {user.DefaultInfo{Name: "xpulsar:alice"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := checkIdentity(&test.user); (err == nil) != test.allowed {
				t.Errorf("got %v", err)
			}
		})
	}
}
