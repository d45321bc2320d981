package status

import (
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// Annotation holds the published status on a custom resource.
	Annotation = "admin.functionmesh.io/status"

	// version is the version of Published that this server writes.
	version = 1

	// maxSize is more than any server writes, in bytes.
	maxSize = 32 << 10
)

// Published is the status of an object as a server published it.
type Published struct {
	// Version is of this format.
	Version int `json:"version"`
	// UID is the custom resource's: a copy of the resource is another, which this
	// isn't about.
	UID types.UID `json:"uid"`
	// ObservedGeneration is the generation that was observed.
	ObservedGeneration int64  `json:"observedGeneration"`
	Phase              string `json:"phase"`
	// Replicas is how many instances there are.
	Replicas int32 `json:"replicas"`
	// ReadyReplicas is how many of them are ready.
	ReadyReplicas int32 `json:"readyReplicas"`
	// Selector selects the instances' pods.
	Selector string `json:"selector,omitempty"`
	// Package is what instances got, nil for an object without a package URL.
	Package *PublishedPackage `json:"package,omitempty"`
	// Conditions are all of conditionTypes, in their order.
	Conditions []metav1.Condition `json:"conditions"`
}

var (
	// ErrNone is returned when a resource has no published status that is about it.
	ErrNone = errors.New("no status is published")
	// ErrNewer is returned when the published status is of a later version than
	// this server knows. It has to be left alone: a server of that version would
	// write it again.
	ErrNewer = errors.New("the published status is of a later version")
)

// Decode returns the status that was published of a resource. Besides ErrNone and
// ErrNewer, an error means a text that no server wrote, which may be replaced.
func Decode(meta *metav1.ObjectMeta) (*Published, error) {
	text, ok := meta.Annotations[Annotation]
	if !ok {
		return nil, ErrNone
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("could not read the published status: it has more than %d bytes", maxSize)
	}
	// Of another version, nothing else can be counted on.
	var format struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal([]byte(text), &format); err != nil {
		return nil, fmt.Errorf("could not read the published status: %w", err)
	}
	if format.Version > version {
		return nil, fmt.Errorf("%w: %d, this server knows %d", ErrNewer, format.Version, version)
	}
	published := &Published{}
	if err := json.Unmarshal([]byte(text), published); err != nil {
		return nil, fmt.Errorf("could not read the published status: %w", err)
	}
	if published.UID != meta.UID {
		return nil, ErrNone
	}
	published.Conditions = ordered(published.Conditions)
	return published, nil
}

// Encode returns the text of the annotation. Equal statuses have equal texts.
func (p *Published) Encode() (string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("could not encode the status: %w", err)
	}
	return string(data), nil
}

// Condition returns the condition of a type, nil if there is none.
func (p *Published) Condition(conditionType string) *metav1.Condition {
	if p == nil {
		return nil
	}
	for i := range p.Conditions {
		if p.Conditions[i].Type == conditionType {
			return &p.Conditions[i]
		}
	}
	return nil
}

// Is tells whether the condition of a type is True.
func (p *Published) Is(conditionType string) bool {
	condition := p.Condition(conditionType)
	return condition != nil && condition.Status == metav1.ConditionTrue
}

// ordered keeps one condition of each known type: whoever may write the resource
// may write the annotation, too.
func ordered(conditions []metav1.Condition) []metav1.Condition {
	var kept []metav1.Condition
	for _, conditionType := range conditionTypes {
		for _, condition := range conditions {
			if condition.Type == conditionType {
				kept = append(kept, condition)
				break
			}
		}
	}
	return kept
}
