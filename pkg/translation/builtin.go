package translation

import (
	"encoding/json"
	"fmt"
	"strings"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// BuiltinAnnotation records, on the custom resource, which entry of the catalogue
// its package is and what that meant when it was written. It stands apart from the
// kept fields, so that a change of those doesn't bring along what the catalogue says
// by then. Losing it loses nothing while the catalogue still has the archive.
const BuiltinAnnotation = ReservedPrefix + "builtin"

const (
	builtinVersion = 1
	// archiveDirectory is where images of connectors have their archives.
	archiveDirectory = "connectors/"
	archiveExtension = ".nar"
)

// builtinPackage is a package that an image brings along.
type builtinPackage struct {
	Version int    `json:"version"`
	Name    string `json:"name"`
	Archive string `json:"archive"`
	Image   string `json:"image,omitempty"`
}

func (p builtinPackage) location() string { return connectors.Prefix + p.Name }

// builtinOf returns what a view's location says of a built-in package: if it is one,
// what the catalogue has now. Nothing is known of one that the catalogue no longer
// has, neither of the old view of an update nor of the new one, so that an update of
// something else leaves it alone.
func (t *Translator[CR, P, View]) builtinOf(view View) (builtinPackage, bool) {
	entry, ok := t.entryOf(view)
	if !ok {
		return builtinPackage{}, false
	}
	name := strings.TrimPrefix(locationOf(view), connectors.Prefix)
	return builtinPackage{Version: builtinVersion, Name: name, Archive: entry.Archive, Image: entry.Image}, true
}

// recordBuiltin writes the annotation that says which entry a package was made from.
func recordBuiltin(resource computev1alpha1.Component, builtin builtinPackage) error {
	if builtin.Archive == "" {
		return nil
	}
	data, err := json.Marshal(builtin)
	if err != nil {
		return fmt.Errorf("could not encode the built-in package: %w", err)
	}
	annotations := resource.GetAnnotations()
	setKey(&annotations, BuiltinAnnotation, string(data))
	resource.SetAnnotations(annotations)
	return nil
}

// builtinBehind returns the built-in package that a resource runs. What it was
// written with counts, as long as it still runs that; the Java worker wrote down no
// more than the archive.
func (t *Translator[CR, P, View]) builtinBehind(resource P) (builtinPackage, bool) {
	java := resource.Common().Java
	if java == nil || java.JarLocation != "" || java.Jar == "" {
		return builtinPackage{}, false
	}
	var recorded builtinPackage
	text := resource.GetAnnotations()[BuiltinAnnotation]
	if json.Unmarshal([]byte(text), &recorded) == nil &&
		recorded.Version == builtinVersion && recorded.Name != "" && recorded.Archive == java.Jar {
		return recorded, true
	}
	entry, ok := t.entryOfArchive(java.Jar)
	return builtinPackage{Name: entry.Name, Archive: java.Jar, Image: entry.Image}, ok
}

// entryOfArchive looks for the entry of an archive: of exactly it, or else of
// another version of it.
func (t *Translator[CR, P, View]) entryOfArchive(archive string) (adminv1alpha1.PulsarConnectorSpec, bool) {
	var other adminv1alpha1.PulsarConnectorSpec
	found := false
	for _, entry := range t.catalogue.All() {
		switch {
		case t.classOf(entry) == "":
		case entry.Archive == archive:
			return entry, true
		case !found && versionOf(entry, archive):
			other, found = entry, true
		}
	}
	return other, found
}

// versionOf tells whether an archive is called after an entry's id and a version.
// Ids can begin with one another; versions begin with a digit.
func versionOf(entry adminv1alpha1.PulsarConnectorSpec, archive string) bool {
	version, ok := strings.CutPrefix(archive, archiveDirectory+entry.ID+"-")
	return ok && entry.ID != "" && strings.HasSuffix(version, archiveExtension) && version[0] >= '0' && version[0] <= '9'
}
