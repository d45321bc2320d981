package componentconfig

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// kubectlMade is a function with everything that a FunctionConfig can't say or says
// in another form.
func kubectlMade() *v1alpha1.PulsarFunction {
	return &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{Name: "by-hand", Namespace: "k", Labels: map[string]string{"l": "v"}, ResourceVersion: "7"},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				Tenant: "t", Namespace: "n", Name: "f", Cluster: "east", ClassName: "a.B",
				Package:     &v1alpha1.Package{Location: "function://t/n/p@1", FileName: "/pulsar/set-apart.jar"},
				Java:        &v1alpha1.JavaRuntime{Runtime: v1alpha1.Runtime{Log: &v1alpha1.RuntimeLog{Level: "debug"}}},
				Parallelism: ptr.To(int32(1)),
				Resources: &v1alpha1.Resources{
					Requests: resources("1", "1Gi"),
					Limits:   resources("4", "1Gi"),
				},
				ProcessingGuarantees: v1alpha1.AtLeastOnce,
				Secrets:              map[string]v1alpha1.SecretRef{"s": {Path: "p", Key: "k"}},
			},
			InputConfig: v1alpha1.InputConfig{
				Inputs:               []string{"z", "a", "s"},
				TopicsPattern:        "p.*",
				CustomSerdeInputs:    map[string]string{"s": "S"},
				CustomSchemaInputs:   map[string]string{"c": `{"schemaType":"json"}`},
				InputSpecs:           map[string]v1alpha1.ConsumerSpec{"a": {SchemaType: "avro", ConsumerProperties: map[string]string{"k": "v"}}},
				InputTypeClassName:   "it",
				SubscriptionName:     "sub",
				SubscriptionPosition: v1alpha1.Earliest,
				CleanupSubscription:  ptr.To(true),
				AutoAck:              ptr.To(true),
			},
			OutputConfig: v1alpha1.OutputConfig{
				CustomSchemaOutputs:          map[string]string{"o": "{}"},
				Output:                       "o",
				OutputTypeClassName:          "ot",
				ProducerConfig:               &v1alpha1.ProducerConfig{MaxPendingMessages: ptr.To(int32(5))},
				ForwardSourceMessageProperty: ptr.To(false),
			},
			SkipToLatest:                   ptr.To(true),
			MaxPendingAsyncRequests:        ptr.To(int32(9)),
			UserConfig:                     &runtime.RawExtension{Raw: []byte(`{ "n": 9007199254740993 }`)},
			ExposePulsarAdminClientEnabled: ptr.To(true),
		},
		Status: v1alpha1.ComponentStatus{Replicas: 3},
	}
}

// TestApplyTouchesOnlyWhatChanged updates a function that was made with kubectl and
// compares the whole object.
func TestApplyTouchesOnlyWhatChanged(t *testing.T) {
	type spec = v1alpha1.PulsarFunctionSpec
	for name, test := range map[string]struct {
		update, url string
		want        func(*spec)
	}{
		"parallelism":          {`{"parallelism":3}`, "", func(s *spec) { s.Parallelism = ptr.To(int32(3)) }},
		"output":               {`{"output":"x"}`, "", func(s *spec) { s.Output = "x" }},
		"class and log topic":  {`{"className":"c.D","logTopic":"l"}`, "", func(s *spec) { s.ClassName, s.LogTopic = "c.D", "l" }},
		"texts of the runtime": {`{"runtimeFlags":"r","customRuntimeOptions":"{\"b\":2}"}`, "", func(s *spec) { s.RuntimeFlags, s.CustomRuntimeOptions = "r", `{"b":2}` }},
		"retries": {`{"maxMessageRetries":2,"deadLetterTopic":"d","timeoutMs":8,"cleanupSubscription":false}`, "", func(s *spec) {
			s.MaxMessageRetries, s.DeadLetterTopic, s.TimeoutMs, s.CleanupSubscription = ptr.To(int32(2)), "d", ptr.To(int64(8)), ptr.To(false)
		}},
		"userConfig":           {`{"userConfig":{"x":1}}`, "", func(s *spec) { s.UserConfig = &runtime.RawExtension{Raw: []byte(`{"x":1}`)} }},
		"userConfig, the same": {`{"userConfig":{"n":9007199254740993},"parallelism":2}`, "", func(s *spec) { s.Parallelism = ptr.To(int32(2)) }},
		"secrets":              {`{"secrets":{"x":{"path":"p","key":"k"}}}`, "", func(s *spec) { s.Secrets = map[string]v1alpha1.SecretRef{"x": {Path: "p", Key: "k"}} }},
		"a package":            {`{}`, "function://t/n/p@2", func(s *spec) { s.Package.Location = "function://t/n/p@2" }},
		"a package in jar":     {`{"jar":"http://h/x.jar"}`, "", func(s *spec) { s.Package.Location = "http://h/x.jar" }},
		"a built-in in jar":    {`{"jar":"builtin://x"}`, "", func(s *spec) { s.Package.Location = "builtin://x" }},
		"a package and jar":    {`{"jar":"builtin://x"}`, "function://t/n/p@2", func(s *spec) { s.Package.Location = "function://t/n/p@2" }},
		"a file name in jar":   {`{"jar":"/tmp/x.jar"}`, "", func(*spec) {}},
		"a producer": {`{"producerConfig":{"maxPendingMessagesAcrossPartitions":6}}`, "", func(s *spec) {
			s.ProducerConfig = &v1alpha1.ProducerConfig{MaxPendingMessagesAcrossPartitions: ptr.To(int32(6))}
		}},
		"a producer's compression": {`{"producerConfig":{"maxPendingMessages":5,"compressionType":"ZLIB","cryptoConfig":{"cryptoKeyReaderClassName":"R"},"batchingConfig":{"batchBuilder":"B"}}}`, "", func(s *spec) {
			s.ProducerConfig.CompressionType = "ZLIB"
			s.ProducerConfig.CryptoConfig = &v1alpha1.CryptoConfig{CryptoKeyReaderClassName: "R", ProducerCryptoFailureAction: "FAIL", ConsumerCryptoFailureAction: "FAIL"}
			s.ProducerConfig.BatchingConfig = &v1alpha1.BatchingConfig{Enabled: ptr.To(true), BatchingMaxPublishDelayMs: ptr.To(int32(10)), BatchBuilder: "B"}
		}},
		"a plain topic gets a schema":      {`{"inputSpecs":{"z":{"schemaType":"json"}}}`, "", func(s *spec) { s.InputSpecs["z"] = v1alpha1.ConsumerSpec{SchemaType: "json"} }},
		"a topic with a schema gets plain": {`{"inputs":["a"],"output":"x"}`, "", func(s *spec) { delete(s.InputSpecs, "a"); s.Output = "x" }},
		"a pattern gets a schema": {`{"inputSpecs":{"p.*":{"schemaType":"json","isRegexPattern":true}}}`, "", func(s *spec) {
			s.TopicsPattern = ""
			s.InputSpecs["p.*"] = v1alpha1.ConsumerSpec{SchemaType: "json", RegexPattern: true}
		}},
		"older forms of an input": {`{"inputSpecs":{"c":{},"s":{"serdeClassName":"S2"}}}`, "", func(s *spec) {
			s.CustomSerdeInputs, s.CustomSchemaInputs = nil, nil
			s.Inputs = []string{"z", "a", "s", "c"}
			s.InputSpecs["s"] = v1alpha1.ConsumerSpec{SerdeClassName: "S2"}
		}},
		"a window": {`{"windowConfig":{"windowLengthCount":4}}`, "", func(s *spec) {
			s.WindowConfig = &v1alpha1.WindowConfig{WindowLengthCount: ptr.To(int32(4)), SlidingIntervalCount: ptr.To(int32(4))}
			s.AutoAck = ptr.To(false)
		}},
		"cpu below its limit": {`{"resources":{"cpu":2.5}}`, "", func(s *spec) { s.Resources.Requests[corev1.ResourceCPU] = resource.MustParse("2500m") }},
		"cpu above its limit": {`{"resources":{"cpu":5}}`, "", func(s *spec) {
			s.Resources.Requests[corev1.ResourceCPU] = resource.MustParse("5")
			s.Resources.Limits[corev1.ResourceCPU] = resource.MustParse("5")
		}},
		"ram, whose limit follows": {`{"resources":{"cpu":null,"ram":536870912,"disk":3}}`, "", func(s *spec) {
			s.Resources.Requests[corev1.ResourceMemory] = resource.MustParse("512Mi")
			s.Resources.Limits[corev1.ResourceMemory] = resource.MustParse("512Mi")
			s.Resources.Disk = ptr.To(resource.MustParse("3"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			function, want := kubectlMade(), kubectlMade()
			test.want(&want.Spec)
			mustUpdate(t, function, test.update, test.url)
			expectEqual(t, throughJSON(t, function), throughJSON(t, want))
			// What was written is what is read: the same update has nothing left to do.
			again := mustUpdate(t, function, test.update, test.url)
			update := mustParse(t, test.update)
			// To Pulsar these always are a change.
			always := update.Jar != "" || update.ProducerConfig != nil && update.ProducerConfig.Partial
			if again && !always && test.url == "" {
				t.Error("the same update counts as a change again")
			}
			expectEqual(t, throughJSON(t, function), throughJSON(t, want))
		})
	}
}

func TestApplyEndsRetries(t *testing.T) {
	function := stored(t, `{"jar":"x","inputs":["in"],"maxMessageRetries":3}`)
	mustUpdate(t, function, `{"maxMessageRetries":-1}`, "")
	if function.Spec.MaxMessageRetries != nil {
		t.Errorf("got %d retries, want none said", *function.Spec.MaxMessageRetries)
	}
}

func TestApplyWithoutResources(t *testing.T) {
	function := kubectlMade()
	function.Spec.Resources = nil
	mustUpdate(t, function, `{"resources":{"cpu":2,"ram":null,"disk":null}}`, "")
	cpu := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")}
	expectEqual(t, function.Spec.Resources, &v1alpha1.Resources{Requests: cpu, Limits: cpu})
}

func TestApplyKeepsAMissingLimit(t *testing.T) {
	function := kubectlMade()
	function.Spec.Resources.Limits = nil
	mustUpdate(t, function, `{"resources":{"cpu":2,"ram":null,"disk":null}}`, "")
	expectEqual(t, function.Spec.Resources, &v1alpha1.Resources{Requests: resources("2", "1Gi")})
}

func TestApplyTakesTheOtherRuntimesLocations(t *testing.T) {
	for create, change := range map[string]string{
		`{"py":"x.py","inputs":["in"]}`: `{"py":"function://t/n/p@2"}`,
		`{"go":"x","inputs":["in"]}`:    `{"go":"function://t/n/p@2"}`,
	} {
		function := stored(t, create)
		if !mustUpdate(t, function, change, "") {
			t.Errorf("%s counts as no change", change)
		}
		expectEqual(t, function.Spec.Package, &v1alpha1.Package{Location: "function://t/n/p@2"})
	}
}

func TestApplyChangesAWindowByMember(t *testing.T) {
	function := stored(t, `{"className":"a.B","jar":"x","inputs":["in"],"windowConfig":{"windowLengthCount":3}}`)
	want := function.DeepCopy()
	want.Spec.ClassName = "c.D"
	want.Spec.WindowConfig.SlidingIntervalCount = ptr.To(int32(1))
	mustUpdate(t, function, `{"className":"c.D","windowConfig":{"windowLengthCount":3,"slidingIntervalCount":1}}`, "")
	expectEqual(t, function, want)
	if got := fromFunction(function).WindowConfig.ActualWindowFunctionClassName; got != "c.D" {
		t.Errorf("the window shows class %s", got)
	}
}

func TestApplyRefusesWhatTheViewCannotHold(t *testing.T) {
	_, err := update(t, kubectlMade(), `{"resources":{"cpu":1e30}}`, "")
	expectReason(t, err, "resources.cpu is too large")
}
