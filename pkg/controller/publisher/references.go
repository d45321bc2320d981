package publisher

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/metadata"

	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

const (
	// ReferencesRole is the ClusterRole that lets this server look for Secrets and
	// ConfigMaps in a namespace where it is bound.
	ReferencesRole = "functionmesh-apiserver-references"

	// How long answers count. What is missing is looked for again after a bit more.
	foundFor     = time.Minute
	missingFor   = 25 * time.Second
	uncheckedFor = time.Minute

	missingAgain   = 30 * time.Second
	uncheckedAgain = 2 * time.Minute

	// maxReferences bounds how many objects are looked for on behalf of one.
	maxReferences = 64
	maxAnswers    = 16 << 10
)

// References tells whether Secrets and ConfigMaps exist. It asks for their metadata
// one by one, so that it never sees a content, and needs the right to get and no
// right to list. Where it hasn't even that, it says so.
type References struct {
	client  metadata.Interface
	answers *cache.LRUExpireCache
}

// NewReferences returns what looks through client.
func NewReferences(client metadata.Interface) *References {
	return &References{client: client, answers: cache.NewLRUExpireCache(maxAnswers)}
}

type answer int

const (
	found answer = iota
	missing
	forbidden
	unknown
)

// Check returns which references lead nowhere, why that isn't known of all of them
// (empty if it is), and when to look again, zero for never.
func (r *References) Check(ctx context.Context, namespace string, references []status.Reference) (missingOnes []status.Reference, unchecked string, again time.Duration) {
	if len(references) > maxReferences {
		unchecked = fmt.Sprintf("Only %d of %d references were checked.", maxReferences, len(references))
		references = references[:maxReferences]
	}
	for _, reference := range references {
		switch r.look(ctx, namespace, reference) {
		case missing:
			missingOnes = append(missingOnes, reference)
			again = missingAgain
		case forbidden:
			unchecked = fmt.Sprintf("Whether what the object refers to is there can't be checked: ClusterRole %s is not bound in this namespace.", ReferencesRole)
		case unknown:
			unchecked = "Whether what the object refers to is there could not be checked."
		case found:
		}
	}
	if unchecked != "" && again == 0 {
		again = uncheckedAgain
	}
	return missingOnes, unchecked, again
}

func (r *References) look(ctx context.Context, namespace string, reference status.Reference) answer {
	resource := "secrets"
	if reference.Kind == status.ConfigMapKind {
		resource = "configmaps"
	}
	// A refusal is about all objects of a kind in a namespace.
	type key struct{ namespace, resource, name string }
	for _, known := range []key{{namespace, resource, ""}, {namespace, resource, reference.Name}} {
		if known, ok := r.answers.Get(known); ok {
			return known.(answer)
		}
	}
	_, err := r.client.Resource(corev1.SchemeGroupVersion.WithResource(resource)).Namespace(namespace).
		Get(ctx, reference.Name, metav1.GetOptions{})
	switch {
	case err == nil:
		r.answers.Add(key{namespace, resource, reference.Name}, found, foundFor)
		return found
	case apierrors.IsNotFound(err):
		r.answers.Add(key{namespace, resource, reference.Name}, missing, missingFor)
		return missing
	case apierrors.IsForbidden(err):
		r.answers.Add(key{namespace, resource, ""}, forbidden, uncheckedFor)
		return forbidden
	}
	return unknown
}
