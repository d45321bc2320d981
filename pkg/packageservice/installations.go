package packageservice

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Several Kubernetes clusters may share one Pulsar. Each knows of its own objects alone, so
// a package says itself which of them have it: it has a property for each, with whether
// the package is in use there, or since when it isn't. Nobody removes a package that
// another installation has.
const (
	// propertyInstallation begins the name of such a property, which ends with the
	// installation's identity.
	propertyInstallation = "installation."
	// inUse is its value while something names the package there, or is about to. Another
	// one is a time in milliseconds since 1970.
	inUse = "used"
)

// Keeper is who looks after a package.
type Keeper struct {
	// Manager is the program that does.
	Manager string
	// Installation is the identity of the Kubernetes cluster that it does so for. Only
	// Manager needs one.
	Installation string
}

// errNoInstallation says that a package can't be anybody's. It isn't for long, since each
// cluster has an identity.
var errNoInstallation = errors.New("could not tell which installation a package is of: it is not known yet")

// check returns an error if there is no saying who the keeper is.
func (k Keeper) check() error {
	if k.Manager == Manager && k.Installation == "" {
		return errNoInstallation
	}
	return nil
}

// sign returns metadata of a package that the keeper looks after now. Who brings a package
// for himself takes it out of Manager's hands, and so out of reach of its removals.
func (k Keeper) sign(metadata Metadata) Metadata {
	metadata.Contact = k.Manager
	return edited(metadata, func(properties map[string]string) {
		properties[PropertyManager] = k.Manager
		if k.Manager == Manager {
			properties[propertyInstallation+k.Installation] = inUse
			return
		}
		maps.DeleteFunc(properties, func(property, _ string) bool { return strings.HasPrefix(property, propertyInstallation) })
	})
}

// keeps tells whether a package is the keeper's already.
func (k Keeper) keeps(metadata Metadata) bool {
	return metadata.Properties[PropertyManager] == k.Manager && (k.Manager != Manager || Has(metadata, k.Installation))
}

// edited returns metadata with other properties, and without the mark of a removal: that
// counts for nothing but the metadata that it was written to.
func edited(metadata Metadata, edit func(properties map[string]string)) Metadata {
	properties := maps.Clone(metadata.Properties)
	if properties == nil {
		properties = map[string]string{}
	}
	delete(properties, propertyRemoving)
	edit(properties)
	metadata.Properties = properties
	return metadata
}

// Installations returns the identities of those that have a package, sorted.
func Installations(metadata Metadata) []string {
	var all []string
	for property := range metadata.Properties {
		if installation, ok := strings.CutPrefix(property, propertyInstallation); ok {
			all = append(all, installation)
		}
	}
	slices.Sort(all)
	return all
}

// Has tells whether an installation has a package.
func Has(metadata Metadata, installation string) bool {
	_, ok := metadata.Properties[propertyInstallation+installation]
	return ok
}

// alone tells whether an installation has a package that no other one has.
func alone(metadata Metadata, installation string) bool {
	return slices.Equal(Installations(metadata), []string{installation})
}

// UnusedSince returns since when a package is known to be in nobody's use in an
// installation, and false if it isn't. A time that is still to come was written by a clock
// that was wrong, or by somebody else, and says nothing.
func UnusedSince(metadata Metadata, installation string) (time.Time, bool) {
	since, marked := markedAt(metadata, propertyInstallation+installation)
	return since, marked && time.Until(since) <= clockSkew
}

func markedAt(metadata Metadata, property string) (time.Time, bool) {
	at, err := strconv.ParseInt(metadata.Properties[property], 10, 64)
	return time.UnixMilli(at), err == nil
}

func mark(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

// withUse returns metadata that say whether a package is in use in an installation, from a
// time on.
func withUse(metadata Metadata, installation string, used bool, at time.Time) Metadata {
	return edited(metadata, func(properties map[string]string) {
		properties[propertyInstallation+installation] = mark(at)
		if used {
			properties[propertyInstallation+installation] = inUse
		}
	})
}

// without returns metadata of a package that an installation doesn't have any more. The
// grace period of those that have it begins anew: one that is about to have it, and whose
// word this one's may just have taken the place of, finds that out meanwhile.
func without(metadata Metadata, installation string) Metadata {
	return edited(metadata, func(properties map[string]string) {
		for _, other := range Installations(metadata) {
			properties[propertyInstallation+other] = inUse
		}
		delete(properties, propertyInstallation+installation)
	})
}

// inherited returns metadata of a package that takes the place of another one, with those
// installations that have the former.
func inherited(metadata, former Metadata) Metadata {
	if !Managed(metadata) {
		return metadata
	}
	return edited(metadata, func(properties map[string]string) {
		for _, installation := range Installations(former) {
			properties[propertyInstallation+installation] = inUse
		}
	})
}
