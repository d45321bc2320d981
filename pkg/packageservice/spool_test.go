package packageservice

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSpool(t *testing.T) {
	for name, test := range map[string]struct {
		content io.Reader
		want    error
	}{
		"as large as may be": {strings.NewReader("0123456789"), nil},
		"too large":          {strings.NewReader("0123456789a"), ErrTooLarge},
		"empty":              {strings.NewReader(""), ErrEmpty},
		"cut off":            {io.MultiReader(strings.NewReader("0123"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
	} {
		spooled, err := Spool(test.content, 10)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if content, err := io.ReadAll(io.NewSectionReader(spooled, 0, spooled.Size)); err != nil || !bytes.Equal(content, []byte("0123456789")) {
			t.Errorf("%s: kept %q, %v", name, content, err)
		}
		if spooled.Digest != "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882" {
			t.Errorf("%s: digest %s", name, spooled.Digest)
		}
		spooled.Close()
	}
	t.Setenv("TMPDIR", t.TempDir()+"/nowhere")
	var disk *DiskError
	if _, err := Spool(strings.NewReader("x"), 10); !errors.As(err, &disk) {
		t.Errorf("without a disk: %v", err)
	}
}

func TestDigestIn(t *testing.T) {
	const digest = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
	for text, want := range map[string]string{digest: digest, digest[2:]: "", "../" + digest[3:]: "", "": ""} {
		if got := DigestIn(Metadata{Properties: map[string]string{"sha256": text}}); got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
