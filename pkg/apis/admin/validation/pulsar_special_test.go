package validation

import (
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func location(location string) change {
	return func(f *v1alpha1.PulsarFunction) { f.Spec.Package = &v1alpha1.Package{Location: location} }
}

func window(window v1alpha1.WindowConfig, changes ...change) change {
	return func(f *v1alpha1.PulsarFunction) {
		f.Spec.AutoAck = ptr(false)
		f.Spec.WindowConfig = &window
		for _, apply := range changes {
			apply(f)
		}
	}
}

func noPackage(f *v1alpha1.PulsarFunction) { f.Spec.Package = nil }

func noRuntime(f *v1alpha1.PulsarFunction) { f.Spec.Java, f.Spec.Python, f.Spec.Go = nil, nil, nil }

func noInputs(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = nil }

func effectivelyOnce(f *v1alpha1.PulsarFunction) { guarantee(f, v1alpha1.EffectivelyOnce) }

// The rules whose breach excludes that of others.
func TestPulsarSpecialRules(t *testing.T) {
	const (
		noRuntimeText = "Function language runtime is either not set or cannot be determined"
		badURL        = "Function Package url is not valid.supported url (http/https/file)"
		positive      = "Window length must be positive [0]"
	)
	countWindow := v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(5))}
	withLocation := func(at string) []change { return []change{location(at)} }
	for name, test := range map[string]struct {
		changes []change
		path    string
		text    string
	}{
		"java without package":   {[]change{noPackage, noInputs}, "spec.package.location", "Function package is not provided"},
		"java with a file alone": {[]change{func(f *v1alpha1.PulsarFunction) { f.Spec.Package = &v1alpha1.Package{FileName: "a.jar"} }}, "spec.package.location", "Function package is not provided"},
		"python without package": {[]change{toPython, noPackage}, "spec.package.location", "Function Package is not provided"},
		"go without package":     {[]change{toGo, noPackage}, "spec.package.location", "Function Package is not provided"},
		"java builtin":           {withLocation("builtin://x"), "spec.package.location", "No Function x found"},
		"python builtin":         {[]change{toPython, location("builtin://x")}, "spec.package.location", "The supplied python file does not exist"},
		"go builtin":             {[]change{toGo, location("builtin://x")}, "spec.package.location", "The supplied go file does not exist"},
		"go builtin elsewhere":   {[]change{toGo, location("builtin://../x")}, "spec.package.location", "Invalid filename: builtin://../x"},
		"package type":           {withLocation("functions://a/b/c"), "spec.package.location", badURL},
		"package parts":          {withLocation("function://a/b"), "spec.package.location", "Invalid package name 'function://a/b'"},
		"package traversal":      {withLocation("function://a/../b"), "spec.package.location", "Invalid package namespace '..' in package name 'function://a/../b'"},
		"file":                   {withLocation("file:///etc/passwd"), "spec.package.location", badURL},
		"plain name":             {withLocation("x.jar"), "spec.package.location", badURL},
		"URL not allowed":        {withLocation("https://evil.example.com/x.jar"), "spec.package.location", badURL},
		"URL in the middle":      {withLocation("https://evil.example.com/https://packages.example.com/x.jar"), "spec.package.location", badURL},
		"URL and more":           {withLocation("http://ab.example/x/y"), "spec.package.location", badURL},
		"URL in capitals":        {withLocation("HTTPS://packages.example.com/x.jar"), "spec.package.location", badURL},
		"URL with two lines":     {withLocation("https://packages.example.com/x.jar\nhttps://evil.example.com"), "spec.package.location", badURL},
		"URL after a blank":      {withLocation(" https://packages.example.com/x.jar"), "spec.package.location", badURL},
		"a user before the host": {withLocation("https://packages.example.com@evil.example.com/x.jar"), "spec.package.location", badURL},
		"a file":                 {withLocation("file:///pulsar/x.jar"), "spec.package.location", badURL},
		"another scheme":         {withLocation("ftp://packages.example.com/x.jar"), "spec.package.location", badURL},
		"package in capitals":    {withLocation("Function://public/default/x"), "spec.package.location", badURL},
		"URL of other case":      {withLocation("HTTPS://packages.example.com/x.jar"), "spec.package.location", badURL},
		"no runtime":             {[]change{noRuntime}, "spec", noRuntimeText},
		"no runtime, no package": {[]change{noRuntime, noPackage}, "spec", noRuntimeText},
		"two runtimes":           {[]change{func(f *v1alpha1.PulsarFunction) { f.Spec.Go = &v1alpha1.Runtime{} }}, "spec.go", noRuntimeText},
		"python without class":   {[]change{toPython, noInputs, func(f *v1alpha1.PulsarFunction) { f.Spec.ClassName = "" }}, "spec.className", "Function classname cannot be null"},
		"no inputs": {[]change{noInputs, func(f *v1alpha1.PulsarFunction) { f.Spec.Output = "a/b" }}, "spec.inputs",
			"No input topic(s) specified for the function"},
		"an empty input": {[]change{func(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = []string{""} }}, "spec.inputs[0]", "Input topic  is invalid"},
		"producer key reader": {[]change{func(f *v1alpha1.PulsarFunction) {
			f.Spec.ProducerConfig = &v1alpha1.ProducerConfig{CryptoConfig: &v1alpha1.CryptoConfig{}}
		}}, "spec.producerConfig.cryptoConfig.cryptoKeyReaderClassName", "CryptoKeyReader class name required"},

		"once with timeout": {[]change{effectivelyOnce, func(f *v1alpha1.PulsarFunction) { f.Spec.TimeoutMs = ptr(int64(1)) }},
			"spec.timeoutMs", "Message timeout can only be specified with processing guarantee is ATLEAST_ONCE"},
		"once with retries": {[]change{effectivelyOnce, func(f *v1alpha1.PulsarFunction) { f.Spec.MaxMessageRetries = ptr(int32(0)) }},
			"spec.maxMessageRetries", "MaxMessageRetries and Effectively once don't gel well"},
		"once with key ordering": {[]change{effectivelyOnce, func(f *v1alpha1.PulsarFunction) { f.Spec.RetainKeyOrdering = true }},
			"spec.retainKeyOrdering", "When effectively once processing guarantee is specified, retain Key ordering cannot be set"},
		"once in python": {[]change{toPython, effectivelyOnce}, "spec.processingGuarantees",
			"Effectively-once processing guarantees not yet supported in Python"},
		"once in go": {[]change{toGo, effectivelyOnce}, "spec.processingGuarantees",
			"Effectively-once processing guarantees not yet supported in Go function"},
		"negative retries with dead letters": {[]change{func(f *v1alpha1.PulsarFunction) {
			f.Spec.MaxMessageRetries, f.Spec.DeadLetterTopic = ptr(int32(-1)), "dead"
		}}, "spec.deadLetterTopic", "Dead Letter Topic specified, however max retries is set to infinity"},

		"window in python": {[]change{toPython, window(countWindow)}, "spec.windowConfig", "There is currently no support windowing in python"},
		"window in go":     {[]change{toGo, window(countWindow)}, "spec.windowConfig", "Windowing is not supported in Go function yet"},
		"window with auto ack": {[]change{window(v1alpha1.WindowConfig{}, func(f *v1alpha1.PulsarFunction) { f.Spec.AutoAck = ptr(true) })},
			"spec.autoAck", "Cannot enable auto ack when using windowing functionality"},
		"window without length": {[]change{window(v1alpha1.WindowConfig{})}, "spec.windowConfig", "Window length is not specified"},
		"window with both lengths": {[]change{window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(0)), WindowLengthDurationMs: ptr(int64(0))})},
			"spec.windowConfig", "Window length for time and count are set! Please set one or the other."},
		"window count":    {[]change{window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(0))})}, "spec.windowConfig.windowLengthCount", positive},
		"window duration": {[]change{window(v1alpha1.WindowConfig{WindowLengthDurationMs: ptr(int64(0))})}, "spec.windowConfig.windowLengthDurationMs", positive},
		"sliding count": {[]change{window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(1)), SlidingIntervalCount: ptr(int32(-1))})},
			"spec.windowConfig.slidingIntervalCount", "Sliding interval must be positive [-1]"},
		"sliding duration": {[]change{window(v1alpha1.WindowConfig{WindowLengthDurationMs: ptr(int64(1)), SlidingIntervalDurationMs: ptr(int64(0))})},
			"spec.windowConfig.slidingIntervalDurationMs", "Sliding interval must be positive [0]"},
		"lag": {[]change{window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(1)), TimestampExtractorClassName: "a.B", MaxLagMs: ptr(int64(-1))})},
			"spec.windowConfig.maxLagMs", "Lag duration must be positive [-1]"},
		"watermark": {[]change{window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(1)), TimestampExtractorClassName: "a.B",
			MaxLagMs: ptr(int64(1)), WatermarkEmitIntervalMs: ptr(int64(0))})},
			"spec.windowConfig.watermarkEmitIntervalMs", "Watermark interval must be positive [0]"},
		"window effectively once": {[]change{window(countWindow, effectivelyOnce)}, "spec.processingGuarantees",
			"Windows Function not support EFFECTIVELY_ONCE delivery semantics."},
		"window manual": {[]change{window(countWindow, func(f *v1alpha1.PulsarFunction) { guarantee(f, v1alpha1.Manual) })}, "spec.processingGuarantees",
			"Windows Function not support MANUAL delivery semantics."},
	} {
		t.Run(name, func(t *testing.T) {
			checkResult(t, Validate(broken(test.changes...), testOptions), test.path, test.text)
		})
	}
}

// What comes before and after what, where the two can't be in the tables.
func TestPulsarSpecialOrder(t *testing.T) {
	badOutput := func(f *v1alpha1.PulsarFunction) { f.Spec.Output = "a/b" }
	for name, test := range map[string]struct {
		changes []change
		reason  string
	}{
		"java's package before all":  {[]change{noPackage, badOutput}, "Function package is not provided"},
		"a builtin before all":       {[]change{location("builtin://x"), badOutput}, "No Function x found"},
		"python's package after all": {[]change{toPython, noPackage, effectivelyOnce}, "Effectively-once processing guarantees not yet supported in Python"},
		"go's package after all": {[]change{toGo, noPackage, func(f *v1alpha1.PulsarFunction) { schemaInput(f, "x", "{") }},
			"Incorrect custom schema inputs,Topic x "},
		"inputs before output":  {[]change{noInputs, badOutput}, "No input topic(s) specified for the function"},
		"topics before runtime": {[]change{noRuntime, badOutput}, "Output topic a/b is invalid"},
		"window before timeout": {[]change{window(v1alpha1.WindowConfig{}), func(f *v1alpha1.PulsarFunction) { f.Spec.TimeoutMs = ptr(int64(0)) }}, "Window length is not specified"},
		"clash before window":   {[]change{window(v1alpha1.WindowConfig{}), func(f *v1alpha1.PulsarFunction) { f.Spec.Output = f.Spec.Inputs[0] }}, "Output topic persistent://public/default/in is also being used as an input topic (topics must be one or the other)"},
		"ordering before builtin": {[]change{toGo, location("builtin://x"), func(f *v1alpha1.PulsarFunction) { f.Spec.RetainOrdering, f.Spec.RetainKeyOrdering = true, true }},
			"Only one of retain ordering or retain key ordering can be set"},
		"builtin before receiver queue": {[]change{toGo, location("builtin://x"), func(f *v1alpha1.PulsarFunction) {
			inputSpec(f, "in", v1alpha1.ConsumerSpec{ReceiverQueueSize: ptr(int32(-1))})
		}}, "The supplied go file does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			if result := Validate(broken(test.changes...), testOptions); result.Reason != test.reason {
				t.Errorf("reason %q, want %q", result.Reason, test.reason)
			}
		})
	}
}
