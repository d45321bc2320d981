package componentconfig

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// What Pulsar answers for the smallest sink: every member that is always there.
const minimalSinkAnswer = `{"tenant":"t","namespace":"n","name":"f","className":"a.B","sourceSubscriptionPosition":"Latest","inputs":["in"],
 "inputSpecs":{"in":{"regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}},
 "parallelism":1,"processingGuarantees":"ATLEAST_ONCE","retainOrdering":false,"retainKeyOrdering":false,
 "resources":{"cpu":1.0,"ram":1073741824,"disk":10737418240},"autoAck":true,"cleanupSubscription":true}`

const minimalSink = `{"className":"a.B","archive":"x.nar","inputs":["in"]}`

// fullSink is a sink of which every member that an update can touch is set.
const fullSink = `{"className":"a.B","archive":"x.nar","inputs":["in"],"inputSpecs":{"in2":{"receiverQueueSize":4,"schemaType":"avro","consumerProperties":{"k":"v"}}},
 "topicsPattern":"p.*","topicToSchemaType":{"in3":"json"},"topicToSchemaProperties":{"in":"x"},"sourceSubscriptionName":"sub","sourceSubscriptionPosition":"Earliest",
 "maxMessageRetries":3,"deadLetterTopic":"dlq","configs":{"a":1,"b":{"c":9007199254740993}},"secrets":{"s":{"path":"p","key":"k"}},"parallelism":2,
 "retainOrdering":true,"autoAck":false,"timeoutMs":5000,"negativeAckRedeliveryDelayMs":100,"sinkType":"x","cleanupSubscription":false,"runtimeFlags":"rf",
 "customRuntimeOptions":"{}","logTopic":"log","resources":{"cpu":2,"ram":2147483648,"disk":1},
 "transformFunction":"builtin://t","transformFunctionClassName":"a.T","transformFunctionConfig":"{}"}`

func TestGetOfASink(t *testing.T) {
	expectAnswer(t, storedSink(t, minimalSink), minimalSinkAnswer, `{}`)
	bare := `{"regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}`
	for name, test := range map[string]struct{ given, changed string }{
		"nulls": {
			`{"className":"a.B","inputs":["in"],"sourceSubscriptionPosition":null,"autoAck":null,"cleanupSubscription":null,"processingGuarantees":null,"parallelism":null,"resources":null,"configs":null}`,
			`{}`,
		},
		"topics in all five ways": {
			`{"className":"a.B","inputs":["b","a"],"topicsPattern":"p","topicToSerdeClassName":{"s":"S","a":"S"},"topicToSchemaType":{"c":"json","a":"json"},"inputSpecs":{"a":{"schemaType":"avro"}}}`,
			`{"inputs":["b","a","c","p","s"],"inputSpecs":{"b":` + bare + `,"a":{"schemaType":"avro","regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false},
			  "p":{"regexPattern":true,"schemaProperties":{},"consumerProperties":{},"poolMessages":false},
			  "s":{"serdeClassName":"S","regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false},
			  "c":{"schemaType":"json","regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}}}`,
		},
		"ordering is the subscription's type": {`{"className":"a.B","inputs":["in"],"processingGuarantees":"EFFECTIVELY_ONCE"}`, `{"processingGuarantees":"EFFECTIVELY_ONCE","retainOrdering":true}`},
		"ordering by key":                     {`{"className":"a.B","inputs":["in"],"retainKeyOrdering":true}`, `{"retainKeyOrdering":true}`},
		"both orderings":                      {`{"className":"a.B","inputs":["in"],"retainOrdering":true,"retainKeyOrdering":true}`, `{"retainOrdering":true}`},
		"no retries, no dead letters": {
			`{"className":"a.B","inputs":["in"],"maxMessageRetries":0,"deadLetterTopic":"d","timeoutMs":0,"negativeAckRedeliveryDelayMs":0}`, `{}`,
		},
		"retries":            {`{"className":"a.B","inputs":["in"],"maxMessageRetries":1,"deadLetterTopic":"d"}`, `{"maxMessageRetries":1,"deadLetterTopic":"d"}`},
		"a built-in archive": {`{"className":"a.B","inputs":["in"],"archive":"builtin://x"}`, `{"archive":"builtin://x"}`},
		"a built-in type":    {`{"className":"a.B","inputs":["in"],"sinkType":"x"}`, `{"archive":"builtin://x"}`},
		"a transform function's package": {
			`{"className":"a.B","inputs":["in"],"transformFunction":"function://t/n/p@1","transformFunctionClassName":"a.T"}`, `{"transformFunctionClassName":"a.T"}`,
		},
		"what is stored but not shown": {`{"className":"a.B","inputs":["in"],"topicToSchemaProperties":{"in":"x"},"logLevel":"debug"}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			expectAnswer(t, storedSink(t, test.given), minimalSinkAnswer, test.changed)
		})
	}
}

func TestSinkView(t *testing.T) {
	sink := created(t, sinkForm, fullSink)
	want := v1alpha1.PulsarSinkSpec{
		ComponentSpec: v1alpha1.ComponentSpec{
			Tenant: "t", Namespace: "n", Name: "f", ClassName: "a.B", Java: &v1alpha1.JavaRuntime{}, RuntimeFlags: "rf", CustomRuntimeOptions: "{}",
			Parallelism: ptr.To(int32(2)), Secrets: map[string]v1alpha1.SecretRef{"s": {Path: "p", Key: "k"}}, LogTopic: "log",
			Resources: sink.Spec.Resources,
		},
		InputConfig: v1alpha1.InputConfig{
			Inputs: []string{"in"},
			InputSpecs: map[string]v1alpha1.ConsumerSpec{
				"p.*": {RegexPattern: true}, "in3": {SchemaType: "json"},
				"in2": {SchemaType: "avro", ReceiverQueueSize: ptr.To(int32(4)), ConsumerProperties: map[string]string{"k": "v"}},
			},
			SubscriptionName: "sub", SubscriptionPosition: v1alpha1.Earliest, CleanupSubscription: ptr.To(false), RetainOrdering: true,
			AutoAck: ptr.To(false), TimeoutMs: ptr.To(int64(5000)), MaxMessageRetries: ptr.To(int32(3)), DeadLetterTopic: "dlq",
		},
		Configs:                      &runtime.RawExtension{Raw: []byte(`{"a":1,"b":{"c":9007199254740993}}`)},
		NegativeAckRedeliveryDelayMs: ptr.To(int64(100)),
		SinkType:                     "x",
		TransformFunction:            &v1alpha1.TransformFunction{Location: "builtin://t", ClassName: "a.T", Config: "{}"},
		TopicToSchemaProperties:      map[string]string{"in": "x"},
	}
	expectEqual(t, sink.Spec, want)
}

func TestMergeOfASinkRefuses(t *testing.T) {
	for text, reason := range map[string]string{
		`{"sourceSubscriptionName":"o"}`:              "Subscription Name cannot be altered",
		`{"inputs":["new"]}`:                          "Input Topics cannot be altered",
		`{"topicToSerdeClassName":{"new":"S"}}`:       "Input Topics cannot be altered",
		`{"topicToSchemaType":{"new":"json"}}`:        "Input Topics cannot be altered",
		`{"inputs":["p.*"]}`:                          "isRegexPattern for input topic p.* cannot be altered",
		`{"topicsPattern":"in"}`:                      "isRegexPattern for input topic in cannot be altered",
		`{"inputSpecs":{"in":{"regexPattern":true}}}`: "isRegexPattern for input topic in cannot be altered",
		`{"processingGuarantees":"ATMOST_ONCE"}`:      "Processing Guarantees cannot be altered",
		`{"retainOrdering":false}`:                    "Retain Ordering cannot be altered",
		`{"retainKeyOrdering":true}`:                  "Retain Key Ordering cannot be altered",
		`{"autoAck":true}`:                            "AutoAck cannot be altered",
		// The first thing that can't change is what the client hears of.
		`{"sourceSubscriptionName":"o","inputs":["new"],"processingGuarantees":"ATMOST_ONCE","autoAck":true}`:                   "Subscription Name cannot be altered",
		`{"inputs":["new"],"processingGuarantees":"ATMOST_ONCE","autoAck":true,"retainOrdering":false}`:                         "Input Topics cannot be altered",
		`{"processingGuarantees":"ATMOST_ONCE","autoAck":true,"retainOrdering":false,"retainKeyOrdering":true}`:                 "Processing Guarantees cannot be altered",
		`{"autoAck":true,"retainOrdering":false,"retainKeyOrdering":true,"sourceSubscriptionPosition":"Latest","logTopic":"x"}`: "Retain Ordering cannot be altered",
	} {
		t.Run(text, func(t *testing.T) {
			sink := storedSink(t, fullSink)
			before := sink.DeepCopy()
			_, err := update(t, sink, text, "")
			expectReason(t, err, reason)
			expectEqual(t, sink, before)
		})
	}
}

// kept is for updates that leave the position as it is: one that doesn't mention it
// resets it, as in Pulsar.
const kept = `"sourceSubscriptionPosition":null,`

func TestMergeOfASink(t *testing.T) {
	spec := func(extra string) string {
		return `{` + extra + `"regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}`
	}
	specs := func(in, in2, in3 string) string {
		return `{"inputSpecs":{"in":` + in + `,"in2":` + in2 + `,"in3":` + in3 + `,"p.*":{"regexPattern":true,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}}}`
	}
	in2 := `{"receiverQueueSize":4,"schemaType":"avro","regexPattern":false,"schemaProperties":{},"consumerProperties":{"k":"v"},"poolMessages":false}`
	in3 := spec(`"schemaType":"json",`)
	for name, test := range map[string]struct{ update, changed string }{
		"a position that isn't mentioned": {`{}`, `{"sourceSubscriptionPosition":"Latest"}`},
		"position":                        {`{"sourceSubscriptionPosition":"Latest"}`, `{"sourceSubscriptionPosition":"Latest"}`},
		"className":                       {`{` + kept + `"className":"c.D"}`, `{"className":"c.D"}`},
		"logTopic":                        {`{` + kept + `"logTopic":"x"}`, `{"logTopic":"x"}`},
		"runtimeFlags":                    {`{` + kept + `"runtimeFlags":"x"}`, `{"runtimeFlags":"x"}`},
		"customRuntimeOptions":            {`{` + kept + `"customRuntimeOptions":"{\"a\":1}"}`, `{"customRuntimeOptions":"{\"a\":1}"}`},
		"configs are replaced whole":      {`{` + kept + `"configs":{"z":2}}`, `{"configs":{"z":2}}`},
		"configs cleared":                 {`{` + kept + `"configs":{}}`, `{"configs":null}`},
		"secrets":                         {`{` + kept + `"secrets":{"z":{"path":"p","key":"k"}}}`, `{"secrets":{"z":{"path":"p","key":"k"}}}`},
		"secrets cleared":                 {`{` + kept + `"secrets":{}}`, `{"secrets":null}`},
		"parallelism":                     {`{` + kept + `"parallelism":9}`, `{"parallelism":9}`},
		"timeoutMs":                       {`{` + kept + `"timeoutMs":9}`, `{"timeoutMs":9}`},
		"timeoutMs cleared":               {`{` + kept + `"timeoutMs":0}`, `{"timeoutMs":null}`},
		"cleanupSubscription":             {`{` + kept + `"cleanupSubscription":true}`, `{"cleanupSubscription":true}`},
		"resources in part":               {`{` + kept + `"resources":{"cpu":3}}`, `{"resources":{"cpu":3,"ram":1073741824,"disk":10737418240}}`},
		"the name of an archive's file":   {`{` + kept + `"archive":"y.nar"}`, `{}`},
		"a built-in archive":              {`{` + kept + `"archive":"builtin://y"}`, `{"archive":"builtin://y"}`},
		"transform function": {
			`{` + kept + `"transformFunction":"builtin://u","transformFunctionClassName":"u.V","transformFunctionConfig":"[]"}`,
			`{"transformFunction":"builtin://u","transformFunctionClassName":"u.V","transformFunctionConfig":"[]"}`,
		},
		"a name resets its spec":           {`{` + kept + `"inputs":["in2"]}`, specs(spec(""), spec(""), in3)},
		"a spec":                           {`{` + kept + `"inputSpecs":{"in2":{"receiverQueueSize":9}}}`, specs(spec(""), spec(`"receiverQueueSize":9,`), in3)},
		"a spec wins over its name":        {`{` + kept + `"inputs":["in2"],"inputSpecs":{"in2":{"receiverQueueSize":9}}}`, specs(spec(""), spec(`"receiverQueueSize":9,`), in3)},
		"a serde":                          {`{` + kept + `"topicToSerdeClassName":{"in":"S"}}`, specs(spec(`"serdeClassName":"S",`), in2, in3)},
		"a schema type wins over its spec": {`{` + kept + `"topicToSchemaType":{"in":"json"},"inputSpecs":{"in":{"schemaType":"avro"}}}`, specs(in3, in2, in3)},
	} {
		t.Run(name, func(t *testing.T) {
			sink := storedSink(t, fullSink)
			before := getJSON(t, sink)
			if !mustUpdate(t, sink, test.update, "") {
				t.Error("the update counts as no change")
			}
			expectAnswer(t, throughJSON(t, sink), before, test.changed)
		})
	}
}

func TestMergeOfASinkIgnores(t *testing.T) {
	for _, text := range []string{
		`"sourceSubscriptionPosition":"bogus"`, `"sourceSubscriptionPosition":"Earliest"`,
		kept + `"maxMessageRetries":5`, kept + `"deadLetterTopic":"d2"`, kept + `"negativeAckRedeliveryDelayMs":7`, kept + `"sinkType":"y"`,
		kept + `"topicToSchemaProperties":{"in":"y"}`, kept + `"logLevel":"info"`, kept + `"resources":null,"configs":null,"secrets":null`,
		kept + `"className":"","archive":"","logTopic":"","sourceSubscriptionName":"","transformFunction":null`,
		kept + `"processingGuarantees":"ATLEAST_ONCE","retainOrdering":true,"retainKeyOrdering":false,"autoAck":false`,
		kept + `"topicsPattern":"p.*"`, kept + `"configs":{"b":{"c":9007199254740993},"a":1.0}`,
	} {
		t.Run(text, func(t *testing.T) {
			sink := storedSink(t, fullSink)
			before := sink.DeepCopy()
			if mustUpdate(t, sink, `{`+text+`}`, "") {
				t.Error("the update counts as a change")
			}
			// A package is reason enough to go on, and still nothing else changes.
			mustUpdate(t, sink, `{`+text+`}`, "sink://t/n/p@2")
			before.Spec.Package = &v1alpha1.Package{Location: "sink://t/n/p@2"}
			expectEqual(t, sink, before)
		})
	}
}

func TestWritingASinkThatWasReadIsNoChange(t *testing.T) {
	for _, text := range []string{
		minimalSink, fullSink, `{"inputs":["in"],"archive":"builtin://x","processingGuarantees":"EFFECTIVELY_ONCE"}`,
		`{"topicsPattern":"p","sinkType":"x","retainKeyOrdering":true,"configs":{},"inputSpecs":{"in":{"cryptoConfig":{"cryptoKeyReaderClassName":"R"}}}}`,
	} {
		sink := storedSink(t, text)
		// Naming the inputs beside their specs changes nothing.
		if read := getJSON(t, sink); mustUpdate(t, sink, read, "") {
			t.Errorf("writing back %s counts as a change", read)
		}
	}
}

// What no SinkConfig can say survives an update through it.
func TestUpdateOfASinkKeepsTheRest(t *testing.T) {
	sink := storedSink(t, fullSink)
	sink.Spec.Suspend, sink.Spec.Cluster = true, "c"
	sink.Spec.Pod = &v1alpha1.Pod{ServiceAccountName: "sa"}
	sink.Spec.Java = &v1alpha1.JavaRuntime{JavaOpts: []string{"-X"}}
	want := sink.DeepCopy()
	want.Spec.Parallelism, want.Spec.LogTopic = ptr.To(int32(7)), "other"
	mustUpdate(t, sink, `{`+kept+`"parallelism":7,"logTopic":"other"}`, "")
	expectEqual(t, sink, want)
}

// Pulsar takes 0 for no timeout, which is nothing that a view should have.
func TestTimeoutOfZeroIsNone(t *testing.T) {
	sink := storedSink(t, `{"inputs":["in"],"timeoutMs":0}`)
	if sink.Spec.TimeoutMs != nil {
		t.Errorf("created with %d", *sink.Spec.TimeoutMs)
	}
	sink.Spec.TimeoutMs = ptr.To(int64(5))
	mustUpdate(t, sink, `{"timeoutMs":0}`, "")
	if sink.Spec.TimeoutMs != nil {
		t.Errorf("updated to %d", *sink.Spec.TimeoutMs)
	}
}

func TestSinkIsNamedInReasons(t *testing.T) {
	_, err := sinkForm.Create([]byte("null"), testName, "")
	expectReason(t, err, "Sink config is not provided")
	_, err = sourceForm.Create([]byte("[]"), testName, "")
	expectReason(t, err, "Source config is not a JSON object")
}
