package status

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
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

// startedPod is the pod of an instance that started that many hours ago.
func startedPod(ordinal, hours int) *corev1.Pod {
	pod := readyPod(ordinal)
	pod.Status.ContainerStatuses[0].State.Running = &corev1.ContainerStateRunning{StartedAt: *stored(hours).ModificationTime}
	return pod
}

// What instances got is shown for as long as one of them has it, and that the tag means
// another content by now. It follows from when they started.
func TestPackageMoved(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Input)
		reason string
		hours  int
		text   string
	}{
		"stays":  {func(in *Input) { in.Package = stored(3) }, ReasonPackageResolved, 3, ""},
		"moved":  {func(*Input) {}, ReasonPackageMoved, 3, " has another content now, stored at "},
		"scaled": {func(in *Input) { in.StatefulSet, in.Pods = statefulSet(3, 3), append(in.Pods, startedPod(2, 0)) }, ReasonPackageMoved, 3, ""},
		// A rollout that begins, and may not get further.
		"restarting": {func(in *Input) {
			in.StatefulSet.Status.UpdateRevision, in.Pods[1] = "f-newer", failing(1, "CrashLoopBackOff", "", 0)
		}, ReasonPackageMoved, 3, ""},
		"one pod is missing":    {func(in *Input) { in.Pods = []*corev1.Pod{startedPod(0, 0)} }, ReasonPackageMoved, 3, ""},
		"restarted":             {func(in *Input) { in.Pods = []*corev1.Pod{startedPod(0, 0), startedPod(1, 1)} }, ReasonPackageResolved, 1, ""},
		"suspending":            {func(in *Input) { in.Replicas = 0 }, ReasonPackageMoved, 3, ""},
		"suspended":             {func(in *Input) { in.Replicas, in.StatefulSet, in.Pods = 0, statefulSet(0, 0), nil }, ReasonPackageResolved, 1, ""},
		"without a StatefulSet": {func(in *Input) { in.StatefulSet, in.Pods = nil, nil }, ReasonPackageMoved, 3, ""},
		"gone":                  {func(in *Input) { in.Package.Missing, in.Package.ModificationTime = true, nil }, ReasonPackageNotFound, 3, ""},
		"not known":             {func(in *Input) { in.Package.Unknown, in.Package.ModificationTime = "Because", nil }, "Because", 3, ""},
		"same content":          {func(in *Input) { in.Package.Digest = "abc" }, ReasonPackageResolved, 1, ""},
		"other content":         {func(in *Input) { in.Package.Digest, in.Package.Described = "def", true }, ReasonPackageMoved, 3, " has another content"},
		"described anew":        {func(in *Input) { in.Package.Described = true }, ReasonPackageMoved, 3, " may have another content"},
		"a digest":              {func(in *Input) { in.Package.Pinned = true }, ReasonPackageResolved, 1, ""},
		"after a restart of ours": {func(in *Input) {
			in.Package = &Package{PackageStatus: v1alpha1.PackageStatus{Location: tag}, Pending: true}
		}, ReasonPackageResolved, 3, ""},
		"another package": {func(in *Input) {
			in.Package.Location += "r"
			in.Pods = []*corev1.Pod{startedPod(0, 0), startedPod(1, 0)}
		}, ReasonPackageResolved, 1, ""},
		"another cluster": {func(in *Input) {
			in.Package.ConfigMap = "elsewhere"
			in.Pods = []*corev1.Pod{startedPod(0, 0), startedPod(1, 0)}
		}, ReasonPackageResolved, 1, ""},
		"only the container restarted": {func(in *Input) {
			for i := range in.Pods {
				in.Pods[i] = startedPod(i, 0)
				in.Pods[i].Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "downloader", State: corev1.ContainerState{
					Terminated: &corev1.ContainerStateTerminated{StartedAt: *stored(2).ModificationTime},
				}}}
			}
		}, ReasonPackageMoved, 3, ""},
	} {
		in := running()
		in.Package, in.Pods = stored(3), []*corev1.Pod{startedPod(0, 2), startedPod(1, 2)}
		if strings.HasSuffix(name, "content") {
			in.Package.Digest = "abc"
		}
		in, _ = next(t, in)
		in.Package = stored(1)
		test.change(&in)
		in, published := next(t, in)
		condition := published.Condition(v1alpha1.ConditionPackageResolved)
		if condition.Reason != test.reason || !published.Package.ModificationTime.Equal(stored(test.hours).ModificationTime) || !strings.Contains(condition.Message, test.text) {
			t.Errorf("%s: %+v, %+v", name, published.Package, condition)
		}
		// It stays so.
		if _, again := next(t, in); encoded(t, again) != encoded(t, published) {
			t.Errorf("%s: %s became %s", name, encoded(t, published), encoded(t, again))
		}
	}
}

// What a package moved to is remembered while nobody can say.
func TestPackageMovedTo(t *testing.T) {
	in := running()
	in.Package, in.Pods = stored(3), []*corev1.Pod{startedPod(0, 2), startedPod(1, 2)}
	in, _ = next(t, in)
	in.Package = stored(1)
	in, moved := next(t, in)
	in.Package = &Package{PackageStatus: v1alpha1.PackageStatus{Location: tag}, Unknown: "Because"}
	if _, published := next(t, in); moved.Package.MovedTo == "" || published.Package.MovedTo != moved.Package.MovedTo {
		t.Errorf("%q was remembered as %q", moved.Package.MovedTo, published.Package.MovedTo)
	}
}

// A tag that is stored anew right before a restart has moved for as long as nobody has
// asked, whatever was heard in between of what it meant before.
func TestPackageMovedAndRestarted(t *testing.T) {
	in := running()
	in.Package, in.Pods = stored(3), []*corev1.Pod{startedPod(0, 2), startedPod(1, 2)}
	in, _ = next(t, in)
	in.StatefulSet.Status.UpdateRevision, in.StatefulSet.Status.CurrentRevision = "f-newer", "f-newer"
	in.Pods = []*corev1.Pod{startedPod(0, 0), startedPod(1, 0)}
	in, _ = next(t, in)
	in.Package = stored(1)
	_, published := next(t, in)
	if got := published.Condition(v1alpha1.ConditionPackageResolved); got.Reason != ReasonPackageResolved || !published.Package.ModificationTime.Equal(in.Package.ModificationTime) {
		t.Errorf("all instances run what the tag means: %+v, %+v", published.Package, got)
	}
}

// What started before anybody looked, and before the content was stored, got what nobody
// knows.
func TestPackageNotSeen(t *testing.T) {
	in := running()
	in.Package, in.Pods = stored(1), []*corev1.Pod{startedPod(0, 2), startedPod(1, 0)}
	in.Package.Digest = "abc"
	for range 2 {
		var published *Published
		in, published = next(t, in)
		condition := published.Condition(v1alpha1.ConditionPackageResolved)
		if condition.Reason != ReasonPackageMoved || !strings.Contains(condition.Message, "may have another content now, digest abc") ||
			published.Package.Digest != "" || published.Package.ModificationTime != nil || published.Package.Location != tag {
			t.Errorf("%+v, %+v", published.Package, condition)
		}
	}
	in.Pods[0] = startedPod(0, 0)
	if _, published := next(t, in); published.Package.Digest != "abc" {
		t.Errorf("after a restart: %+v", published.Package)
	}
}

func TestLastFetch(t *testing.T) {
	if got := LastFetch([]*corev1.Pod{readyPod(0), startedPod(1, 3), startedPod(2, 1), startedPod(3, 2)}); !got.Equal(stored(1).ModificationTime.Time) {
		t.Errorf("got %s", got)
	}
}
