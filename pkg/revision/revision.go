// Package revision says what a revision of a function, source or sink is: the code and
// the configuration that it had at some time.
//
// Revisions are kept as ControllerRevisions, which belong to the custom resource, as
// those of StatefulSets and DaemonSets do. Whoever may write ControllerRevisions in a
// namespace could put one of his own among them, for somebody with more rights to roll
// back to. So the custom resource itself says in an annotation which revisions it has had,
// by the hash of their content, and nothing else is one. Who may write that can run
// anything there anyway.
package revision

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	kjson "sigs.k8s.io/json"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Content is what a revision holds.
type Content struct {
	// Version is the group and version of the view, and Component its kind.
	Version   string `json:"version"`
	Component string `json:"component"`
	// Spec is that of the object, without what stays as it is in a rollback.
	Spec json.RawMessage `json:"spec"`
}

// Of returns the content of a revision of a component as it is now. Components that
// differ only in what stays have the same.
func Of(component v1alpha1.Component) ([]byte, error) {
	bare := component.DeepCopyObject().(v1alpha1.Component)
	keep(bare.Common(), &v1alpha1.ComponentSpec{})
	data, err := json.Marshal(bare)
	if err != nil {
		return nil, fmt.Errorf("could not encode a component: %w", err)
	}
	content := Content{Version: v1alpha1.SchemeGroupVersion.String(), Component: component.ComponentKind().Kind}
	var members struct{ Spec json.RawMessage }
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("could not read a component: %w", err)
	}
	content.Spec = members.Spec
	if data, err = json.Marshal(content); err == nil {
		data, err = sorted(data)
	}
	if err != nil {
		return nil, fmt.Errorf("could not encode a revision: %w", err)
	}
	return data, nil
}

// sorted returns JSON with the members of all objects in the order in which kube-apiserver
// writes them. In another order it would find the content changed by every patch of the
// ControllerRevision, and refuse that, to the garbage collector as well.
func sorted(data []byte) ([]byte, error) {
	var value any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// Restore gives a component the content of one of its revisions. What stays, its metadata
// and its status among it, is as before. An error says why the content can't be used.
func Restore(component v1alpha1.Component, data []byte) error {
	content, err := Read(data)
	if err != nil {
		return err
	}
	if kind := component.ComponentKind().Kind; content.Version != v1alpha1.SchemeGroupVersion.String() || content.Component != kind {
		return fmt.Errorf("it is of kind %s in %s, not %s in %s", content.Component, content.Version, kind, v1alpha1.SchemeGroupVersion)
	}
	object, err := json.Marshal(struct {
		Spec json.RawMessage `json:"spec"`
	}{content.Spec})
	if err != nil {
		return fmt.Errorf("could not encode a spec: %w", err)
	}
	restored := reflect.New(reflect.TypeOf(component).Elem()).Interface().(v1alpha1.Component)
	strict, err := kjson.UnmarshalStrict(object, restored)
	if err = errors.Join(append(strict, err)...); err != nil {
		return fmt.Errorf("it was written by another version of this server: %w", err)
	}
	keep(restored.Common(), component.Common())
	setSpec(component, restored)
	return nil
}

// Read reads the content of a revision.
func Read(data []byte) (*Content, error) {
	content := &Content{}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(content); err != nil {
		return nil, fmt.Errorf("could not read a revision: %w", err)
	}
	return content, nil
}

// Package returns where the code of a revision is, or "".
func (c *Content) Package() string {
	var spec struct{ Package v1alpha1.Package }
	if err := json.Unmarshal(c.Spec, &spec); err != nil {
		return ""
	}
	return spec.Package.Location
}

// Hash returns the hash of a revision's content.
func Hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// keep gives a spec what isn't a part of revisions, and stays as it is now in a rollback:
// how many instances run, which is often decided for another reason and by somebody
// else, and the credential, since a former one may have been taken away for good.
func keep(spec, now *v1alpha1.ComponentSpec) {
	spec.Parallelism, spec.Suspend = now.Parallelism, now.Suspend
	spec.MinReplicas, spec.MaxReplicas = now.MinReplicas, now.MaxReplicas
	spec.Auth = now.Auth.DeepCopy()
	spec.Change = nil
	var autoscaling *v1alpha1.HorizontalPodAutoscaling
	if now.Pod != nil {
		autoscaling = now.Pod.HPA.DeepCopy()
	}
	if spec.Pod == nil && autoscaling != nil {
		spec.Pod = &v1alpha1.Pod{}
	}
	if spec.Pod == nil {
		return
	}
	spec.Pod.HPA = autoscaling
	if reflect.ValueOf(*spec.Pod).IsZero() {
		spec.Pod = nil
	}
}

// setSpec gives a component the spec of another of its kind. No interface can name the
// specs, which are of a type for each kind.
func setSpec(to, from v1alpha1.Component) {
	reflect.ValueOf(to).Elem().FieldByName("Spec").Set(reflect.ValueOf(from).Elem().FieldByName("Spec"))
}
