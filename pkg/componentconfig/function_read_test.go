package componentconfig

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// What Pulsar answers for the smallest function: every member that is always there.
const minimalAnswer = `{"tenant":"t","namespace":"n","name":"f","className":"a.B",
 "inputSpecs":{"in":{"regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}},
 "output":"out",
 "producerConfig":{"useThreadLocalProducers":false,"batchBuilder":"","compressionType":"LZ4"},
 "processingGuarantees":"ATLEAST_ONCE","retainOrdering":false,"retainKeyOrdering":false,
 "forwardSourceMessageProperty":true,"userConfig":{},"runtime":"JAVA","autoAck":true,"parallelism":1,
 "resources":{"cpu":1.0,"ram":1073741824,"disk":10737418240},
 "cleanupSubscription":true,"subscriptionPosition":"Latest"}`

func TestGetOfTheSmallestFunction(t *testing.T) {
	function := stored(t, `{"className":"a.B","inputs":["in"],"output":"out","jar":"x.jar"}`)
	expectEqual(t, jsonValue(t, getJSON(t, function)), jsonValue(t, minimalAnswer))
}

// TestGet creates a function with some members beside those of the smallest one and
// looks at those of the answer that they concern; null is for absent.
func TestGet(t *testing.T) {
	bare := `{"regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}`
	for name, test := range map[string]struct{ given, want string }{
		"inputs are specs only": {
			`{"inputs":["a"],"topicsPattern":"p","customSerdeInputs":{"s":"S"},"customSchemaInputs":{"c":"{\"schemaType\":\"avro\"}"}}`,
			`{"inputs":null,"topicsPattern":null,"customSerdeInputs":null,"customSchemaInputs":null,"inputSpecs":{"a":` + bare + `,
			 "p":{"regexPattern":true,"schemaProperties":{},"consumerProperties":{},"poolMessages":false},
			 "s":{"serdeClassName":"S","regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false},
			 "c":{"schemaType":"avro","regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}}}`,
		},
		"the later way to name an input wins": {
			`{"inputs":["a","b"],"topicsPattern":"b","customSerdeInputs":{"a":"S","c":"S"},"customSchemaInputs":{"c":"{\"schemaType\":\"avro\"}","d":"{\"schemaType\":\"x\"}"},"inputSpecs":{"d":{"schemaType":"json"}}}`,
			`{"inputSpecs":{"b":{"regexPattern":true,"schemaProperties":{},"consumerProperties":{},"poolMessages":false},
			 "a":{"serdeClassName":"S","regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false},
			 "c":{"schemaType":"avro","regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false},
			 "d":{"schemaType":"json","regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}}}`,
		},
		"members of a spec": {
			`{"inputSpecs":{"a":{"schemaType":"avro","serdeClassName":"S","receiverQueueSize":0,"schemaProperties":{"k":"v"},"consumerProperties":{"x":"y"},
			  "poolMessages":true,"cryptoConfig":{"cryptoKeyReaderClassName":"R","consumerCryptoFailureAction":"DISCARD"},"messagePayloadProcessorConfig":{"className":"M","config":{"a":"b"}}}}}`,
			`{"inputSpecs":{"a":{"schemaType":"avro","receiverQueueSize":0,"schemaProperties":{"k":"v"},"consumerProperties":{"x":"y"},"regexPattern":false,
			  "poolMessages":true,"cryptoConfig":{"cryptoKeyReaderClassName":"R","encryptionKeys":[],"producerCryptoFailureAction":"FAIL","consumerCryptoFailureAction":"DISCARD"},"messagePayloadProcessorConfig":{"className":"M","config":{"a":"b"}}}}}`,
		},
		"zeros of a producer": {
			`{"producerConfig":{"maxPendingMessages":0,"maxPendingMessagesAcrossPartitions":0,"useThreadLocalProducers":true,"cryptoConfig":null,"batchBuilder":"","compressionType":""}}`,
			`{"producerConfig":{"useThreadLocalProducers":true,"batchBuilder":"","compressionType":"LZ4"}}`,
		},
		"a producer": {
			`{"producerConfig":{"maxPendingMessages":1,"maxPendingMessagesAcrossPartitions":2,"compressionType":"ZSTD","batchBuilder":"DEFAULT","batchingConfig":{}}}`,
			`{"producerConfig":{"maxPendingMessages":1,"maxPendingMessagesAcrossPartitions":2,"useThreadLocalProducers":false,"compressionType":"ZSTD","batchBuilder":"DEFAULT",
			  "batchingConfig":{"enabled":true,"batchingMaxPublishDelayMs":10}}}`,
		},
		"the batch builder's older place": {`{"batchBuilder":"KEY_BASED"}`, `{"batchBuilder":null,"producerConfig":{"useThreadLocalProducers":false,"batchBuilder":"KEY_BASED","compressionType":"LZ4"}}`},
		"false is not forwarded":          {`{"forwardSourceMessageProperty":false}`, `{"forwardSourceMessageProperty":null}`},
		"what is always there": {
			`{"retainOrdering":true,"autoAck":false,"cleanupSubscription":false,"parallelism":4,"processingGuarantees":"MANUAL","subscriptionPosition":"Earliest","py":"x"}`,
			`{"retainOrdering":true,"retainKeyOrdering":false,"autoAck":false,"cleanupSubscription":false,"parallelism":4,"processingGuarantees":"MANUAL","subscriptionPosition":"Earliest","runtime":"PYTHON"}`,
		},
		"no retries":          {`{"maxMessageRetries":0,"deadLetterTopic":"d"}`, `{"maxMessageRetries":0,"deadLetterTopic":"d"}`},
		"retries for ever":    {`{"maxMessageRetries":-1,"deadLetterTopic":"d"}`, `{"maxMessageRetries":null,"deadLetterTopic":null}`},
		"a timeout":           {`{"timeoutMs":5}`, `{"timeoutMs":5}`},
		"a timeout of zero":   {`{"timeoutMs":0}`, `{"timeoutMs":null}`},
		"texts that are set":  {`{"subName":"s","outputSerdeClassName":"o","outputSchemaType":"t","logTopic":"l","runtimeFlags":"r","customRuntimeOptions":"{\"b\":2}"}`, `{"subName":"s","outputSerdeClassName":"o","outputSchemaType":"t","logTopic":"l","runtimeFlags":"r","customRuntimeOptions":"{\"b\":2}"}`},
		"texts that are not":  {`{"subName":"","output":"","logTopic":""}`, `{"subName":null,"output":null,"outputSerdeClassName":null,"outputSchemaType":null,"logTopic":null,"runtimeFlags":null,"customRuntimeOptions":null}`},
		"secrets":             {`{"secrets":{"a":{"path":"p","key":"k"}}}`, `{"secrets":{"a":{"path":"p","key":"k"}}}`},
		"no secrets":          {`{"secrets":{}}`, `{"secrets":null}`},
		"resources":           {`{"resources":{"cpu":0.25,"ram":5,"disk":6}}`, `{"resources":{"cpu":0.25,"ram":5,"disk":6}}`},
		"a Go function":       {`{"go":"x"}`, `{"runtime":"GO","className":""}`},
		"what is never shown": {`{"jar":"x","fqfn":"t/n/f","functionType":"x","maxPendingAsyncRequests":5,"exposePulsarAdminClientEnabled":true,"skipToLatest":true,"customSchemaOutputs":{"o":"{}"},"inputTypeClassName":"i","outputTypeClassName":"o","logLevel":"INFO"}`, `{"jar":null,"py":null,"go":null,"fqfn":null,"functionType":null,"maxPendingAsyncRequests":null,"exposePulsarAdminClientEnabled":null,"skipToLatest":null,"customSchemaOutputs":null,"inputTypeClassName":null,"outputTypeClassName":null,"logLevel":null}`},
		"a window": {
			`{"className":"w.F","windowConfig":{"windowLengthCount":10},"autoAck":true}`,
			`{"className":"w.F","autoAck":false,"windowConfig":{"windowLengthCount":10,"slidingIntervalCount":10,"actualWindowFunctionClassName":"w.F","processingGuarantees":"ATLEAST_ONCE"}}`,
		},
		"a window by messages' time": {
			`{"className":"w.F","processingGuarantees":"ATMOST_ONCE","windowConfig":{"windowLengthDurationMs":10,"slidingIntervalDurationMs":5,"timestampExtractorClassName":"T","lateDataTopic":"l"}}`,
			`{"processingGuarantees":"ATMOST_ONCE","windowConfig":{"windowLengthDurationMs":10,"slidingIntervalDurationMs":5,"timestampExtractorClassName":"T","lateDataTopic":"l",
			  "maxLagMs":0,"watermarkEmitIntervalMs":1000,"actualWindowFunctionClassName":"w.F","processingGuarantees":"ATMOST_ONCE"}}`,
		},
		"a watermark that was chosen": {
			`{"className":"w.F","windowConfig":{"windowLengthCount":1,"watermarkEmitIntervalMs":7}}`,
			`{"windowConfig":{"windowLengthCount":1,"slidingIntervalCount":1,"watermarkEmitIntervalMs":7,"actualWindowFunctionClassName":"w.F","processingGuarantees":"ATLEAST_ONCE"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := jsonValue(t, getJSON(t, stored(t, test.given))).(map[string]any)
			for member, want := range jsonValue(t, test.want).(map[string]any) {
				if _, present := got[member]; present != (want != nil) {
					t.Errorf("%s: present is %v in %v", member, present, got)
				}
				expectEqual(t, got[member], want)
			}
		})
	}
}

func TestGetKeepsNumbers(t *testing.T) {
	config := fromFunction(stored(t, `{"userConfig":{"large":9007199254740993,"point":5.0,"deep":[{"n":1e3}]}}`))
	text, err := json.Marshal(config.UserConfig)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"deep":[{"n":1e3}],"large":9007199254740993,"point":5.0}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

// What others made with kubectl comes in forms that this package doesn't write.
func TestGetOfOthersFunctions(t *testing.T) {
	function := &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{Name: "by-hand"},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				Resources: &v1alpha1.Resources{
					Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
					Limits:   resources("4", "1126Mi"),
				},
			},
			InputConfig: v1alpha1.InputConfig{
				Inputs:             []string{"a"},
				TopicsPattern:      "p.*",
				CustomSerdeInputs:  map[string]string{"s": "S"},
				CustomSchemaInputs: map[string]string{"c": `{"schemaType":"json"}`, "d": "avro"},
				InputSpecs:         map[string]v1alpha1.ConsumerSpec{"a": {SchemaType: "avro"}},
			},
			UserConfig: &runtime.RawExtension{},
		},
	}
	got := fromFunction(function)
	expectEqual(t, got.InputSpecs, map[string]ConsumerConfig{
		"a": {SchemaType: "avro"}, "p.*": {RegexPattern: true}, "s": {SerdeClassName: "S"}, "c": {SchemaType: "json"}, "d": {SchemaType: "avro"},
	})
	expectEqual(t, got.Resources, &Resources{CPU: ptr.To(1.0), RAM: ptr.To(int64(1073741824)), Disk: ptr.To(int64(10737418240))})
	if got.Name != "by-hand" || got.Tenant != "public" || got.Namespace != "default" || got.Runtime != "" {
		t.Errorf("got %+v", got)
	}
	if !*got.AutoAck || !*got.ForwardSourceMessageProperty || !*got.CleanupSubscription || got.UserConfig == nil {
		t.Errorf("got %+v, want what Pulsar has by default", got)
	}
}
