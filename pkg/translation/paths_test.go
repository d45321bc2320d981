package translation

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// leafPaths returns the paths of the fields under a type that have no fields of this
// project under them, with [] for the items of a list and {} for the values of a map.
func leafPaths(path string, kind reflect.Type) []string {
	switch kind.Kind() {
	case reflect.Pointer:
		return leafPaths(path, kind.Elem())
	case reflect.Map:
		if !strings.Contains(kind.PkgPath(), "functionmesh-apiserver") && kind.Elem().Kind() != reflect.Struct {
			return []string{path}
		}
		return leafPaths(path+"{}", kind.Elem())
	case reflect.Slice:
		if kind.Elem().Kind() != reflect.Struct {
			return []string{path}
		}
		return leafPaths(path+"[]", kind.Elem())
	case reflect.Struct:
		if !strings.Contains(kind.PkgPath(), "functionmesh-apiserver") {
			return []string{path}
		}
		var paths []string
		for i := range kind.NumField() {
			field := kind.Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if options == "inline" {
				paths = append(paths, leafPaths(path, field.Type)...)
			} else {
				paths = append(paths, leafPaths(path+"."+name, field.Type)...)
			}
		}
		return paths
	}
	return []string{path}
}

// jsonPaths returns the paths of all fields under a type of this project; [k]
// stands for the key of a map and the index of a list.
func jsonPaths(path string, kind reflect.Type) []string {
	paths := []string{path}
	switch kind.Kind() {
	case reflect.Pointer:
		return jsonPaths(path, kind.Elem())
	case reflect.Map, reflect.Slice:
		return append(paths, jsonPaths(path+"[k]", kind.Elem())...)
	case reflect.Struct:
		if !strings.Contains(kind.PkgPath(), "functionmesh-apiserver") {
			return paths
		}
		for i := range kind.NumField() {
			field := kind.Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if options == "inline" {
				paths = append(paths, jsonPaths(path, field.Type)...)
			} else {
				paths = append(paths, jsonPaths(path+"."+name, field.Type)...)
			}
		}
	}
	return paths
}

// An error about any field that we write names a field of the view.
func TestEveryPathHasOneInTheView(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	inView := jsonPaths("spec", reflect.TypeFor[adminv1alpha1.PulsarFunctionSpec]())
	// No view says these.
	unseen := []string{"spec.image", "spec.minReplicas", "spec.genericRuntime", "spec.pulsar"}
	for _, path := range jsonPaths("spec", reflect.TypeFor[computev1alpha1.FunctionSpec]()) {
		if got := translator.ViewPath(path); !slices.Contains(inView, got) && !slices.Contains(unseen, path) {
			t.Errorf("%s became %s, which views don't have", path, got)
		}
	}
}

func TestViewPaths(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	for path, want := range map[string]string{
		"spec.replicas":        "spec.parallelism",
		"spec.replicasX":       "spec.replicasX",
		"spec.minReplicas":     "spec.minReplicas",
		"spec.input":           "spec.inputs",
		"spec.input.topics[0]": "spec.inputs[0]",
		"spec.input.sourceSpecs[persistent://a/b/c].isRegexPattern":  "spec.inputSpecs[persistent://a/b/c].regexPattern",
		"spec.input.sourceSpecs.persistent://a/b/c.d.serdeClassname": "spec.inputSpecs.persistent://a/b/c.d.serdeClassName",
		"spec.input.sourceSpecs[a.serdeClassname].receiverQueueSize": "spec.inputSpecs[a.serdeClassname].receiverQueueSize",
		"spec.output.topic": "spec.output",
		"spec.output.producerConf.cryptoConfig.encryptionKeys": "spec.producerConfig.cryptoConfig.encryptionKeys",
		"spec.java.jarLocation":                                "spec.package.location",
		"spec.java.jar":                                        "spec.package.fileName",
		"spec.java.log.level":                                  "spec.java.log.level",
		"spec.golang.log.level":                                "spec.go.log.level",
		"spec.golang.go":                                       "spec.package.fileName",
		"spec.python.py":                                       "spec.package.fileName",
		"spec.pulsar.pulsarConfig":                             "spec.cluster",
		"spec.windowConfig.actualWindowFunctionClassName":      "spec.className",
		"spec.windowConfig.windowLengthCount":                  "spec.windowConfig.windowLengthCount",
		"spec.processingGuarantee":                             "spec.processingGuarantees",
		"spec.processingGuarantees":                            "spec.processingGuarantees",
		"spec.secretsMap.PASSWORD.key":                         "spec.secrets.PASSWORD.key",
		"spec.runtime.golang":                                  "spec.go",
		"metadata.name":                                        "metadata.name",
		"spec.unheardOf":                                       "spec.unheardOf",
		"":                                                     "",
	} {
		if got := translator.ViewPath(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
