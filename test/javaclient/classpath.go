package javaclient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// fetchTimeout is for Maven to fetch everything for the first time.
const fetchTimeout = 10 * time.Minute

// Help says what it takes to run Pulsar's Java programs, and how to do without.
const Help = "what runs Pulsar's Java programs needs JDK 17, Maven and Maven Central; PULSAR_JAVA_CLIENT=off leaves it out"

// Off tells whether somebody without JDK, Maven or network said so.
func Off() bool { return os.Getenv("PULSAR_JAVA_CLIENT") == "off" }

// Classpath returns the class path of what a POM depends on. Maven is asked once, and
// its answer kept in binDir under a name that begins with name.
func Classpath(ctx context.Context, pomFile, binDir, name string) (string, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return "", fmt.Errorf("%w: %s", err, Help)
	}
	pom, err := os.ReadFile(pomFile)
	if err != nil {
		return "", fmt.Errorf("could not read what to fetch: %w", err)
	}
	sum := sha256.Sum256(pom)
	kept := filepath.Join(binDir, name+"-"+hex.EncodeToString(sum[:6])+".classpath")
	if classpath, err := os.ReadFile(kept); err == nil && allExist(string(classpath)) {
		return strings.TrimSpace(string(classpath)), nil
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return "", fmt.Errorf("%w: %s", err, Help)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	// A name of its own: another test run may do the same.
	temporary := fmt.Sprintf("%s.%d", kept, os.Getpid())
	defer os.Remove(temporary)
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pomFile,
		"dependency:build-classpath", "-Dmdep.outputFile="+temporary)
	if output, err := mvn.CombinedOutput(); err != nil {
		return "", fmt.Errorf("could not fetch %s (%s): %w: %s", name, Help, err, output)
	}
	classpath, err := os.ReadFile(temporary)
	if err != nil {
		return "", fmt.Errorf("could not read the class path that Maven wrote: %w", err)
	}
	if err := os.Rename(temporary, kept); err != nil {
		return "", fmt.Errorf("could not keep the class path: %w", err)
	}
	return strings.TrimSpace(string(classpath)), nil
}

func allExist(classpath string) bool {
	for _, path := range filepath.SplitList(strings.TrimSpace(classpath)) {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}
