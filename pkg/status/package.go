package status

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Package is what is known of the package that an object names by its URL.
type Package struct {
	// PackageStatus is what the package is now. Of what isn't there, or wasn't asked for,
	// it has what the URL says.
	v1alpha1.PackageStatus
	// ConfigMap is the one that says at which Pulsar cluster the package is.
	ConfigMap string
	// Described says that the content is as old as ModificationTime, or older: all that
	// is known is when somebody last changed what is said of it.
	Described bool
	// Pending says that nobody has asked yet.
	Pending bool
	// Missing says that there is no such package.
	Missing bool
	// Unusable is why the component can't run it, empty if it may.
	Unusable string
	// Unknown is the reason why nobody can say, Why the same in words; empty otherwise.
	Unknown, Why string
}

// Reason returns the reason of the condition that says so.
func (p *Package) Reason() string {
	switch {
	case p.Pending:
		return ReasonPackageNotChecked
	case p.Missing:
		return ReasonPackageNotFound
	case p.Unknown != "":
		return p.Unknown
	case p.Unusable != "":
		return ReasonPackageUnusable
	}
	return ReasonPackageResolved
}

// PublishedPackage is what instances got, as a server published it.
type PublishedPackage struct {
	v1alpha1.PackageStatus `json:",inline"`
	// ConfigMap is the one that says at which Pulsar cluster the package is.
	ConfigMap string `json:"configMap,omitempty"`
	// MovedTo is the other content that the package was last seen with, empty for none.
	MovedTo string `json:"movedTo,omitempty"`
}

// checkPackage says whether the object's package is there, and whether it is still what
// instances got. Without one there is nothing to say.
//
// What instances got follows from when they fetched it: whatever a tag meant in between,
// all of those that did since the content was stored have that.
func (c *computation) checkPackage() {
	now := c.Package
	if now == nil {
		return
	}
	set := func(value metav1.ConditionStatus, reason, message string) {
		c.conditions.set(v1alpha1.ConditionPackageResolved, value, reason, message)
	}
	before := c.packageBefore()
	c.published = &PublishedPackage{PackageStatus: now.PackageStatus, ConfigMap: now.ConfigMap}
	unseen := now.Pending || now.Missing || now.Unknown != ""
	known := before != nil && (before.Digest != "" || before.ModificationTime != nil)
	older, certain := c.olderThan(now)
	moved := false
	switch {
	case unseen && before != nil:
		c.published.PackageStatus, c.published.MovedTo = before.PackageStatus, before.MovedTo
	case unseen, now.Pinned, known && !differ(before.PackageStatus, now.PackageStatus), certain && !older:
	case known:
		c.published.PackageStatus, moved = before.PackageStatus, true
	case older:
		// Nobody has seen what they got.
		c.published.PackageStatus, moved = v1alpha1.PackageStatus{Location: now.Location}, true
	}
	if moved {
		c.published.MovedTo = content(now.PackageStatus)
	}
	of := "Package " + now.Location
	switch last, reason := c.Previous.Condition(v1alpha1.ConditionPackageResolved), now.Reason(); {
	case now.Pending && before != nil && last != nil:
		// Another server asked, and what it heard counts until this one has.
		set(last.Status, last.Reason, last.Message)
	case now.Pending:
		set(metav1.ConditionUnknown, reason, "Whether package "+now.Location+" is there has not been checked yet.")
	case now.Missing:
		set(metav1.ConditionFalse, reason, of+" isn't there: no instance can start.")
	case now.Unknown != "":
		set(metav1.ConditionUnknown, reason, "Whether package "+now.Location+" is there is not known: "+now.Why+".")
	case now.Unusable != "":
		set(metav1.ConditionFalse, reason, of+" can't be run: "+now.Unusable+".")
	case moved:
		set(metav1.ConditionTrue, ReasonPackageMoved, of+c.movedMessage(now))
	default:
		set(metav1.ConditionTrue, reason, of+" is there: "+content(now.PackageStatus)+".")
	}
}

// movedMessage says, after the name of a package, what instances got and what they would
// get.
func (c *computation) movedMessage(now *Package) string {
	got := c.published.PackageStatus
	text := fmt.Sprintf(" has another content now, %s, than instances got, %s.", content(now.PackageStatus), content(got))
	switch certain := got.Digest != "" && now.Digest != ""; {
	case got.Digest == "" && got.ModificationTime == nil:
		text = " may have another content now, " + content(now.PackageStatus) + ", than instances got, which started before."
	case now.Described && !certain:
		text = fmt.Sprintf(" may have another content now than instances got, %s: what is said of it was changed at %s.",
			content(got), now.ModificationTime.UTC().Format(time.RFC3339))
	}
	return text + " Those that start from now on run the new one; restarting the component replaces all."
}

// packageBefore returns what was published of the same package, nil for nothing.
func (c *computation) packageBefore() *PublishedPackage {
	if c.Previous == nil || c.Previous.Package == nil {
		return nil
	}
	if before := c.Previous.Package; before.Location == c.Package.Location && before.ConfigMap == c.Package.ConfigMap {
		return before
	}
	return nil
}

// olderThan tells whether an instance that runs fetched its code before a package's
// content was stored, and whether that is certain: all instances have been seen.
func (c *computation) olderThan(now *Package) (older, certain bool) {
	if now.ModificationTime == nil {
		return false, false
	}
	for _, pod := range c.Pods {
		if at := fetchedAt(pod); !at.IsZero() && at.Before(now.ModificationTime.Time) {
			return true, true
		}
	}
	return false, c.StatefulSet != nil && len(c.Pods) >= int(c.set.Status.Replicas)
}

// downloader is the operator's container that fetches code before others start, where it
// is told to have one. Elsewhere the instance's own container does.
const downloader = "downloader"

// instanceContainers are those that the operator runs instances in.
var instanceContainers = map[string]bool{"pulsar-function": true, "pulsar-source": true, "pulsar-sink": true}

// fetchedAt returns when the instance that runs in a pod fetched its code, zero if none
// runs: it will fetch what is there when it starts.
func fetchedAt(pod *corev1.Pod) time.Time {
	for _, container := range pod.Status.ContainerStatuses {
		running := container.State.Running
		if !instanceContainers[container.Name] || running == nil {
			continue
		}
		for _, before := range pod.Status.InitContainerStatuses {
			if before.Name == downloader && before.State.Terminated != nil {
				return before.State.Terminated.StartedAt.Time
			}
		}
		return running.StartedAt.Time
	}
	return time.Time{}
}

// LastFetch returns when an instance last fetched its code, zero if none runs.
func LastFetch(pods []*corev1.Pod) time.Time {
	last := time.Time{}
	for _, pod := range pods {
		if at := fetchedAt(pod); at.After(last) {
			last = at
		}
	}
	return last
}

// differ tells whether a package has another content than before. What isn't known of
// both is no difference.
func differ(before, now v1alpha1.PackageStatus) bool {
	switch {
	case before.Digest != "" && now.Digest != "":
		return before.Digest != now.Digest
	case before.ModificationTime == nil || now.ModificationTime == nil:
		return false
	}
	return !before.ModificationTime.Equal(now.ModificationTime)
}

// content names a package's content as well as it is known.
func content(pkg v1alpha1.PackageStatus) string {
	text := ""
	if pkg.Digest != "" {
		text = "digest " + pkg.Digest
	}
	if pkg.ModificationTime != nil {
		if text != "" {
			text += ", "
		}
		text += "stored at " + pkg.ModificationTime.UTC().Format(time.RFC3339)
	}
	return text
}
