package config

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

const workerFile = "testdata/functions_worker.yml"

func amounts(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func TestLoadWorker(t *testing.T) {
	got, ignored, err := LoadWorker(workerFile)
	if err != nil {
		t.Fatal(err)
	}
	want := &v1alpha1.FunctionMeshAPIServerConfiguration{
		PulsarClusters: []v1alpha1.PulsarCluster{{Name: "us-west", ServiceURL: "pulsar://broker.pulsar.svc:6650", WebServiceURL: "http://broker.pulsar.svc:8080"}},
		RunnerImages: v1alpha1.RunnerImages{
			Java:   "streamnative/pulsar-functions-java-runner:2.10",
			Python: "streamnative/pulsar-functions-python-runner:2.10",
			Go:     "streamnative/pulsar-functions-go-runner:2.10",
		},
		DefaultNamespace:             "pulsar-functions",
		PackageDirectory:             "/pulsar/download/pulsar_functions",
		AdditionalPackageURLPatterns: []string{`https://repo\.example/.*`},
		DefaultResources:             amounts("500m", "2Gi"),
		MinResources:                 amounts("200m", "1Mi"),
		MaxResources:                 amounts("16", "16Gi"),
		ConnectorsFile:               "/etc/worker/connectors.yaml",
		FunctionEnabled:              ptr.To(true),
		SourceEnabled:                ptr.To(true),
		SinkEnabled:                  ptr.To(false),
		Defaults: v1alpha1.ComponentDefaults{
			Labels: map[string]string{"team": "data", "from": "factory"}, Annotations: map[string]string{"scrape": "true"},
			Env:                []corev1.EnvVar{{Name: "A", Value: "b"}, {Name: "Z", Value: "z"}},
			ServiceAccountName: "runner", ImagePullPolicy: corev1.PullAlways, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "registry"}},
			Volumes:      []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
			VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
			JavaOpts:     []string{"-Xmx1g", "-Dx=y"}, ExtraDependenciesDir: "/pulsar/lib",
		},
		FunctionDefaults: v1alpha1.ComponentDefaults{Labels: map[string]string{"kind": "function"}},
		SourceDefaults:   v1alpha1.ComponentDefaults{Annotations: map[string]string{"kind": "source"}},
		SinkDefaults: v1alpha1.ComponentDefaults{
			Env:            []corev1.EnvVar{{Name: "KIND", Value: "sink"}},
			InitContainers: []corev1.Container{{Name: "prepare", Image: "busybox", Command: []string{"true"}}},
		},
	}
	if !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("it was read differently (-want +got):\n%s", cmp.Diff(want, got))
	}
	wantIgnored := []string{
		"authenticationEnabled (instead: pulsar-admin-shim's flags and Kubernetes' RBAC)",
		"authenticationProviders",
		"brokerClientAuthenticationParameters",
		"brokerClientAuthenticationPlugin",
		"functionInstanceMinResources.disk (Function Mesh has no such resource)",
		"functionRuntimeFactoryConfigs.submittingInsidePod (instead: --kubeconfig, or the pod's own account)",
		"functionsDirectory (archives are not read; instead: connectorDefinitionsFilePath or --connectors-file)",
		"functionsWorkerServiceCustomConfigs.defaultResources.disk (Function Mesh has no such resource)",
		"functionsWorkerServiceCustomConfigs.ownerReference (objects would be deleted together with the worker that it names)",
		"functionsWorkerServiceCustomConfigs.uploadEnabled (whether files are taken is for pulsar-admin-shim's --package-service-url)",
	}
	if !slices.Equal(ignored, wantIgnored) {
		t.Errorf("without effect are (-want +got):\n%s", cmp.Diff(wantIgnored, ignored))
	}
}

func TestParseWorkerSaysWhatIsMissing(t *testing.T) {
	data, err := os.ReadFile(workerFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ old, new, want string }{
		"images":     {"functionRunnerImages:", "runnerImages:", "runnerImages.java"},
		"cluster":    {"pulsarFunctionsCluster:", "cluster:", "pulsarFunctionsCluster"},
		"URL":        {"pulsarServiceUrl: pulsar", "pulsarServiceUrl: http", "pulsarClusters[0].serviceUrl"},
		"a number":   {"cpu: 0.2", "cpu: little", "line"},
		"too little": {"defaultResources: {cpu: 0.5", "defaultResources: {cpu: 0.1", "defaultResources.cpu"},
		"pattern":    {`https://repo\\.example/.*`, "(", "additionalPackageUrlPatterns[0]"},
		"a volume":   {"emptyDir:", "emptyDirectory:", workerCustom + `.volumes: unknown field "[0].emptyDirectory"`},
		"an option":  {"-Xmx1g", "-Xmx1g $(evil)", "functionDefaults.javaOpts[1]"},
		"options":    {"javaOPTs: -Xmx1g -Dx=y", "javaOPTs: {a: b}", workerCustom + ".javaOPTs"},
		"a label":    {"team: data", "app: data", "functionDefaults.labels[app]"},
		"syntax":     {"workerId: standalone", "workerId: [", "could not parse"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(string(data), test.old, test.new)
			_, _, err := ParseWorker([]byte(text))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "do-not-tell") {
				t.Errorf("got %v, want an error that names %s", err, test.want)
			}
		})
	}
}

// TestURLPatternsOfOneKind: a list for connectors must not allow functions.
func TestURLPatternsOfOneKind(t *testing.T) {
	data, err := os.ReadFile(workerFile)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), "additionalEnabledFunctionsUrlPatterns", "unknown", 1)
	got, ignored, err := ParseWorker([]byte(text))
	if err != nil || len(got.AdditionalPackageURLPatterns) != 0 {
		t.Fatalf("got %v, %v", got, err)
	}
	if !slices.ContainsFunc(ignored, func(name string) bool {
		return strings.HasPrefix(name, "additionalEnabledFunctionsUrlPatterns and")
	}) {
		t.Errorf("without effect are %v", ignored)
	}
}

// withAccounts returns the worker's configuration with another way in which functions
// prove who they are.
func withAccounts(t *testing.T, plugin, parameters, custom string) string {
	t.Helper()
	data, err := os.ReadFile(workerFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(
		"org.apache.pulsar.client.impl.auth.AuthenticationToken", plugin,
		`"token:do-not-tell"`, parameters,
		"  usingInsecureAuth: false\n", custom,
	).Replace(string(data))
}

func TestWorkerWithAccounts(t *testing.T) {
	const parameters = `'{"type":"client_credentials","privateKey":"data:application/json;base64,do-not-tell","issuerUrl":"https://issuer.example.org/","audience":"urn:pulsar","scope":"s"}'`
	want := &v1alpha1.OAuth2{
		Issuers:     []v1alpha1.OAuth2Issuer{{IssuerURL: "https://issuer.example.org/", Audience: "urn:pulsar", Scope: "s"}},
		SecretRules: secretRules, SecretAnnotationKey: defaultAnnotationKey, Required: ptr.To(true),
	}
	named := *want
	named.SecretAnnotationKey = "example.org/who"
	text := withAccounts(t, oauth2Plugin, parameters, "")
	for name, test := range map[string]struct {
		text    string
		want    *v1alpha1.OAuth2
		ignored []string
	}{
		"accounts":          {text, want, nil},
		"older names":       {strings.ReplaceAll(text, "brokerClientAuthentication", "clientAuthentication"), want, nil},
		"an annotation key": {withAccounts(t, oauth2Plugin, parameters, "  oauth2SecretAnnotationKey: example.org/who\n"), &named, nil},
		"one account for all": {withAccounts(t, oauth2Plugin, parameters, "  usingInsecureAuth: true\n"), want,
			[]string{workerCustom + ".usingInsecureAuth (functions run with their authors' accounts, never with the worker's)"}},
		"nobody is asked who he is": {strings.ReplaceAll(text, "authenticationEnabled: true", "authenticationEnabled: false"), nil,
			[]string{"brokerClientAuthenticationParameters", "brokerClientAuthenticationPlugin"}},
		"tokens, and a key": {withAccounts(t, "Other", "x", "  oauth2SecretAnnotationKey: example.org/who\n"), nil,
			[]string{"brokerClientAuthenticationParameters", "brokerClientAuthenticationPlugin", workerCustom + ".oauth2SecretAnnotationKey"}},
	} {
		got, ignored, err := ParseWorker([]byte(test.text))
		if err != nil || !equality.Semantic.DeepEqual(got.OAuth2, test.want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		about := slices.DeleteFunc(ignored, func(member string) bool {
			return !strings.Contains(member, "lientAuthentication") && !strings.Contains(member, "oauth2") && !strings.Contains(member, "InsecureAuth")
		})
		if !slices.Equal(about, test.ignored) {
			t.Errorf("%s: without effect are %q", name, about)
		}
	}
	for name, test := range map[string]struct{ parameters, want string }{
		"no JSON":     {`"privateKey:do-not-tell"`, "brokerClientAuthenticationParameters"},
		"no issuer":   {`'{"privateKey":"do-not-tell"}'`, "brokerClientAuthenticationParameters"},
		"plain text":  {`'{"issuerUrl":"http://do-not-tell.example.org"}'`, "oauth2.issuers[0].issuerUrl"},
		"an audience": {`'{"issuerUrl":"https://issuer.example.org","audience":"a b"}'`, "oauth2.issuers[0].audience"},
	} {
		_, _, err := ParseWorker([]byte(withAccounts(t, oauth2Plugin, test.parameters, "")))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "do-not-tell") {
			t.Errorf("%s: got %v, want an error that names %s", name, err, test.want)
		}
	}
}

func TestWorkerWithTLS(t *testing.T) {
	data, err := os.ReadFile(workerFile)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("useTls: false", "useTls: true", "tlsEnableHostnameVerification: false", "tlsEnableHostnameVerification: true",
		"tlsAllowInsecureConnection: false", "tlsAllowInsecureConnection: true\nbrokerClientTrustCertsFilePath: /certs/ca.crt").Replace(string(data))
	got, ignored, err := ParseWorker([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&adminv1alpha1.TLS{Enabled: true, AllowInsecure: true, HostnameVerification: true}, got.Defaults.TLS); diff != "" {
		t.Errorf("it was read differently (-want +got):\n%s", diff)
	}
	about := slices.DeleteFunc(ignored, func(member string) bool {
		return !strings.HasPrefix(member, "tls") && !strings.Contains(member, "Trust") && !strings.HasPrefix(member, "useTls")
	})
	if !slices.Equal(about, []string{"brokerClientTrustCertsFilePath (" + noTrustFile + ")"}) {
		t.Errorf("without effect are %q", about)
	}
	got, ignored, err = ParseWorker([]byte(strings.Replace(text, "useTls: true", "useTls: false", 1)))
	if err != nil || got.Defaults.TLS != nil || !slices.Contains(ignored, "tlsAllowInsecureConnection") {
		t.Errorf("without TLS it is %+v, without effect are %q, %v", got.Defaults.TLS, ignored, err)
	}
	got.Defaults.TLS = &adminv1alpha1.TLS{Enabled: true, CertSecretName: "brokers"}
	if errs := validateDefaults(got); len(errs) == 0 || errs[0].Field != "functionDefaults.tls.certSecretKey" {
		t.Errorf("a Secret without a key: %v", errs)
	}
}

// TestWorkerState takes over a table service, and nothing that would look for state where
// it isn't.
func TestWorkerState(t *testing.T) {
	text, err := os.ReadFile(workerFile)
	if err != nil {
		t.Fatal(err)
	}
	const provider = "\nstateStorageProviderImplementation: org.apache.pulsar.functions.instance.state."
	for lines, want := range map[string]string{
		"": "bk://tables:4181", provider + "BKStateStoreProviderImpl": "bk://tables:4181", provider + "PulsarMetadataStateStoreProviderImpl": "",
	} {
		config, ignored, err := ParseWorker([]byte(string(text) + "\nstateStorageServiceUrl: bk://tables:4181" + lines + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := config.PulsarClusters[0].StateStorageURL; got != want {
			t.Errorf("%s: the state store is %q", lines, got)
		}
		named := slices.ContainsFunc(ignored, func(name string) bool { return strings.HasPrefix(name, "stateStorage") })
		if named != (want == "") {
			t.Errorf("%s: %v are named", lines, ignored)
		}
	}
}
