package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Package is what is known of the package that an object names by its URL.
type Package struct {
	// PackageStatus is what the package is now. Of what isn't there, or wasn't asked for,
	// it has what the URL says.
	v1alpha1.PackageStatus
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
	// Revision is of the StatefulSet whose instances got it, empty before there is one.
	Revision string `json:"revision,omitempty"`
}

// checkPackage says whether the object's package is there, and whether it is still what
// instances got. Without one there is nothing to say.
func (c *computation) checkPackage() {
	now := c.Package
	if now == nil {
		return
	}
	set := func(value metav1.ConditionStatus, reason, message string) {
		c.conditions.set(v1alpha1.ConditionPackageResolved, value, reason, message)
	}
	before := c.packageBefore()
	c.published = &PublishedPackage{PackageStatus: now.PackageStatus, Revision: c.set.Status.UpdateRevision}
	switch unseen := now.Pending || now.Missing || now.Unknown != ""; {
	case before == nil:
	case unseen, moved(before.PackageStatus, now.PackageStatus) && !c.replaced(before):
		c.published.PackageStatus = before.PackageStatus
		if before.Revision != "" {
			c.published.Revision = before.Revision
		}
	}
	got, of := c.published.PackageStatus, "Package "+now.Location
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
	case moved(got, now.PackageStatus):
		set(metav1.ConditionTrue, ReasonPackageMoved, fmt.Sprintf(
			"%s has another content now, %s, than instances got, %s. Those that start from now on run the new one; restarting the component replaces all.",
			of, content(now.PackageStatus), content(got)))
	default:
		set(metav1.ConditionTrue, reason, of+" is there: "+content(now.PackageStatus)+".")
	}
}

// packageBefore returns what was published of the same package, nil for nothing.
func (c *computation) packageBefore() *PublishedPackage {
	if c.Previous == nil || c.Previous.Package == nil || c.Previous.Package.Location != c.Package.Location {
		return nil
	}
	return c.Previous.Package
}

// replaced tells whether all instances are, or will soon be, others than those that got
// what was published: such as after a restart.
func (c *computation) replaced(before *PublishedPackage) bool {
	if c.StatefulSet == nil {
		return false
	}
	observed := &c.set.Status
	return c.Replicas == 0 && observed.Replicas == 0 || before.Revision != "" && observed.UpdateRevision != before.Revision
}

// moved tells whether a package has another content than before. What isn't known of
// both is no difference.
func moved(before, now v1alpha1.PackageStatus) bool {
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
