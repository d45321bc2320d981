package identity

import (
	"fmt"
	"strings"
)

// LatestPackageVersion is the version of a package URL that names none. It is a
// version like any other, not a pointer to the newest.
const LatestPackageVersion = "latest"

// PackageURL names a package of Pulsar's package management.
type PackageURL struct {
	Type      string // function, sink or source
	Tenant    string
	Namespace string
	Name      string
	Version   string
}

// String returns the URL with its version: type://tenant/namespace/name@version.
func (p PackageURL) String() string {
	return p.Type + "://" + p.Tenant + "/" + p.Namespace + "/" + p.Name + "@" + p.Version
}

// IsPackageURL tells whether location is meant as a package URL: whether it has
// one of the schemes function, sink and source.
func IsPackageURL(location string) bool {
	scheme, _, found := strings.Cut(location, "://")
	return found && isPackageType(scheme)
}

// ParsePackageURL reads type://tenant/namespace/name[@version]. Errors have the
// texts of Pulsar's package management.
func ParsePackageURL(location string) (PackageURL, error) {
	//lint:ignore ST1005 the text is Pulsar's
	invalid := fmt.Errorf("Invalid package name '%s'", location)
	scheme, path, found := strings.Cut(location, "://")
	if !found || !isPackageType(scheme) {
		return PackageURL{}, invalid
	}
	path, version, _ := strings.Cut(path, "@")
	if strings.Contains(version, "@") {
		return PackageURL{}, invalid
	}
	if version == "" {
		version = LatestPackageVersion
	}
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return PackageURL{}, invalid
	}
	parsed := PackageURL{Type: scheme, Tenant: parts[0], Namespace: parts[1], Name: parts[2], Version: version}
	for _, component := range []struct{ kind, value string }{
		{"tenant", parsed.Tenant},
		{"namespace", parsed.Namespace},
		{"name", parsed.Name},
		{"version", parsed.Version},
	} {
		if !validPackageComponent(component.value) {
			//lint:ignore ST1005 the text is Pulsar's
			return PackageURL{}, fmt.Errorf("Invalid package %s '%s' in package name '%s'",
				component.kind, component.value, location)
		}
	}
	return parsed, nil
}

func isPackageType(s string) bool {
	return s == "function" || s == "sink" || s == "source"
}

// validPackageComponent refuses what could name another place once it stands in a
// path.
func validPackageComponent(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "/\\\x00")
}
