package inspect_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/inspect"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass/classtest"
)

const (
	object   = "Ljava/lang/Object;"
	function = "Lorg/apache/pulsar/functions/api/Function<"
	text     = "Ljava/lang/String;"
)

// classes are what every package of these tests has.
var classes = []classtest.Class{
	{Name: "a.Text", Interfaces: []string{javaclass.Function}, Signature: object + function + text + text + ">;"},
	{Name: "a.Bytes", Interfaces: []string{javaclass.Function}, Signature: object + function + "[BLjava/lang/Void;>;"},
	{Name: "a.Record", Interfaces: []string{javaclass.Function}, Signature: object + function + text + "Lorg/apache/pulsar/functions/api/Record<Ljava/lang/Long;>;>;"},
	{Name: "a.Async", Interfaces: []string{javaclass.Function}, Signature: object + function + text + "Ljava/util/concurrent/CompletableFuture<Ljava/lang/Long;>;>;"},
	{Name: "a.Native", Interfaces: []string{javaclass.JavaFunction}, Signature: object + "Ljava/util/function/Function<" + text + text + ">;"},
	{Name: "a.NativeWindow", Interfaces: []string{javaclass.JavaFunction}, Signature: object + "Ljava/util/function/Function<Ljava/util/Collection<Ljava/lang/Integer;>;" + text + ">;"},
	{Name: "a.Window", Interfaces: []string{javaclass.WindowFunction}, Signature: object + "Lorg/apache/pulsar/functions/api/WindowFunction<Ljava/lang/Integer;" + text + ">;"},
	{Name: "a.Foreign", Super: "elsewhere.Base"},
	{Name: "a.None"},
	{Name: "a.Sink", Interfaces: []string{javaclass.Sink}, Signature: object + "Lorg/apache/pulsar/io/core/Sink<La/Order;>;"},
	{Name: "a.Source", Super: "org.apache.pulsar.io.core.PushSource", Signature: "Lorg/apache/pulsar/io/core/PushSource<[B>;"},
	{Name: "a.Batch", Interfaces: []string{javaclass.BatchSource}, Signature: object + "Lorg/apache/pulsar/io/core/BatchSource<" + text + ">;"},
	{Name: "a.Order"},
	{Name: "a.SpecialOrder", Super: "a.Order"},
	{Name: "a.TextSerDe", Interfaces: []string{javaclass.SerDe}, Signature: object + "Lorg/apache/pulsar/functions/api/SerDe<" + text + ">;"},
	{Name: "a.OrderSerDe", Interfaces: []string{javaclass.SerDe}, Signature: object + "Lorg/apache/pulsar/functions/api/SerDe<La/Order;>;"},
	{Name: "a.SpecialSerDe", Interfaces: []string{javaclass.SerDe}, Signature: object + "Lorg/apache/pulsar/functions/api/SerDe<La/SpecialOrder;>;"},
	{Name: "a.TextSchema", Interfaces: []string{javaclass.Schema}, Signature: object + "Lorg/apache/pulsar/client/api/Schema<" + text + ">;"},
	{Name: "a.Keys", Interfaces: []string{javaclass.CryptoKeyReader}, Constructors: []string{"(Ljava/util/Map;)V"}},
	{Name: "a.KeysOfNothing", Interfaces: []string{javaclass.CryptoKeyReader}, Constructors: []string{"()V"}},
}

type test struct {
	name      string
	component v1alpha1.Component
	// spec is JSON that is put into the component's spec.
	spec    string
	service string
	want    string
	// refusal is the message.
	refusal string
}

func TestJava(t *testing.T) {
	tests := []test{
		{name: "function", spec: `{"className":"a.Text"}`, want: `{"className":"a.Text","inputTypeClassName":"java.lang.String","outputTypeClassName":"java.lang.String"}`},
		{name: "what the spec says stays", spec: `{"className":"a.Text","inputTypeClassName":"x.Y"}`, want: `{"className":"a.Text","inputTypeClassName":"x.Y","outputTypeClassName":"java.lang.String"}`},
		{name: "bytes and nothing", spec: `{"className":"a.Bytes"}`, want: `{"className":"a.Bytes","inputTypeClassName":"[B","outputTypeClassName":"java.lang.Void"}`},
		{name: "records", spec: `{"className":"a.Record"}`, want: `{"className":"a.Record","inputTypeClassName":"java.lang.String","outputTypeClassName":"java.lang.Long"}`},
		{name: "futures", spec: `{"className":"a.Async"}`, want: `{"className":"a.Async","inputTypeClassName":"java.lang.String","outputTypeClassName":"java.lang.Long"}`},
		{name: "Java's function", spec: `{"className":"a.Native"}`, want: `{"className":"a.Native","inputTypeClassName":"java.lang.String","outputTypeClassName":"java.lang.String"}`},
		{name: "window", spec: `{"className":"a.Window","windowConfig":{}}`, want: `{"className":"a.Window","windowConfig":{},"inputTypeClassName":"java.lang.Integer","outputTypeClassName":"java.lang.String"}`},
		{name: "window of Java's function", spec: `{"className":"a.NativeWindow","windowConfig":{}}`, want: `{"className":"a.NativeWindow","windowConfig":{},"inputTypeClassName":"java.lang.Integer","outputTypeClassName":"java.lang.String"}`},
		{name: "window of something else", spec: `{"className":"a.Native","windowConfig":{}}`, refusal: "Window function must take a collection as input"},
		{name: "window without windows", spec: `{"className":"a.Window"}`, refusal: "Function class a.Window does not implement the correct interface"},
		{name: "class of the service file", service: "functionClass: a.Text", want: `{"className":"a.Text","inputTypeClassName":"java.lang.String","outputTypeClassName":"java.lang.String"}`},
		{name: "no class", refusal: "Function class name is not provided."},
		{name: "no class in the service file", service: "name: x", refusal: "Function class name is not provided."},
		{name: "missing class", spec: `{"className":"a.Missing"}`, refusal: "Function class a.Missing must be in class path"},
		{name: "the runner's class", spec: `{"className":"org.apache.pulsar.functions.api.utils.IdentityFunction"}`, want: `{"className":"org.apache.pulsar.functions.api.utils.IdentityFunction","inputTypeClassName":"java.lang.Object","outputTypeClassName":"java.lang.Object"}`},
		{name: "another class of the runner", spec: `{"className":"org.apache.pulsar.functions.windowing.WindowFunctionExecutor"}`, want: `{"className":"org.apache.pulsar.functions.windowing.WindowFunctionExecutor"}`},
		{name: "wrong interface", spec: `{"className":"a.None"}`, refusal: "Function class a.None does not implement the correct interface"},
		{name: "what can't be told", spec: `{"className":"a.Foreign"}`, want: `{"className":"a.Foreign"}`},
		{name: "serde", spec: `{"className":"a.Text","customSerdeInputs":{"in":"a.TextSerDe"},"outputSerdeClassName":"a.TextSerDe"}`, want: `{"className":"a.Text","customSerdeInputs":{"in":"a.TextSerDe"},"outputSerdeClassName":"a.TextSerDe","inputTypeClassName":"java.lang.String","outputTypeClassName":"java.lang.String"}`},
		{name: "missing serde", spec: `{"className":"a.Text","customSerdeInputs":{"in":"a.Missing"}}`, refusal: "The input serialization/deserialization class a.Missing does not exist"},
		{name: "no serde", spec: `{"className":"a.Text","inputSpecs":{"in":{"serdeClassName":"a.None"}}}`, refusal: "a.None does not implement org.apache.pulsar.functions.api.SerDe"},
		{name: "serde of another type", spec: `{"className":"a.Bytes","inputSpecs":{"in":{"serdeClassName":"a.TextSerDe"}}}`, refusal: "Serializer type mismatch byte[] vs java.lang.String"},
		{name: "output serde of another type", spec: `{"className":"a.Text","outputSerdeClassName":"a.OrderSerDe"}`, refusal: "Serializer type mismatch java.lang.String vs a.Order"},
		{name: "serde and schema", spec: `{"className":"a.Text","inputSpecs":{"in":{"serdeClassName":"a.TextSerDe","schemaType":"avro"}}}`, refusal: "Only one of schemaType or serdeClassName should be set in inputSpec"},
		{name: "schema and serde of the output", spec: `{"className":"a.Text","outputSerdeClassName":"a.TextSerDe","outputSchemaType":"avro"}`, refusal: "Only one of outputSchemaType or outputSerdeClassName should be set"},
		{name: "not of a void output", spec: `{"className":"a.Bytes","outputSerdeClassName":"a.TextSerDe","outputSchemaType":"avro"}`, want: `{"className":"a.Bytes","outputSerdeClassName":"a.TextSerDe","outputSchemaType":"avro","inputTypeClassName":"[B","outputTypeClassName":"java.lang.Void"}`},
		{name: "missing schema", spec: `{"className":"a.Text","customSchemaInputs":{"in":"{\"schemaType\":\"a.Missing\"}"}}`, refusal: "The schema class a.Missing does not exist"},
		{name: "schema of another type", spec: `{"className":"a.Record","outputSchemaType":"a.TextSchema"}`, refusal: "Schema type mismatch java.lang.Long vs java.lang.String"},
		{name: "crypto", spec: `{"className":"a.Text","producerConfig":{"cryptoConfig":{"cryptoKeyReaderClassName":"a.Keys"}}}`, refusal: "Missing encryption key name for producer crypto key reader"},
		{name: "crypto of the input", spec: `{"className":"a.Text","inputSpecs":{"in":{"cryptoConfig":{"cryptoKeyReaderClassName":"a.KeysOfNothing"}}}}`, refusal: "The crypto key reader class a.KeysOfNothing does not implement the desired constructor."},
		{name: "missing crypto", spec: `{"className":"a.Text","inputSpecs":{"in":{"cryptoConfig":{"cryptoKeyReaderClassName":"a.Missing"}}}}`, refusal: "The crypto key reader class a.Missing does not exist"},
		{name: "no crypto", spec: `{"className":"a.Text","inputSpecs":{"in":{"cryptoConfig":{"cryptoKeyReaderClassName":"a.None"}}}}`, refusal: "a.None does not implement org.apache.pulsar.client.api.CryptoKeyReader"},

		{name: "sink", component: &v1alpha1.PulsarSink{}, service: "sinkClass: a.Sink", want: `{"className":"a.Sink","inputTypeClassName":"a.Order"}`},
		{name: "sink with a serde of a subclass", component: &v1alpha1.PulsarSink{}, spec: `{"className":"a.Sink","inputSpecs":{"in":{"serdeClassName":"a.SpecialSerDe"}}}`, want: `{"className":"a.Sink","inputSpecs":{"in":{"serdeClassName":"a.SpecialSerDe"}},"inputTypeClassName":"a.Order"}`},
		{name: "sink with a serde of another class", component: &v1alpha1.PulsarSink{}, spec: `{"className":"a.Sink","inputSpecs":{"in":{"serdeClassName":"a.TextSerDe"}}}`, refusal: "Serializer type mismatch a.Order vs java.lang.String"},
		{name: "sink without a service file", component: &v1alpha1.PulsarSink{}, refusal: "Sink package doesn't contain the META-INF/services/pulsar-io.yaml file."},
		{name: "sink without a class", component: &v1alpha1.PulsarSink{}, service: "sourceClass: a.Source", refusal: "Failed to extract sink class from archive"},
		{name: "missing sink", component: &v1alpha1.PulsarSink{}, spec: `{"className":"a.Missing"}`, refusal: "Sink class a.Missing not found"},
		{name: "no sink", component: &v1alpha1.PulsarSink{}, spec: `{"className":"a.None"}`, refusal: "Sink class a.None does not implement the correct interface"},
		{name: "sink with both", component: &v1alpha1.PulsarSink{}, spec: `{"className":"a.Sink","inputSpecs":{"in":{"serdeClassName":"a.OrderSerDe","schemaType":"avro"}}}`, refusal: "Only one of serdeClassName or schemaType should be set"},

		{name: "source", component: &v1alpha1.PulsarSource{}, service: "sourceClass: a.Source", want: `{"className":"a.Source","outputTypeClassName":"[B"}`},
		{name: "source without a class", component: &v1alpha1.PulsarSource{}, service: "name: x", refusal: "Failed to extract source class from archive"},
		{name: "missing source", component: &v1alpha1.PulsarSource{}, spec: `{"className":"a.Missing"}`, refusal: "Source class a.Missing not found in class loader"},
		{name: "no source", component: &v1alpha1.PulsarSource{}, spec: `{"className":"a.Sink"}`, refusal: "Source class a.Sink does not implement the correct interface"},
		{name: "batch source", component: &v1alpha1.PulsarSource{}, spec: `{"className":"a.Batch","batchSourceConfig":{"discoveryTriggererClassName":"x.Y"}}`, want: `{"className":"a.Batch","batchSourceConfig":{"discoveryTriggererClassName":"x.Y"},"outputTypeClassName":"java.lang.String"}`},
		{name: "batch source without configuration", component: &v1alpha1.PulsarSource{}, spec: `{"className":"a.Batch"}`, refusal: "Source class a.Batch implements org.apache.pulsar.io.core.BatchSource but batch source source config is not specified"},
		{name: "source with both", component: &v1alpha1.PulsarSource{}, spec: `{"className":"a.Source","outputSerdeClassName":"a.TextSerDe","outputSchemaType":"avro"}`, refusal: "Only one of serdeClassName or schemaType should be set"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			others := map[string][]byte{}
			if test.service != "" {
				others["META-INF/services/pulsar-io.yaml"] = []byte(test.service)
			}
			test.run(t, classtest.Jar(classes, others))
		})
	}
}

func (test test) run(t *testing.T, file []byte) {
	t.Helper()
	component := test.component
	if component == nil {
		component = &v1alpha1.PulsarFunction{}
	}
	load := func(spec string) v1alpha1.Component {
		loaded := component.DeepCopyObject().(v1alpha1.Component)
		if spec == "" {
			spec = "{}"
		}
		if err := json.Unmarshal([]byte(`{"spec":`+spec+`}`), loaded); err != nil {
			t.Fatal(err)
		}
		return loaded
	}
	got := load(test.spec)
	err := inspect.Complete(t.Context(), got, bytes.NewReader(file), int64(len(file)))
	if test.refusal != "" {
		var refusal *inspect.Refusal
		if !errors.As(err, &refusal) || err.Error() != test.refusal {
			t.Errorf("got %v, want %s", err, test.refusal)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	gotJSON, _ := json.Marshal(got)
	wantJSON, _ := json.Marshal(load(test.want))
	if !bytes.Equal(gotJSON, wantJSON) {
		t.Errorf("got %s, want %s", gotJSON, wantJSON)
	}
}

func TestOtherPackages(t *testing.T) {
	own, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	wheel := classtest.Jar(nil, map[string][]byte{"f/__init__.py": []byte("pass")})
	source := []byte("def process(x): return x + 'ä'\n")
	tests := []struct {
		test
		file []byte
	}{
		{test{name: "Go", spec: `{"go":{}}`, want: `{"go":{}}`}, own},
		{test{name: "no Go", spec: `{"go":{}}`, refusal: "Function package is not a program for Linux (an ELF executable)"}, source},
		{test{name: "half of Go", spec: `{"go":{}}`, refusal: "Function package is not a program for Linux (an ELF executable)"}, own[:19]},
		{test{name: "Python source", spec: `{"python":{},"package":{"fileName":"f.py"}}`, want: `{"python":{},"package":{"fileName":"f.py"}}`}, source},
		{test{name: "Python wheel", spec: `{"python":{},"package":{"fileName":"f.whl"}}`, want: `{"python":{},"package":{"fileName":"f.whl"}}`}, wheel},
		{test{name: "wheel without a name", spec: `{"python":{},"package":{"location":"x"}}`, want: `{"python":{},"package":{"location":"x","fileName":"f-1.0-py2.py3-none-any.whl"}}`},
			classtest.Jar(nil, map[string][]byte{"f.py": nil, "f-1.0.dist-info/WHEEL": []byte("Wheel-Version: 1.0\nTag: py2.py3-none-any\n")})},
		{test{name: "zip without a name", spec: `{"python":{},"package":{"location":"x"}}`, want: `{"python":{},"package":{"location":"x","fileName":"f.zip"}}`},
			classtest.Jar(nil, map[string][]byte{"f/src/f.py": nil, "f/deps/a.whl": nil})},
		{test{name: "zip with a name for a shell", spec: `{"python":{},"package":{"location":"x"}}`, want: `{"python":{},"package":{"location":"x","fileName":"function.zip"}}`},
			classtest.Jar(nil, map[string][]byte{"$(f)/src/f.py": nil})},
		{test{name: "wheel called a source", spec: `{"python":{},"package":{"fileName":"f.py"}}`, refusal: "Function package is an archive, but is called f.py: call it .zip or .whl"}, wheel},
		{test{name: "source called a wheel", spec: `{"python":{},"package":{"fileName":"f.whl"}}`, refusal: "Function package is not an archive, but is called f.whl"}, source},
		{test{name: "archive without Python", spec: `{"python":{}}`, refusal: "Function package is an archive without Python source"}, classtest.Jar(classes, nil)},
		{test{name: "a program for Python", spec: `{"python":{}}`, refusal: "Function package is neither Python source in UTF-8 nor a zip or wheel archive"}, own},
		{test{name: "nothing for Python", spec: `{"python":{}}`, refusal: "Function package is empty"}, nil},
		{test{name: "any language", spec: `{"generic":{"language":"nodejs"}}`, want: `{"generic":{"language":"nodejs"}}`}, source},
		{test{name: "source for Java", spec: `{"className":"a.Text"}`, refusal: "Function package is not a Java archive (jar or nar)"}, source},
		{test{name: "a bomb", spec: `{"className":"a.Text"}`, refusal: "Function package is refused: the archive becomes more than 200 times as large when unpacked"},
			classtest.Jar(classes, map[string][]byte{"x": make([]byte, 8<<20)})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, test.file) })
	}
	if architecture, err := inspect.Executable(bytes.NewReader(own)); err != nil || architecture == "" {
		t.Errorf("got %q, %v", architecture, err)
	}
}
