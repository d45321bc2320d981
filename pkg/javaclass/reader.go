package javaclass

import (
	"encoding/binary"
	"errors"
)

// errTruncated says that a class file promises more than it holds.
var errTruncated = errors.New("the class file ends too early")

// reader reads big-endian numbers. After an error it returns zeros and keeps the
// error, so that callers check once.
type reader struct {
	rest []byte
	err  error
}

// take returns the next n bytes, or nil when there are fewer.
func (r *reader) take(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.rest)) {
		if r.err == nil {
			r.err = errTruncated
		}
		r.rest = nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) u1() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u2() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u4() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}
