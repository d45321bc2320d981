package credentials

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

const (
	// Name is the loop's.
	Name = "credential-rotation"

	// minHashKey is how many bytes a key for hashes must have.
	minHashKey = 32
	maxHashKey = 4 << 10
)

// LoadHashKey reads a key for hashes. It must be the same in all servers, and stay: with
// another one every credential would seem to have changed.
func LoadHashKey(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("could not read the key for hashes: %w", err)
	}
	if info.Size() < minHashKey || info.Size() > maxHashKey {
		return nil, fmt.Errorf("could not use the key for hashes: it must have %d to %d bytes", minHashKey, maxHashKey)
	}
	key, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("could not read the key for hashes: %w", err)
	}
	return key, nil
}

// Rotation has pods replaced whose credential was changed in its Secret: they read it
// when they start.
type Rotation struct {
	informers *component.Informers
	writer    *work.Writer
	reader    *Reader
}

// NewRotation returns the loop. reader needs a key for hashes.
func NewRotation(informers *component.Informers, writer *work.Writer, reader *Reader) *Rotation {
	return &Rotation{informers: informers, writer: writer, reader: reader}
}

// Reconcile notes the hash of a credential that it sees for the first time, and replaces
// the pods when the hash becomes another.
func (r *Rotation) Reconcile(ctx context.Context, key work.Key) (time.Duration, error) {
	object := r.informers.Get(key)
	if object == nil || object.Broken || object.Owned || object.Unmanaged || object.DeletionTimestamp != nil || object.Credential == nil {
		return 0, nil
	}
	found := r.reader.look(ctx, object.Namespace, *object.Credential)
	if found.hash == "" || found.credential.Invalid != "" {
		// Pods that run with what was there are better off than new ones.
		return Again, nil
	}
	patch := patchFor(object.Annotations[translation.CredentialHashAnnotation], object.Credential.Secret, found.hash)
	if patch == nil {
		return Again, nil
	}
	wait, err := r.writer.Patch(ctx, Name, key, &object.ObjectMeta, *patch)
	if err != nil || wait > 0 {
		return wait, err
	}
	return Again, nil
}

// patchFor returns what to write of a credential, nil for nothing. noted is the Secret
// and the hash that were noted. Another Secret is a change of the spec, which replaces
// the pods anyway.
func patchFor(noted, secret, hash string) *work.Patch {
	note := secret + ":" + hash
	if noted == note {
		return nil
	}
	patch := &work.Patch{Annotations: map[string]any{translation.CredentialHashAnnotation: note}}
	if strings.HasPrefix(noted, secret+":") {
		patch.Spec = map[string]any{"pod": map[string]any{"annotations": map[string]any{translation.CredentialHashAnnotation: hash}}}
	}
	return patch
}
