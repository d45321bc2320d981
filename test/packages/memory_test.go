package packages

import (
	"archive/zip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const (
	// uploadsAtOnce is what a tenant may have.
	uploadsAtOnce = 10
	// largeJar is how large each of them is, and maxMemory what the shim may take for all
	// of them.
	largeJar  = 200 << 20
	maxMemory = 150 << 20
)

// TestMemory uploads ten large jars at once, and downloads them at once, and looks at the
// most memory that the shim ever had.
func TestMemory(t *testing.T) {
	shim, err := env.devenv.StartShim(t.Context(), devenv.ShimOptions{Name: "memory-shim",
		ExtraArgs: []string{"--max-package-bytes=" + strconv.Itoa(largeJar+1<<20)}})
	if err != nil {
		t.Fatal(err)
	}
	defer shim.Stop()
	url := "http://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(shim.Port()))
	jar := filepath.Join(t.TempDir(), "large.jar")
	writeLargeJar(t, jar)

	each := func(does string, do func(name string) error) {
		var running sync.WaitGroup
		for i := range uploadsAtOnce {
			running.Go(func() {
				if err := do("memory-" + strconv.Itoa(i)); err != nil {
					t.Errorf("%s: %v", does, err)
				}
			})
		}
		running.Wait()
		peak := peakMemory(t, shim.Process().PID())
		t.Logf("%s %d packages of %d MiB at once: at most %d MiB", does, uploadsAtOnce, largeJar>>20, peak>>20)
		if peak > maxMemory {
			t.Errorf("%s took %d MiB of memory", does, peak>>20)
		}
	}
	each("uploading", func(name string) error {
		file, err := os.Open(jar)
		if err != nil {
			return err
		}
		defer file.Close()
		code, body := sendTo(t, t.Context(), url, http.MethodPost, name, exclamation, file)
		if code != http.StatusNoContent {
			return fmt.Errorf("%d %s", code, body)
		}
		return nil
	})
	want, err := os.Stat(jar)
	if err != nil {
		t.Fatal(err)
	}
	each("downloading", func(name string) error {
		response, err := http.Get(url + functions + "public/default/" + name + "/download")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		read, err := io.Copy(io.Discard, response.Body)
		if err != nil || read != want.Size() {
			return fmt.Errorf("%s, %d of %d bytes, %w", response.Status, read, want.Size(), err)
		}
		return nil
	})
}

// writeLargeJar writes a jar with the code of a function and much beside it.
func writeLargeJar(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	small, err := zip.OpenReader(env.pulsar.Code.Jar)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	large := zip.NewWriter(file)
	for _, entry := range small.File {
		if err := large.Copy(entry); err != nil {
			t.Fatal(err)
		}
	}
	filler, err := large.CreateHeader(&zip.FileHeader{Name: "filler", Method: zip.Store})
	if err == nil {
		_, err = io.CopyN(filler, endless{}, largeJar-2<<20)
	}
	if err == nil {
		err = large.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// peakMemory returns the most memory that a process ever had resident.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatalf("the system doesn't tell how much memory a process had: %s", status)
	return 0
}
