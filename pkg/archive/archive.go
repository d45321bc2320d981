// Package archive reads the archives that Java functions and connectors come in: jar
// files, and nar files, which hold their dependencies as jar files in a folder.
//
// It exists because an archive is a stranger's: everything about it is bounded before
// it is used, its entries become neither files nor paths, and nothing of it is run.
package archive

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass"
)

const (
	serviceFile   = "META-INF/services/pulsar-io.yaml"
	bundledFolder = "META-INF/bundled-dependencies"
)

// Limits bound what an archive may hold.
type Limits struct {
	// Entries is how many entries there may be, those of bundled archives included.
	Entries int
	// Unpacked is how many bytes they may have in all once unpacked.
	Unpacked int64
	// Ratio is how many times larger than the archive that may be.
	Ratio int64
	// Class is how many bytes a class file may have; other files that are read whole
	// too.
	Class int64
	// Directory is how many bytes the directories may have in all: they are held in memory,
	// where they take several times as much.
	Directory int64
	// Bundled is how many bundled archives there may be: each that is looked into is an
	// open file.
	Bundled int
}

// DefaultLimits leave room for the largest of Pulsar's own connectors, which have a
// few hundred bundled archives and unpack to less than a gigabyte.
var DefaultLimits = Limits{Entries: 400_000, Unpacked: 4 << 30, Ratio: 200, Class: 4 << 20, Directory: 32 << 20, Bundled: 1000}

// ErrFormat says that something isn't an archive.
var ErrFormat = errors.New("it is not a jar or nar archive")

// LimitError says which limit an archive goes beyond.
type LimitError struct{ message string }

func (e *LimitError) Error() string { return e.message }

func limitf(format string, arguments ...any) error {
	return &LimitError{fmt.Sprintf(format, arguments...)}
}

// Archive is an open archive. It is not safe for concurrent use.
type Archive struct {
	limits Limits
	size   int64
	// entries and unpacked are what has been counted so far.
	entries   int
	unpacked  int64
	directory int64

	nar     bool
	classes []*jar
	// bundled are the bundled archives of a nar that were not opened yet.
	bundled []*zip.File
	root    *jar
}

// jar is where classes are looked for: a zip file, or a folder in one.
type jar struct {
	files map[string]*zip.File
	// ambiguous are the names that more than one entry has.
	ambiguous map[string]bool
	folder    string
	temp      *os.File
}

// Open reads the directory of an archive of size bytes. What it returns is to be
// closed, before reader is. Errors are ErrFormat, a LimitError, or those of reader.
func Open(reader io.ReaderAt, size int64, limits Limits) (*Archive, error) {
	a := &Archive{limits: limits, size: size}
	root, err := a.open(reader, size)
	if err != nil {
		return nil, err
	}
	a.root = root
	for _, file := range root.files {
		if path.Dir(file.Name) == bundledFolder && strings.HasSuffix(file.Name, ".jar") {
			a.bundled = append(a.bundled, file)
		}
		a.nar = a.nar || file.Name == serviceFile || strings.HasPrefix(file.Name, bundledFolder)
	}
	// The order that a class loader has, whichever order the entries come in.
	slices.SortFunc(a.bundled, func(x, y *zip.File) int { return strings.Compare(x.Name, y.Name) })
	if len(a.bundled) > limits.Bundled {
		return nil, limitf("the archive bundles more than %d archives", limits.Bundled)
	}
	a.classes = []*jar{root}
	if a.nar {
		a.classes = append(a.classes, &jar{files: root.files, ambiguous: root.ambiguous, folder: "META-INF/classes/"})
	} else {
		a.bundled = nil
	}
	return a, nil
}

// Close frees what the archive holds.
func (a *Archive) Close() {
	for _, opened := range a.classes {
		if opened.temp != nil {
			opened.temp.Close()
		}
	}
}

// NAR tells whether it is a nar file to Pulsar: one that bundles its dependencies or
// describes a connector or a function.
func (a *Archive) NAR() bool { return a.nar }

// Class reads a class. Errors are javaclass.ErrNotFound, a LimitError, and those of
// reading it.
func (a *Archive) Class(ctx context.Context, name string) (*javaclass.Class, error) {
	if ctx.Err() != nil {
		return nil, limitf("it takes too long to look into the archive")
	}
	entry := strings.ReplaceAll(name, ".", "/") + ".class"
	for _, place := range a.classes {
		if class, err := a.class(place, entry, name); !errors.Is(err, javaclass.ErrNotFound) {
			return class, err
		}
	}
	for len(a.bundled) > 0 {
		if ctx.Err() != nil {
			return nil, limitf("it takes too long to look into the archive")
		}
		next := a.bundled[0]
		a.bundled = a.bundled[1:]
		place, err := a.openBundled(next)
		if err != nil {
			return nil, fmt.Errorf("could not read a bundled archive: %w", err)
		}
		a.classes = append(a.classes, place)
		if class, err := a.class(place, entry, name); !errors.Is(err, javaclass.ErrNotFound) {
			return class, err
		}
	}
	return nil, javaclass.ErrNotFound
}

func (a *Archive) class(place *jar, entry, name string) (*javaclass.Class, error) {
	content, err := a.read(place, entry)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, javaclass.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	class, err := javaclass.Parse(content)
	if err == nil && class.Name != name {
		err = errors.New("could not use a class file: it has another class than its name says")
	}
	return class, err
}

// read returns the content of an entry, or fs.ErrNotExist.
func (a *Archive) read(place *jar, entry string) ([]byte, error) {
	file, ok := place.files[place.folder+entry]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if place.ambiguous[file.Name] {
		// Readers disagree on which of them counts: what is checked might not be what
		// runs. Merged archives do have some such names, which don't matter.
		return nil, limitf("the archive has more than one entry of a name that is to be read")
	}
	if file.UncompressedSize64 > uint64(a.limits.Class) {
		return nil, limitf("an entry that is to be read has more than %d bytes", a.limits.Class)
	}
	content, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("could not read an entry of the archive: %w", err)
	}
	defer content.Close()
	// The reader ends with an error when there is more than the directory says.
	read, err := io.ReadAll(io.LimitReader(content, a.limits.Class+1))
	if err != nil {
		return nil, fmt.Errorf("could not read an entry of the archive: %w", err)
	}
	return read, nil
}

// open reads a directory and counts what it says.
func (a *Archive) open(reader io.ReaderAt, size int64) (*jar, error) {
	if err := checkCount(reader, size, a.limits.Entries-a.entries); err != nil {
		return nil, err
	}
	bounded := &directory{ReaderAt: reader, archive: a}
	opened, err := zip.NewReader(bounded, size)
	bounded.read = true
	var limit *LimitError
	if errors.As(err, &limit) {
		return nil, limit
	}
	// A directory may say that it, or one of its entries, goes on where the file has ended.
	for _, bad := range []error{zip.ErrFormat, zip.ErrAlgorithm, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, bad) {
			return nil, ErrFormat
		}
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("could not read the archive: %w", err)
	}
	place := &jar{files: make(map[string]*zip.File, len(opened.File)), ambiguous: map[string]bool{}}
	for _, file := range opened.File {
		if err := a.count(file); err != nil {
			return nil, err
		}
		if _, again := place.files[file.Name]; again {
			place.ambiguous[file.Name] = true
		}
		place.files[file.Name] = file
	}
	return place, nil
}

func (a *Archive) count(file *zip.File) error {
	if !validName(file.Name) {
		return limitf("the archive has an entry with a name that leads out of it")
	}
	if a.entries++; a.entries > a.limits.Entries {
		return limitf("the archive has more than %d entries", a.limits.Entries)
	}
	if file.UncompressedSize64 > uint64(a.limits.Unpacked-a.unpacked) {
		return limitf("the archive has more than %d bytes when unpacked", a.limits.Unpacked)
	}
	a.unpacked += int64(file.UncompressedSize64)
	if a.unpacked/a.limits.Ratio > a.size {
		return limitf("the archive becomes more than %d times as large when unpacked", a.limits.Ratio)
	}
	return nil
}

// validName refuses names that an unpacker might follow out of its folder.
func validName(name string) bool {
	if name == "" || name[0] == '/' || strings.ContainsAny(name, "\\\x00") || len(name) > 4096 ||
		len(name) > 1 && name[1] == ':' {
		return false
	}
	return !slices.Contains(strings.Split(name, "/"), "..")
}

// Entry returns the content of one of the archive's own entries. Errors are
// fs.ErrNotExist, a LimitError and those of reading it.
func (a *Archive) Entry(name string) ([]byte, error) { return a.read(a.root, name) }

// Names returns the names of the archive's own entries, in no particular order.
func (a *Archive) Names() []string {
	names := make([]string, 0, len(a.root.files))
	for name := range a.root.files {
		names = append(names, name)
	}
	return names
}
