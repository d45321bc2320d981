package connectors

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"
)

const (
	// maxFileSize bounds a connectors file, in bytes.
	maxFileSize = 1 << 20
	// reloadInterval is how often the file is looked at. The kubelet needs longer to
	// bring a changed ConfigMap.
	reloadInterval = 2 * time.Second
)

// file is the file that a catalogue follows, and what it was when it was last read.
//
// It is read again and again rather than watched: that sees every way in which a file
// can be replaced, the symbolic links of a ConfigMap among them, and also works where
// the kernel tells of no changes. Reading what the kernel has in memory costs nothing.
type file struct {
	path string

	mu   sync.Mutex
	seen string
	err  error
}

// Load returns a catalogue of what a file says. Run makes it follow the file.
func Load(path string) (*Catalogue, error) {
	catalogue := &Catalogue{file: &file{path: path}}
	if err := catalogue.Reload(); err != nil {
		return nil, err
	}
	return catalogue, nil
}

// Run follows the file until ctx ends, if the catalogue has one.
func (c *Catalogue) Run(ctx context.Context) {
	if c.file == nil {
		return
	}
	wait.UntilWithContext(ctx, func(context.Context) {
		// An error has been logged, and what was there before goes on.
		_ = c.Reload()
	}, reloadInterval)
}

// Reload reads the file now, if the catalogue has one. With an error the entries stay
// as they were; it is logged once for as long as it stays the same.
func (c *Catalogue) Reload() error {
	if c == nil || c.file == nil {
		return nil
	}
	c.file.mu.Lock()
	defer c.file.mu.Unlock()
	data, err := read(c.file.path)
	seen := sighting(data, err)
	if seen == c.file.seen {
		return c.file.err
	}
	first := c.file.seen == ""
	c.file.seen, c.file.err = seen, c.apply(data, err)
	switch {
	case c.file.err != nil:
		reloads.WithLabelValues("failure").Inc()
		fileInvalid.Set(1)
		if !first {
			klog.ErrorS(c.file.err, "Could not load the connectors file; what it said before stays in force", "file", c.file.path)
		}
	default:
		reloads.WithLabelValues("success").Inc()
		fileInvalid.Set(0)
		entries := len(c.Current().Entries)
		knownEntries.Set(float64(entries))
		klog.InfoS("Loaded the connectors file", "file", c.file.path, "connectors", entries)
	}
	return c.file.err
}

func (c *Catalogue) apply(data []byte, err error) error {
	if err != nil {
		return err
	}
	specs, err := Parse(data)
	if err != nil {
		return err
	}
	c.Replace(specs)
	return nil
}

// sighting is equal for equal files.
func sighting(data []byte, err error) string {
	if err != nil {
		return "error " + err.Error()
	}
	sum := sha256.Sum256(data)
	return "content " + string(sum[:])
}

func read(path string) ([]byte, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("could not read the connectors file: %w", err)
	}
	defer func() { _ = opened.Close() }()
	if info, err := opened.Stat(); err != nil {
		return nil, fmt.Errorf("could not read the connectors file: %w", err)
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("could not read the connectors file: it is not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(opened, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("could not read the connectors file: %w", err)
	}
	if len(data) > maxFileSize {
		return nil, fmt.Errorf("could not read the connectors file: it has more than %d bytes", maxFileSize)
	}
	return data, nil
}
