package componentconfig

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// What Pulsar answers for the smallest source: every member that is always there.
const minimalSourceAnswer = `{"tenant":"t","namespace":"n","name":"f","className":"a.B","topicName":"",
 "producerConfig":{"useThreadLocalProducers":false,"batchBuilder":"","compressionType":"LZ4"},"configs":{},"parallelism":1,
 "processingGuarantees":"ATLEAST_ONCE","resources":{"cpu":1.0,"ram":1073741824,"disk":10737418240}}`

const minimalSource = `{"className":"a.B","archive":"x.nar"}`

// fullSource is a source of which every member that an update can touch is set.
const fullSource = `{"className":"a.B","archive":"x.nar","topicName":"out","producerConfig":{"maxPendingMessages":5,"compressionType":"ZSTD"},"serdeClassName":"S",
 "configs":{"a":1,"b":{"c":9007199254740993}},"secrets":{"s":{"path":"p","key":"k"}},"parallelism":2,"sourceType":"x","runtimeFlags":"rf","customRuntimeOptions":"{}",
 "batchBuilder":"KEY_BASED","logTopic":"log","resources":{"cpu":2,"ram":2147483648,"disk":1}}`

const batchSource = `{"className":"a.B","archive":"x.nar","topicName":"out","batchSourceConfig":{"discoveryTriggererClassName":"a.T","discoveryTriggererConfig":{"x":1}}}`

func TestGetOfASource(t *testing.T) {
	expectAnswer(t, storedSource(t, minimalSource), minimalSourceAnswer, `{}`)
	for name, test := range map[string]struct{ given, changed string }{
		"nulls":              {`{"className":"a.B","topicName":null,"configs":null,"producerConfig":null,"batchSourceConfig":null}`, `{}`},
		"an output":          {`{"className":"a.B","topicName":"out","serdeClassName":"S","schemaType":"json"}`, `{"topicName":"out","serdeClassName":"S","schemaType":"json"}`},
		"a built-in archive": {`{"className":"a.B","archive":"builtin://x"}`, `{"archive":"builtin://x"}`},
		"a built-in type":    {`{"className":"a.B","sourceType":"x"}`, `{"archive":"builtin://x"}`},
		"the batch builder's older place": {
			`{"className":"a.B","batchBuilder":"KEY_BASED"}`, `{"producerConfig":{"useThreadLocalProducers":false,"batchBuilder":"KEY_BASED","compressionType":"LZ4"}}`,
		},
		"a trigger": {
			`{"className":"a.B","batchSourceConfig":{"discoveryTriggererClassName":"a.T","discoveryTriggererConfig":{"x":1}}}`,
			`{"batchSourceConfig":{"discoveryTriggererClassName":"a.T","discoveryTriggererConfig":{"x":1}}}`,
		},
		"a trigger without configuration": {
			`{"className":"a.B","batchSourceConfig":{"discoveryTriggererClassName":"a.T"}}`, `{"batchSourceConfig":{"discoveryTriggererClassName":"a.T"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			expectAnswer(t, storedSource(t, test.given), minimalSourceAnswer, test.changed)
		})
	}
}

func TestSourceView(t *testing.T) {
	source := created(t, sourceForm, fullSource)
	expectEqual(t, source.Spec, v1alpha1.PulsarSourceSpec{
		ComponentSpec: v1alpha1.ComponentSpec{
			Tenant: "t", Namespace: "n", Name: "f", ClassName: "a.B", Java: &v1alpha1.JavaRuntime{}, RuntimeFlags: "rf", CustomRuntimeOptions: "{}",
			Parallelism: ptr.To(int32(2)), Secrets: map[string]v1alpha1.SecretRef{"s": {Path: "p", Key: "k"}}, LogTopic: "log",
			Resources: source.Spec.Resources,
		},
		OutputConfig: v1alpha1.OutputConfig{
			Output: "out", OutputSerdeClassName: "S",
			ProducerConfig: &v1alpha1.ProducerConfig{MaxPendingMessages: ptr.To(int32(5)), CompressionType: "ZSTD", BatchBuilder: "KEY_BASED"},
		},
		Configs:    &runtime.RawExtension{Raw: []byte(`{"a":1,"b":{"c":9007199254740993}}`)},
		SourceType: "x",
	})
}

func TestMergeOfASourceRefuses(t *testing.T) {
	for _, test := range []struct{ create, update, reason string }{
		{fullSource, `{"processingGuarantees":"ATMOST_ONCE","topicName":"a/b"}`, "Processing Guarantees cannot be altered"},
		{fullSource, `{"batchSourceConfig":{"discoveryTriggererClassName":"a.T"}}`, "Sources cannot be update between regular sources and batchsource"},
		{batchSource, `{"parallelism":2}`, "Sources cannot be update between regular sources and batchsource"},
		{batchSource, `{"processingGuarantees":"ATMOST_ONCE"}`, "Processing Guarantees cannot be altered"},
		{batchSource, `{"batchSourceConfig":{}}`, "DiscoverTriggerer class cannot be updated for batchsources"},
		{batchSource, `{"batchSourceConfig":{"discoveryTriggererClassName":"a.U"}}`, "DiscoverTriggerer class cannot be updated for batchsources"},
	} {
		t.Run(test.update, func(t *testing.T) {
			source := storedSource(t, test.create)
			before := source.DeepCopy()
			_, err := update(t, source, test.update, "")
			expectReason(t, err, test.reason)
			expectEqual(t, source, before)
		})
	}
	_, err := mergeSource(fromSource(storedSource(t, fullSource)), &SourceConfig{Common: Common{Name: "x"}})
	expectReason(t, err, "Function Names differ")
}

func TestMergeOfASource(t *testing.T) {
	for name, test := range map[string]struct{ create, update, changed string }{
		"className":                  {fullSource, `{"className":"c.D"}`, `{"className":"c.D"}`},
		"topicName":                  {fullSource, `{"topicName":"other"}`, `{"topicName":"other"}`},
		"serdeClassName":             {fullSource, `{"serdeClassName":"X"}`, `{"serdeClassName":"X"}`},
		"schemaType":                 {fullSource, `{"schemaType":"avro"}`, `{"schemaType":"avro"}`},
		"logTopic":                   {fullSource, `{"logTopic":"x"}`, `{"logTopic":"x"}`},
		"configs are replaced whole": {fullSource, `{"configs":{"z":2}}`, `{"configs":{"z":2}}`},
		"configs cleared":            {fullSource, `{"configs":{}}`, `{"configs":{}}`},
		"secrets cleared":            {fullSource, `{"secrets":{}}`, `{"secrets":null}`},
		"parallelism":                {fullSource, `{"parallelism":3}`, `{"parallelism":3}`},
		"resources in part":          {fullSource, `{"resources":{"cpu":3}}`, `{"resources":{"cpu":3,"ram":1073741824,"disk":10737418240}}`},
		"runtimeFlags":               {fullSource, `{"runtimeFlags":"x"}`, `{"runtimeFlags":"x"}`},
		"customRuntimeOptions":       {fullSource, `{"customRuntimeOptions":"{\"a\":1}"}`, `{"customRuntimeOptions":"{\"a\":1}"}`},
		"producerConfig is replaced whole": {
			fullSource, `{"producerConfig":{"maxPendingMessages":6}}`,
			`{"producerConfig":{"maxPendingMessages":6,"useThreadLocalProducers":false,"batchBuilder":"","compressionType":"LZ4"}}`,
		},
		"the name of an archive's file": {fullSource, `{"archive":"y.nar"}`, `{}`},
		"a built-in archive":            {fullSource, `{"archive":"builtin://y"}`, `{"archive":"builtin://y"}`},
		"a batch source": {
			batchSource, `{"parallelism":2,"batchSourceConfig":{"discoveryTriggererClassName":"a.T","discoveryTriggererConfig":{"y":2}}}`,
			`{"parallelism":2,"batchSourceConfig":{"discoveryTriggererClassName":"a.T","discoveryTriggererConfig":{"y":2}}}`,
		},
		"a trigger's configuration removed": {
			batchSource, `{"batchSourceConfig":{"discoveryTriggererClassName":"a.T"}}`, `{"batchSourceConfig":{"discoveryTriggererClassName":"a.T"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			source := storedSource(t, test.create)
			before := getJSON(t, source)
			if !mustUpdate(t, source, test.update, "") {
				t.Error("the update counts as no change")
			}
			expectAnswer(t, throughJSON(t, source), before, test.changed)
		})
	}
}

func TestMergeOfASourceIgnores(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"batchBuilder":"DEFAULT"}`, `{"logLevel":"x"}`, `{"topicName":"","className":"","archive":""}`, `{"sourceType":"y"}`,
		`{"processingGuarantees":"ATLEAST_ONCE"}`, `{"configs":null,"secrets":null,"resources":null,"producerConfig":null}`,
	} {
		t.Run(text, func(t *testing.T) {
			source := storedSource(t, fullSource)
			before := source.DeepCopy()
			if mustUpdate(t, source, text, "") {
				t.Error("the update counts as a change")
			}
			mustUpdate(t, source, text, "source://t/n/p@2")
			before.Spec.Package = &v1alpha1.Package{Location: "source://t/n/p@2"}
			expectEqual(t, source, before)
		})
	}
}

func TestWritingASourceThatWasReadIsNoChange(t *testing.T) {
	for _, text := range []string{minimalSource, fullSource, batchSource, `{"archive":"builtin://x"}`} {
		source := storedSource(t, text)
		if read := getJSON(t, source); mustUpdate(t, source, read, "") {
			t.Errorf("writing back %s counts as a change", read)
		}
	}
}
