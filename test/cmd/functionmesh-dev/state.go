package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const (
	lockName  = "lock"
	readyName = "ready"
	envName   = "env"
)

// stateDir is the folder of a run, locked against a second one. The lock is the
// kernel's, so it ends with this process, however that ends.
type stateDir struct {
	path string
	lock *os.File
}

func lockState(path string) (*stateDir, error) {
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("could not read %s: %w", path, err)
	}
	// Everything in the folder gets removed, so it had better be ours.
	if _, err := os.Stat(filepath.Join(path, lockName)); err != nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty and no folder of an earlier run", path)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("could not create %s: %w", path, err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("could not open the lock in %s: %w", path, err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &stateDir{path: path, lock: lock}, nil
	}
	lock.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("another one is running here (it holds %s); stop it first, or use it: source %s", lock.Name(), filepath.Join(path, envName))
	}
	return nil, fmt.Errorf("could not lock %s: %w", lock.Name(), err)
}

func (s *stateDir) unlock() { s.lock.Close() }

// wipe removes what an earlier run left, first of all the promise that it answers.
func (s *stateDir) wipe() error {
	s.removeReady()
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return fmt.Errorf("could not read %s: %w", s.path, err)
	}
	for _, entry := range entries {
		if entry.Name() == lockName {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.path, entry.Name())); err != nil {
			return fmt.Errorf("could not remove what an earlier run left: %w", err)
		}
	}
	return nil
}

// writeEnv writes the file that a shell sources to use what runs here.
func (s *stateDir) writeEnv(env *devenv.Env, binDir string) error {
	lines := []string{
		"export KUBECONFIG=" + quote(env.ControlPlane.AdminKubeconfig()),
		"export KUBECACHEDIR=" + quote(env.KubectlCacheDir()),
		"export PULSAR_ADMIN_URL=" + quote(env.ShimURL()),
		"export PATH=" + quote(binDir) + `:"$PATH"`,
	}
	return s.write(envName, strings.Join(lines, "\n")+"\n")
}

// quote makes one word of text for a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func (s *stateDir) writeReady() error {
	return s.write(readyName, time.Now().Format(time.RFC3339)+"\n")
}

// removeReady can only fail when the file is not there.
func (s *stateDir) removeReady() { _ = os.Remove(filepath.Join(s.path, readyName)) }

// write makes the file appear with all of its content.
func (s *stateDir) write(name, content string) error {
	path := filepath.Join(s.path, name)
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	return nil
}
