package status

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const tag = "function://public/default/f@latest"

// stored is a package as it was stored that many hours ago.
func stored(hours int) *Package {
	return &Package{PackageStatus: v1alpha1.PackageStatus{
		Location: tag, ModificationTime: ptr.To(metav1.NewTime(now.Add(-time.Duration(hours) * time.Hour).Truncate(time.Second))),
	}}
}

// next computes the status after a first one was published.
func next(t *testing.T, in Input) (Input, *Published) {
	t.Helper()
	published, _ := Compute(in)
	text, err := published.Encode()
	if err != nil {
		t.Fatal(err)
	}
	in.Previous, err = Decode(&metav1.ObjectMeta{UID: uid, Annotations: map[string]string{Annotation: text}})
	if err != nil {
		t.Fatal(err)
	}
	return in, published
}

func TestPackage(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Package)
		status metav1.ConditionStatus
		reason string
		text   string
	}{
		"there":    {func(*Package) {}, metav1.ConditionTrue, ReasonPackageResolved, "is there: stored at 2026-01-02T01:04:05Z."},
		"missing":  {func(p *Package) { p.Missing = true }, metav1.ConditionFalse, ReasonPackageNotFound, tag + " isn't there"},
		"unusable": {func(p *Package) { p.Unusable = "no program" }, metav1.ConditionFalse, ReasonPackageUnusable, "can't be run: no program."},
		"unknown":  {func(p *Package) { p.Unknown, p.Why = "Because", "nobody says" }, metav1.ConditionUnknown, "Because", "not known: nobody says."},
		"pending":  {func(p *Package) { p.Pending = true }, metav1.ConditionUnknown, ReasonPackageNotChecked, "has not been checked yet"},
		"digest":   {func(p *Package) { p.Digest = "abc" }, metav1.ConditionTrue, ReasonPackageResolved, "digest abc, stored at"},
	} {
		in := running()
		in.Package = stored(2)
		test.change(in.Package)
		_, published := next(t, in)
		condition := published.Condition(v1alpha1.ConditionPackageResolved)
		if condition == nil || condition.Status != test.status || condition.Reason != test.reason || !strings.Contains(condition.Message, test.text) {
			t.Errorf("%s: %+v", name, condition)
		}
		// What runs, runs.
		if !published.Is(v1alpha1.ConditionReady) {
			t.Errorf("%s: it isn't ready", name)
		}
		status := Project(&metav1.ObjectMeta{UID: uid, Annotations: map[string]string{Annotation: encoded(t, published)}}, nil)
		if status.Package == nil || status.Package.Location != tag {
			t.Errorf("%s: the package is shown as %+v", name, status.Package)
		}
	}
	if published, _ := Compute(running()); published.Package != nil || published.Condition(v1alpha1.ConditionPackageResolved) != nil {
		t.Errorf("without a package: %+v", published)
	}
}

func encoded(t *testing.T, published *Published) string {
	t.Helper()
	text, err := published.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What instances got is shown for as long as they may have it, and that the tag means
// another content by now.
func TestPackageMoved(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Input)
		reason string
		hours  int
	}{
		"stays":                 {func(in *Input) { in.Package = stored(3) }, ReasonPackageResolved, 3},
		"moved":                 {func(*Input) {}, ReasonPackageMoved, 3},
		"scaled":                {func(in *Input) { in.Generation++; in.StatefulSet = statefulSet(3, 2) }, ReasonPackageMoved, 3},
		"restarted":             {func(in *Input) { in.StatefulSet.Status.UpdateRevision = "f-newer" }, ReasonPackageResolved, 1},
		"suspending":            {func(in *Input) { in.Replicas = 0 }, ReasonPackageMoved, 3},
		"suspended":             {func(in *Input) { in.Replicas, in.StatefulSet = 0, statefulSet(0, 0) }, ReasonPackageResolved, 1},
		"without a StatefulSet": {func(in *Input) { in.StatefulSet = nil }, ReasonPackageMoved, 3},
		"gone":                  {func(in *Input) { in.Package.Missing, in.Package.ModificationTime = true, nil }, ReasonPackageNotFound, 3},
		"not known":             {func(in *Input) { in.Package.Unknown, in.Package.ModificationTime = "Because", nil }, "Because", 3},
		"same content":          {func(in *Input) { in.Package.Digest = "abc" }, ReasonPackageResolved, 1},
		"other content":         {func(in *Input) { in.Package.Digest = "def" }, ReasonPackageMoved, 3},
		"after a restart of ours": {func(in *Input) {
			in.Package = &Package{PackageStatus: v1alpha1.PackageStatus{Location: tag}, Pending: true}
		}, ReasonPackageResolved, 3},
		"another package": {func(in *Input) { in.Package.Location += "r" }, ReasonPackageResolved, 1},
	} {
		in := running()
		in.Package = stored(3)
		if strings.HasSuffix(name, "content") {
			in.Package.Digest = "abc"
		}
		in, _ = next(t, in)
		in.Package = stored(1)
		test.change(&in)
		in, published := next(t, in)
		condition := published.Condition(v1alpha1.ConditionPackageResolved)
		if condition.Reason != test.reason || !published.Package.ModificationTime.Equal(stored(test.hours).ModificationTime) {
			t.Errorf("%s: %+v, %+v", name, published.Package, condition)
		}
		// It stays so.
		if _, again := next(t, in); encoded(t, again) != encoded(t, published) {
			t.Errorf("%s: %s became %s", name, encoded(t, published), encoded(t, again))
		}
	}
	// Instances that are replaced while nobody knows of the package got what comes next.
	blind := running()
	blind.Package = stored(3)
	blind, _ = next(t, blind)
	blind.Package.Unknown, blind.StatefulSet.Status.UpdateRevision = "Because", "f-newer"
	blind, _ = next(t, blind)
	blind.Package = stored(1)
	if _, published := next(t, blind); published.Condition(v1alpha1.ConditionPackageResolved).Reason != ReasonPackageResolved {
		t.Errorf("replaced while nobody knew: %+v", published.Package)
	}
	// A StatefulSet that is new doesn't mean that instances are others.
	in := running()
	in.Package, in.StatefulSet = stored(3), nil
	in, _ = next(t, in)
	in.StatefulSet, in.Package = statefulSet(2, 2), stored(1)
	if _, published := next(t, in); published.Package.Revision != "f-new" || published.Condition(v1alpha1.ConditionPackageResolved).Reason != ReasonPackageMoved {
		t.Errorf("with a new StatefulSet: %+v", published.Package)
	}
}
