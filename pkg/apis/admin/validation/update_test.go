package validation

import (
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestUpdateFreezesIdentity(t *testing.T) {
	for name, test := range map[string]struct {
		change change
		path   string
	}{
		"tenant":    {func(f *v1alpha1.PulsarFunction) { f.Spec.Tenant = "x" }, "spec.tenant"},
		"namespace": {func(f *v1alpha1.PulsarFunction) { f.Spec.Namespace = "x" }, "spec.namespace"},
		"name":      {func(f *v1alpha1.PulsarFunction) { f.Spec.Name = "x" }, "spec.name"},
		"runtime":   {toPython, "spec.python"},
	} {
		t.Run(name, func(t *testing.T) {
			result := ValidateUpdate(made(test.change), made(), testOptions)
			if len(result.Errors) != 1 || !found(result, test.path, "immutable") {
				t.Errorf("errors %v, want one: %s is immutable", result.Errors, test.path)
			}
			if !strings.Contains(result.Reason, "immutable") {
				t.Errorf("reason %q", result.Reason)
			}
		})
	}
}

// handMade is a Function of before that breaks rules which the server has for new
// ones.
func handMade(f *v1alpha1.PulsarFunction) {
	f.Name = strings.Repeat("a", 50) + ".b"
	f.Labels = map[string]string{"admin.functionmesh.io/old": "x"}
	f.Spec.Name = "word count"
	f.Spec.Cluster = "kubernetes"
	f.Spec.Package = &v1alpha1.Package{FileName: "/pulsar/lib/word count.jar"}
}

func TestUpdateOfWhatWasHandMade(t *testing.T) {
	old := made(handMade)
	if result := Validate(old, testOptions); len(result.Errors) < 6 {
		t.Fatalf("errors %v, want at least 6 for a new one", result.Errors)
	}
	scaled := made(handMade, func(f *v1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr(int32(3)) })
	if result := ValidateUpdate(scaled, old, testOptions); len(result.Errors) > 0 {
		t.Errorf("errors %v, want none", result.Errors)
	}
	badLocation := made(handMade, location("public/default/old-upload; id"))
	if result := ValidateUpdate(badLocation.DeepCopy(), badLocation, testOptions); len(result.Errors) > 0 {
		t.Errorf("errors %v, want none", result.Errors)
	}
	python := made(handMade, toPython)
	if result := ValidateUpdate(python.DeepCopy(), python, testOptions); len(result.Errors) > 0 {
		t.Errorf("errors %v, want none", result.Errors)
	}
}

func TestUpdateOfHandMadeParts(t *testing.T) {
	for name, handMade := range map[string]change{
		"resources": func(f *v1alpha1.PulsarFunction) { f.Spec.Resources = &v1alpha1.Resources{Requests: amounts("1", "")} },
		"secrets":   secret("brokerServiceURL", "s", ""),
		"schemas": func(f *v1alpha1.PulsarFunction) {
			f.Spec.CustomSchemaInputs, f.Spec.CustomSchemaOutputs = map[string]string{"x": "avro"}, map[string]string{"y": "avro"}
		},
		"go": func(f *v1alpha1.PulsarFunction) {
			toGo(f)
			secret("A", "s", "k")(f)
			f.Spec.UserConfig = raw(`{"a":1}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			old := made(handMade)
			if result := Validate(old, testOptions); len(result.Errors) == 0 {
				t.Fatal("no errors for a new one")
			}
			scaled := made(handMade, func(f *v1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr(int32(3)) })
			if result := ValidateUpdate(scaled, old, testOptions); len(result.Errors) > 0 {
				t.Errorf("errors %v, want none", result.Errors)
			}
		})
	}
}

// What changes is checked as if it were new, whatever the old one was.
func TestUpdateChecksWhatChanges(t *testing.T) {
	for name, test := range map[string]struct {
		old, change change
		path, text  string
	}{
		"file name":        {handMade, func(f *v1alpha1.PulsarFunction) { f.Spec.Package.FileName = "/pulsar/other.jar" }, "spec.package.fileName", "plain file name"},
		"first file name":  {nil, func(f *v1alpha1.PulsarFunction) { f.Spec.Package.FileName = "/pulsar/other.jar" }, "spec.package.fileName", "plain file name"},
		"location":         {handMade, func(f *v1alpha1.PulsarFunction) { f.Spec.Package.Location = "x" }, "spec.package.location", "Package url is not valid"},
		"location removed": {nil, noPackage, "spec.package.location", "Function package is not provided"},
		"cluster":          {handMade, func(f *v1alpha1.PulsarFunction) { f.Spec.Cluster = "unknown" }, "spec.cluster", "supported values"},
		"label":            {handMade, func(f *v1alpha1.PulsarFunction) { f.Labels["admin.functionmesh.io/old"] = "y" }, "metadata.labels[admin.functionmesh.io/old]", "reserved"},
		"resources":        {resources("1", "1Gi"), func(f *v1alpha1.PulsarFunction) { delete(f.Spec.Resources.Limits, "memory") }, "spec.resources.limits[memory]", "both a request and a limit"},
		"secret":           {secret("A", "s", "k"), secret("A", "s", ""), "spec.secrets[A].key", "both path and key"},
		"empty secret":     {nil, secret("A", "", ""), "spec.secrets[A].path", "both path and key"},
		"schema":           {nil, func(f *v1alpha1.PulsarFunction) { schemaInput(f, "x", "avro") }, "spec.customSchemaInputs[x]", "Topic x has an incorrect schema Info"},
		"go secrets":       {toGo, func(f *v1alpha1.PulsarFunction) { secret("A", "s", "k")(f) }, "spec.secrets", "gets none"},
		"go configuration": {toGo, func(f *v1alpha1.PulsarFunction) { f.Spec.UserConfig = raw(`{"a":1}`) }, "spec.userConfig", "without quotes"},
		"anything":         {handMade, func(f *v1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr(int32(0)) }, "spec.parallelism", "must be a positive number"},
		"python without package": {toPython, func(f *v1alpha1.PulsarFunction) { toPython(f); noPackage(f) }, "spec.package.location",
			"Function Package is not provided"},
	} {
		t.Run(name, func(t *testing.T) {
			before := []change{}
			if test.old != nil {
				before = append(before, test.old)
			}
			result := ValidateUpdate(made(append(before, test.change)...), made(before...), testOptions)
			if len(result.Errors) == 0 || !found(result, test.path, test.text) {
				t.Errorf("errors %v lack %s: %s", result.Errors, test.path, test.text)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	if warnings := Warnings(made()); len(warnings) > 0 {
		t.Errorf("a plain function has the warnings %q", warnings)
	}
	if warnings := Warnings(made(window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(1))}))); len(warnings) > 0 {
		t.Errorf("a window function has the warnings %q", warnings)
	}
	for name, test := range map[string]struct {
		change change
		want   string
	}{
		"quote":      {func(f *v1alpha1.PulsarFunction) { f.Spec.UserConfig = raw(`{"a":"it's"}`) }, "v0.27.2"},
		"no retries": {func(f *v1alpha1.PulsarFunction) { f.Spec.MaxMessageRetries = ptr(int32(0)) }, "no limit"},
		"flags":      {func(f *v1alpha1.PulsarFunction) { f.Spec.RuntimeFlags = "-Dx" }, "command line"},
		"auto ack":   {func(f *v1alpha1.PulsarFunction) { f.Spec.AutoAck = ptr(false) }, "MANUAL"},
		"java level": {func(f *v1alpha1.PulsarFunction) { f.Spec.Java.Log = &v1alpha1.RuntimeLog{Level: "panic"} }, `spec.java.log.level: Function Mesh has no "panic"`},
		"python level": {func(f *v1alpha1.PulsarFunction) {
			toPython(f)
			f.Spec.Python.Log = &v1alpha1.RuntimeLog{Level: "trace"}
		}, "spec.python.log.level"},
		"go settings": {func(f *v1alpha1.PulsarFunction) {
			toGo(f)
			f.Spec.RetainOrdering = true
			inputSpec(f, f.Spec.Inputs[0], v1alpha1.ConsumerSpec{SchemaType: "avro"})
		}, "spec.retainOrdering, the settings in spec.inputSpecs[persistent://public/default/in]"},
	} {
		t.Run(name, func(t *testing.T) {
			if warnings := Warnings(made(test.change)); len(warnings) != 1 || !strings.Contains(warnings[0], test.want) {
				t.Errorf("warnings %q, want one with %q", warnings, test.want)
			}
		})
	}
}

func TestUpdateWarnings(t *testing.T) {
	two := func(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = append(f.Spec.Inputs, "in-2") }
	for name, test := range map[string]struct {
		old, change change
		want        []string
	}{
		"nothing": {func(*v1alpha1.PulsarFunction) {}, func(*v1alpha1.PulsarFunction) {}, nil},
		"more":    {func(*v1alpha1.PulsarFunction) {}, two, nil},
		"moved to specs": {two, func(f *v1alpha1.PulsarFunction) {
			f.Spec.Inputs = f.Spec.Inputs[:1]
			inputSpec(f, "in-2", v1alpha1.ConsumerSpec{})
		}, nil},
		"default name spelled out": {func(*v1alpha1.PulsarFunction) {}, func(f *v1alpha1.PulsarFunction) {
			f.Spec.SubscriptionName = "public/default/word-count"
		}, nil},
		"input left": {two, func(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = f.Spec.Inputs[:1] },
			[]string{`leaves subscription "public/default/word-count" on in-2,`}},
		"other subscription": {two, func(f *v1alpha1.PulsarFunction) { f.Spec.SubscriptionName = "s" },
			[]string{`leaves subscription "public/default/word-count" and what waits there, and begins "s" at Latest`}},
		"position": {two, func(f *v1alpha1.PulsarFunction) { f.Spec.SubscriptionPosition = v1alpha1.Earliest },
			[]string{"only on subscriptions that don't exist yet"}},
		"skip":    {two, func(f *v1alpha1.PulsarFunction) { f.Spec.SkipToLatest = ptr(true) }, []string{"are skipped when an instance starts"}},
		"cleanup": {two, func(f *v1alpha1.PulsarFunction) { f.Spec.CleanupSubscription = ptr(false) }, []string{"will stay when the function is deleted"}},
		"ordering": {two, func(f *v1alpha1.PulsarFunction) { f.Spec.RetainKeyOrdering = true },
			[]string{"changes from Shared to Key_Shared"}},
		"guarantee": {two, effectivelyOnce, []string{"changes from Shared to Failover"}},
		"many inputs left": {func(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = []string{"a", "b", "c", "d", "e"} },
			func(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = []string{"z"} }, []string{"on a, b, c and 2 more"}},
	} {
		t.Run(name, func(t *testing.T) {
			warnings := UpdateWarnings(made(test.old, test.change), made(test.old))
			if len(warnings) != len(test.want) {
				t.Fatalf("warnings %q, want %d", warnings, len(test.want))
			}
			for i, want := range test.want {
				if !strings.Contains(warnings[i], want) {
					t.Errorf("warning %q lacks %q", warnings[i], want)
				}
			}
		})
	}
}

func TestUpdateMayLeaveViolationsButNotReplaceThem(t *testing.T) {
	violating := func(f *v1alpha1.PulsarFunction) {
		f.Spec.SubscriptionName = "it's"
		f.Spec.Inputs = []string{"a/b"}
		f.Spec.DeadLetterTopic = "dead"
	}
	old := made(violating)
	if result := Validate(old, testOptions); len(result.Errors) != 3 {
		t.Fatalf("errors %v, want 3 for a new one", result.Errors)
	}
	for name, test := range map[string]struct {
		change change
		path   string
	}{
		"label":              {func(f *v1alpha1.PulsarFunction) { f.Labels = map[string]string{"a": "b"} }, ""},
		"scale":              {func(f *v1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr(int32(3)) }, ""},
		"mend one":           {func(f *v1alpha1.PulsarFunction) { f.Spec.SubscriptionName = "its" }, ""},
		"another bad text":   {func(f *v1alpha1.PulsarFunction) { f.Spec.SubscriptionName = "'; id; '" }, "spec.subscriptionName"},
		"another bad topic":  {func(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = []string{"c/d"} }, "spec.inputs[0]"},
		"one violation more": {func(f *v1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr(int32(-1)) }, "spec.parallelism"},
	} {
		t.Run(name, func(t *testing.T) {
			result := ValidateUpdate(made(violating, test.change), old, testOptions)
			if test.path == "" && len(result.Errors) > 0 {
				t.Errorf("errors %v, want none", result.Errors)
			}
			if test.path != "" && (len(result.Errors) != 1 || result.Errors[0].Field != test.path || result.Reason == "") {
				t.Errorf("errors %v, want one of %s with a reason", result.Errors, test.path)
			}
		})
	}
}

func TestUpdateKeepsTheLabelsOfTheJavaWorker(t *testing.T) {
	const key = "compute.functionmesh.io/pulsar-component"
	adopted := func(f *v1alpha1.PulsarFunction) {
		f.Spec.Name, f.Name = "word-count", "word-count-7c312099"
		f.Labels = map[string]string{key: f.Spec.Name, "team": "a"}
	}
	for name, test := range map[string]struct {
		change change
		errors int
	}{
		"another label":     {func(f *v1alpha1.PulsarFunction) { delete(f.Labels, "team") }, 0},
		"the name is gone":  {func(f *v1alpha1.PulsarFunction) { delete(f.Labels, key) }, 1},
		"the name is wrong": {func(f *v1alpha1.PulsarFunction) { f.Labels[key] = "x" }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			result := ValidateUpdate(made(adopted, test.change), made(adopted), testOptions)
			if len(result.Errors) != test.errors {
				t.Errorf("errors %v, want %d", result.Errors, test.errors)
			}
		})
	}
}
