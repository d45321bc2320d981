package config

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const valid = `
apiVersion: config.functionmesh.io/v1alpha1
kind: FunctionMeshAPIServerConfiguration
pulsarClusters:
- name: pulsar
  serviceUrl: pulsar://broker:6650
  webServiceUrl: http://broker:8080
runnerImages: {java: j, python: p, go: g}
`

func TestParseFillsInDefaults(t *testing.T) {
	config, err := Parse([]byte(valid))
	if err != nil {
		t.Fatal(err)
	}
	if config.PackageDirectory != "/pulsar" {
		t.Errorf("packageDirectory %q", config.PackageDirectory)
	}
	memory := config.DefaultResources[corev1.ResourceMemory]
	if memory.String() != "1Gi" {
		t.Errorf("memory %s", memory.String())
	}
	if disabled := DisabledKinds(config); len(disabled) != 0 {
		t.Errorf("disabled are %v", disabled)
	}
	if names := ClusterNames(config); len(names) != 1 || names[0] != "pulsar" {
		t.Errorf("clusters %v", names)
	}
}

func TestParseNamesTheFieldThatIsWrong(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"unknown field":     {"runnerImages:", "runnerImage: {}\nrunnerImages:", "runnerImage"},
		"kind":              {"FunctionMeshAPIServerConfiguration", "Function", "kind"},
		"no cluster":        {"pulsarClusters:", "pulsarClusters: []\nx:", "x"},
		"cluster name":      {"name: pulsar", "name: 'a b'", "pulsarClusters[0].name"},
		"service URL":       {"pulsar://broker:6650", "http://broker", "pulsarClusters[0].serviceUrl"},
		"web service URL":   {"http://broker:8080", "broker:8080", "pulsarClusters[0].webServiceUrl"},
		"credentials":       {"http://broker:8080", "http://u:p@broker:8080", "must not hold credentials"},
		"token of nothing":  {"- name: pulsar", "- adminTokenFile: t\n  name: pulsar", "pulsarClusters[0].adminTokenFile"},
		"trust of nothing":  {"- name: pulsar", "- trustCertsFile: c\n  name: pulsar", "pulsarClusters[0].trustCertsFile"},
		"CA of nothing":     {"- name: pulsar", "- adminCaFile: c\n  name: pulsar", "pulsarClusters[0].adminCaFile"},
		"pinning nowhere":   {"runnerImages:", "pinPackages: true\nrunnerImages:", "pulsarClusters[0].adminUrl"},
		"state store":       {"- name: pulsar", "- stateStorageUrl: http://u:p@host\n  name: pulsar", "pulsarClusters[0].stateStorageUrl"},
		"image":             {"python: p, ", "", "runnerImages.python"},
		"directory":         {"runnerImages:", "packageDirectory: /a b\nrunnerImages:", "packageDirectory"},
		"directory climbs":  {"runnerImages:", "packageDirectory: /a/../b\nrunnerImages:", "packageDirectory"},
		"shared ConfigMap":  {"- name: pulsar", "- {name: Pulsar, serviceUrl: 'pulsar://b:1', webServiceUrl: 'http://b:1'}\n- name: pulsar", "pulsarClusters[1].configMapName"},
		"ConfigMap name":    {"name: pulsar", "name: a.-b", "pulsarClusters[0].configMapName"},
		"pattern":           {"runnerImages:", "additionalPackageUrlPatterns: ['(']\nrunnerImages:", "additionalPackageUrlPatterns[0]"},
		"resource":          {"runnerImages:", "defaultResources: {disk: 1Gi}\nrunnerImages:", "defaultResources"},
		"least resource":    {"runnerImages:", "minResources: {disk: 1Gi}\nrunnerImages:", "minResources"},
		"too little":        {"runnerImages:", "minResources: {cpu: '2'}\nrunnerImages:", "defaultResources.cpu"},
		"too much":          {"runnerImages:", "maxResources: {memory: 1M}\nrunnerImages:", "defaultResources.memory"},
		"zero resource":     {"runnerImages:", "maxResources: {cpu: '0'}\nrunnerImages:", "maxResources.cpu"},
		"negative resource": {"runnerImages:", "defaultResources: {cpu: '-1'}\nrunnerImages:", "defaultResources.cpu"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(valid, test.old, test.new, 1)
			if text == valid {
				t.Fatal("the test changes nothing")
			}
			_, err := Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that names %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "u:p@") {
				t.Errorf("%v repeats a credential", err)
			}
		})
	}
}

func TestPackageURLPatternsMatchWholeURLs(t *testing.T) {
	config, err := Parse([]byte(valid + "additionalPackageUrlPatterns: ['https://a\\.example/.*|https://b\\.example/x']\n"))
	if err != nil {
		t.Fatal(err)
	}
	patterns, err := PackageURLPatterns(config)
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]bool{
		"https://a.example/f.jar":                       true,
		"https://b.example/x":                           true,
		"https://evil.example/?https://a.example/f.jar": false,
		"https://b.example/xy":                          false,
		"prefix https://b.example/x":                    false,
	} {
		if got := patterns[0].MatchString(url); got != want {
			t.Errorf("%s: %v", url, got)
		}
	}
}

func TestDisabledKinds(t *testing.T) {
	config, err := Parse([]byte(valid + "functionEnabled: true\nsourceEnabled: false\nsinkEnabled: false\n"))
	if err != nil {
		t.Fatal(err)
	}
	if disabled := DisabledKinds(config); !slices.Equal(disabled, []adminv1alpha1.ComponentKind{adminv1alpha1.SourceKind, adminv1alpha1.SinkKind}) {
		t.Errorf("disabled are %v", disabled)
	}
}
