package connectors

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// workerFile is as the Java worker's documentation has it, and a little more.
const workerFile = `
- id: pulsar-io-kafka
  name: kafka
  description: Kafka source and sink connector
  sourceClass: org.apache.pulsar.io.kafka.KafkaBytesSource
  sinkClass: org.apache.pulsar.io.kafka.KafkaBytesSink
  sourceConfigClass: org.apache.pulsar.io.kafka.KafkaSourceConfig
  sinkConfigClass: org.apache.pulsar.io.kafka.KafkaSinkConfig
  version: 2.10.1.9
  imageRegistry: registry.example:5000
  imageRepository: io/pulsar-io-kafka
  imageTag: 2.10
  typeClassName: "[B"
  sourceTypeClassName: java.nio.ByteBuffer
  defaultSchemaType: org.example.Schema$Inner
  defaultSerdeClassName: org.example.Serde
  jarFullName: pulsar-io-kafka.jar
  icon: https://example.org/kafka.svg
  size: {unknown: [members, are, ignored]}
- {id: pulsar-io-mongo, name: mongo_db, sinkClass: org.example.Mongo, version: 3.0, imageRepository: streamnative/mongo}
- name: local
  imageRegistry: ""
  imageRepository: local
  imageTag: v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  functionClass: org.example.Function
  jarFullName: functions/local.jar
  configFields:
  - fieldName: topic
    typeName: java.lang.String
    attributes: {required: true, defaultValue: 5, help: "Where it\ngoes"}
- {name: without-image, id: a, version: 1, imageRegistry: null}
`

func TestParseResolvesAsTheJavaWorker(t *testing.T) {
	got, err := Parse([]byte(workerFile))
	if err != nil {
		t.Fatal(err)
	}
	want := []v1alpha1.PulsarConnectorSpec{{
		Name: "kafka", ID: "pulsar-io-kafka", Description: "Kafka source and sink connector", Version: "2.10.1.9",
		Image: "registry.example:5000/io/pulsar-io-kafka:2.10", Archive: "connectors/pulsar-io-kafka.jar",
		SourceClass:       "org.apache.pulsar.io.kafka.KafkaBytesSource",
		SinkClass:         "org.apache.pulsar.io.kafka.KafkaBytesSink",
		SourceConfigClass: "org.apache.pulsar.io.kafka.KafkaSourceConfig",
		SinkConfigClass:   "org.apache.pulsar.io.kafka.KafkaSinkConfig",
		TypeClassName:     "[B", SourceTypeClassName: "java.nio.ByteBuffer",
		DefaultSchemaType: "org.example.Schema$Inner", DefaultSerdeClassName: "org.example.Serde",
	}, {
		Name: "mongo_db", ID: "pulsar-io-mongo", Version: "3.0", SinkClass: "org.example.Mongo",
		Image: "docker.io/streamnative/mongo:3.0", Archive: "connectors/pulsar-io-mongo-3.0.nar",
	}, {
		Name: "local", FunctionClass: "org.example.Function", Archive: "connectors/functions/local.jar",
		Image: "local:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		ConfigFields: []v1alpha1.ConfigField{{FieldName: "topic", TypeName: "java.lang.String",
			Attributes: map[string]string{"required": "true", "defaultValue": "5", "help": "Where it\ngoes"}}},
	}, {
		Name: "without-image", ID: "a", Version: "1", Archive: "connectors/a-1.nar",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it was read differently (-want +got):\n%s", diff)
	}
	if none, err := Parse([]byte("[]")); err != nil || len(none) != 0 {
		t.Errorf("an empty list is %v, %v", none, err)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = "{name: n, id: i, version: 1, imageRepository: r"
	for name, test := range map[string]struct{ text, want string }{
		"nothing":            {"", "it is empty"},
		"a map":              {"connectors: []", "line 1: it must be a list"},
		"a syntax error":     {"- name: a\n\t- b", "line 2"},
		"two members":        {"- {name: a, name: b}", "line 1"},
		"a wrong type":       {"- name: a\n  configFields: 5", "line 1, entry 1"},
		"no name":            {"\n\n- {id: a, version: 1}", `line 3, entry 1 (""): name: every`},
		"name":               {"- {name: a/b, id: a, version: 1}", `name: "a/b" must`},
		"a long name":        {"- {name: " + strings.Repeat("a", 200) + ", id: a, version: 1}", "name: may have 128 bytes"},
		"twice":              {"- " + good + "}\n- " + good + "}", `line 2, entry 2 ("n"): name: line 1 has the same name`},
		"no archive":         {"- {name: n, id: i}", "jarFullName: the archive"},
		"archive climbs":     {"- " + good + ", jarFullName: ../../bin/x}", "jarFullName"},
		"archive is hidden":  {"- " + good + ", jarFullName: a/.b}", "jarFullName"},
		"archive for shells": {"- " + good + ", jarFullName: 'a.nar; rm -rf x'}", "jarFullName"},
		"archive substitute": {"- " + good + ", jarFullName: 'a$(x).nar'}", "jarFullName"},
		"archive lines":      {"- " + good + ", jarFullName: \"a.nar\\nx\"}", "jarFullName"},
		"id":                 {"- {name: n, id: 'i i', version: 1, jarFullName: a}", "id:"},
		"version":            {"- {name: n, id: i, version: '1 2', jarFullName: a}", "version:"},
		"image":              {"- {name: n, id: i, version: 1, imageRepository: 'R r'}", "imageRepository"},
		"image with a tag":   {"- {name: n, id: i, version: 1, imageRepository: 'r:1'}", "imageRepository"},
		"image tag":          {"- " + good + ", imageTag: '1\n2'}", "imageRepository"},
		"image registry":     {"- " + good + ", imageRegistry: 'https://r'}", "imageRepository"},
		"tag but no image":   {"- {name: n, id: i, version: 1, imageTag: 1}", "imageRepository: an image has one"},
		"image but no tag":   {"- {name: n, jarFullName: j, imageRepository: r}", "imageTag"},
		"class":              {"- " + good + ", sinkClass: a-b}", "sinkClass"},
		"class for shells":   {"- " + good + ", sourceClass: 'a;b'}", "sourceClass"},
		"function class":     {"- " + good + ", functionClass: 'a b'}", "functionClass"},
		"type":               {"- " + good + ", sinkTypeClassName: '[X'}", "sinkTypeClassName"},
		"schema":             {"- " + good + ", defaultSchemaType: '{}'}", "defaultSchemaType"},
		"serde":              {"- " + good + ", defaultSerdeClassName: \"a'\"}", "defaultSerdeClassName"},
		"description":        {"- " + good + ", description: \"\\x1b[2J\"}", "description"},
		"config field":       {"- " + good + ", configFields: [{typeName: x}]}", "configFields[0].fieldName"},
		"config field twice": {"- " + good + ", configFields: [{fieldName: x}, {fieldName: x}]}", "configFields[1].fieldName"},
	} {
		t.Run(name, func(t *testing.T) {
			specs, err := Parse([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want an error with %q", specs, err, test.want)
			}
		})
	}
}

func TestParseBoundsWhatItTells(t *testing.T) {
	var text strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, "- {name: n%d, id: a, version: 1, sinkClass: %q}\n", i, strings.Repeat("-", 500))
	}
	_, err := Parse([]byte(text.String()))
	if err == nil || !strings.Contains(err.Error(), "and 40 problems more") || len(err.Error()) > 4000 {
		t.Errorf("it tells %v", err)
	}
}
