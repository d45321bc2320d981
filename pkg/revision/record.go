package revision

import (
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// RecordAnnotation says, on a custom resource, which revisions it has had. Views don't
// show it and can't set it.
const RecordAnnotation = translation.ReservedPrefix + "revisions"

const (
	// OwnerLabel has, on a ControllerRevision, the UID of the custom resource that it is a
	// revision of. The other two have what people select by: the component's type and, where
	// it can be a label, the name.
	OwnerLabel = translation.ReservedPrefix + "revision-of"
	TypeLabel  = translation.ReservedPrefix + "component"
	NameLabel  = translation.ReservedPrefix + "name"

	// UserAnnotation, ManagerAnnotation and TimeAnnotation say, on a ControllerRevision, who
	// made the component so, and when. They are for people: whoever may write
	// ControllerRevisions can write anything there.
	UserAnnotation    = translation.ReservedPrefix + "user"
	ManagerAnnotation = translation.ReservedPrefix + "manager"
	TimeAnnotation    = translation.ReservedPrefix + "time"
	// PackageAnnotation and DigestAnnotation say which code it is.
	PackageAnnotation = translation.ReservedPrefix + "package"
	DigestAnnotation  = translation.ReservedPrefix + "package-digest"
)

// Entry is a revision that a custom resource has had.
type Entry struct {
	Revision int64  `json:"revision"`
	Hash     string `json:"hash"`
}

// recordVersion is of the annotation's format.
const recordVersion = 1

type record struct {
	Version   int     `json:"version"`
	Revisions []Entry `json:"revisions"`
}

// Recorded returns the revisions that a custom resource has had, by its annotations, the
// newest last. There are none where the annotation can't be read.
func Recorded(annotations map[string]string) []Entry {
	var stored record
	if err := json.Unmarshal([]byte(annotations[RecordAnnotation]), &stored); err != nil || stored.Version != recordVersion {
		return nil
	}
	return stored.Revisions
}

// Record is the inverse of Recorded.
func Record(entries []Entry) (string, error) {
	data, err := json.Marshal(record{recordVersion, entries})
	if err != nil {
		return "", fmt.Errorf("could not encode a record of revisions: %w", err)
	}
	return string(data), nil
}

// nameHashLength is how much of a hash stands in a name: enough not to meet another by
// chance. Who meets one on purpose finds that the content is compared.
const nameHashLength = 16

// Name returns the name of the ControllerRevision that holds the content with a hash, of
// the custom resource with a UID. A resource that was deleted and made again shares none
// with the former one.
func Name(resource, componentType string, uid types.UID, hash string) string {
	suffix := "-" + componentType + "-" + Hash([]byte(string(uid) + "/" + hash))[:nameHashLength]
	if most := validation.DNS1123SubdomainMaxLength - len(suffix); len(resource) > most {
		resource = strings.TrimRight(resource[:most], "-.")
	}
	return resource + suffix
}

// Verify returns the content of the ControllerRevision of a resource, and false if it
// isn't that with a hash, or doesn't belong to the resource with a UID.
func Verify(found *appsv1.ControllerRevision, uid types.UID, hash string) ([]byte, bool) {
	owner := metav1.GetControllerOf(found)
	if owner == nil || owner.UID != uid || Hash(found.Data.Raw) != hash {
		return nil, false
	}
	return found.Data.Raw, true
}

// DigestOf returns the digest of the package at a location that is named by its content,
// as the status of an object has it, or "".
func DigestOf(location string) string {
	name, err := identity.ParsePackageURL(location)
	if err != nil {
		return ""
	}
	return packageservice.DigestOf(name.Version)
}
