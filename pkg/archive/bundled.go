package archive

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// openBundled opens an archive in the archive. A zip file is read from its end, so it
// is unpacked first, into a file that has no name any more and is gone with this
// process.
func (a *Archive) openBundled(file *zip.File) (*jar, error) {
	packed, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("could not unpack it: %w", err)
	}
	defer packed.Close()
	temp, err := os.CreateTemp("", "bundled-*.jar")
	if err != nil {
		return nil, fmt.Errorf("could not make a temporary file: %w", err)
	}
	if err := os.Remove(temp.Name()); err != nil {
		temp.Close()
		return nil, fmt.Errorf("could not hide a temporary file: %w", err)
	}
	// Its size was counted when the directory was read; more than that is an error.
	size, err := io.Copy(temp, io.LimitReader(packed, int64(file.UncompressedSize64)+1))
	if err == nil && size > int64(file.UncompressedSize64) {
		err = zip.ErrFormat
	}
	if err != nil {
		temp.Close()
		return nil, fmt.Errorf("could not unpack it: %w", err)
	}
	place, err := a.open(temp, size)
	if err != nil {
		temp.Close()
		return nil, err
	}
	place.temp = temp
	return place, nil
}

// directory is the reader of an archive, of which only so much is read until its
// directory is known: what that says of its own length isn't believed.
type directory struct {
	io.ReaderAt
	archive *Archive
	read    bool
}

// searched is how much of an archive's end is read to find its directory.
const searched = 64<<10 + 1<<12

// ReadAt implements io.ReaderAt.
func (d *directory) ReadAt(into []byte, at int64) (int, error) {
	if d.read {
		return d.ReaderAt.ReadAt(into, at)
	}
	n, err := d.ReaderAt.ReadAt(into, at)
	// The library first looks for the end of the archive, in steps.
	if d.archive.directory += int64(n); d.archive.directory > d.archive.limits.Directory+int64(1+len(d.archive.classes))*2*searched {
		return 0, limitf("the archive has a directory of more than %d bytes", d.archive.limits.Directory)
	}
	return n, err
}

// checkCount refuses a zip file whose directory is longer than limit entries could
// make it, before it is read: the library would allocate for all of it.
func checkCount(reader io.ReaderAt, size int64, limit int) error {
	const (
		endLength = 22 // of the record that ends a zip file, without its comment
		endMagic  = 0x06054b50
		maxEntry  = 46 + 4096 + 1024 // a directory entry with a long name and extras
	)
	tail := make([]byte, min(size, endLength+1<<16))
	if _, err := reader.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("could not read the archive: %w", err)
	}
	for at := len(tail) - endLength; at >= 0; at-- {
		if binary.LittleEndian.Uint32(tail[at:]) != endMagic {
			continue
		}
		count := int(binary.LittleEndian.Uint16(tail[at+10:]))
		length := int64(binary.LittleEndian.Uint32(tail[at+12:]))
		if count > limit || length != 1<<32-1 && length > int64(limit)*maxEntry {
			return limitf("the archive has more than %d entries", limit)
		}
		return nil
	}
	return ErrFormat
}
