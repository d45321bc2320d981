// Package trust gives functions, sources and sinks the certificates by which they verify
// their brokers: each has a Secret of its own, which a custom resource can name and the
// operator mounts. It exists as a loop and not in the request that makes an object, since
// certificates change while objects don't, and what owns the Secret has to be there first.
package trust

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

const (
	// Name is the loop's.
	Name = "trust-certificates"

	// again is after what time a Secret is looked at again: nothing tells of a change of
	// the file, and Secrets aren't watched.
	again = 5 * time.Minute
	// jitter keeps what was looked at at once from being looked at at once again.
	jitter = 0.2
	// maxKept is how many Secrets are remembered to have their certificates.
	maxKept = 16 << 10
	// maxFile bounds a file with certificates, in bytes.
	maxFile = 512 << 10
)

// Keeper keeps the Secrets.
type Keeper struct {
	informers *component.Informers
	client    kubernetes.Interface
	files     map[string]string
	// kept has the digest of the certificates that the Secret of an object had lately, by
	// the object's UID: objects change far more often.
	kept *cache.LRUExpireCache
}

// New returns the loop. files are those with certificates, by the Pulsar cluster.
func New(informers *component.Informers, client kubernetes.Interface, files map[string]string) *Keeper {
	return &Keeper{informers: informers, client: client, files: files, kept: cache.NewLRUExpireCache(maxKept)}
}

// Check returns an error unless all files have certificates.
func Check(files map[string]string) error {
	for _, file := range files {
		if _, err := load(file); err != nil {
			return err
		}
	}
	return nil
}

// Reconcile makes the Secret of an object, and writes it anew when the certificates are
// others.
func (k *Keeper) Reconcile(ctx context.Context, key work.Key) (time.Duration, error) {
	object := k.informers.Get(key)
	if object == nil || object.Broken || object.DeletionTimestamp != nil || object.TrustOf == "" || k.files[object.TrustOf] == "" {
		return 0, nil
	}
	certificates, err := load(k.files[object.TrustOf])
	if err != nil {
		return 0, err
	}
	digest := sha256.Sum256(certificates)
	if kept, ok := k.kept.Get(object.UID); ok && kept == digest {
		return wait.Jitter(again, jitter), nil
	}
	secrets := k.client.CoreV1().Secrets(object.Namespace)
	wanted := secretFor(object, certificates)
	found, err := secrets.Get(ctx, wanted.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = secrets.Create(ctx, wanted, metav1.CreateOptions{})
	case err != nil:
	case len(found.OwnerReferences) != 1 || found.OwnerReferences[0].UID != object.UID:
		// That of a former object of this name goes in a moment.
		return 0, fmt.Errorf("could not keep certificates: Secret %s/%s is not the object's own", object.Namespace, wanted.Name)
	case !bytes.Equal(found.Data[translation.TrustKey], certificates):
		found.Data = wanted.Data
		_, err = secrets.Update(ctx, found, metav1.UpdateOptions{})
	}
	if apierrors.IsForbidden(err) {
		// The status says what is missing. A RoleBinding can come at any time.
		klog.FromContext(ctx).Error(err, "Could not keep certificates", "namespace", object.Namespace, "name", object.Name)
		return wait.Jitter(again, jitter), nil
	}
	if err != nil {
		return 0, fmt.Errorf("could not keep certificates: %w", err)
	}
	k.kept.Add(object.UID, digest, again)
	return wait.Jitter(again, jitter), nil
}

// secretFor returns the Secret of an object. It belongs to the custom resource: what views
// own is nobody's to collect.
func secretFor(object *component.Component, certificates []byte) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:      translation.TrustSecretName(object.Kind.ComponentKind, object.Name),
			Namespace: object.Namespace,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: computev1alpha1.SchemeGroupVersion.String(), Kind: object.Kind.CRKind, Name: object.Name, UID: object.UID,
			}},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{translation.TrustKey: certificates},
	}
}

// load reads certificates. What has none is an error: instances that trust nobody are
// worse off than those with what there was.
func load(file string) ([]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("could not read certificates: %w", err)
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("could not read certificates: %w", err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("could not use the certificates in %s: they have more than %d bytes", file, maxFile)
	}
	if _, err := cert.ParseCertsPEM(content); err != nil {
		return nil, fmt.Errorf("could not use the certificates in %s: %w", file, err)
	}
	return content, nil
}
