package translation

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// ChangeAnnotation says, on the custom resource, who gave it its present code and
// configuration. Views don't show it and can't set it.
const ChangeAnnotation = ReservedPrefix + "changed-by"

// changeVersion is of the annotation's format.
const changeVersion = 1

// storedChange is a change as the annotation has it.
type storedChange struct {
	Version    int         `json:"version"`
	User       string      `json:"user"`
	Time       metav1.Time `json:"time"`
	Generation int64       `json:"generation"`
	Hash       string      `json:"hash"`
}

// changeToCR writes who makes a change. Of a request that changes neither code nor
// configuration it writes nothing, and what is there stays.
func changeToCR(change *adminv1alpha1.SpecChange, cr *metav1.ObjectMeta) error {
	if change == nil {
		return nil
	}
	data, err := json.Marshal(storedChange{changeVersion, change.User, change.Time, change.Generation, change.Hash})
	if err != nil {
		return fmt.Errorf("could not encode who makes a change: %w", err)
	}
	setKey(&cr.Annotations, ChangeAnnotation, string(data))
	return nil
}

// ChangeOf returns who made the latest change through the API, from the annotations of a
// custom resource; nil if nobody is known.
func ChangeOf(annotations map[string]string) *adminv1alpha1.SpecChange {
	var stored storedChange
	if err := json.Unmarshal([]byte(annotations[ChangeAnnotation]), &stored); err != nil || stored.Version != changeVersion {
		return nil
	}
	return &adminv1alpha1.SpecChange{User: stored.User, Time: stored.Time, Generation: stored.Generation, Hash: stored.Hash}
}
