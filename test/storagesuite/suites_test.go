package storagesuite

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/api/apitesting"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/example"
	examplev1 "k8s.io/apiserver/pkg/apis/example/v1"
	"k8s.io/apiserver/pkg/storage"
	storagetesting "k8s.io/apiserver/pkg/storage/testing"
	"k8s.io/apiserver/pkg/storage/value/encrypt/identity"
)

// Why functions are left out. A custom resource's data is kube-apiserver's, and so
// are encryption, expiry and compaction.
const (
	transforms = "data at rest: it asserts what a transformer of stored bytes does"
	expires    = "TTL: a custom resource has none"
	undecoded  = "unsafe deletion of what can't be decoded: it is refused, since here such an object is shown, and deleted, like any other"
	benchmark  = "a benchmark: it asserts nothing"
)

// suite is one exported function of k8s.io/apiserver/pkg/storage/testing.
type suite struct {
	name string
	// backend is where its pods are stored.
	backend backend
	// run is nil for a function that is left out; reason then says why.
	run    func(context.Context, *testing.T, *suiteStorage)
	reason string
}

// plain adapts the functions that need nothing but a storage.
func plain(run func(context.Context, *testing.T, storage.Interface)) func(context.Context, *testing.T, *suiteStorage) {
	return func(ctx context.Context, t *testing.T, store *suiteStorage) { run(ctx, t, store) }
}

// suites are all functions of the package whose names begin with Run.
var suites = []suite{
	{name: "RunTestCreate", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestCreate(ctx, t, store, store.validateKey)
	}},
	{name: "RunTestCreateWithTTL", reason: expires},
	{name: "RunTestCreateWithKeyExist", backend: namespacedPods, run: plain(storagetesting.RunTestCreateWithKeyExist)},
	{name: "RunTestGet", backend: namespacedPods, run: plain(storagetesting.RunTestGet)},
	{name: "RunTestUnconditionalDelete", backend: namespacedPods, run: plain(storagetesting.RunTestUnconditionalDelete)},
	{name: "RunTestConditionalDelete", backend: namespacedPods, run: plain(storagetesting.RunTestConditionalDelete)},
	{name: "RunTestDeleteWithSuggestion", backend: namespacedPods, run: plain(storagetesting.RunTestDeleteWithSuggestion)},
	{name: "RunTestDeleteWithSuggestionAndConflict", backend: namespacedPods, run: plain(storagetesting.RunTestDeleteWithSuggestionAndConflict)},
	{name: "RunTestDeleteWithConflict", backend: namespacedPods, run: plain(storagetesting.RunTestDeleteWithConflict)},
	{name: "RunTestDeleteWithSuggestionOfDeletedObject", backend: namespacedPods, run: plain(storagetesting.RunTestDeleteWithSuggestionOfDeletedObject)},
	{name: "RunTestValidateDeletionWithSuggestion", backend: namespacedPods, run: plain(storagetesting.RunTestValidateDeletionWithSuggestion)},
	{name: "RunTestValidateDeletionWithOnlySuggestionValid", backend: namespacedPods, run: plain(storagetesting.RunTestValidateDeletionWithOnlySuggestionValid)},
	{name: "RunTestPreconditionalDeleteWithSuggestion", backend: namespacedPods, run: plain(storagetesting.RunTestPreconditionalDeleteWithSuggestion)},
	{name: "RunTestPreconditionalDeleteWithOnlySuggestionPass", backend: namespacedPods, run: plain(storagetesting.RunTestPreconditionalDeleteWithOnlySuggestionPass)},
	{name: "RunTestDeleteWithConflictAndMissingExpectedTransformOrDecodeError", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestDeleteWithConflictAndMissingExpectedTransformOrDecodeError(ctx, t, store, store.translator.failing.Store)
	}},
	{name: "RunTestDeleteExpectedTransformOrDecodeError", reason: undecoded},
	{name: "RunTestDeleteWithSuggestionAndMissingExpectedTransformOrDecodeError", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestDeleteWithSuggestionAndMissingExpectedTransformOrDecodeError(ctx, t, store)
	}},

	{name: "RunTestList", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		// There is a watch cache: kube-apiserver's. What that asks etcd is its own affair.
		recorder := storagetesting.NewKubernetesRecorder(nil)
		storagetesting.RunTestList(ctx, t, store, store.compact, true, recorder)
	}},
	{name: "RunTestListPaging", backend: namespacedPods, run: plain(storagetesting.RunTestListPaging)},
	{name: "RunTestListContinuation", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestListContinuation(ctx, t, store, nil)
	}},
	{name: "RunTestListContinuationWithFilter", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestListContinuationWithFilter(ctx, t, store, nil)
	}},
	{name: "RunTestListPaginationRareObject", backend: clusterPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestListPaginationRareObject(ctx, t, store, nil)
	}},
	{name: "RunTestListInconsistentContinuation",
		reason: "compaction: it wants pages of a list at resource version 0, for which kube-apiserver's watch cache ignores the limit"},
	{name: "RunTestListResourceVersionMatch", backend: clusterPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestListResourceVersionMatch(ctx, t, store)
	}},
	{name: "RunTestConsistentList", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestConsistentList(ctx, t, store, increaseVersion, true, true, true)
	}},
	{name: "RunTestGetListNonRecursive", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestGetListNonRecursive(ctx, t, increaseVersion, store)
	}},
	{name: "RunTestGetListRecursivePrefix",
		reason: "key layout: it lists an object's key as a prefix, and a prefix as an object; no registry asks for either"},
	{name: "RunTestGetListWithErrorAggregation", reason: transforms},
	{name: "RunTestGetListWithoutErrorAggregation", reason: transforms},
	{name: "RunTestNamespaceScopedList", backend: namespacedPods, run: plain(storagetesting.RunTestNamespaceScopedList)},

	{name: "RunTestGuaranteedUpdate", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestGuaranteedUpdate(ctx, t, store, store.validateKey)
	}},
	{name: "RunTestGuaranteedUpdateWithTTL", reason: expires},
	{name: "RunTestGuaranteedUpdateChecksStoredData", reason: transforms},
	{name: "RunTestGuaranteedUpdateWithConflict", backend: namespacedPods, run: plain(storagetesting.RunTestGuaranteedUpdateWithConflict)},
	{name: "RunTestGuaranteedUpdateWithSuggestionAndConflict", backend: namespacedPods, run: plain(storagetesting.RunTestGuaranteedUpdateWithSuggestionAndConflict)},
	{name: "RunTestTransformationFailure", reason: transforms},
	{name: "RunTestStats", backend: clusterPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestStats(ctx, t, store, exampleCodec(t), identity.NewEncryptCheckTransformer(), false)
	}},
	{name: "RunTestCompactRevision", reason: "compaction: kube-apiserver doesn't tell which revision it has compacted"},
	{name: "RunTestKeySchema", reason: "key layout: it asserts which keys are refused; here keys come from the registry alone"},

	{name: "RunTestWatch", backend: namespacedPods, run: plain(storagetesting.RunTestWatch)},
	{name: "RunTestWatchFromZero", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestWatchFromZero(ctx, t, store, store.forget)
	}},
	{name: "RunTestDeleteTriggerWatch", backend: namespacedPods, run: plain(storagetesting.RunTestDeleteTriggerWatch)},
	{name: "RunTestWatchFromNonZero", backend: namespacedPods, run: plain(storagetesting.RunTestWatchFromNonZero)},
	{name: "RunTestDelayedWatchDelivery", backend: namespacedPods, run: plain(storagetesting.RunTestDelayedWatchDelivery)},
	{name: "RunTestWatchError", reason: transforms},
	{name: "RunTestWatchWithUnsafeDelete", reason: transforms},
	{name: "RunTestWatchContextCancel", backend: namespacedPods, run: plain(storagetesting.RunTestWatchContextCancel)},
	{name: "RunTestWatcherTimeout", backend: namespacedPods, run: plain(storagetesting.RunTestWatcherTimeout)},
	{name: "RunTestWatchDeleteEventObjectHaveLatestRV", backend: namespacedPods, run: plain(storagetesting.RunTestWatchDeleteEventObjectHaveLatestRV)},
	{name: "RunTestWatchInitializationSignal", backend: namespacedPods, run: plain(storagetesting.RunTestWatchInitializationSignal)},
	{name: "RunOptionalTestProgressNotify",
		reason: "watch cache: it asserts what etcd tells a watch cache about its progress; the Kubernetes API has no such option"},
	{name: "RunTestClusterScopedWatch", backend: clusterPods, run: plain(storagetesting.RunTestClusterScopedWatch)},
	{name: "RunTestNamespaceScopedWatch", backend: namespacedPods, run: plain(storagetesting.RunTestNamespaceScopedWatch)},
	{name: "RunTestWatchDispatchBookmarkEvents", backend: namespacedPods, run: func(ctx context.Context, t *testing.T, store *suiteStorage) {
		storagetesting.RunTestWatchDispatchBookmarkEvents(ctx, t, store, true)
	}},
	{name: "RunTestOptionalWatchBookmarksWithCorrectResourceVersion", backend: namespacedPods,
		run: plain(storagetesting.RunTestOptionalWatchBookmarksWithCorrectResourceVersion)},
	{name: "RunSendInitialEventsBackwardCompatibility", backend: namespacedPods, run: plain(storagetesting.RunSendInitialEventsBackwardCompatibility)},
	{name: "RunWatchSemantics", backend: namespacedPods, run: plain(storagetesting.RunWatchSemantics)},
	{name: "RunWatchSemanticInitialEventsExtended", backend: namespacedPods, run: plain(storagetesting.RunWatchSemanticInitialEventsExtended)},
	{name: "RunWatchListMatchSingle", backend: namespacedPods, run: plain(storagetesting.RunWatchListMatchSingle)},
	{name: "RunWatchErrorIsBlockingFurtherEvents", reason: transforms},

	{name: "RunBenchmarkWriteThroughput", reason: benchmark},
	{name: "RunBenchmarkStoreList", reason: benchmark},
	{name: "RunBenchmarkStoreStats", reason: benchmark},
}

func TestStorage(t *testing.T) {
	namespacedPods.install(t)
	clusterPods.install(t)
	settle(t.Context(), t)
	for _, suite := range suites {
		if suite.run == nil {
			t.Logf("left out: %s (%s)", suite.name, suite.reason)
			continue
		}
		t.Run(suite.name, func(t *testing.T) {
			suite.run(context.Background(), t, newStorage(t, suite.backend))
		})
	}
}

// exampleCodec encodes the suites' pods.
func exampleCodec(t *testing.T) runtime.Codec {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := example.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := examplev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return apitesting.TestCodec(serializer.NewCodecFactory(scheme), examplev1.SchemeGroupVersion)
}
