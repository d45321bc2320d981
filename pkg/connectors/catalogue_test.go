package connectors

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/component-base/metrics/testutil"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func spec(name, version string) v1alpha1.PulsarConnectorSpec {
	return v1alpha1.PulsarConnectorSpec{Name: name, Version: version}
}

func TestCatalogueWithoutEntries(t *testing.T) {
	var none *Catalogue
	for name, catalogue := range map[string]*Catalogue{"nil": none, "zero": {}, "empty": NewCatalogue(nil)} {
		if _, ok := catalogue.Lookup("a"); ok || len(catalogue.All()) != 0 || catalogue.Reload() != nil {
			t.Errorf("%s: it has entries", name)
		}
	}
}

// changes describes changes, such as "a: 1 to 2".
func changes(all []Change) []string {
	var described []string
	for _, change := range all {
		before, after := "", ""
		if change.Before != nil {
			before = change.Before.Spec.Version
		}
		if change.After != nil {
			after = change.After.Spec.Version
		}
		described = append(described, change.objectName()+": "+before+" to "+after)
	}
	return described
}

func TestChanges(t *testing.T) {
	now := epoch.Add(time.Hour)
	catalogue := &Catalogue{}
	catalogue.replace([]v1alpha1.PulsarConnectorSpec{spec("a", "1"), spec("b", "1"), spec("d", "1")}, now)
	first := catalogue.Current()

	// In another order, and touched: nothing has changed.
	catalogue.replace([]v1alpha1.PulsarConnectorSpec{spec("d", "1"), spec("b", "1"), spec("a", "1")}, now.Add(time.Hour))
	if catalogue.Current() != first {
		t.Error("the same entries are a new state")
	}
	// The clock goes back.
	catalogue.replace([]v1alpha1.PulsarConnectorSpec{spec("a", "1"), spec("b", "2"), spec("c", "1")}, now.Add(-time.Hour))
	second := catalogue.Current()
	all, current, ok := catalogue.Since(first.Version)
	if want := []string{"b: 1 to 2", "c:  to 1", "d: 1 to "}; !ok || current != second || !slices.Equal(changes(all), want) {
		t.Fatalf("the changes are %v, want %v", changes(all), want)
	}
	last := first.Version
	for i, change := range all {
		if change.Version <= last {
			t.Errorf("version %d comes after %d", change.Version, last)
		}
		last = change.Version
		if rest, _, ok := catalogue.Since(last); !ok || !slices.Equal(changes(rest), changes(all[i+1:])) {
			t.Errorf("after %s come %v", changes(all[i:i+1]), changes(rest))
		}
	}
	if last != second.Version || int64(last) <= 0 {
		t.Errorf("the version is %d after %d", second.Version, last)
	}
	if a, b := second.Entries[0], second.Entries[1]; a.Version != first.Version || b.Version != all[0].Version {
		t.Errorf("the entries have versions %d and %d", a.Version, b.Version)
	}
	select {
	case <-first.Replaced():
	default:
		t.Error("the first state doesn't know that it was replaced")
	}
	between := catalogue.At(all[0].Version)
	if between == nil || len(between.Entries) != 3 || between.Entries[1].Spec.Version != "2" || between.Entries[2].Spec.Name != "d" {
		t.Errorf("after the first change there is %v", between)
	}
	if again := catalogue.At(first.Version); again == nil || !slices.Equal(again.Entries, first.Entries) || catalogue.At(second.Version) != second {
		t.Error("it doesn't know its own states")
	}
}

func TestReplicasKnowEachOthersVersions(t *testing.T) {
	now := epoch.Add(time.Hour)
	before := []v1alpha1.PulsarConnectorSpec{spec("a", "1"), spec("b", "1")}
	after := []v1alpha1.PulsarConnectorSpec{spec("b", "2"), spec("a", "2")}
	one, other, fresh := &Catalogue{}, &Catalogue{}, &Catalogue{}
	one.replace(before, now)
	one.replace(after, now.Add(time.Hour))
	other.replace(before, now.Add(time.Minute))
	old := other.Current().Version
	other.replace(after, now.Add(2*time.Hour))
	fresh.replace(after, now.Add(3*time.Hour))

	if fresh.Current().Version <= one.Current().Version {
		t.Error("versions go back after a restart")
	}
	all, _, _ := one.Since(one.oldest)
	for _, change := range all {
		theirs, _, ok := other.Since(change.Version)
		if mine, _, _ := one.Since(change.Version); !ok || !slices.Equal(changes(theirs), changes(mine)) {
			t.Errorf("after version %d one has %v and the other %v", change.Version, changes(mine), changes(theirs))
		}
	}
	if rest, _, ok := one.Since(old); !ok || len(rest) != 2 {
		t.Errorf("from the other's first version there are %v, %v", rest, ok)
	}
	if rest, _, ok := one.Since(fresh.Current().Version); !ok || len(rest) != 0 {
		t.Errorf("from the new one's version there are %v, %v", rest, ok)
	}
	if _, _, ok := fresh.Since(old); ok || fresh.At(old) != nil {
		t.Error("the new one knows what it has never had")
	}
}

func TestOldChangesAreForgotten(t *testing.T) {
	catalogue := NewCatalogue([]v1alpha1.PulsarConnectorSpec{spec("a", "first")})
	first := catalogue.Current().Version
	for i := range maxChanges + 1 {
		if i == 1 {
			if _, _, ok := catalogue.Since(first); !ok {
				t.Error("the first state is forgotten early")
			}
		}
		catalogue.Replace([]v1alpha1.PulsarConnectorSpec{spec("a", strconv.Itoa(i))})
	}
	if _, _, ok := catalogue.Since(first); ok || len(catalogue.changes) != maxChanges {
		t.Errorf("%d changes are kept", len(catalogue.changes))
	}
	if rest, _, ok := catalogue.Since(catalogue.oldest); !ok || len(rest) != maxChanges {
		t.Errorf("since the oldest version there are %d changes", len(rest))
	}
}

func TestObjectName(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"kafka", "data-generator", "a.b", "mongo_db", "mongo-db", "Mongo_DB", "a..b", strings.Repeat("X", maxNameLength)} {
		got := ObjectName(name)
		if problems := utilvalidation.IsDNS1123Subdomain(got); len(problems) > 0 {
			t.Errorf("%s: %s: %v", name, got, problems)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s are both %s", name, other, got)
		}
		seen[got] = name
	}
	if seen["kafka"] == "" || seen["data-generator"] == "" || seen["a.b"] == "" {
		t.Errorf("names have changed: %v", seen)
	}
	if got := ObjectName("mongo_db"); !strings.HasPrefix(got, "mongo-db-") {
		t.Errorf("mongo_db is %s", got)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// versionOf returns the version of the entry "a".
func versionOf(t *testing.T, catalogue *Catalogue) string {
	t.Helper()
	entry, ok := catalogue.Lookup("a")
	if !ok {
		t.Fatal("the entry is gone")
	}
	return entry.Version
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for want, prepare := range map[string]func(path string){
		"no such file":      func(string) {},
		"every connector":   func(path string) { write(t, path, "- {}") },
		"more than 1048576": func(path string) { write(t, path, "# "+strings.Repeat("x", maxFileSize)) },
		"not a regular": func(path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		path := filepath.Join(t.TempDir(), "connectors.yaml")
		prepare(path)
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestReloadKeepsWhatWasGood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "connectors.yaml")
	write(t, path, "- {name: a, id: a, version: 1}")
	catalogue, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	failures := func() float64 {
		value, err := testutil.GetCounterMetricValue(reloads.WithLabelValues("failure"))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	before := failures()
	for _, bad := range []string{"", "- {name: a, id: a, version: 2}\n- {name: b}"} {
		write(t, path, bad)
		// The second time is not another failure.
		for range 2 {
			if err := catalogue.Reload(); err == nil || versionOf(t, catalogue) != "1" {
				t.Errorf("after %q the error is %v and the version %s", bad, err, versionOf(t, catalogue))
			}
		}
	}
	if got := failures() - before; got != 2 {
		t.Errorf("%v failures are counted", got)
	}
	if invalid, err := testutil.GetGaugeMetricValue(fileInvalid); err != nil || invalid != 1 {
		t.Errorf("the metric says %v, %v", invalid, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := catalogue.Reload(); err == nil || versionOf(t, catalogue) != "1" {
		t.Errorf("without the file the error is %v", err)
	}
	write(t, path, "- {name: a, id: a, version: 3}")
	if err := catalogue.Reload(); err != nil || versionOf(t, catalogue) != "3" {
		t.Errorf("a good file: %v, %s", err, versionOf(t, catalogue))
	}
	if invalid, err := testutil.GetGaugeMetricValue(fileInvalid); err != nil || invalid != 0 {
		t.Errorf("the metric says %v, %v", invalid, err)
	}
}

// TestRunFollowsAConfigMap replaces the file as the kubelet does: the directory that a
// symbolic link leads to is replaced by another.
func TestRunFollowsAConfigMap(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "connectors.yaml")
	deliver := func(version string) {
		t.Helper()
		fresh := filepath.Join(dir, "..content-"+version)
		if err := os.Mkdir(fresh, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(fresh, "connectors.yaml"), "- {name: a, id: a, version: "+version+"}")
		link := filepath.Join(dir, "..link")
		if err := os.Symlink(filepath.Base(fresh), link); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	deliver("1")
	if err := os.Symlink(filepath.Join("..data", "connectors.yaml"), path); err != nil {
		t.Fatal(err)
	}
	catalogue, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	before := catalogue.Current()
	go catalogue.Run(ctx)
	deliver("2")
	select {
	case <-before.Replaced():
	case <-ctx.Done():
		t.Fatal("the new file was not seen")
	}
	if got := versionOf(t, catalogue); got != "2" {
		t.Errorf("version %s", got)
	}
}
