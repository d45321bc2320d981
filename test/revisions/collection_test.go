package revisions

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// elsewhere looks after packages in another installation that shares this Pulsar.
var elsewhere = packageservice.Keeper{Manager: packageservice.Manager, Installation: "another"}

// leftovers are packages that nobody names any more, and those that have to stay, by why.
type leftovers struct {
	gone  []identity.PackageURL
	stays map[string]identity.PackageURL
}

// TestCollection leaves packages behind in all ways, and then looks at which of them are
// removed. They share one wait, since removals are announced for longer than all else
// takes.
func TestCollection(t *testing.T) {
	t.Parallel()
	left := &leftovers{stays: map[string]identity.PackageURL{}}
	for _, leave := range []func(*testing.T, *leftovers){leaveShared, leaveRefused, leaveFunctions, leaveUploads, leaveUsedAgain} {
		leave(t, left)
	}
	for _, name := range left.gone {
		expectGone(t, name)
	}
	client := service(t)
	for what, there := range left.stays {
		if err := isThere(t.Context(), client, there, true); err != nil {
			t.Errorf("what is %s: %v", what, err)
		}
	}
	expectShared(t, left)
}

// leaveUploads leaves packages to nobody, to somebody by hand, and to others.
func leaveUploads(t *testing.T, left *leftovers) {
	here := keeper(t)
	hand := upload(t, "by hand", here)
	// Pulsar allows any type of package for any kind of component.
	byHand(t, "by-hand", hand.Name.String())
	foreign := upload(t, "foreign", packageservice.Keeper{Manager: "somebody else"})
	tagged := newPackage("tagged", here)
	tagged.Name.Version = "v1"
	if err := service(t).Store(t.Context(), "", tagged); err != nil {
		t.Fatal(err)
	}
	// Whoever uploads the same to a path of his own choice has it for good.
	taken := upload(t, "taken over", here)
	taken.Keeper.Manager = "pulsar-admin-shim"
	if err := service(t).Store(t.Context(), "", taken); err != nil {
		t.Fatal(err)
	}
	for what, stays := range map[string]packageservice.Package{
		"named by hand": hand, "somebody else's": foreign, "not named by its content": tagged, "uploaded for itself as well": taken,
	} {
		left.stays[what] = stays.Name
	}
	// Somebody who may write packages can say anything of them, also in letters that the
	// shim doesn't use.
	forged := newPackage("forged", here)
	forged.Name.Version = "sha256-" + strings.ToUpper(strings.TrimPrefix(forged.Name.Version, "sha256-"))
	forged.Name.Type = "sink"
	if err := service(t).Store(t.Context(), "", forged); err != nil {
		t.Fatal(err)
	}
	metadata := metadataOf(t, forged.Name)
	metadata.Properties["removingSince"], metadata.Properties["installation."+here.Installation] = "1", "9999999999999"
	if err := service(t).SetMetadata(t.Context(), "", forged.Name, metadata); err != nil {
		t.Fatal(err)
	}
	left.gone = append(left.gone, forged.Name, upload(t, "nobody's", here).Name)
}

// variant returns a file with the content of an archive and of nothing else in these tests.
func variant(t *testing.T, archive, name string) string {
	t.Helper()
	source := must[*zip.ReadCloser](t)(zip.OpenReader(archive))
	defer source.Close()
	path := filepath.Join(t.TempDir(), name+filepath.Ext(archive))
	file := must[*os.File](t)(os.Create(path))
	defer file.Close()
	writer := zip.NewWriter(file)
	for _, entry := range source.File {
		if err := writer.Copy(entry); err != nil {
			t.Fatal(err)
		}
	}
	_, err := writer.Create("of-" + name)
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// packageOf returns where the code of a function is.
func packageOf(t *testing.T, function string) identity.PackageURL {
	t.Helper()
	return must[identity.PackageURL](t)(identity.ParsePackageURL(locationOf(t, function)))
}

// leaveFunctions leaves code to a function and a revision of it, and that of one that was
// deleted with its revisions.
func leaveFunctions(t *testing.T, left *leftovers) {
	for _, name := range []string{"collected", "deleted"} {
		admin(t, "functions", "create", "--jar", variant(t, env.pulsar.Code.Jar, name), "--name", name, "--inputs", "in", "--classname", "org.example.Exclamation")
		former := packageOf(t, name)
		expectRevisions(t, "pulsarfunctions", objectName(name), "1 ")
		admin(t, "functions", "update", "--jar", variant(t, env.pulsar.Code.Jar, name+"-again"), "--name", name)
		expectRevisions(t, "pulsarfunctions", objectName(name), "2 ", "1 ")
		if present := packageOf(t, name); name == "collected" {
			left.stays["a revision's"], left.stays["a function's"] = former, present
		} else {
			left.gone = append(left.gone, former, present)
		}
	}
	admin(t, "functions", "delete", "--name", "deleted")
}

// leaveUsedAgain has somebody use a package that was in nobody's use, for a while: the
// grace period begins anew afterwards.
func leaveUsedAgain(t *testing.T, left *leftovers) {
	here := keeper(t)
	again := upload(t, "used again", here).Name
	unused := func(metadata packageservice.Metadata) bool {
		_, unused := packageservice.UnusedSince(metadata, here.Installation)
		return unused
	}
	byHand(t, "again", again.String())
	// It was unused for long, as far as it says.
	long := metadataOf(t, again)
	long.Properties["installation."+here.Installation] = "1"
	if err := service(t).SetMetadata(t.Context(), "", again, long); err != nil {
		t.Fatal(err)
	}
	expectMetadata(t, "a package to be in use again", again, func(metadata packageservice.Metadata) bool { return !unused(metadata) })
	deleted := time.Now()
	if err := resources("sinks").Delete(t.Context(), "again", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	expectMetadata(t, "a package to be unused again", again, unused)
	if since, _ := packageservice.UnusedSince(metadataOf(t, again), here.Installation); since.Before(deleted.Truncate(time.Millisecond)) {
		t.Errorf("it is unused since %s, and was used until %s", since, deleted)
	}
	left.gone = append(left.gone, again)
}

// leaveShared leaves packages to an installation that shares this Pulsar.
func leaveShared(t *testing.T, left *leftovers) {
	left.stays["another installation's"] = upload(t, "theirs", elsewhere).Name
	// What is named here as well belongs to both, and so does what is uploaded here as well.
	named := upload(t, "theirs, named here", elsewhere).Name
	byHand(t, "named-here", named.String())
	left.stays["another installation's, named here"] = named
	expectMetadata(t, "a package to be this installation's as well", named, func(metadata packageservice.Metadata) bool {
		return packageservice.Has(metadata, keeper(t).Installation) && packageservice.Has(metadata, elsewhere.Installation)
	})
	both := upload(t, "both's", elsewhere)
	both.Keeper = keeper(t)
	if err := service(t).Store(t.Context(), "", both); err != nil {
		t.Fatal(err)
	}
	if has := packageservice.Installations(metadataOf(t, both.Name)); len(has) != 2 {
		t.Fatalf("%q have it", has)
	}
	left.stays["both installations', and unused here"] = both.Name
	// Of a version that didn't say whose packages are, they are nobody's to remove.
	nobodys := upload(t, "of an earlier version", elsewhere).Name
	metadata := metadataOf(t, nobodys)
	delete(metadata.Properties, "installation."+elsewhere.Installation)
	if err := service(t).SetMetadata(t.Context(), "", nobodys, metadata); err != nil {
		t.Fatal(err)
	}
	left.stays["of no known installation"] = nobodys
}

// expectShared looks at what became of packages that another installation has.
func expectShared(t *testing.T, left *leftovers) {
	theirs := func(metadata packageservice.Metadata) bool {
		return slices.Equal(packageservice.Installations(metadata), []string{elsewhere.Installation})
	}
	if metadata := metadataOf(t, left.stays["another installation's"]); !theirs(metadata) {
		t.Errorf("it has %v", metadata.Properties)
	}
	expectMetadata(t, "a package to be left to another installation", left.stays["both installations', and unused here"], theirs)
	if err := resources("sinks").Delete(t.Context(), "named-here", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	expectMetadata(t, "a package to be another installation's alone", left.stays["another installation's, named here"], theirs)
}
