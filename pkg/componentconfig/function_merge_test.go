package componentconfig

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/utils/ptr"
)

// full is a function of which every member that an update can touch is set.
const full = `{"className":"a.B","jar":"x.jar","inputSpecs":{"in":{"schemaType":"avro","consumerProperties":{"k":"v"}},"in2":{},"p.*":{"regexPattern":true}},
 "output":"out","outputSerdeClassName":"OS","outputSchemaType":"OT","logTopic":"log","processingGuarantees":"ATLEAST_ONCE","retainOrdering":true,
 "userConfig":{"a":1,"b":{"c":2}},"secrets":{"s":{"path":"p","key":"k"}},"autoAck":true,"maxMessageRetries":3,"deadLetterTopic":"dlq","subName":"sub",
 "parallelism":2,"timeoutMs":5000,"cleanupSubscription":true,"runtimeFlags":"rf","customRuntimeOptions":"{}","skipToLatest":true,
 "subscriptionPosition":"Earliest","forwardSourceMessageProperty":false,"maxPendingAsyncRequests":7,"inputTypeClassName":"it","outputTypeClassName":"ot",
 "customSchemaOutputs":{"out":"{}"},"producerConfig":{"maxPendingMessages":10,"compressionType":"ZSTD","batchBuilder":"KEY_BASED"},
 "resources":{"cpu":2,"ram":2147483648,"disk":1}}`

func TestMergeRefuses(t *testing.T) {
	for text, reason := range map[string]string{
		`{"outputSerdeClassName":"other"}`:            "Output Serde mismatch",
		`{"outputSchemaType":"other"}`:                "Output Schema mismatch",
		`{"processingGuarantees":"ATMOST_ONCE"}`:      "Processing Guarantees cannot be altered",
		`{"retainOrdering":false}`:                    "Retain Ordering cannot be altered",
		`{"retainKeyOrdering":true}`:                  "Retain Key Ordering cannot be altered",
		`{"runtime":"PYTHON"}`:                        "Runtime cannot be altered",
		`{"autoAck":false}`:                           "AutoAck cannot be altered",
		`{"subName":"other"}`:                         "Subscription Name cannot be altered",
		`{"inputs":["new"]}`:                          "Input Topics cannot be altered",
		`{"topicsPattern":"new.*"}`:                   "Input Topics cannot be altered",
		`{"customSerdeInputs":{"new":"S"}}`:           "Input Topics cannot be altered",
		`{"customSchemaInputs":{"new":"avro"}}`:       "Input Topics cannot be altered",
		`{"inputSpecs":{"new":{}}}`:                   "Input Topics cannot be altered",
		`{"inputs":["p.*"]}`:                          "isRegexPattern for input topic p.* cannot be altered",
		`{"topicsPattern":"in"}`:                      "isRegexPattern for input topic in cannot be altered",
		`{"inputSpecs":{"in":{"regexPattern":true}}}`: "isRegexPattern for input topic in cannot be altered",
		// The first thing that can't change is what the client hears of.
		`{"runtime":"GO","autoAck":false,"inputs":["new"]}`:  "Input Topics cannot be altered",
		`{"runtime":"GO","autoAck":false,"subName":"other"}`: "Runtime cannot be altered",
	} {
		t.Run(text, func(t *testing.T) {
			function := stored(t, full)
			before := function.DeepCopy()
			_, err := update(t, function, text, "")
			expectReason(t, err, reason)
			expectEqual(t, function, before)
		})
	}
}

func TestMergeRefusesAnotherIdentity(t *testing.T) {
	existing := fromFunction(stored(t, full))
	for reason, config := range map[string]*FunctionConfig{
		"Tenants differ":        {Common: Common{Tenant: "x"}},
		"Namespaces differ":     {Common: Common{Namespace: "x"}},
		"Function Names differ": {Common: Common{Name: "x"}},
	} {
		_, err := mergeFunction(existing, config)
		expectReason(t, err, reason)
	}
}

func TestMergeRefusesAnotherRuntimesCode(t *testing.T) {
	for _, code := range []string{"x.jar", "function://t/n/p@1"} {
		_, err := update(t, stored(t, `{"py":"x.py","inputs":["in"]}`), `{"jar":"`+code+`"}`, "")
		expectReason(t, err, "Runtime cannot be altered")
	}
}

// TestMerge has a row per member: what an update says and which members of the
// answer of GET are different afterwards, and no others.
func TestMerge(t *testing.T) {
	spec := func(extra string) string {
		return `{` + extra + `"regexPattern":false,"schemaProperties":{},"consumerProperties":{},"poolMessages":false}`
	}
	pattern := strings.Replace(spec(""), "false", "true", 1)
	for name, test := range map[string]struct{ update, changed string }{
		"className":            {`{"className":"c.D"}`, `{"className":"c.D"}`},
		"logTopic":             {`{"logTopic":"x"}`, `{"logTopic":"x"}`},
		"output":               {`{"output":"x"}`, `{"output":"x"}`},
		"deadLetterTopic":      {`{"deadLetterTopic":"x"}`, `{"deadLetterTopic":"x"}`},
		"runtimeFlags":         {`{"runtimeFlags":"x"}`, `{"runtimeFlags":"x"}`},
		"customRuntimeOptions": {`{"customRuntimeOptions":"{\"a\":1}"}`, `{"customRuntimeOptions":"{\"a\":1}"}`},
		"userConfig":           {`{"userConfig":{"b":{"d":3}}}`, `{"userConfig":{"b":{"d":3}}}`},
		"userConfig cleared":   {`{"userConfig":{}}`, `{"userConfig":{}}`},
		"secrets":              {`{"secrets":{"z":{"path":"p","key":"k"}}}`, `{"secrets":{"z":{"path":"p","key":"k"}}}`},
		"secrets cleared":      {`{"secrets":{}}`, `{"secrets":null}`},
		"windowConfig": {
			`{"windowConfig":{"windowLengthCount":5}}`,
			`{"windowConfig":{"windowLengthCount":5,"slidingIntervalCount":5,"actualWindowFunctionClassName":"a.B","processingGuarantees":"ATLEAST_ONCE"},"autoAck":false}`,
		},
		"producerConfig is replaced whole": {
			`{"producerConfig":{"maxPendingMessagesAcrossPartitions":4}}`,
			`{"producerConfig":{"maxPendingMessagesAcrossPartitions":4,"useThreadLocalProducers":false,"batchBuilder":"","compressionType":"LZ4"}}`,
		},
		"maxMessageRetries":          {`{"maxMessageRetries":0}`, `{"maxMessageRetries":0}`},
		"maxMessageRetries for ever": {`{"maxMessageRetries":-1}`, `{"maxMessageRetries":null,"deadLetterTopic":null}`},
		"parallelism":                {`{"parallelism":9}`, `{"parallelism":9}`},
		"timeoutMs":                  {`{"timeoutMs":9}`, `{"timeoutMs":9}`},
		"cleanupSubscription":        {`{"cleanupSubscription":false}`, `{"cleanupSubscription":false}`},
		"resources in part":          {`{"resources":{"cpu":3}}`, `{"resources":{"cpu":3,"ram":1073741824,"disk":10737418240}}`},
		"resources with nulls":       {`{"resources":{"cpu":null,"ram":7,"disk":null}}`, `{"resources":{"cpu":2,"ram":7,"disk":1}}`},
		"a spec alone": {
			`{"inputSpecs":{"in":{"schemaType":"json"}}}`,
			`{"inputSpecs":{"in":` + spec(`"schemaType":"json",`) + `,"in2":` + spec("") + `,"p.*":` + pattern + `}}`,
		},
		"a serde": {
			`{"customSerdeInputs":{"in2":"S"}}`,
			`{"inputSpecs":{"in":{"schemaType":"avro","regexPattern":false,"schemaProperties":{},"consumerProperties":{"k":"v"},"poolMessages":false},"in2":` + spec(`"serdeClassName":"S",`) + `,"p.*":` + pattern + `}}`,
		},
		"a schema as a type": {
			`{"customSchemaInputs":{"in":"json"}}`,
			`{"inputSpecs":{"in":` + spec(`"schemaType":"json",`) + `,"in2":` + spec("") + `,"p.*":` + pattern + `}}`,
		},
		"a schema as JSON": {
			`{"customSchemaInputs":{"in":"{\"schemaType\":\"json\"}"}}`,
			`{"inputSpecs":{"in":` + spec(`"schemaType":"json",`) + `,"in2":` + spec("") + `,"p.*":` + pattern + `}}`,
		},
		"a name resets its spec beside another change": {
			`{"inputs":["in"],"parallelism":3}`,
			`{"parallelism":3,"inputSpecs":{"in":` + spec("") + `,"in2":` + spec("") + `,"p.*":` + pattern + `}}`,
		},
		"a spec wins over its name": {
			`{"inputs":["in"],"inputSpecs":{"in":{"schemaType":"json"}}}`,
			`{"inputSpecs":{"in":` + spec(`"schemaType":"json",`) + `,"in2":` + spec("") + `,"p.*":` + pattern + `}}`,
		},
		"a serde wins over a spec": {
			`{"inputSpecs":{"in":{"schemaType":"json"}},"customSerdeInputs":{"in":"S"}}`,
			`{"inputSpecs":{"in":` + spec(`"serdeClassName":"S",`) + `,"in2":` + spec("") + `,"p.*":` + pattern + `}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			function := stored(t, full)
			before := getJSON(t, function)
			if !mustUpdate(t, function, test.update, "") {
				t.Error("the update counts as no change")
			}
			expectAnswer(t, throughJSON(t, function), before, test.changed)
		})
	}
}

// TestMergeIgnores has the members that Pulsar leaves out of an update, and values
// that ask for nothing new.
func TestMergeIgnores(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"className":"","output":"","logTopic":"","subName":"","outputSchemaType":"","processingGuarantees":"no such thing"}`,
		`{"py":"x.py","go":"x"}`, `{"py":"function://t/n/p@1"}`, `{"fqfn":"x/y/z"}`, `{"functionType":"x"}`, `{"batchBuilder":"DEFAULT"}`,
		`{"forwardSourceMessageProperty":true}`, `{"forwardSourceMessageProperty":false}`, `{"subscriptionPosition":"Latest"}`, `{"skipToLatest":false}`,
		`{"customSchemaOutputs":{"out":"{\"schemaType\":\"json\"}"}}`, `{"maxPendingAsyncRequests":1}`, `{"exposePulsarAdminClientEnabled":true}`,
		`{"inputTypeClassName":"x","outputTypeClassName":"x"}`, `{"logLevel":"debug"}`, `{"parallelism":null,"userConfig":null,"resources":null}`,
		`{"parallelism":2,"timeoutMs":5000.0,"userConfig":{"b":{"c":2.0},"a":1e0}}`, `{"resources":{"cpu":2.0,"ram":2147483648,"disk":1}}`,
		// CPU is counted in thousandths.
		`{"resources":{"cpu":1.9999,"ram":2147483648,"disk":1}}`,
		// A name says nothing about how its topic is consumed.
		`{"inputs":["in"]}`, `{"inputs":["in","in2"],"topicsPattern":"p.*"}`,
	} {
		t.Run(text, func(t *testing.T) {
			function := stored(t, full)
			before := function.DeepCopy()
			if mustUpdate(t, function, text, "") {
				t.Error("the update counts as a change")
			}
			// A package is reason enough to go on, and still nothing else changes.
			mustUpdate(t, function, text, "function://t/n/p@2")
			before.Spec.Package = function.Spec.Package
			expectEqual(t, function, before)
		})
	}
}

func TestMergeLeavesItsArgumentsAlone(t *testing.T) {
	existing, change := fromFunction(stored(t, full)), mustParse(t, `{"inputSpecs":{"in":{"schemaType":"json"}},"producerConfig":{},"windowConfig":{"windowLengthCount":2},"resources":{"cpu":9}}`)
	before, err := json.Marshal([]any{existing, change})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mergeFunction(existing, change); err != nil {
		t.Fatal(err)
	}
	after, err := json.Marshal([]any{existing, change})
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, string(after), string(before))
}

// A client that reads, changes nothing and writes must hear that nothing changed,
// whatever the function has.
func TestWritingWhatWasReadIsNoChange(t *testing.T) {
	for name, text := range map[string]string{
		"smallest":                 `{"className":"a.B","inputs":["in"],"output":"out","jar":"x.jar"}`,
		"full":                     full,
		"Python":                   `{"className":"a.B","py":"x.py","topicsPattern":"p.*","secrets":{"s":{"path":"p","key":"k"}}}`,
		"Go":                       `{"go":"x","inputs":["in"],"userConfig":{"n":9007199254740993}}`,
		"window":                   `{"className":"a.B","jar":"x.jar","inputs":["in"],"windowConfig":{"windowLengthCount":3}}`,
		"window by messages' time": `{"className":"a.B","jar":"x.jar","inputs":["in"],"windowConfig":{"windowLengthDurationMs":3,"timestampExtractorClassName":"T"}}`,
		"crypto": `{"jar":"x.jar","inputSpecs":{"in":{"cryptoConfig":{"cryptoKeyReaderClassName":"R","cryptoKeyReaderConfig":{"a":"b"},"encryptionKeys":[]}}},
			"producerConfig":{"cryptoConfig":{"cryptoKeyReaderClassName":"R","encryptionKeys":["k"]},"batchingConfig":{"enabled":false}}}`,
		"not forwarding": `{"jar":"x.jar","inputs":["in"],"forwardSourceMessageProperty":false,"cleanupSubscription":false,"retainOrdering":false}`,
		"odd CPU":        `{"jar":"x.jar","inputs":["in"],"resources":{"cpu":0.3333}}`,
	} {
		t.Run(name, func(t *testing.T) {
			function := stored(t, text)
			if read := getJSON(t, function); mustUpdate(t, function, read, "") {
				t.Errorf("writing back %s counts as a change", read)
			}
		})
	}
}

func TestEqualNumbers(t *testing.T) {
	for _, test := range []struct {
		a, b  string
		equal bool
	}{
		{"5", "5.0", true}, {"5", "5e0", true}, {"0.1", "0.10", true}, {"9007199254740993", "9007199254740992", false}, {"1", "2", false}, {"1e999999999", "1e999999999", true},
	} {
		config := func(number string) *FunctionConfig {
			return &FunctionConfig{UserConfig: map[string]any{"l": []any{json.Number(number)}}}
		}
		if got := equalities.DeepEqual(config(test.a), config(test.b)); got != test.equal {
			t.Errorf("%s and %s: equal is %v", test.a, test.b, got)
		}
	}
	if equalities.DeepEqual(&FunctionConfig{UserConfig: map[string]any{"a": "5"}}, &FunctionConfig{UserConfig: map[string]any{"a": json.Number("5")}}) {
		t.Error("a text is the same as a number")
	}
	if equalities.DeepEqual(&FunctionConfig{Inputs: Inputs{AutoAck: ptr.To(false)}}, &FunctionConfig{}) {
		t.Error("false is the same as nothing")
	}
}
