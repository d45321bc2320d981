package topics

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// fields are some of a message of Pulsar's protocol, by their numbers: integers, texts and
// messages in them.
type fields map[int]any

// encode returns them in protobuf's encoding.
func (f fields) encode() []byte {
	var encoded []byte
	for number, value := range f {
		switch value := value.(type) {
		case int:
			encoded = binary.AppendUvarint(encoded, uint64(number<<3))
			// What is negative has ten bytes.
			encoded = binary.AppendUvarint(encoded, uint64(value))
		case string:
			encoded = binary.AppendUvarint(encoded, uint64(number<<3|2))
			encoded = append(binary.AppendUvarint(encoded, uint64(len(value))), value...)
		case fields:
			encoded = append(encoded, fields{number: string(value.encode())}.encode()...)
		}
	}
	return encoded
}

// sized puts the size before what is encoded.
func sized(encoded []byte) []byte {
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(encoded))), encoded)
}

// Types of commands, which are also the numbers of most of their fields.
const (
	connect, connected       = 2, 3
	producer, producing      = 5, 17
	sendMessage, sendReceipt = 6, 7
)

// lie writes a message to a topic that says of itself what no client library would.
func lie(ctx context.Context, topic string, says fields) error {
	address, err := url.Parse(pulsarServer.ServiceURL())
	if err != nil {
		return err
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address.Host)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	metadata := fields{1: "liar", 2: 0, 3: int(time.Now().UnixMilli())}
	for number, value := range says {
		metadata[number] = value
	}
	message := append(sized(metadata.encode()), "not much"...)
	message = slices.Concat([]byte{0x0e, 0x01}, binary.BigEndian.AppendUint32(nil, crc32.Checksum(message, crc32.MakeTable(crc32.Castagnoli))), message)
	for _, step := range []struct {
		command fields
		follows []byte
		answer  byte
	}{
		{fields{1: connect, connect: fields{1: "test", 4: 19}}, nil, connected},
		{fields{1: producer, producer: fields{1: topic, 2: 1, 3: 1, 4: "liar"}}, nil, producing},
		{fields{1: sendMessage, sendMessage: fields{1: 1, 2: 0}}, message, sendReceipt},
	} {
		if _, err := connection.Write(sized(append(sized(step.command.encode()), step.follows...))); err != nil {
			return err
		}
		var size [4]byte
		if _, err := io.ReadFull(connection, size[:]); err != nil {
			return err
		}
		answer := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(connection, answer); err != nil {
			return err
		}
		// The type is the first field of each command, after its size.
		if !bytes.HasPrefix(answer[len(size):], []byte{1 << 3, step.answer}) {
			return fmt.Errorf("Pulsar answers %q to %v", answer, step.command)
		}
	}
	return nil
}

// TestTriggerAmongLies has others write to the output topic of a function, while somebody
// triggers it, what Pulsar's client library allocates as much as it says for, or panics
// over. It takes nothing else with it.
func TestTriggerAmongLies(t *testing.T) {
	uploadCode(t)
	d := definition{name: "lied-to", className: "org.example.Slow", inputs: []string{"lied-to-in"}, output: "lied-to-out"}.with(ours)
	server := d.instance(t.Context(), t)
	standIn.SetPort(objectName(d.name), server.Port())
	d.create(t, env.ShimURL())
	ready(t, d.name)
	answers := func(what string) {
		t.Helper()
		eventually(t, "an answer "+what, func(ctx context.Context) error {
			got, err := trigger(ctx, env.ShimURL(), d.name, part{"data", what})
			if err == nil && got.body != what+"!" {
				err = fmt.Errorf("it is %+v", got)
			}
			return err
		})
	}
	answers("before")
	for what, says := range map[string]fields{
		// LZ4, and 4 GiB of it.
		"a size": {8: 1, 9: 1<<32 - 1},
		// The first of two parts of -1 bytes.
		"a negative size": {26: "parts", 27: 2, 28: -1, 29: 0},
	} {
		// The function has no answer to nothing.
		answered := make(chan answer, 1)
		go func() {
			got, err := trigger(t.Context(), env.ShimURL(), d.name, part{"data", ""})
			if err != nil {
				got.body = err.Error()
			}
			answered <- got
		}()
		eventually(t, "somebody at the output", func(ctx context.Context) error {
			names, err := subscriptionsOf(ctx, "ours-lied-to-out")
			if err == nil && len(names) == 0 {
				err = errors.New("there is nobody")
			}
			return err
		})
		if err := lie(t.Context(), d.output, says); err != nil {
			t.Fatal(err)
		}
		if got := <-answered; got.code != http.StatusBadGateway ||
			got.reason() != "What came from Pulsar could not be read: it is too large, or something else than it claims to be. The message may have been sent." {
			t.Errorf("%s: who triggers is answered %+v", what, got)
		}
		leavesNothing(t, "ours-lied-to-out")
		answers("after " + what)
	}

	// What isn't a lie has room, as much as there may be of it and of what Pulsar adds.
	random := make([]byte, (5<<20-64<<10)/2)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	large := hex.EncodeToString(random)
	if got, err := trigger(t.Context(), env.ShimURL(), d.name, part{"data", large}); err != nil || got.code != http.StatusOK || got.body != large+"!" {
		t.Errorf("a large message is answered %d %.200q, %v", got.code, got.body, err)
	}
}
