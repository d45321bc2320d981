package validation

import (
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// injections are what a shell would do something with.
var injections = []string{
	"; id", "$(id)", "`id`", "${HOME}", "$HOME", "| id", "& id", "> /tmp/x", "< /etc/passwd", "(id)", "{a,b}", "'", `"`, `\`,
	"a b", "a\tb", "a\nid", "\n", "*", "?", "[a]", "~", "!", "#", "\x00", "é",
}

// Every text that the operator writes into a command without quotes has a pattern.
func TestNothingReachesTheShell(t *testing.T) {
	java := func(set func(*v1alpha1.JavaRuntime, string)) func(string) v1alpha1.Component {
		return func(text string) v1alpha1.Component {
			return newSink(func(s *sinkSpec) { set(s.Java, text) })
		}
	}
	common := func(set func(*v1alpha1.ComponentSpec, string)) func(string) v1alpha1.Component {
		return func(text string) v1alpha1.Component {
			return newSource(func(s *sourceSpec) { set(&s.ComponentSpec, text) })
		}
	}
	state := func(set func(*v1alpha1.StateConfig, string)) func(string) v1alpha1.Component {
		return common(func(s *v1alpha1.ComponentSpec, text string) {
			s.StateConfig = &v1alpha1.StateConfig{ServiceURL: "bk://x:4181", JavaProvider: &v1alpha1.StateProvider{ClassName: "a.B"}}
			set(s.StateConfig, text)
		})
	}
	for path, test := range map[string]struct {
		good string
		make func(string) v1alpha1.Component
	}{
		"spec.tenant":                             {"acme", common(func(s *v1alpha1.ComponentSpec, text string) { s.Tenant = text })},
		"spec.namespace":                          {"orders", common(func(s *v1alpha1.ComponentSpec, text string) { s.Namespace = text })},
		"spec.name":                               {"from-db", common(func(s *v1alpha1.ComponentSpec, text string) { s.Name = text })},
		"spec.cluster":                            {"main", common(func(s *v1alpha1.ComponentSpec, text string) { s.Cluster = text })},
		"spec.package.location":                   {"source://a/b/c@v1", common(func(s *v1alpha1.ComponentSpec, text string) { s.Package.Location = text })},
		"spec.package.fileName":                   {"x.nar", common(func(s *v1alpha1.ComponentSpec, text string) { s.Package.FileName = text })},
		"spec.java.javaOpts[0]":                   {"-Dkey=value,of:1/2@x%20+y", java(func(j *v1alpha1.JavaRuntime, text string) { j.JavaOpts = []string{text} })},
		"spec.java.extraDependenciesDir":          {"/pulsar/lib/", java(func(j *v1alpha1.JavaRuntime, text string) { j.ExtraDependenciesDir = text })},
		"spec.java.instancePath":                  {"/pulsar/instances/java-instance.jar", java(func(j *v1alpha1.JavaRuntime, text string) { j.InstancePath = text })},
		"spec.java.entryClass":                    {"org.example.Main", java(func(j *v1alpha1.JavaRuntime, text string) { j.EntryClass = text })},
		"spec.stateConfig.serviceUrl":             {"bk://a-1.example.com:4181,b:4181/x", state(func(s *v1alpha1.StateConfig, text string) { s.ServiceURL = text })},
		"spec.stateConfig.javaProvider.className": {"org.example.State", state(func(s *v1alpha1.StateConfig, text string) { s.JavaProvider.ClassName = text })},
		"spec.tls.certSecretKey": {"ca.crt", common(func(s *v1alpha1.ComponentSpec, text string) {
			s.TLS = &v1alpha1.TLS{Enabled: true, CertSecretName: "certs", CertSecretKey: text}
		})},
	} {
		t.Run(path, func(t *testing.T) {
			if result := Validate(test.make(test.good), testOptions); len(result.Errors) > 0 {
				t.Fatalf("errors %v, want none for %q", result.Errors, test.good)
			}
			for _, injection := range injections {
				for _, text := range []string{injection, test.good + injection, injection + test.good} {
					if result := Validate(test.make(text), testOptions); !found(result, path, "") {
						t.Errorf("%q: errors %v lack %s", text, result.Errors, path)
					}
				}
			}
		})
	}
}

func TestShellBoundTexts(t *testing.T) {
	java := func(java v1alpha1.JavaRuntime) v1alpha1.Component {
		return newSink(func(s *sinkSpec) { s.Java = &java })
	}
	checkRefusals(t, map[string]refusal{
		"another main class":  {java(v1alpha1.JavaRuntime{JavaOpts: []string{"-Xmx1g", "org.example.Evil"}}), "spec.java.javaOpts[1]", "begins with a hyphen"},
		"two options":         {java(v1alpha1.JavaRuntime{JavaOpts: []string{"-Xmx1g -Xms1g"}}), "spec.java.javaOpts[0]", "must be one option"},
		"no option":           {java(v1alpha1.JavaRuntime{JavaOpts: []string{""}}), "spec.java.javaOpts[0]", "an option is needed"},
		"long option":         {java(v1alpha1.JavaRuntime{JavaOpts: []string{"-" + strings.Repeat("x", maxTextBytes)}}), "spec.java.javaOpts[0]", "Too long"},
		"relative folder":     {java(v1alpha1.JavaRuntime{ExtraDependenciesDir: "lib"}), "spec.java.extraDependenciesDir", "absolute path"},
		"folder elsewhere":    {java(v1alpha1.JavaRuntime{ExtraDependenciesDir: "/pulsar/../etc"}), "spec.java.extraDependenciesDir", "without .."},
		"two paths":           {java(v1alpha1.JavaRuntime{InstancePath: "/a.jar:/b.jar"}), "spec.java.instancePath", "absolute path"},
		"nested entry class":  {java(v1alpha1.JavaRuntime{EntryClass: "a.B$C"}), "spec.java.entryClass", "no nested class"},
		"state without store": {newSink(func(s *sinkSpec) { s.StateConfig = &v1alpha1.StateConfig{ServiceURL: "bk://"} }), "spec.stateConfig.serviceUrl", "must be a URL"},
	})
}

func TestLogSettings(t *testing.T) {
	logged := func(log v1alpha1.RuntimeLog) v1alpha1.Component {
		return newSource(func(s *sourceSpec) { s.Java.Log = &log })
	}
	const path = "spec.java.log."
	checkRefusals(t, map[string]refusal{
		"level":     {logged(v1alpha1.RuntimeLog{Level: "$(id)"}), path + "level", "supported values"},
		"format":    {logged(v1alpha1.RuntimeLog{Format: "xml"}), path + "format", `"json", "text"`},
		"rotation":  {logged(v1alpha1.RuntimeLog{RotatePolicy: "Daily"}), path + "rotatePolicy", `"TimedPolicyWithDaily"`},
		"file type": {logged(v1alpha1.RuntimeLog{JavaLog4JConfigFileType: "json"}), path + "javaLog4JConfigFileType", `"yaml", "xml", "ini"`},
		"no name":   {logged(v1alpha1.RuntimeLog{LogConfig: &v1alpha1.LogConfig{Key: "x"}}), path + "logConfig.name", "both name and key"},
		"no key":    {logged(v1alpha1.RuntimeLog{LogConfig: &v1alpha1.LogConfig{Name: "x"}}), path + "logConfig.key", "both name and key"},
		"name":      {logged(v1alpha1.RuntimeLog{LogConfig: &v1alpha1.LogConfig{Name: "X", Key: "x"}}), path + "logConfig.name", "RFC 1123"},
		"key":       {logged(v1alpha1.RuntimeLog{LogConfig: &v1alpha1.LogConfig{Name: "x", Key: "a/b"}}), path + "logConfig.key", "config key"},
		"go": {made(toGo, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Go.Log = &v1alpha1.RuntimeLog{Level: "loud"} })),
			"spec.go.log.level", "supported values"},
	})
}
