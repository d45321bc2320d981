// Package pulsarconnector serves the catalogue of built-in connectors and functions
// as cluster-scoped objects that can only be read.
//
// It implements the interfaces of k8s.io/apiserver by itself, since there is neither
// etcd nor a custom resource behind it: the catalogue is a file that each replica
// reads. Lists, pages and watches behave as those of any other kind all the same, so
// that informers work.
package pulsarconnector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// retryAfterSeconds is what a caller is told to wait who has seen a later state.
const retryAfterSeconds = 1

// REST serves pulsarconnectors.
type REST struct {
	tableConvertor
	catalogue *connectors.Catalogue
}

var (
	_ rest.Storage              = (*REST)(nil)
	_ rest.Scoper               = (*REST)(nil)
	_ rest.SingularNameProvider = (*REST)(nil)
	_ rest.ShortNamesProvider   = (*REST)(nil)
	_ rest.CategoriesProvider   = (*REST)(nil)
	_ rest.Getter               = (*REST)(nil)
	_ rest.Lister               = (*REST)(nil)
	_ rest.Watcher              = (*REST)(nil)
)

// NewREST returns the storage of pulsarconnectors.
func NewREST(catalogue *connectors.Catalogue) *REST { return &REST{catalogue: catalogue} }

// New implements rest.Storage.
func (r *REST) New() runtime.Object { return &v1alpha1.PulsarConnector{} }

// NewList implements rest.Lister.
func (r *REST) NewList() runtime.Object { return &v1alpha1.PulsarConnectorList{} }

// Destroy implements rest.Storage. The catalogue belongs to others.
func (r *REST) Destroy() {}

// NamespaceScoped implements rest.Scoper.
func (r *REST) NamespaceScoped() bool { return false }

// GetSingularName implements rest.SingularNameProvider.
func (r *REST) GetSingularName() string { return "pulsarconnector" }

// ShortNames implements rest.ShortNamesProvider.
func (r *REST) ShortNames() []string { return []string{"pcon"} }

// Categories implements rest.CategoriesProvider.
func (r *REST) Categories() []string { return []string{"pulsar"} }

// Get implements rest.Getter.
func (r *REST) Get(_ context.Context, name string, options *metav1.GetOptions) (runtime.Object, error) {
	if options != nil {
		if _, err := r.notOlderThan(options.ResourceVersion); err != nil {
			return nil, err
		}
	}
	for _, entry := range r.catalogue.Current().Entries {
		if entry.ObjectName == name {
			return objectOf(entry), nil
		}
	}
	return nil, apierrors.NewNotFound(v1alpha1.Resource("pulsarconnectors"), name)
}

// List implements rest.Lister.
func (r *REST) List(_ context.Context, options *metainternalversion.ListOptions) (runtime.Object, error) {
	if options == nil {
		options = &metainternalversion.ListOptions{}
	}
	state, from, err := r.stateFor(options)
	if err != nil {
		return nil, err
	}
	list := &v1alpha1.PulsarConnectorList{Items: []v1alpha1.PulsarConnector{}}
	list.ResourceVersion = versionText(state.Version)
	var remaining int64
	for _, entry := range state.Entries {
		if entry.ObjectName < from || !selected(options, entry) {
			continue
		}
		if options.Limit > 0 && int64(len(list.Items)) == options.Limit {
			remaining++
			continue
		}
		list.Items = append(list.Items, *objectOf(entry))
	}
	if remaining > 0 {
		// The next page begins with what comes directly after the last name.
		next := "/" + list.Items[len(list.Items)-1].Name + "\x00"
		if list.Continue, err = storage.EncodeContinue(next, "/", int64(state.Version)); err != nil {
			return nil, apierrors.NewInternalError(fmt.Errorf("could not make a continue token: %w", err))
		}
		if selectsAll(options) {
			list.RemainingItemCount = &remaining
		}
	}
	return list, nil
}

// stateFor returns the state that a list is to be of, and the name that it begins
// with.
func (r *REST) stateFor(options *metainternalversion.ListOptions) (*connectors.Snapshot, string, error) {
	if options.Continue != "" {
		if options.ResourceVersion != "" && options.ResourceVersion != "0" {
			return nil, "", apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		}
		from, version, err := storage.DecodeContinue(options.Continue, "")
		if err != nil {
			return nil, "", apierrors.NewBadRequest(fmt.Sprintf("invalid continue token: %v", err))
		}
		state := r.catalogue.At(uint64(version))
		if state == nil {
			return nil, "", apierrors.NewResourceExpired("the connectors have changed since the first page; list again without continue")
		}
		return state, from, nil
	}
	// As everywhere in Kubernetes, a version beside a limit means exactly that version.
	exactly := options.ResourceVersionMatch == metav1.ResourceVersionMatchExact ||
		options.ResourceVersionMatch == "" && options.Limit > 0 && options.ResourceVersion != "0"
	if !exactly || options.ResourceVersion == "" {
		state, err := r.notOlderThan(options.ResourceVersion)
		return state, "", err
	}
	version, err := parseVersion(options.ResourceVersion)
	if err != nil {
		return nil, "", err
	}
	state := r.catalogue.At(version)
	if state == nil {
		return nil, "", r.unknownVersion(version)
	}
	return state, "", nil
}

// notOlderThan returns the present state, if it isn't older than a version, which can
// be empty.
func (r *REST) notOlderThan(resourceVersion string) (*connectors.Snapshot, error) {
	version, err := parseVersion(resourceVersion)
	if err != nil {
		return nil, err
	}
	if resourceVersion == "" {
		// Whoever asks for the latest gets what the file says now, in each replica. Of a
		// file that can't be read it is what it said before.
		_ = r.catalogue.Reload()
	}
	current := r.catalogue.Current()
	if version > current.Version && r.catalogue.At(version) == nil {
		return nil, r.unknownVersion(version)
	}
	return current, nil
}

// unknownVersion is the answer to who asks for a state that isn't known: a later one
// is another replica's, and will come.
func (r *REST) unknownVersion(version uint64) error {
	if current := r.catalogue.Current().Version; version > current {
		return storage.NewTooLargeResourceVersionError(version, current, retryAfterSeconds)
	}
	return expired(version)
}

func expired(version uint64) *apierrors.StatusError {
	return apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d", version))
}

// parseVersion reads a resource version. Without one it is 0.
func parseVersion(resourceVersion string) (uint64, error) {
	if resourceVersion == "" {
		return 0, nil
	}
	version, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("invalid resource version %q", resourceVersion))
	}
	return version, nil
}

func versionText(version uint64) string { return strconv.FormatUint(version, 10) }

// selected says whether a list or watch includes an entry. Connectors have no labels.
func selected(options *metainternalversion.ListOptions, entry *connectors.Entry) bool {
	return (options.LabelSelector == nil || options.LabelSelector.Matches(labels.Set{})) &&
		(options.FieldSelector == nil || options.FieldSelector.Matches(fields.Set{"metadata.name": entry.ObjectName}))
}

func selectsAll(options *metainternalversion.ListOptions) bool {
	return (options.LabelSelector == nil || options.LabelSelector.Empty()) &&
		(options.FieldSelector == nil || options.FieldSelector.Empty())
}

// objectOf returns the object that stands for an entry.
func objectOf(entry *connectors.Entry) *v1alpha1.PulsarConnector {
	return &v1alpha1.PulsarConnector{
		ObjectMeta: metav1.ObjectMeta{
			Name:            entry.ObjectName,
			UID:             uidOf(entry.ObjectName),
			ResourceVersion: versionText(entry.Version),
		},
		Spec: *entry.Spec.DeepCopy(),
	}
}

// uidOf returns the UID of an object, which is the same in every replica: of a UUID's
// version 8, made from the name.
func uidOf(name string) types.UID {
	sum := sha256.Sum256([]byte("pulsarconnectors." + v1alpha1.GroupName + "/" + name))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	digits := hex.EncodeToString(sum[:16])
	return types.UID(digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:])
}
