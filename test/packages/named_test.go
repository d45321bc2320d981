package packages

import (
	"strings"
	"testing"
)

// TestNamed has pulsar-admin name a package by its URL: what is in it is found out as when
// it is uploaded.
func TestNamed(t *testing.T) {
	const location, other = "function://public/default/named@v1", "function://public/default/named@v2"
	uploadPackage(t, location, archive(t, "pulsar-functions-api-examples"))
	uploadPackage(t, other, env.pulsar.Code.Jar)
	create := func(code int, name, class string) string {
		return admin(t, code, "functions", "create", "--jar", location, "--name", name, "--inputs", "in", "--output", "out", "--classname", class)
	}
	const examples = "org.apache.pulsar.functions.api.examples."
	create(0, "named", examples+"WordCountFunction")
	function := resource(t, "functions", "named")
	if got := text(function, "spec", "output", "typeClassName"); got != "java.lang.Void" {
		t.Errorf("the function gives %q", got)
	}
	if got := text(function, "spec", "java", "jarLocation"); got != location {
		t.Errorf("the package is %s", got)
	}
	if printed := create(1, "misnamed", examples+"Missing"); !strings.Contains(printed, "Function class "+examples+"Missing must be in class path") {
		t.Errorf("a missing class is refused with %s", printed)
	}

	// Another class of the same package, and then another package.
	admin(t, 0, "functions", "update", "--name", "named", "--classname", examples+"ExclamationFunction")
	if got := text(resource(t, "functions", "named"), "spec", "output", "typeClassName"); got != "java.lang.String" {
		t.Errorf("the other class gives %q", got)
	}
	if printed := admin(t, 1, "functions", "update", "--name", "named", "--jar", other); !strings.Contains(printed, "must be in class path") {
		t.Errorf("a package without the class is refused with %s", printed)
	}
	admin(t, 0, "functions", "update", "--name", "named", "--jar", other, "--classname", "org.example.Exclamation")
	admin(t, 0, "functions", "delete", "--name", "named")
}

// TestNamedConnector has a connector say itself which class is meant.
func TestNamedConnector(t *testing.T) {
	const location = "source://public/default/generator@v1"
	uploadPackage(t, location, archive(t, "pulsar-io-data-generator"))
	admin(t, 0, "sinks", "create", "--archive", location, "--name", "named-printer", "--inputs", "people")
	if got := text(resource(t, "sinks", "named-printer"), "spec", "className"); got != "org.apache.pulsar.io.datagenerator.DataGeneratorPrintSink" {
		t.Errorf("the class is %q", got)
	}
	admin(t, 0, "sinks", "delete", "--name", "named-printer")
}

// TestMissingAsPulsar asks Pulsar's own worker, and us, for what isn't there.
func TestMissingAsPulsar(t *testing.T) {
	for _, arguments := range [][]string{
		{"functions", "create", "--jar", "function://public/default/missing@v1", "--name", "missing", "--inputs", "in", "--classname", "a.B"},
		{"functions", "create", "--py", "sink://public/default/missing", "--name", "missing", "--inputs", "in", "--classname", "a.B"},
		{"sinks", "create", "--archive", "sink://public/default/missing@v1", "--name", "missing", "--inputs", "in", "--classname", "a.B"},
		{"sources", "create", "--archive", "source://public/default/missing@v1", "--name", "missing", "--destination-topic-name", "out", "--classname", "a.B"},
	} {
		want := adminAt(t, env.pulsar.URL(), 1, arguments...)
		if got := admin(t, 1, arguments...); got != want {
			t.Errorf("%q: Pulsar says\n%s\nand we\n%s", arguments, want, got)
		}
	}
}

// TestRefusedAsPulsar names what neither Pulsar's worker nor we fetch.
func TestRefusedAsPulsar(t *testing.T) {
	for _, url := range []string{"http://packages.example.com/a.jar", "https://packages.example.com/a.jar", "file:///etc/passwd"} {
		for _, arguments := range [][]string{
			{"functions", "create", "--jar", url, "--name", "refused", "--inputs", "in", "--classname", "a.B"},
			{"functions", "create", "--go", url, "--name", "refused", "--inputs", "in"},
			{"sinks", "create", "--archive", url, "--name", "refused", "--inputs", "in", "--classname", "a.B"},
			{"sources", "create", "--archive", url, "--name", "refused", "--destination-topic-name", "out", "--classname", "a.B"},
		} {
			want := adminAt(t, env.pulsar.URL(), 1, arguments...)
			if got := admin(t, 1, arguments...); got != want {
				t.Errorf("%q: Pulsar says\n%s\nand we\n%s", arguments, want, got)
			}
		}
	}
}
