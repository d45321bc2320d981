package topics

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// valueSchemas are the schemas of topics, as they are sent to Pulsar's web service.
func valueSchemas(t *testing.T) map[string]map[string]any {
	const record = `{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int"},{"name":"s","type":["null","string"]}]}`
	set := must[[]byte](t)(proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("m.proto"), Package: proto.String("p"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M"), Field: []*descriptorpb.FieldDescriptorProto{{
			Name: proto.String("s"), Number: proto.Int32(1), JsonName: proto.String("s"),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
		}}}},
	}}}))
	native := string(must[[]byte](t)(json.Marshal(map[string]any{"fileDescriptorSet": set, "rootMessageTypeName": "p.M", "rootFileDescriptorName": "m.proto"})))
	pair := func(encoding, value, definition string) map[string]any {
		return map[string]any{"type": "KEY_VALUE", "schema": `{"key":"","value":` + definition + `}`, "properties": map[string]string{
			"kv.encoding.type": encoding, "key.schema.name": "k", "key.schema.type": "INT32", "value.schema.name": "v", "value.schema.type": value,
		}}
	}
	return map[string]map[string]any{
		"avro":     {"type": "AVRO", "schema": record, "properties": map[string]string{}},
		"protobuf": {"type": "PROTOBUF", "schema": record, "properties": map[string]string{}},
		"native":   {"type": "PROTOBUF_NATIVE", "schema": native, "properties": map[string]string{}},
		"pair":     pair("INLINE", "AVRO", record),
		"value":    pair("SEPARATED", "STRING", `""`),
		"day":      {"type": "LOCAL_DATE", "schema": "", "properties": map[string]string{}},
		"instant":  {"type": "INSTANT", "schema": "", "properties": map[string]string{}},
		"time":     {"type": "TIMESTAMP", "schema": "", "properties": map[string]string{}},
	}
}

// TestValuesAsPulsar triggers one function by topics with schemas at both, with values that
// fit and others, and compares what both say.
func TestValuesAsPulsar(t *testing.T) {
	uploadCode(t)
	d := definition{name: "raw", className: "org.example.Raw", output: "raw-out", valueType: "[B"}
	schemas := valueSchemas(t)
	for topic, schema := range schemas {
		d.inputs = append(d.inputs, topic)
		for _, prefix := range []string{theirs, ours} {
			// A topic that nobody subscribed to is removed after a while, and its schema with it.
			administer(t, "PUT", "/admin/v2/persistent/public/default/"+prefix+topic, "")
			administer(t, "PUT", "/admin/v2/persistent/public/default/"+prefix+topic+"/subscription/stays", "")
			administer(t, "POST", "/admin/v2/schemas/public/default/"+prefix+topic+"/schema", string(must[[]byte](t)(json.Marshal(schema))))
		}
	}
	both(t, d)

	const ends = "java.io.EOFException"
	const protobufEnds = "com.google.protobuf.InvalidProtocolBufferException: While parsing a protocol message, the input ended unexpectedly in the middle of a field.  " +
		"This could mean either that the input has been truncated or that an embedded message misreported its own length."
	for _, step := range []struct {
		topic, value string
		// refusal is why a value is refused, and different that Pulsar says something else.
		refusal   string
		different bool
	}{
		{topic: "avro", value: "\x02\x00"},
		{topic: "avro", value: "\x02\x02\x06abc"},
		{topic: "avro", value: "\x02\x00 and more"},
		{topic: "avro", value: "", refusal: ends},
		{topic: "avro", value: "\x02\x02\x06ab", refusal: ends},
		{topic: "avro", value: "hello", refusal: "java.lang.ArrayIndexOutOfBoundsException: Index -51 out of bounds for length 2"},
		{topic: "avro", value: "\x02\x02\x01", refusal: "Malformed data. Length is negative", different: true},
		{topic: "protobuf", value: "\x02\x00"},
		{topic: "protobuf", value: "\x02", refusal: ends},
		{topic: "native", value: "\x0a\x01x"},
		{topic: "native", value: "\x0a\x05x", refusal: protobufEnds},
		{topic: "native", value: "\x02", refusal: "com.google.protobuf.InvalidProtocolBufferException: Protocol message contained an invalid tag (zero)."},
		{topic: "pair", value: "\x00\x00\x00\x041234\x00\x00\x00\x02\x02\x00"},
		{topic: "pair", value: "\x00\x00\x00\x03123\x00\x00\x00\x02\x02\x00", refusal: "Size of data received by IntSchema is not 4"},
		{topic: "pair", value: "\x00\x00\x00\x041234\x00\x00\x00\x01\x02", refusal: ends},
		{topic: "pair", value: "\x00\x00\x00\x7f1234", refusal: "a key or a value isn't as long as it says", different: true},
		{topic: "value", value: "x"},
		{topic: "day", value: "\x00\x00\x00\x00\x00\x00\x00\x01"},
		{topic: "day", value: "today", refusal: "Size of data received by LongSchema is not 8"},
		{topic: "day", value: "nextyear", refusal: "it is no date or time that there is", different: true},
		{topic: "time", value: "12:00", refusal: "Size of data received by LongSchema is not 8"},
		{topic: "instant", value: "now", refusal: "Size of data received by InstantSchema is less than 12", different: true},
	} {
		t.Run(fmt.Sprintf("%s %q", step.topic, step.value), func(t *testing.T) {
			want := must[answer](t)(trigger(t.Context(), pulsarServer.URL(), d.name, part{"data", step.value}, part{"topic", "persistent://public/default/" + theirs + step.topic}))
			got := must[answer](t)(trigger(t.Context(), env.ShimURL(), d.name, part{"data", step.value}, part{"topic", "persistent://public/default/" + ours + step.topic}))
			t.Logf("Pulsar: %+v\nshim:   %+v", want, got)
			if step.refusal == "" {
				if got.code != 200 || got.body != step.value {
					t.Errorf("the shim answers %+v", got)
				}
			} else if got.code != 400 || got.reason() != "Failed to serialize input with error: "+step.refusal+". Please checkif input data conforms with the schema of the input topic." {
				t.Errorf("the shim answers %+v", got)
			}
			if step.different {
				if want.code != 500 {
					t.Errorf("Pulsar answers %+v", want)
				}
			} else if got.code != want.code || got.reason() != want.reason() {
				t.Errorf("Pulsar answers %+v, the shim %+v", want, got)
			}
		})
	}
	// What was sent with a schema has not made the topic a new one.
	for topic := range schemas {
		got := must[answer](t)(ask(t.Context(), "GET", pulsarServer.URL()+"/admin/v2/schemas/public/default/"+ours+topic+"/schema", nil, ""))
		if !strings.Contains(got.body, `"version":0,`) {
			t.Errorf("the schema of %s is now %+v", topic, got)
		}
	}
}
