package storagesuite

import (
	"errors"
	"maps"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/apis/example"

	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
)

const (
	// nodeNameField is the field that suites select pods by.
	nodeNameField = "spec.nodeName"
	// nodeNameLabel has that field's value on every custom resource, so that the
	// backend can select by it.
	nodeNameLabel = suiteGroup + "/node-name"
)

// podResource is a custom resource that holds a pod of the suites.
type podResource struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec podResourceSpec `json:"spec"`
}

// podResourceSpec has the whole pod. The suites say what UID, name and generation a
// pod has, and change them at will; a custom resource's metadata can't follow.
type podResourceSpec struct {
	Pod *example.Pod `json:"pod"`
}

// podTranslator is the seam for the pods of the suites.
type podTranslator struct {
	// failing makes every custom resource one that can't be projected.
	failing atomic.Bool
}

var _ crstorage.Translator[podResource, *example.Pod] = (*podTranslator)(nil)

func (*podTranslator) ToCR(pod *example.Pod) (*podResource, error) {
	pod = pod.DeepCopy()
	cr := &podResource{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{nodeNameLabel: pod.Spec.NodeName}}}
	maps.Copy(cr.Labels, pod.Labels)
	// What every storage leaves out.
	pod.SetResourceVersion("")
	pod.SetSelfLink("")
	cr.Spec.Pod = pod
	return cr, nil
}

func (*podTranslator) Complete(*podResource) {}

func (p *podTranslator) FromCR(cr *podResource) (*example.Pod, error) {
	if p.failing.Load() {
		return nil, errors.New("the test wants it so")
	}
	if cr.Spec.Pod == nil {
		return nil, errors.New("it holds no pod")
	}
	pod := cr.Spec.Pod.DeepCopy()
	pod.ResourceVersion = cr.ResourceVersion
	return pod, nil
}

func (*podTranslator) Untranslatable(meta metav1.ObjectMeta, _ error) *example.Pod {
	return &example.Pod{ObjectMeta: meta}
}

func (*podTranslator) MetaToCR(pod *example.Pod) (metav1.ObjectMeta, error) {
	return pod.ObjectMeta, nil
}

func (*podTranslator) Containers() []delta.Container { return nil }
func (*podTranslator) ViewPath(path string) string   { return path }

// SelectorToCR lets pods be selected by the label that stands for their node's name.
func (*podTranslator) SelectorToCR(selector labels.Selector) labels.Selector {
	requirements, selectable := selector.Requirements()
	if !selectable {
		return selector
	}
	translated := labels.NewSelector()
	for _, requirement := range requirements {
		if requirement.Key() == nodeNameField {
			renamed, err := labels.NewRequirement(nodeNameLabel, requirement.Operator(), requirement.Values().List())
			if err != nil {
				return labels.Nothing()
			}
			requirement = *renamed
		}
		translated = translated.Add(requirement)
	}
	return translated
}
