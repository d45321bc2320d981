package schema

import (
	"encoding/binary"
	"strings"
	"testing"
)

// bigEndian are numbers as Pulsar writes them.
func bigEndian(numbers ...int64) string {
	var text []byte
	for _, number := range numbers {
		text = binary.BigEndian.AppendUint64(text, uint64(number))
	}
	return string(text)
}

// TestPrimitives checks values of types without a definition as Pulsar 4.0.7 does: the
// verdicts are its own, and so are the texts but for those of a plain error of its server.
func TestPrimitives(t *testing.T) {
	const size, none = "Size of data received by ", "it is no date or time that there is"
	for _, test := range []struct{ kind, value, refusal string }{
		{"STRING", "x", ""},
		{"STRING", "\xff", ""},
		{"BYTES", "", ""},
		{"NONE", "x", ""},
		{"BOOLEAN", "x", ""},
		{"BOOLEAN", "", size + "BooleanSchema is not 1"},
		{"INT8", "x", ""},
		{"INT8", "12", size + "ByteSchema is not 1"},
		{"INT16", "1", size + "ShortSchema is not 2"},
		{"INT32", "12345", size + "IntSchema is not 4"},
		{"INT64", "12345678", ""},
		{"INT64", "1", size + "LongSchema is not 8"},
		{"FLOAT", "1.5", size + "FloatSchema is not 4"},
		{"DOUBLE", "1.5", size + "DoubleSchema is not 8"},
		{"DATE", bigEndian(-1 << 63), ""},
		{"DATE", "today", size + "LongSchema is not 8"},
		{"TIME", bigEndian(0), ""},
		{"TIME", "12:00", size + "LongSchema is not 8"},
		{"TIMESTAMP", bigEndian(0) + "x", size + "LongSchema is not 8"},
		{"LOCAL_DATE", "", size + "LongSchema is not 8"},
		{"LOCAL_DATE", bigEndian(minDay), ""},
		{"LOCAL_DATE", bigEndian(maxDay), ""},
		{"LOCAL_DATE", bigEndian(minDay - 1), none},
		{"LOCAL_DATE", bigEndian(maxDay + 1), none},
		{"LOCAL_TIME", "x", size + "LongSchema is not 8"},
		{"LOCAL_TIME", bigEndian(86399999999999), ""},
		{"LOCAL_TIME", bigEndian(86400000000000), none},
		{"LOCAL_TIME", bigEndian(-1), none},
		{"LOCAL_DATE_TIME", "x", size + "LocalDateTimeSchema is less than 16"},
		{"LOCAL_DATE_TIME", bigEndian(0, 0), ""},
		{"LOCAL_DATE_TIME", bigEndian(0, 0) + "more", ""},
		{"LOCAL_DATE_TIME", bigEndian(0, 86400000000000), none},
		{"LOCAL_DATE_TIME", bigEndian(maxDay+1, 0), none},
		{"INSTANT", "x", size + "InstantSchema is less than 12"},
		{"INSTANT", bigEndian(0) + "\x00\x00\x00\x00", ""},
		{"INSTANT", bigEndian(0) + "\x00\x00\x00\x00more", ""},
		{"INSTANT", bigEndian(maxSecond) + "\x3b\x9a\xc9\xff", ""},
		{"INSTANT", bigEndian(maxSecond) + "\x3b\x9a\xca\x00", none},
		{"INSTANT", bigEndian(minSecond) + "\xff\xff\xff\xff", none},
		{"INSTANT", bigEndian(minSecond+1) + "\xff\xff\xff\xff", ""},
		{"INSTANT", bigEndian(1<<63 - 1), size + "InstantSchema is less than 12"},
		{"INSTANT", bigEndian(-1<<63) + "\x7f\xff\xff\xff", none},
		{"SOMETHING_NEW", "x", ""},
	} {
		checkRefusal(t, test.kind, Schema{Type: test.kind}.Check([]byte(test.value)), test.refusal)
	}
}

// TestJSON checks what is JSON to Pulsar 4.0.7, whose verdicts these are.
func TestJSON(t *testing.T) {
	for _, value := range []string{
		"", "  ", `{"a":1}`, `{"a":1} {"b"`, "{}x", "{} x", "[1]]", `"a"x`, "1 x", "true x", "true}", "null", "-0", "1e5", "1e999999999", "\t1\n",
		`{"a":1,"a":2}`, "{}\x00", "\"\xff\"", `"\ud83d"`, strings.Repeat("[", 1000) + strings.Repeat("]", 1000), `"` + strings.Repeat("[", 2000) + `\"["`,
		`["` + strings.Repeat("[", 2000) + `\"["]`,
	} {
		checkRefusal(t, value, Schema{Type: "JSON"}.Check([]byte(value)), "")
	}
	for _, value := range []string{
		`{"a"`, "{", "[1,]", "NaN", "Infinity", "01", "00", "-01", "1x", "1,2", "1}", "1\x00", "truex", "true_", "tru", "'a'", `"a`, "-", "1.", ".5", "+1", "1e", "1E+",
		"\ufeff{}", "\"\x01\"", `"\x"`, `"\u12"`, "// c\n1", "{a:1}", `{"a":0x1}`, "\xff", "{\"\xc3}", "\t1\v",
	} {
		checkRefusal(t, value, Schema{Type: "JSON"}.Check([]byte(value)), "it is not JSON")
	}
	deep := strings.Repeat(`{"a":[`, 501)
	checkRefusal(t, "deep", Schema{Type: "JSON"}.Check([]byte(deep+strings.Repeat("]}", 501))), "it is nested too deeply")
}

// TestPairs checks keys with their values.
func TestPairs(t *testing.T) {
	const record = `{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`
	pair := func(key, value string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(len(key)))) + key + string(binary.BigEndian.AppendUint32(nil, uint32(len(value)))) + value
	}
	const none, short, wrong = "\xff\xff\xff\xff", "it ends before the length of a key or a value", "a key or a value isn't as long as it says"
	for _, test := range []struct{ encoding, key, value, message, refusal string }{
		{"", "INT32", "AVRO", pair("1234", "\x02"), ""},
		{"INLINE", "INT32", "AVRO", pair("1234", "\x02 more") + "more", ""},
		{"INLINE", "INT32", "AVRO", pair("123", "\x02"), "Size of data received by IntSchema is not 4"},
		{"INLINE", "INT32", "AVRO", pair("1234", ""), "java.io.EOFException"},
		{"INLINE", "INT32", "AVRO", none + none, ""},
		{"INLINE", "INT32", "AVRO", "", short},
		{"INLINE", "INT32", "AVRO", none, short},
		{"INLINE", "INT32", "AVRO", none + "\x7f\xff\xff\xff", wrong},
		{"INLINE", "INT32", "AVRO", "\xff\xff\xff\xfe" + none, wrong},
		{"INLINE", "AVRO", "JSON", pair("\x02", "{"), "it is not JSON"},
		{"INLINE", "", "", pair("x", "y"), ""},
		{"INLINE", "LOCAL_TIME", "STRING", pair(bigEndian(-1), ""), "it is no date or time that there is"},
		{"SEPARATED", "INT32", "AVRO", "\x02", ""},
		{"SEPARATED", "INT32", "AVRO", "", "java.io.EOFException"},
		{"SEPARATED", "INT32", "INT64", "1", "Size of data received by LongSchema is not 8"},
		// What isn't understood.
		{"OTHER", "INT32", "AVRO", "", ""},
		{"SEPARATED", "INT32", "PROTOBUF", "", ""},
		{"SEPARATED", "INT32", "KEY_VALUE", "", ""},
	} {
		schema := Schema{Type: "KEY_VALUE", Data: `{"key":` + record + `,"value":` + record + `}`, Properties: map[string]string{
			"kv.encoding.type": test.encoding, "key.schema.type": test.key, "value.schema.type": test.value,
		}}
		checkRefusal(t, test.encoding+" "+test.key+" "+test.value, schema.Check([]byte(test.message)), test.refusal)
	}
	checkRefusal(t, "no definition", Schema{Type: "KEY_VALUE", Data: "{"}.Check(nil), "")
}

// FuzzJSON looks for values that can't be survived. What begins with an object that is
// JSON does so whatever follows.
func FuzzJSON(f *testing.F) {
	for _, value := range []string{`{"a":[1,"\"",null]}`, "[[", "truex", `{"a"`} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.HasPrefix(value, "{") && checkJSON([]byte(value)) == nil && checkJSON([]byte(value+"x")) != nil {
			t.Errorf("%q is JSON, and isn't with more bytes", value)
		}
	})
}
