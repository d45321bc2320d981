package instancetest

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"time"
)

// Types and flags of HTTP/2's frames.
const (
	frameData, frameHeaders, frameSettings, framePing, frameContinuation = 0, 1, 4, 6, 9
	flagEndStream, flagEndHeaders                                        = 1, 4
	// firstStream is that of a connection's first request.
	firstStream = 1
	// headerSize is that of a frame's header, prefaceSize what a client begins with.
	headerSize, prefaceSize = 9, 24
)

// frame encodes a frame of HTTP/2.
func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	size := len(payload)
	header := []byte{byte(size >> 16), byte(size >> 8), byte(size), kind, flags}
	return append(binary.BigEndian.AppendUint32(header, stream), payload...)
}

// field encodes a header field.
func field(name, value string) []byte {
	return slices.Concat([]byte{0}, length(len(name)), []byte(name), length(len(value)), []byte(value))
}

// length encodes how long a text is.
func length(size int) []byte {
	const prefix = 1<<7 - 1
	if size < prefix {
		return []byte{byte(size)}
	}
	return binary.AppendUvarint([]byte{prefix}, uint64(size-prefix))
}

// statusOK is the field of an answer that succeeds.
var statusOK = []byte{0x88}

// answerHeaders begin a good answer.
var answerHeaders = frame(frameHeaders, flagEndHeaders, firstStream, append(statusOK, field("content-type", "application/grpc")...)...)

// message encodes the only message of an answer.
func message(compressed byte, content []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{compressed}, uint32(len(content))), content...)
}

// answering is a peer that waits for a request, sends something, and then waits until the
// other side hangs up.
func answering(answer func(connection net.Conn) error) Peer {
	return talking(func(connection net.Conn) {
		if awaitRequest(connection) != nil {
			return
		}
		left := make(chan struct{})
		go func() {
			// What the client says meanwhile must not be in the way.
			_, _ = io.Copy(io.Discard, connection)
			close(left)
		}()
		if answer(connection) == nil {
			<-left
		}
	})
}

// awaitRequest reads until the first request.
func awaitRequest(connection net.Conn) error {
	if _, err := connection.Write(frame(frameSettings, 0, 0)); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, connection, prefaceSize); err != nil {
		return err
	}
	header := make([]byte, headerSize)
	for {
		if _, err := io.ReadFull(connection, header); err != nil {
			return err
		}
		size := int64(header[0])<<16 | int64(header[1])<<8 | int64(header[2])
		if _, err := io.CopyN(io.Discard, connection, size); err != nil || header[3] == frameHeaders {
			return err
		}
	}
}

// endless is a peer that begins an answer and never ends it.
func endless(start, more []byte) Peer {
	return answering(func(connection net.Conn) error {
		_, err := connection.Write(start)
		for err == nil {
			// Others on this machine are to get on meanwhile.
			time.Sleep(time.Millisecond)
			_, err = connection.Write(more)
		}
		return err
	})
}
