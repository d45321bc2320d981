package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/archive"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass/classtest"
)

func open(t *testing.T, file []byte, limits archive.Limits) (*archive.Archive, error) {
	t.Helper()
	opened, err := archive.Open(bytes.NewReader(file), int64(len(file)), limits)
	if err == nil {
		t.Cleanup(opened.Close)
	}
	return opened, err
}

func mustOpen(t *testing.T, file []byte) *archive.Archive {
	t.Helper()
	opened, err := open(t, file, archive.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// zipOf returns an archive with entries of these names, in this order, each with
// content.
func zipOf(t *testing.T, content string, names ...string) []byte {
	t.Helper()
	file := &bytes.Buffer{}
	writer := zip.NewWriter(file)
	for _, name := range names {
		entry, err := writer.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestClasses(t *testing.T) {
	library := classtest.Jar([]classtest.Class{{Name: "lib.Base"}}, nil)
	other := classtest.Jar([]classtest.Class{{Name: "lib.Other"}, {Name: "lib.Base", Interfaces: []string{javaclass.Sink}}}, nil)
	nar := mustOpen(t, classtest.Jar([]classtest.Class{{Name: "a.InRoot"}}, map[string][]byte{
		"META-INF/bundled-dependencies/a.jar":     library,
		"META-INF/bundled-dependencies/b.jar":     other,
		"META-INF/bundled-dependencies/notes.txt": []byte("not an archive"),
		"META-INF/classes/a/InClasses.class":      classtest.Class{Name: "a.InClasses"}.Bytes(),
		"META-INF/services/pulsar-io.yaml":        []byte("name: x\nsinkClass: a.InRoot\n"),
		"a/Renamed.class":                         classtest.Class{Name: "a.AnotherName"}.Bytes(),
		"a/Broken.class":                          []byte("no class"),
	}))
	if !nar.NAR() {
		t.Error("a nar was taken for a jar")
	}
	for _, name := range []string{"a.InRoot", "a.InClasses", "lib.Other", "lib.Base"} {
		class, err := nar.Class(t.Context(), name)
		if err != nil || class.Name != name {
			t.Errorf("%s: got %v, %v", name, class, err)
		}
		if name == "lib.Base" && len(class.Interfaces) != 0 {
			t.Error("the class came from the archive that is second by name")
		}
	}
	for _, name := range []string{"a.Missing", "../a/InRoot", "a/InRoot.class"} {
		if class, err := nar.Class(t.Context(), name); !errors.Is(err, javaclass.ErrNotFound) {
			t.Errorf("%s: got %v, %v", name, class, err)
		}
	}
	for _, name := range []string{"a.Renamed", "a.Broken"} {
		if class, err := nar.Class(t.Context(), name); err == nil || errors.Is(err, javaclass.ErrNotFound) {
			t.Errorf("%s: got %v, %v", name, class, err)
		}
	}
	service, err := nar.Service()
	if err != nil || service == nil || service.SinkClass != "a.InRoot" {
		t.Errorf("got %+v, %v", service, err)
	}
}

func TestJar(t *testing.T) {
	jar := mustOpen(t, classtest.Jar([]classtest.Class{{Name: "a.F"}}, map[string][]byte{
		// Only a nar has these two on its class path.
		"META-INF/classes/a/G.class": classtest.Class{Name: "a.G"}.Bytes(),
		"lib/b.jar":                  classtest.Jar([]classtest.Class{{Name: "a.H"}}, nil),
	}))
	if jar.NAR() {
		t.Error("a jar was taken for a nar")
	}
	if service, err := jar.Service(); service != nil || err != nil {
		t.Errorf("got %+v, %v", service, err)
	}
	for name, found := range map[string]bool{"a.F": true, "a.G": false, "a.H": false} {
		if _, err := jar.Class(t.Context(), name); (err == nil) != found {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestService(t *testing.T) {
	for content, fails := range map[string]bool{
		"name: x": false, "unknown: [1, 2]\nname: x": false, "": false,
		"- a list": true, "name: [a, list]": true, "name: {": true,
	} {
		service, err := mustOpen(t, zipOf(t, content, "META-INF/services/pulsar-io.yaml")).Service()
		if (err != nil) != fails || !fails && service == nil {
			t.Errorf("%q: got %+v, %v", content, service, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	small := archive.Limits{Entries: 3, Unpacked: 1000, Ratio: 10, Class: 100, Directory: 1 << 20, Bundled: 10}
	tests := []struct {
		name   string
		file   []byte
		format bool
	}{
		{"nothing", nil, true},
		{"no archive", []byte(strings.Repeat("no archive ", 100)), true},
		{"a directory that isn't there", append(bytes.Repeat([]byte{0}, 10), zipOf(t, "x", "a")[80:]...), true},
		{"too many entries", zipOf(t, "", "a", "b", "c", "d"), false},
		{"a name that leads up", zipOf(t, "x", "a/../../b"), false},
		{"an absolute name", zipOf(t, "x", "/etc/passwd"), false},
		{"a Windows name", zipOf(t, "x", `..\b`), false},
		{"a drive", zipOf(t, "x", "c:/b"), false},
		{"a bomb", zipOf(t, strings.Repeat("0", 990), "a", "b"), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := open(t, test.file, small)
			var limit *archive.LimitError
			if test.format && !errors.Is(err, archive.ErrFormat) || !test.format && !errors.As(err, &limit) {
				t.Errorf("got %v", err)
			}
		})
	}
	ratio := archive.DefaultLimits
	var limit *archive.LimitError
	if _, err := open(t, zipOf(t, strings.Repeat("0", 1<<20), "a"), ratio); !errors.As(err, &limit) {
		t.Errorf("an archive that grows 1000 times: got %v", err)
	}
}

// A bundled archive counts towards the limits of the one that bundles it.
func TestBundledCounts(t *testing.T) {
	bundle := func(content []byte) []byte {
		return classtest.Jar(nil, map[string][]byte{"META-INF/bundled-dependencies/a.jar": content})
	}
	limits := archive.Limits{Entries: 4, Unpacked: 1 << 20, Ratio: 100, Class: 100, Directory: 1 << 20, Bundled: 10}
	for name, content := range map[string][]byte{
		"entries": zipOf(t, "", "a", "b", "c", "d"),
		"size":    zipOf(t, strings.Repeat("0", 1<<20), "a"),
		"names":   zipOf(t, "", "../a"),
	} {
		opened, err := open(t, bundle(content), limits)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var limit *archive.LimitError
		if _, err := opened.Class(t.Context(), "a.F"); !errors.As(err, &limit) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	opened, err := open(t, bundle([]byte("no archive")), limits)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Class(t.Context(), "a.F"); !errors.Is(err, archive.ErrFormat) {
		t.Errorf("a bundled file that is no archive: got %v", err)
	}
	large, err := open(t, zipOf(t, strings.Repeat("0", 200), "a/F.class"), limits)
	if err != nil {
		t.Fatal(err)
	}
	var limit *archive.LimitError
	if _, err := large.Class(t.Context(), "a.F"); !errors.As(err, &limit) {
		t.Errorf("a class file that is too large: got %v", err)
	}
}

// The directory of an archive is held in memory, and each bundled archive is an open file.
func TestDirectoryIsBounded(t *testing.T) {
	var names []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf("a/long/name/of/an/entry/%d", i))
	}
	limits := archive.DefaultLimits
	limits.Directory = 100_000
	var limit *archive.LimitError
	if _, err := open(t, zipOf(t, "", names...), limits); !errors.As(err, &limit) {
		t.Errorf("a long directory: got %v", err)
	}
	bundled := map[string][]byte{}
	for i := range 5 {
		bundled[fmt.Sprintf("META-INF/bundled-dependencies/%d.jar", i)] = zipOf(t, "")
	}
	limits = archive.DefaultLimits
	if _, err := open(t, classtest.Jar(nil, bundled), limits); err != nil {
		t.Errorf("five bundled archives: got %v", err)
	}
	limits.Bundled = 4
	if _, err := open(t, classtest.Jar(nil, bundled), limits); !errors.As(err, &limit) {
		t.Errorf("five bundled archives of four: got %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mustOpen(t, classtest.Jar(nil, bundled)).Class(cancelled, "a.F"); !errors.As(err, &limit) {
		t.Errorf("after the time is over: got %v", err)
	}
}

// Merged archives have some names twice, which only matters for what is read.
func TestSameName(t *testing.T) {
	file := mustOpen(t, zipOf(t, "x", "META-INF/LICENSE", "META-INF/LICENSE", "a/F.class", "a/F.class"))
	var limit *archive.LimitError
	if _, err := file.Class(t.Context(), "a.F"); !errors.As(err, &limit) {
		t.Errorf("got %v", err)
	}
	if _, err := file.Class(t.Context(), "a.G"); !errors.Is(err, javaclass.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// The directory may say less than an entry unpacks to.
func TestLyingSize(t *testing.T) {
	file := zipOf(t, strings.Repeat("0", 5000), "a/F.class")
	said := []byte{0x88, 0x13, 0, 0} // 5000
	lied := bytes.ReplaceAll(file, said, []byte{10, 0, 0, 0})
	if bytes.Equal(lied, file) {
		t.Fatal("the size was not found")
	}
	if _, err := mustOpen(t, lied).Class(t.Context(), "a.F"); err == nil || errors.Is(err, javaclass.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(classtest.Jar([]classtest.Class{{Name: "a.F"}}, map[string][]byte{
		"META-INF/bundled-dependencies/a.jar": classtest.Jar([]classtest.Class{{Name: "a.G"}}, nil),
		"META-INF/services/pulsar-io.yaml":    []byte("name: x"),
	}))
	// What Java's own tool packed, of test/pulsarstandalone.
	packed, err := os.ReadFile(filepath.Join("testdata", "connector.nar"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	limits := archive.Limits{Entries: 100, Unpacked: 1 << 20, Ratio: 100, Class: 1 << 16, Directory: 1 << 16, Bundled: 10}
	f.Fuzz(func(t *testing.T, file []byte) {
		opened, err := archive.Open(bytes.NewReader(file), int64(len(file)), limits)
		if err != nil {
			return
		}
		defer opened.Close()
		for _, name := range []string{"a.F", "a.G", "a.H", "org.example.Silence", "org.example.Discard"} {
			if class, err := opened.Class(t.Context(), name); err == nil && class.Name != name {
				t.Errorf("asked for %s, got %s", name, class.Name)
			}
		}
		if _, err := opened.Service(); err != nil && len(err.Error()) > 1000 {
			t.Errorf("a message of %d bytes", len(err.Error()))
		}
	})
}
