package trigger

import (
	"encoding/base64"
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/function-mesh/functionmesh-apiserver/pkg/schema"
)

// TestAnswers tells the answer to a message from those to others.
func TestAnswers(t *testing.T) {
	const topic = "persistent://public/default/in"
	sent := pulsar.NewMessageID(7, 3, -1, 0)
	encode := func(id pulsar.MessageID) string { return base64.StdEncoding.EncodeToString(id.Serialize()) }
	for _, test := range []struct {
		what, id, topic string
		want            bool
	}{
		{"the answer", encode(sent), topic, true},
		{"of a partition", encode(sent), topic + "-partition-2", true},
		{"with another batch index", encode(pulsar.NewMessageID(7, 3, 0, -1)), topic, true},
		{"to another entry", encode(pulsar.NewMessageID(7, 4, -1, 0)), topic, false},
		{"to another ledger", encode(pulsar.NewMessageID(8, 3, -1, 0)), topic, false},
		{"of another topic", encode(sent), "persistent://public/default/other", false},
		{"of a topic with a longer name", encode(sent), topic + "-more", false},
		{"of a topic that ends alike", encode(sent), "persistent://public/default/x-partition-2", false},
		{"of no partition", encode(sent), topic + "-partition-", false},
		{"to what is no message", "x", topic, false},
		{"to what is no identifier", base64.StdEncoding.EncodeToString([]byte{0xff}), topic, false},
		{"to nothing", "", "", false},
	} {
		if got := answers(map[string]string{propertyMessageID: test.id, propertyTopic: test.topic}, sent, topic); got != test.want {
			t.Errorf("%s: %t", test.what, got)
		}
	}
}

// TestSchemas has a definition that can't be read, which must not end the process.
func TestSchemas(t *testing.T) {
	for kind, known := range map[string]bool{"AVRO": true, "JSON": true, "PROTOBUF": true, "INT32": true, "PROTOBUF_NATIVE": true, "KEY_VALUE": false, "NONE": false} {
		made := schemaFor(schema.Schema{Type: kind, Data: "{"})
		if known != (made != nil) {
			t.Errorf("%s: %v", kind, made)
		}
		if known && made.GetSchemaInfo().Schema != "{" {
			t.Errorf("%s is changed", kind)
		}
	}
}
