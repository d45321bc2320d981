package componentconfig

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/utils/ptr"
)

func TestParseIsTolerant(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want FunctionConfig
	}{
		"unknown members":            {`{"className":"a.B","bogus":{"x":[1]},"fqfn":"t/n/f"}`, FunctionConfig{ClassName: "a.B"}},
		"nulls":                      {`{"className":null,"inputs":null,"windowConfig":null,"parallelism":null,"userConfig":null,"secrets":null}`, FunctionConfig{}},
		"members are case-sensitive": {`{"classname":"a.B"}`, FunctionConfig{}},
		"unknown constants": {
			`{"processingGuarantees":"TWICE","subscriptionPosition":"","runtime":"COBOL","producerConfig":{"compressionType":""}}`,
			FunctionConfig{ProducerConfig: &ProducerConfig{Partial: true}},
		},
		"known constants": {
			`{"processingGuarantees":"MANUAL","subscriptionPosition":"Earliest","runtime":"GO","producerConfig":{"compressionType":"ZSTD"}}`,
			FunctionConfig{Common: Common{ProcessingGuarantees: "MANUAL"}, SubscriptionPosition: "Earliest", Runtime: "GO", ProducerConfig: &ProducerConfig{CompressionType: "ZSTD", Partial: true}},
		},
		"whole numbers with a point": {
			`{"parallelism":5.0,"timeoutMs":9e3,"maxMessageRetries":"3","resources":{"cpu":1,"ram":9007199254740993,"disk":1.0}}`,
			FunctionConfig{
				Common: Common{Parallelism: ptr.To(int32(5)), Resources: &Resources{CPU: ptr.To(1.0), RAM: ptr.To(int64(9007199254740993)), Disk: ptr.To(int64(1))}},
				Inputs: Inputs{TimeoutMs: ptr.To(int64(9000)), MaxMessageRetries: ptr.To(int32(3))},
			},
		},
		"scalars of another type": {
			`{"autoAck":"true","cleanupSubscription":"","retainOrdering":0,"retainKeyOrdering":1,"name":5,"userConfig":{"n":5}}`,
			FunctionConfig{Common: Common{Name: "5"}, Inputs: Inputs{AutoAck: ptr.To(true), RetainOrdering: ptr.To(false), RetainKeyOrdering: ptr.To(true)}, UserConfig: map[string]any{"n": json.Number("5")}},
		},
		"a list of scalars": {`{"inputs":["a",5,true]}`, FunctionConfig{Inputs: Inputs{Inputs: []string{"a", "5", "true"}}}},
		"false is not absent": {
			`{"autoAck":false,"retainOrdering":false,"forwardSourceMessageProperty":false}`,
			FunctionConfig{Inputs: Inputs{AutoAck: ptr.To(false), RetainOrdering: ptr.To(false)}, ForwardSourceMessageProperty: ptr.To(false)},
		},
		"resources in part": {
			`{"resources":{"cpu":2}}`,
			FunctionConfig{Common: Common{Resources: &Resources{CPU: ptr.To(2.0), RAM: ptr.To(int64(1073741824)), Disk: ptr.To(int64(10737418240))}}},
		},
		"resources with a null": {
			`{"resources":{"ram":null}}`,
			FunctionConfig{Common: Common{Resources: &Resources{CPU: ptr.To(1.0), Disk: ptr.To(int64(10737418240))}}},
		},
		"both spellings of the pattern flag": {
			`{"inputSpecs":{"a":{"regexPattern":true},"b":{"isRegexPattern":true},"c":null}}`,
			FunctionConfig{Inputs: Inputs{InputSpecs: map[string]ConsumerConfig{"a": bareSpec(true), "b": bareSpec(true), "c": bareSpec(false)}}},
		},
		"what the Go client sends for nothing": {
			`{"producerConfig":{"maxPendingMessages":0,"maxPendingMessagesAcrossPartitions":0,"useThreadLocalProducers":false,"cryptoConfig":null,"batchBuilder":"","compressionType":""}}`,
			FunctionConfig{ProducerConfig: &ProducerConfig{Partial: true}},
		},
		"a producer as it is answered": {
			`{"producerConfig":{"maxPendingMessages":5,"useThreadLocalProducers":false,"batchBuilder":"","compressionType":"LZ4"}}`,
			FunctionConfig{ProducerConfig: &ProducerConfig{MaxPendingMessages: ptr.To(int32(5)), CompressionType: "LZ4"}},
		},
		"an empty pattern": {`{"topicsPattern":""}`, FunctionConfig{Inputs: Inputs{EmptyPattern: true}}},
		"no pattern":       {`{"topicsPattern":null}`, FunctionConfig{}},
		"batching in part": {
			`{"producerConfig":{"batchingConfig":{"batchingMaxMessages":0,"batchingMaxBytes":7}}}`,
			FunctionConfig{ProducerConfig: &ProducerConfig{BatchingConfig: &BatchingConfig{
				Enabled: ptr.To(true), BatchingMaxPublishDelayMs: ptr.To(int32(10)), BatchingMaxBytes: ptr.To(int32(7)),
			}, Partial: true}},
		},
		"what only the server sets in a window": {
			`{"windowConfig":{"windowLengthCount":3,"actualWindowFunctionClassName":"x.Y","processingGuarantees":"ATMOST_ONCE"}}`,
			FunctionConfig{WindowConfig: &WindowConfig{WindowLengthCount: ptr.To(int32(3))}},
		},
		"secrets": {
			`{"secrets":{"db":{"path":"s","key":"k","more":1}}}`,
			FunctionConfig{Common: Common{Secrets: map[string]Secret{"db": {Path: "s", Key: "k"}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			expectEqual(t, mustParse(t, test.text), &test.want)
		})
	}
}

func TestParseTellsEmptyFromAbsent(t *testing.T) {
	config := mustParse(t, `{"userConfig":{},"secrets":{},"windowConfig":{},"producerConfig":{},"resources":{}}`)
	if config.UserConfig == nil || config.Secrets == nil || config.WindowConfig == nil || config.ProducerConfig == nil || config.Resources == nil {
		t.Errorf("an empty object was read as none: %+v", config)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, reason := range map[string]string{
		"":                                  "Function config is not provided",
		" null ":                            "Function config is not provided",
		"[]":                                "Function config is not a JSON object",
		"{} {}":                             "Function config is not valid JSON: text after the end of the object",
		"{":                                 "Function config is not valid JSON: unexpected EOF",
		`{"inputs":"in"}`:                   "inputs must be a list of texts",
		`{"inputs":["a",null]}`:             "inputs[1] must be a text",
		`{"inputs":["a",["b"]]}`:            "inputs[1] must be a text",
		`{"parallelism":1.5}`:               "parallelism must be a whole number from -2147483648 to 2147483647",
		`{"parallelism":3000000000}`:        "parallelism must be a whole number from -2147483648 to 2147483647",
		`{"parallelism":1e999999999}`:       "parallelism must be a whole number from -2147483648 to 2147483647",
		`{"timeoutMs":9223372036854775808}`: "timeoutMs must be a whole number from -9223372036854775808 to 9223372036854775807",
		`{"timeoutMs":true}`:                "timeoutMs must be a whole number from -9223372036854775808 to 9223372036854775807",
		`{"autoAck":"maybe"}`:               "autoAck must be true or false",
		`{"className":{}}`:                  "className must be a text",
		`{"resources":{"cpu":"much"}}`:      "resources.cpu must be a number",
		`{"resources":[]}`:                  "resources must be an object",
		`{"userConfig":"{}"}`:               "userConfig must be an object",
		`{"inputSpecs":{"in":"avro"}}`:      "inputSpecs.in must be an object",
		`{"inputSpecs":{"b":{},"a":{"z":1,"receiverQueueSize":"x"}}}`:                     "inputSpecs.a.receiverQueueSize must be a whole number from -2147483648 to 2147483647",
		`{"inputSpecs":{"a":{"schemaProperties":{"k":{}}}}}`:                              "inputSpecs.a.schemaProperties.k must be a text",
		`{"producerConfig":{"cryptoConfig":{"cryptoKeyReaderConfig":{"n":5}}}}`:           "producerConfig.cryptoConfig.cryptoKeyReaderConfig.n must be a text: Function Mesh can't hold other values here",
		`{"inputSpecs":{"a":{"messagePayloadProcessorConfig":{"config":{"n":{"x":1}}}}}}`: "inputSpecs.a.messagePayloadProcessorConfig.config.n must be a text: Function Mesh can't hold other values here",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := functionForm.read([]byte(text))
			expectReason(t, err, reason)
		})
	}
}

func TestParseRefusesOtherSecretsWithoutShowingThem(t *testing.T) {
	for _, secret := range []string{
		`"hunter2"`, `{"path":"hunter2"}`, `{"key":"hunter2"}`, `{"path":"","key":"hunter2"}`, `{"path":"hunter2","key":5}`, `["hunter2"]`, `null`,
	} {
		t.Run(secret, func(t *testing.T) {
			_, err := functionForm.read([]byte(`{"secrets":{"db":` + secret + `}}`))
			expectReason(t, err, `secrets.db must be an object that names a Kubernetes Secret and one of its keys: {"path": "secret", "key": "key"}`)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the reason shows the value: %v", err)
			}
		})
	}
}

func TestParseUpdateOptions(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "null": false, "{}": false, `{"updateAuthData":false}`: false,
		`{"updateAuthData":true}`: true, `{"update-auth-data":true}`: true,
	} {
		options, err := ParseUpdateOptions([]byte(text))
		if err != nil || options.UpdateAuthData != want {
			t.Errorf("%s: got %v, %v, want %v", text, options.UpdateAuthData, err, want)
		}
	}
	_, err := ParseUpdateOptions([]byte(`{"updateAuthData":"3"}`))
	expectReason(t, err, "updateAuthData must be true or false")
}
