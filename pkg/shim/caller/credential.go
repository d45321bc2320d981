package caller

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shimauth"
)

const (
	// maxName bounds a role and the name of a group, maxGroups the groups of one caller.
	// All of them become headers of each call to the API server.
	maxName   = 1024
	maxGroups = 500
)

// User is somebody whom the shim has authenticated, under the names that the API server
// takes from it. Its zero value is nobody.
type User struct {
	name   string
	groups []string
}

// NewUser returns the user with a role of Pulsar's and groups. It is an error when one of
// the names would not arrive at the API server as it is: whoever could choose such a name
// would be somebody else there.
func NewUser(role string, groups []string) (User, error) {
	if err := checkName(role); err != nil {
		return User{}, fmt.Errorf("could not take %s for a role: %w", quote(role), err)
	}
	if len(groups) > maxGroups {
		return User{}, fmt.Errorf("could not take %d groups: at most %d", len(groups), maxGroups)
	}
	user := User{name: shimauth.Prefix + role}
	for _, group := range groups {
		if err := checkName(group); err != nil {
			return User{}, fmt.Errorf("could not take %s for a group: %w", quote(group), err)
		}
		user.groups = append(user.groups, shimauth.Prefix+group)
	}
	return user, nil
}

// checkName refuses names that a header would not carry unchanged. Space around a value
// is no part of it, so "admin " would arrive as "admin".
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("it is empty")
	case len(name) > maxName:
		return fmt.Errorf("it is longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return errors.New("it is not UTF-8")
	case strings.TrimSpace(name) != name:
		return errors.New("there is space around it")
	case strings.ContainsFunc(name, func(char rune) bool { return !unicode.IsPrint(char) }):
		return errors.New("not every character is printable")
	}
	return nil
}

// quote shows the beginning of a text that somebody else chose.
func quote(text string) string {
	return fmt.Sprintf("%.64q", text)
}

// role returns the user's name as Pulsar knows it.
func (u User) role() string { return strings.TrimPrefix(u.name, shimauth.Prefix) }

// Credential is what a caller showed. Its zero value is no credential.
type Credential struct {
	// kubernetesToken is a token for the API server to judge.
	kubernetesToken string
	// user is who the shim vouches for, where there is no such token.
	user User
	// pulsarToken is the token by which the shim knows the user, or the proxy; empty
	// where it knows them by something else.
	pulsarToken string
	// proxy is who makes the request for the user, nobody where they do it themselves.
	proxy User
}

// Proven tells whether the shim itself knows who the caller is, so that the API server
// needs not be asked whether it does.
func (c Credential) Proven() bool { return c.kubernetesToken == "" && c.user.name != "" }
