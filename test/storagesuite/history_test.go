package storagesuite

import (
	"context"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/apis/example"
	"k8s.io/apiserver/pkg/storage"
)

// compactKey is where API servers tell each other what they compacted.
const compactKey = "compact_rev_key"

// increaseVersion lets the global resource version grow by one.
func increaseVersion(ctx context.Context, t *testing.T) int64 {
	t.Helper()
	reply, err := etcd.Put(ctx, "increaseRV", "")
	if err != nil {
		t.Fatal(err)
	}
	return reply.Header.Revision
}

// compactEtcd compacts etcd's history as an API server does, with one write.
func compactEtcd(ctx context.Context, t *testing.T, version int64) {
	t.Helper()
	if _, err := etcd.Put(ctx, compactKey, strconv.FormatInt(version, 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.Compact(ctx, version); err != nil {
		t.Fatal(err)
	}
}

// compact compacts etcd's history before version, and returns when kube-apiserver
// has forgotten it, too.
func (s *suiteStorage) compact(ctx context.Context, t *testing.T, resourceVersion string) {
	t.Helper()
	version := parseVersion(t, resourceVersion)
	compactEtcd(ctx, t, version)
	eventually(t, "kube-apiserver to forget what was compacted", func() bool {
		err := s.GetList(ctx, keyPrefix, storage.ListOptions{
			ResourceVersion:      strconv.FormatInt(version-1, 10),
			ResourceVersionMatch: metav1.ResourceVersionMatchExact,
			Predicate:            storage.Everything,
			Recursive:            true,
		}, &example.PodList{})
		return apierrors.IsResourceExpired(err)
	})
}

// forget compacts etcd's history before version, and makes kube-apiserver forget
// even the events that it keeps for watches, by a restart.
func (s *suiteStorage) forget(ctx context.Context, t *testing.T, resourceVersion string) {
	t.Helper()
	compactEtcd(ctx, t, parseVersion(t, resourceVersion))
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := plane.RestartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the resource to be served again", func() bool {
		_, err := s.GetCurrentResourceVersion(ctx)
		return err == nil
	})
	settle(ctx, t)
}

// settle returns when nobody has written for a second. After its start, and when a
// definition is new, kube-apiserver writes objects of its own.
func settle(ctx context.Context, t *testing.T) {
	t.Helper()
	revision := func() int64 {
		reply, err := etcd.Get(ctx, compactKey)
		if err != nil {
			t.Fatal(err)
		}
		return reply.Header.Revision
	}
	eventually(t, "etcd to be quiet", func() bool {
		before := revision()
		time.Sleep(time.Second)
		return revision() == before
	})
}

func parseVersion(t *testing.T, resourceVersion string) int64 {
	t.Helper()
	version, err := strconv.ParseInt(resourceVersion, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// validateKey checks that an object is where its key says.
func (s *suiteStorage) validateKey(ctx context.Context, t *testing.T, key string) {
	t.Helper()
	namespace, name := path.Split(strings.TrimPrefix(s.objectKey(key), keyPrefix))
	client := adminClient(t).Resource(namespacedPods.resource).Namespace(strings.Trim(namespace, "/"))
	if _, err := client.Get(ctx, name, metav1.GetOptions{}); err != nil {
		t.Errorf("the custom resource of %s: %v", key, err)
	}
}
