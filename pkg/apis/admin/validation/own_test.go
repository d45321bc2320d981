package validation

import (
	"math"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

func secret(name, path, key string) change {
	return func(f *v1alpha1.PulsarFunction) {
		f.Spec.Secrets = map[string]v1alpha1.SecretRef{name: {Path: path, Key: key}}
	}
}

func spec(apply func(*v1alpha1.PulsarFunctionSpec)) change {
	return func(f *v1alpha1.PulsarFunction) { apply(&f.Spec) }
}

// The rules of Kubernetes, of the operator and of its shell commands.
func TestOwnRules(t *testing.T) {
	for name, test := range map[string]struct {
		change change
		path   string
		text   string
	}{
		"no name at all":       {func(f *v1alpha1.PulsarFunction) { f.Name, f.Spec.Name = "", "" }, "metadata.name", "name or generateName is required"},
		"long object name":     {func(f *v1alpha1.PulsarFunction) { f.Name = strings.Repeat("a", 44) }, "metadata.name", "no names with more than 43"},
		"object name with dot": {func(f *v1alpha1.PulsarFunction) { f.Name = "a.b" }, "metadata.name", "DNS-1035"},
		"object name, digit":   {func(f *v1alpha1.PulsarFunction) { f.Name = "1a" }, "metadata.name", "DNS-1035"},
		"reserved label":       {func(f *v1alpha1.PulsarFunction) { f.Labels = map[string]string{"admin.functionmesh.io/x": "y"} }, "metadata.labels[admin.functionmesh.io/x]", "reserved"},
		"identity of another":  {func(f *v1alpha1.PulsarFunction) { f.Labels = map[string]string{identity.LabelIdentity: "y"} }, "metadata.labels[admin.functionmesh.io/identity]", "reserved"},
		"reserved annotation": {func(f *v1alpha1.PulsarFunction) {
			f.Annotations = map[string]string{"admin.functionmesh.io/status": "{}"}
		}, "metadata.annotations[admin.functionmesh.io/status]", "reserved"},
		"name by a worker's labels": {func(f *v1alpha1.PulsarFunction) {
			f.Name = identity.WorkerObjectName("main", "acme", "orders", "victim")
			f.Labels = map[string]string{"pulsar-cluster": "main", "pulsar-tenant": "acme", "pulsar-namespace": "orders", "pulsar-component": "victim"}
		}, "metadata.labels", "another name in Pulsar"},
		"name for the shell":    {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Name = "a;reboot" }), "spec.name", "may hold only letters"},
		"name with newline":     {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Name = "a\n" }), "spec.name", "may hold only letters"},
		"name of a folder":      {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Name = ".." }), "spec.name", "may hold only letters"},
		"long name":             {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Name = strings.Repeat("a", 256) }), "spec.name", "Too long"},
		"tenant for the shell":  {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Tenant = "$(id)" }), "spec.tenant", "may hold only letters"},
		"namespace with slash":  {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Namespace = "a/b" }), "spec.namespace", "may hold only letters"},
		"unknown cluster":       {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Cluster = "$(id)" }), "spec.cluster", `supported values: "main", "other"`},
		"package for the shell": {location("function://a/b/c@v1;id"), "spec.package.location", "may hold only letters"},
		"package with blank":    {location("function://a/b/c d"), "spec.package.location", "may hold only letters"},
		"URL with query":        {location("https://packages.example.com/x?token=1"), "spec.package.location", "no user, query or fragment"},
		"URL with fragment":     {location("https://packages.example.com/x#y"), "spec.package.location", "no user, query or fragment"},
		"URL for the shell":     {location("https://packages.example.com/$(id)"), "spec.package.location", "no user, query or fragment"},
		"URL with quote":        {location("https://packages.example.com/a'b"), "spec.package.location", "no user, query or fragment"},
		"URL with two lines":    {location("https://packages.example.com/\\n"), "spec.package.location", "no user, query or fragment"},
		"long URL":              {location("https://packages.example.com/" + strings.Repeat("a", 4096)), "spec.package.location", "Too long"},
		"URL not allowed":       {location("https://evil.example.com/x"), "spec.package.location", "that the server's configuration allows"},
		"absolute file":         {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Package.FileName = "/pulsar/x.jar" }), "spec.package.fileName", "plain file name"},
		"file elsewhere":        {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Package.FileName = "../x.jar" }), "spec.package.fileName", "plain file name"},
		"hidden file":           {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Package.FileName = ".x" }), "spec.package.fileName", "plain file name"},
		"file as option":        {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Package.FileName = "-x" }), "spec.package.fileName", "plain file name"},
		"file for the shell":    {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Package.FileName = "x y" }), "spec.package.fileName", "plain file name"},
		"long file":             {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Package.FileName = strings.Repeat("x", 256) }), "spec.package.fileName", "Too long"},
		"java class":            {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.ClassName = "org.example.A;id" }), "spec.className", "binary name of a class"},
		"java class with dots":  {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.ClassName = "org..A" }), "spec.className", "binary name of a class"},
		"long class":            {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.ClassName = strings.Repeat("a", 4097) }), "spec.className", "Too long"},
		"python class":          {func(f *v1alpha1.PulsarFunction) { toPython(f); f.Spec.ClassName = "a.B$C" }, "spec.className", "dotted Python name"},
		"builtin, no runtime":   {func(f *v1alpha1.PulsarFunction) { noRuntime(f); location("builtin://x")(f) }, "spec.package.location", "a built-in function is a Java function"},
		"long cluster":          {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Cluster = strings.Repeat("é", 200) }), "spec.cluster", strings.Repeat("é", 127) + "..."},
		"two runtimes":          {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Python = &v1alpha1.Runtime{} }), "spec.python", "may not be set together with java"},
		"log level": {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Java.Log = &v1alpha1.RuntimeLog{Level: "DEBUG"} }), "spec.java.log.level",
			`supported values: "off", "trace", "debug"`},

		"secret variable":       {secret("A=B", "s", "k"), "spec.secrets[A=B]", "environment variable"},
		"secret, first a digit": {secret("1A", "s", "k"), "spec.secrets[1A]", "environment variable"},
		"secret takes broker":   {secret("brokerServiceURL", "s", "k"), "spec.secrets[brokerServiceURL]", "Function Mesh uses this"},
		"secret without path":   {secret("A", "", "k"), "spec.secrets[A].path", "both path and key"},
		"secret without key":    {secret("A", "s", ""), "spec.secrets[A].key", "both path and key"},
		"secret path":           {secret("A", "S/x", "k"), "spec.secrets[A].path", "RFC 1123 subdomain"},
		"secret key":            {secret("A", "s", "k/x"), "spec.secrets[A].key", "config key"},

		"no memory request": {spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Resources = &v1alpha1.Resources{Requests: amounts("1", ""), Limits: amounts("", "1Gi")}
		}), "spec.resources.requests[memory]", "both a request and a limit"},
		"no memory limit": {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Resources = &v1alpha1.Resources{Requests: amounts("1", "1Gi")} }),
			"spec.resources.limits[memory]", "both a request and a limit"},
		"request above limit": {spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Resources = &v1alpha1.Resources{Requests: amounts("", "2Gi"), Limits: amounts("", "1Gi")}
		}), "spec.resources.requests[memory]", "may not be more than the limit of 1Gi"},
		"cpu above limit": {spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Resources = &v1alpha1.Resources{Requests: amounts("2", "1Gi"), Limits: amounts("1", "1Gi")}
		}), "spec.resources.requests[cpu]", "may not be more than the limit of 1"},
		"unknown resource": {spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Resources = &v1alpha1.Resources{Requests: amounts("", "1Gi"), Limits: amounts("", "1Gi")}
			s.Resources.Limits["storage"] = resource.MustParse("1Gi")
		}), "spec.resources.limits[storage]", `supported values: "cpu", "memory", "ephemeral-storage"`},
		"negative device": {spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Resources = &v1alpha1.Resources{Requests: amounts("", "1Gi"), Limits: amounts("", "1Gi")}
			s.Resources.Limits[corev1.ResourceName("nvidia.com/gpu")] = resource.MustParse("-1")
		}), "spec.resources.limits[nvidia.com/gpu]", "may not be negative"},

		"guarantee": {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.ProcessingGuarantees = "atleast_once" }), "spec.processingGuarantees", `"ATLEAST_ONCE"`},
		"position":  {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.SubscriptionPosition = "latest" }), "spec.subscriptionPosition", `supported values: "Earliest", "Latest"`},
		"compression": {spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.ProducerConfig = &v1alpha1.ProducerConfig{CompressionType: "lz4"}
		}), "spec.producerConfig.compressionType", `"SNAPPY"`},
		"producer failure": {spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.ProducerConfig = &v1alpha1.ProducerConfig{CryptoConfig: &v1alpha1.CryptoConfig{ProducerCryptoFailureAction: "DISCARD"}}
		}), "spec.producerConfig.cryptoConfig.producerCryptoFailureAction", `supported values: "FAIL", "SEND"`},
		"consumer failure": {func(f *v1alpha1.PulsarFunction) {
			inputSpec(f, "x", v1alpha1.ConsumerSpec{CryptoConfig: &v1alpha1.CryptoConfig{ConsumerCryptoFailureAction: "SEND"}})
		}, "spec.inputSpecs[x].cryptoConfig.consumerCryptoFailureAction", `supported values: "FAIL", "DISCARD", "CONSUME"`},
		"key reader class": {func(f *v1alpha1.PulsarFunction) {
			inputSpec(f, "x", v1alpha1.ConsumerSpec{CryptoConfig: &v1alpha1.CryptoConfig{CryptoKeyReaderClassName: "a b"}})
		}, "spec.inputSpecs[x].cryptoConfig.cryptoKeyReaderClassName", "binary name of a class"},
		"pending requests":  {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.MaxPendingAsyncRequests = ptr(int32(0)) }), "spec.maxPendingAsyncRequests", "must be positive"},
		"long timeout":      {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.TimeoutMs = ptr(int64(math.MaxInt32) + 1) }), "spec.timeoutMs", "2147483647"},
		"repeated input":    {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Inputs = append(s.Inputs, s.Inputs[0]) }), "spec.inputs[1]", "Duplicate value"},
		"configuration":     {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.UserConfig = raw(`["a"]`) }), "spec.userConfig", "must be a JSON object"},
		"null":              {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.UserConfig = raw(`null`) }), "spec.userConfig", "must be a JSON object"},
		"no JSON":           {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.UserConfig = raw(`{`) }), "spec.userConfig", "must be a JSON object"},
		"late topic":        {window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(1)), LateDataTopic: "a/b"}), "spec.windowConfig.lateDataTopic", "no valid topic name"},
		"extractor":         {window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(1)), TimestampExtractorClassName: "a b"}), "spec.windowConfig.timestampExtractorClassName", "binary name"},
		"no runtime":        {noRuntime, "spec", "exactly one of java, python, go and generic must be set"},
		"topic in slashes":  {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.LogTopic = "/log" }), "spec.logTopic", "no topic alone with slashes around it"},
		"topic in capitals": {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Inputs = append(s.Inputs, "PERSISTENT://a/b/c") }), "spec.inputs[1]", "no domain in upper case"},
		"no retries":        {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.MaxMessageRetries, s.DeadLetterTopic = ptr(int32(0)), "dead" }), "spec.maxMessageRetries", "must be positive with a deadLetterTopic"},
		"payload processor": {func(f *v1alpha1.PulsarFunction) {
			inputSpec(f, "x", v1alpha1.ConsumerSpec{MessagePayloadProcessorConfig: &v1alpha1.MessagePayloadProcessorConfig{ClassName: "a b"}})
		}, "spec.inputSpecs[x].messagePayloadProcessorConfig.className", "binary name"},

		"control character": {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.SubscriptionName = "a\nb" }), "spec.subscriptionName", "no control characters"},
		"long subscription": {spec(func(s *v1alpha1.PulsarFunctionSpec) { s.SubscriptionName = strings.Repeat("a", 4097) }), "spec.subscriptionName", "Too long"},

		"go, two topics":          {func(f *v1alpha1.PulsarFunction) { toGo(f); f.Spec.Inputs = append(f.Spec.Inputs, "in-2") }, "spec.inputs", "exactly one topic"},
		"go, two topics in specs": {func(f *v1alpha1.PulsarFunction) { toGo(f); inputSpec(f, "in-2", v1alpha1.ConsumerSpec{}) }, "spec.inputs", "exactly one topic"},
		"go, pattern":             {func(f *v1alpha1.PulsarFunction) { toGo(f); noInputs(f); f.Spec.TopicsPattern = "in-x" }, "spec.topicsPattern", "no patterns"},
		"go, pattern in specs": {func(f *v1alpha1.PulsarFunction) {
			toGo(f)
			noInputs(f)
			inputSpec(f, "x", v1alpha1.ConsumerSpec{RegexPattern: true})
		}, "spec.inputSpecs[x].regexPattern", "no patterns"},
		"go, topic elsewhere": {func(f *v1alpha1.PulsarFunction) {
			toGo(f)
			noInputs(f)
			f.Spec.CustomSerdeInputs = map[string]string{"in": "a.B"}
		}, "spec.inputs", "exactly one topic"},
		"go, secrets":       {func(f *v1alpha1.PulsarFunction) { toGo(f); secret("A", "s", "k")(f) }, "spec.secrets", "gets none"},
		"go, configuration": {func(f *v1alpha1.PulsarFunction) { toGo(f); f.Spec.UserConfig = raw(`{"a":1}`) }, "spec.userConfig", "without quotes"},
		"go, input":         {func(f *v1alpha1.PulsarFunction) { toGo(f); f.Spec.Inputs = []string{"a$(id)"} }, "spec.inputs[0]", "without quotes"},
		"go, output":        {func(f *v1alpha1.PulsarFunction) { toGo(f); f.Spec.Output = "a b" }, "spec.output", "without quotes"},
		"go, log topic":     {func(f *v1alpha1.PulsarFunction) { toGo(f); f.Spec.LogTopic = "a`id`" }, "spec.logTopic", "without quotes"},
		"go, subscription":  {func(f *v1alpha1.PulsarFunction) { toGo(f); f.Spec.SubscriptionName = "a&b" }, "spec.subscriptionName", "without quotes"},
	} {
		t.Run(name, func(t *testing.T) {
			result := Validate(made(test.change), testOptions)
			if !found(result, test.path, test.text) {
				t.Errorf("errors %v lack %s: %s", result.Errors, test.path, test.text)
			}
			if result.Reason == "" {
				t.Error("no reason")
			}
		})
	}
}

// Each variable that the operator's command line reads has to be reserved.
func TestReservedEnvironment(t *testing.T) {
	for _, name := range []string{"brokerServiceURL", "webServiceURL", "clientAuthenticationParameters", "tlsTrustCertsFilePath",
		"tlsAllowInsecureConnection", "PACKAGE_webServiceURL", "POD_NAME", "PATH", "GO_FUNCTION_CONF"} {
		if result := Validate(made(secret(name, "s", "k")), testOptions); !found(result, "spec.secrets["+name+"]", "Forbidden") {
			t.Errorf("%s: errors %v", name, result.Errors)
		}
	}
}
