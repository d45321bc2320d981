package translation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
)

// kafka is a connector in some version.
func kafka(version string) adminv1alpha1.PulsarConnectorSpec {
	return adminv1alpha1.PulsarConnectorSpec{
		Name: "kafka", ID: "pulsar-io-kafka", Version: version,
		Image: "example.org/kafka:" + version, Archive: "connectors/pulsar-io-kafka-" + version + ".nar",
		SinkClass: "org.example.KafkaSink", SourceClass: "org.example.KafkaSource",
		SinkTypeClassName: "java.lang.String", DefaultSchemaType: "string",
	}
}

func testCatalogue() *connectors.Catalogue {
	return connectors.NewCatalogue([]adminv1alpha1.PulsarConnectorSpec{
		kafka("2.10.1"),
		{
			Name: "elastic", ID: "pulsar-io-kafka-connect", Image: "example.org/elastic:1", Archive: "connectors/elastic.nar",
			SinkClass: "org.example.Elastic", TypeClassName: "org.example.Record", DefaultSerdeClassName: "org.example.Serde",
		},
		{Name: "exclamation", Archive: "functions/exclamation.nar", FunctionClass: "org.example.Exclamation"},
	})
}

func kafkaSink() *adminv1alpha1.PulsarSink {
	view := &adminv1alpha1.PulsarSink{ObjectMeta: metav1.ObjectMeta{Name: "to-kafka"}}
	view.Spec.Package = &adminv1alpha1.Package{Location: "builtin://kafka"}
	view.Spec.Inputs = []string{"a", "b"}
	view.Spec.InputSpecs = map[string]adminv1alpha1.ConsumerSpec{"b": {SerdeClassName: "org.example.B"}}
	return view
}

// updateSink writes the difference that a view makes, as crstorage does.
func updateSink(t *testing.T, translator *SinkTranslator, raw map[string]any, change func(*adminv1alpha1.PulsarSink)) bool {
	t.Helper()
	read := func() *adminv1alpha1.PulsarSink {
		cr := &computev1alpha1.Sink{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, cr); err != nil {
			t.Fatal(err)
		}
		view, err := translator.FromCR(cr)
		if err != nil {
			t.Fatal(err)
		}
		return view
	}
	before := read()
	wanted := before.DeepCopy()
	change(wanted)
	translator.DefaultUpdate(wanted, before)
	after, err := translator.ToCR(wanted)
	if err != nil {
		t.Fatal(err)
	}
	changed := false
	for range 2 {
		current, err := translator.ToCR(read())
		if err != nil {
			t.Fatal(err)
		}
		changed = delta.Apply(raw, toJSONMap(current), toJSONMap(after), translator.Containers()) || changed
	}
	return changed
}

func createdSink(t *testing.T, translator *SinkTranslator, view *adminv1alpha1.PulsarSink) map[string]any {
	t.Helper()
	adminv1alpha1.SetIdentityDefaults(view.Common(), view.Name)
	translator.Default(view)
	cr, err := translator.ToCR(view)
	if err != nil {
		t.Fatal(err)
	}
	translator.Complete(cr)
	return toJSONMap(cr)
}

func TestBuiltinSink(t *testing.T) {
	translator := NewSinkTranslator(testConfig(), testCatalogue())
	view := kafkaSink()
	raw := createdSink(t, translator, view)
	for path, want := range map[string]any{
		"image": "example.org/kafka:2.10.1", "className": "org.example.KafkaSink",
		"java":       map[string]any{"jar": "connectors/pulsar-io-kafka-2.10.1.nar"},
		"sinkConfig": map[string]any{},
	} {
		if diff := cmp.Diff(want, member(raw, []string{"spec", path})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	input := member(raw, []string{"spec", "input"}).(map[string]any)
	want := map[string]any{
		"topics": []any{"a", "b"}, "typeClassName": "java.lang.String",
		"sourceSpecs": map[string]any{"a": map[string]any{"schemaType": "string"}, "b": map[string]any{"serdeClassname": "org.example.B"}},
	}
	if diff := cmp.Diff(want, input); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	var back adminv1alpha1.PulsarSinkSpec
	updateSink(t, translator, raw, func(view *adminv1alpha1.PulsarSink) { back = view.Spec })
	assertSame(t, "read back", view.Spec, back)
}

// What the catalogue says of an entry changes, or the entry goes: what runs stays as
// it is until somebody names another package.
func TestCatalogueChanges(t *testing.T) {
	for name, entries := range map[string][]adminv1alpha1.PulsarConnectorSpec{
		"another version": {kafka("3.0.0")},
		"gone":            {},
	} {
		catalogue := testCatalogue()
		translator := NewSinkTranslator(testConfig(), catalogue)
		raw := createdSink(t, translator, kafkaSink())
		catalogue.Replace(entries)
		original := runtime.DeepCopyJSON(raw)
		if updateSink(t, translator, raw, func(*adminv1alpha1.PulsarSink) {}) {
			t.Errorf("%s: an update of nothing wrote (-before +after):\n%s", name, cmp.Diff(original, raw))
		}
		// A file that never had what was filled in, put again.
		replace := func(view *adminv1alpha1.PulsarSink) {
			location := view.Spec.Package.Location
			if location != "builtin://kafka" || view.Spec.Pod != nil {
				t.Errorf("%s: shown as %s, %+v", name, location, view.Spec.Pod)
			}
			view.Spec.ClassName, view.Spec.InputTypeClassName = "", ""
			view.Spec.SinkType = "kafka"
		}
		updateSink(t, translator, raw, replace)
		want := runtime.DeepCopyJSON(original)
		want["spec"].(map[string]any)["sinkType"] = "kafka"
		if diff := cmp.Diff(want, raw); diff != "" {
			t.Errorf("%s: an update of something else (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnotherBuiltin(t *testing.T) {
	catalogue := testCatalogue()
	translator := NewSinkTranslator(testConfig(), catalogue)
	raw := createdSink(t, translator, kafkaSink())
	// By now both entries have the image that the resource doesn't have.
	newer := kafka("3.0.0")
	newer.Image = "example.org/elastic:1"
	elastic, _ := catalogue.Lookup("elastic")
	catalogue.Replace([]adminv1alpha1.PulsarConnectorSpec{newer, elastic})
	updateSink(t, translator, raw, func(view *adminv1alpha1.PulsarSink) { view.Spec.Package.Location = "builtin://elastic" })
	for path, want := range map[string]string{"image": "example.org/elastic:1", "className": "org.example.Elastic"} {
		if got := member(raw, []string{"spec", path}); got != want {
			t.Errorf("%s is %v, want %s", path, got, want)
		}
	}
	if got := member(raw, []string{"spec", "java", "jar"}); got != "connectors/elastic.nar" {
		t.Errorf("the archive is %v", got)
	}
	if got := member(raw, []string{"spec", "input", "typeClassName"}); got != "org.example.Record" {
		t.Errorf("the type class is %v", got)
	}
}

// The image of a component's author stays theirs.
func TestImageOfTheAuthor(t *testing.T) {
	translator := NewSinkTranslator(testConfig(), testCatalogue())
	view := kafkaSink()
	view.Spec.Pod = &adminv1alpha1.Pod{Image: "example.org/own:1"}
	raw := createdSink(t, translator, view)
	for _, step := range []struct{ image, want string }{
		{"example.org/own:1", "example.org/own:1"}, {"example.org/own:2", "example.org/own:2"}, {"", "example.org/kafka:2.10.1"},
	} {
		updateSink(t, translator, raw, func(view *adminv1alpha1.PulsarSink) {
			view.Spec.Pod = nil
			if step.image != "" {
				view.Spec.Pod = &adminv1alpha1.Pod{Image: step.image}
			}
		})
		if got := member(raw, []string{"spec", "image"}); got != step.want {
			t.Errorf("%q: the image is %v, want %s", step.image, got, step.want)
		}
	}
}

// The Java worker writes down only the archive.
func TestArchivesOfTheWorker(t *testing.T) {
	translator := NewSinkTranslator(testConfig(), testCatalogue())
	for name, test := range map[string]struct{ jar, location, annotation, want string }{
		"the archive of an entry":        {"connectors/elastic.nar", "", "", "builtin://elastic"},
		"another version":                {"connectors/pulsar-io-kafka-2.8.0.1-rc2.nar", "", "", "builtin://kafka"},
		"an id that begins like another": {"connectors/pulsar-io-kafka-connect-2.8.nar", "", "", "builtin://elastic"},
		"an unknown archive":             {"connectors/pulsar-io-debezium-2.8.nar", "", "", ""},
		"another name":                   {"connectors/pulsar-io-kafka-sink.nar", "", "", ""},
		"a function's archive":           {"functions/exclamation.nar", "", "", ""},
		"a package":                      {"connectors/elastic.nar", "sink://a/b/c", "", "sink://a/b/c"},
		"a record":                       {"connectors/gone.nar", "", `{"version":1,"name":"gone","archive":"connectors/gone.nar"}`, "builtin://gone"},
		"a record of another archive":    {"connectors/elastic.nar", "", `{"version":1,"name":"gone","archive":"connectors/gone.nar"}`, "builtin://elastic"},
		"a later record":                 {"connectors/elastic.nar", "", `{"version":2,"name":"x","archive":"connectors/elastic.nar"}`, "builtin://elastic"},
	} {
		cr := &computev1alpha1.Sink{}
		cr.Name = "x"
		cr.Annotations = map[string]string{BuiltinAnnotation: test.annotation}
		cr.Spec.Java = &computev1alpha1.JavaRuntime{Jar: test.jar, JarLocation: test.location}
		raw := toJSONMap(cr)
		original := runtime.DeepCopyJSON(raw)
		changed := updateSink(t, translator, raw, func(view *adminv1alpha1.PulsarSink) {
			if got := view.Spec.Package.Location; got != test.want {
				t.Errorf("%s: shown as %q, want %q", name, got, test.want)
			}
		})
		if changed {
			t.Errorf("%s: an update of nothing wrote (-before +after):\n%s", name, cmp.Diff(original, raw))
		}
	}
}

func TestBuiltinSourceAndFunction(t *testing.T) {
	source := &adminv1alpha1.PulsarSource{}
	source.Spec.Package = &adminv1alpha1.Package{Location: "builtin://kafka"}
	source.Spec.BatchSourceConfig = &adminv1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: "org.example.Trigger"}
	sources := NewSourceTranslator(testConfig(), testCatalogue())
	sources.Default(source)
	sourceCR, err := sources.ToCR(source)
	if err != nil {
		t.Fatal(err)
	}
	if spec := sourceCR.Spec; spec.ClassName != "org.example.KafkaSource" || spec.Output.SinkSchemaType != "string" ||
		spec.Output.TypeClassName != "[B" || spec.SourceConfig == nil || spec.BatchSourceConfig.DiscoveryTriggererClassName == "" {
		t.Errorf("source: %+v", spec)
	}
	function := &adminv1alpha1.PulsarFunction{}
	function.Spec.Package, function.Spec.Java = &adminv1alpha1.Package{Location: "builtin://exclamation"}, &adminv1alpha1.JavaRuntime{}
	functions := NewFunctionTranslator(testConfig(), testCatalogue())
	functions.Default(function)
	functionCR, err := functions.ToCR(function)
	if err != nil {
		t.Fatal(err)
	}
	if spec := functionCR.Spec; spec.ClassName != "org.example.Exclamation" || spec.Java.Jar != "functions/exclamation.nar" ||
		spec.Image != "example.org/java-runner:1" {
		t.Errorf("function: %+v", spec)
	}
}
