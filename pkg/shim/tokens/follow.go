package tokens

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/klog/v2"
)

const (
	// maxFile bounds a file of keys or of configuration.
	maxFile = 1 << 20
	// followPeriod is how often a file is looked at.
	followPeriod = 2 * time.Second
)

// readFile returns the content of a file that isn't too large.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxFile:
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	case len(bytes.TrimSpace(content)) == 0:
		return nil, errors.New(path + " is empty")
	}
	return content, nil
}

// follow calls use with the content of a file each time that it is another one, until the
// context ends. A content that can't be used leaves things as they are.
func follow(ctx context.Context, path string, period time.Duration, known []byte, use func([]byte) error) {
	logger := klog.FromContext(ctx).WithValues("file", path)
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		content, err := readFile(path)
		if err != nil {
			logger.Error(err, "Could not read a file again")
			continue
		}
		if bytes.Equal(content, known) {
			continue
		}
		known = content
		if err := use(content); err != nil {
			logger.Error(err, "Could not use what a file has become")
			continue
		}
		logger.Info("Using what a file has become")
	}
}
