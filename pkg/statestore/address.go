package statestore

import (
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// defaultPort is the table service's own.
const defaultPort = "4181"

// serviceURL is narrower than URLs are: it becomes part of a command of the operator's.
var serviceURL = regexp.MustCompile(`\Abk://([A-Za-z0-9](?:[-A-Za-z0-9._]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?/?\z`)

// Address returns the host and port in the URL of a table service, in one form for all
// URLs of the same service.
func Address(text string) (string, error) {
	// Errors don't repeat the text: it may be a URL of something else, with a credential.
	const help = "must be a URL like bk://host:4181"
	parts := serviceURL.FindStringSubmatch(text)
	if parts == nil {
		return "", errors.New(help)
	}
	host, port := strings.ToLower(parts[1]), parts[2]
	if port == "" {
		port = defaultPort
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return "", errors.New(help)
	}
	return net.JoinHostPort(host, strconv.FormatUint(number, 10)), nil
}
