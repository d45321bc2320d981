// Package pinning gives packages names that always mean the same content: it stores what
// a tag means just now once more, under its digest.
//
// It exists because a tag, such as latest, can mean one content today and another one
// tomorrow, and every pod that starts fetches what it means then. With the digest in its
// location a component runs what it was created with, and it is known what that is.
package pinning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
)

const (
	// MaxBytes bounds a package, and maxAtOnce how many are copied at once: together they
	// bound what they fill of the disk.
	MaxBytes  = 512 << 20
	maxAtOnce = 4
	// copyTimeout bounds the copying of one package.
	copyTimeout = 30 * time.Second
	// slotTimeout is how long a package waits for others to be copied.
	slotTimeout = 5 * time.Second
	// settledAfter is when a package is taken for all there, of which nobody says what it
	// is to become, and pause how far apart a younger one is read twice.
	settledAfter = time.Minute
	pause        = 2 * time.Second

	// Which digest a tag had is kept as long as its package isn't stored anew.
	maxKnown = 4096
	keptFor  = 24 * time.Hour
)

// ErrUnknownCluster says that the server has no account at a Pulsar cluster.
var ErrUnknownCluster = errors.New("this server has no account at the Pulsar cluster")

// ErrChanged says that a package was stored anew meanwhile, or that not all of it is there.
var ErrChanged = errors.New("the package is being replaced, or not all of it is there")

// ErrBusy says that too many packages are being copied.
var ErrBusy = errors.New("too many packages are being pinned")

// ErrTooSlow says that copying a package took longer than it may.
var ErrTooSlow = fmt.Errorf("copying the package takes longer than %s", copyTimeout)

// Pinner pins packages with the server's own account. It can be used concurrently.
type Pinner struct {
	services map[string]*packageservice.Client
	// installation returns whose packages these are, among those that share a Pulsar.
	installation func() string
	maxBytes     int64
	slots        *slots.Slots
	pause        time.Duration
	// known has the pinned names of tags.
	known *cache.LRUExpireCache
	calls singleflight.Group
}

// New returns a pinner for the package services of clusters, by the cluster's name.
// installation returns the identity of this installation, once it is known.
func New(services map[string]*packageservice.Client, installation func() string, maxBytes int64) *Pinner {
	return &Pinner{
		services: services, installation: installation, maxBytes: maxBytes, slots: slots.New(maxAtOnce), pause: pause,
		known: cache.NewLRUExpireCache(maxKnown),
	}
}

// Subject is a package that is to be pinned, and the component that it is pinned for.
type Subject struct {
	// Cluster is the name of the Pulsar cluster.
	Cluster string
	Package identity.PackageURL
	// Title is what kind of component it is, in a word.
	Title string
	Of    identity.Name
	// Place is the Kubernetes namespace that the component is in.
	Place string
}

// Pin returns the name of the package's content, and makes sure that it is stored under
// that. One that is a digest already is returned as it is. Errors are ErrUnknownCluster,
// ErrChanged, ErrBusy, ErrTooSlow, packageservice's and those of the network.
func (p *Pinner) Pin(ctx context.Context, subject Subject) (identity.PackageURL, error) {
	name := subject.Package
	if packageservice.DigestOf(name.Version) != "" {
		return name, nil
	}
	service, ok := p.services[subject.Cluster]
	if !ok {
		return name, ErrUnknownCluster
	}
	// The copy is for all who want it meanwhile, so it mustn't depend on whether this one
	// stays.
	done := p.calls.DoChan(subject.Cluster+" "+name.String(), func() (any, error) {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), copyTimeout)
		defer cancel()
		pinned, err := p.pin(bounded, service, subject)
		if err != nil && bounded.Err() != nil {
			err = ErrTooSlow
		}
		return pinned, err
	})
	select {
	case result := <-done:
		pinned, _ := result.Val.(identity.PackageURL)
		return pinned, result.Err
	case <-ctx.Done():
		return name, fmt.Errorf("could not wait for a package to be pinned: %w", ctx.Err())
	}
}

// tag is a tag with a content.
type tag struct {
	cluster string
	name    identity.PackageURL
	stored  int64
}

// enter takes a slot for a place, or waits for one a little.
func (p *Pinner) enter(ctx context.Context, place string) bool {
	ctx, cancel := context.WithTimeout(ctx, slotTimeout)
	defer cancel()
	return p.slots.Wait(ctx, place)
}

func (p *Pinner) pin(ctx context.Context, service *packageservice.Client, subject Subject) (identity.PackageURL, error) {
	name := subject.Package
	metadata, err := service.Metadata(ctx, "", name)
	if err != nil {
		return name, err
	}
	key := tag{subject.Cluster, name, metadata.ModificationTime}
	if known, ok := p.known.Get(key); ok {
		pinned := known.(identity.PackageURL)
		// It may be about to be removed, as one that nothing names.
		if there, err := service.Claim(ctx, "", pinned, p.keeper()); err != nil || there {
			return pinned, err
		}
	}
	if !p.enter(ctx, subject.Place) {
		return name, ErrBusy
	}
	defer p.slots.Leave(subject.Place)
	pinned, err := p.copy(ctx, service, subject, metadata.ModificationTime)
	if err != nil {
		return name, err
	}
	klog.FromContext(ctx).Info("Pinned a package", "package", name.String(), "as", pinned.String())
	p.known.Add(key, pinned, keptFor)
	return pinned, nil
}

func (p *Pinner) keeper() packageservice.Keeper {
	return packageservice.Keeper{Manager: packageservice.Manager, Installation: p.installation()}
}

// copy stores a package under its digest. stored is when it was, in milliseconds since
// 1970.
func (p *Pinner) copy(ctx context.Context, service *packageservice.Client, subject Subject, stored int64) (identity.PackageURL, error) {
	content, err := service.Open(ctx, "", subject.Package)
	if err != nil {
		return subject.Package, err
	}
	defer content.Close()
	spooled, err := packageservice.Spool(content, p.maxBytes)
	if err != nil {
		return subject.Package, err
	}
	defer spooled.Close()
	after, err := service.Metadata(ctx, "", subject.Package)
	switch {
	case err != nil:
		return subject.Package, err
	case after.ModificationTime != stored:
		return subject.Package, ErrChanged
	}
	if err := p.checkWhole(ctx, service, subject.Package, *after, spooled.Digest); err != nil {
		return subject.Package, err
	}
	pinned := subject.Package
	pinned.Version = packageservice.VersionOf(spooled.Digest)
	return pinned, service.Store(ctx, "", packageservice.Package{
		Name:     pinned,
		Keeper:   p.keeper(),
		Metadata: packageservice.Describe(subject.Title+" "+subject.Of.String(), subject.Of, spooled.Digest, spooled.Size),
		Content:  spooled,
		Size:     spooled.Size,
		Owned:    packageservice.Managed,
	})
}

// checkWhole returns ErrChanged unless the content with a digest is all of a package.
// Pulsar gives what has arrived of an upload that goes on, or broke off.
func (p *Pinner) checkWhole(ctx context.Context, service *packageservice.Client, name identity.PackageURL, metadata packageservice.Metadata, digest string) error {
	switch meant := packageservice.DigestIn(metadata); {
	case meant == digest:
		return nil
	case meant != "":
		return ErrChanged
	case time.Since(time.UnixMilli(metadata.ModificationTime)) > settledAfter:
		return nil
	}
	select {
	case <-time.After(p.pause):
	case <-ctx.Done():
		return fmt.Errorf("could not wait for a package to be complete: %w", ctx.Err())
	}
	content, err := service.Open(ctx, "", name)
	if err != nil {
		return err
	}
	defer content.Close()
	again := sha256.New()
	if _, err := io.Copy(again, io.LimitReader(content, p.maxBytes+1)); err != nil {
		return fmt.Errorf("could not read a package: %w", err)
	}
	if hex.EncodeToString(again.Sum(nil)) != digest {
		return ErrChanged
	}
	return nil
}
