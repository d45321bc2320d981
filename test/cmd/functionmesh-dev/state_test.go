package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestStateDirIsHeldByOneRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := lockState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockState(dir); err == nil || !strings.Contains(err.Error(), "another one is running") {
		t.Errorf("the second lock gives %v", err)
	}
	first.unlock()
	second, err := lockState(dir)
	if err != nil {
		t.Fatalf("after the first ended: %v", err)
	}
	second.unlock()
}

func TestWipeRemovesOnlyWhatARunLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	for range 2 {
		state, err := lockState(dir)
		if err != nil {
			t.Fatal(err)
		}
		touch(t, filepath.Join(dir, "etcd", "member", "wal"))
		touch(t, filepath.Join(dir, readyName))
		if err := state.wipe(); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 1 || entries[0].Name() != lockName {
			t.Errorf("left after wiping: %v", entries)
		}
		state.unlock()
	}
}

func TestForeignFolderIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	touch(t, precious)
	if _, err := lockState(dir); err == nil {
		t.Error("a folder with something else in it was taken")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestQuoteSurvivesAShell(t *testing.T) {
	for _, text := range []string{"plain", "with space", `it's "$HOME" \ ` + "`id`"} {
		output, err := exec.Command("bash", "-c", "printf %s "+quote(text)).Output()
		if err != nil || string(output) != text {
			t.Errorf("%q came out as %q, %v", text, output, err)
		}
	}
}
