package translation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/hack/crdpaths"
	"github.com/function-mesh/functionmesh-apiserver/hack/fieldtable"
)

func fieldTable(t testing.TB) []fieldtable.Row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "fields.txt"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := fieldtable.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Each field of the definitions is in the table, once per kind, and no other is.
func TestFieldTableIsComplete(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		rows := map[string]int{}
		for _, row := range fieldTable(t) {
			if row.Of(kind.names().Type) && row.Treatment != fieldtable.Kept {
				rows[row.Path]++
			}
		}
		for _, field := range committedFields(t, kind) {
			if rows[field.Path] != 1 {
				t.Errorf("%s is in the table %d times", field.Path, rows[field.Path])
			}
			delete(rows, field.Path)
		}
		for path := range rows {
			t.Errorf("%s isn't in the definition", path)
		}
	})
}

// What a field of a view is called, errors call it too.
func TestFieldTableAgreesWithViewPaths(t *testing.T) {
	plain := strings.NewReplacer("[]", "", "{}", "")
	forKinds(t, func(t *testing.T, kind testedKind) {
		for _, row := range fieldTable(t) {
			if !row.Of(kind.names().Type) || row.Treatment != fieldtable.Mapped {
				continue
			}
			if got, want := kind.viewPath(plain.Replace(row.Path)), plain.Replace(row.View); got != want {
				t.Errorf("%s is %s in errors, %s in the table", row.Path, got, want)
			}
		}
	})
}

// Each field of a view has a place in the custom resource, or is kept.
func TestEveryFieldOfViewsIsInTheTable(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		known := map[string]bool{}
		for _, row := range fieldTable(t) {
			if row.Of(kind.names().Type) {
				known[row.View] = true
			}
		}
		for _, path := range leafPaths("spec", specOf(kind.newView()).Type()) {
			if kind.names().Type != "function" && strings.HasPrefix(path, "spec.pod.") &&
				(strings.Contains(path, "olumeClaimTemplates") || strings.Contains(path, "olumeClaimRetentionPolicy")) {
				continue // of functions only, as the type says
			}
			if !known[path] && !coveredByParent(known, path) {
				t.Errorf("%s isn't in the table", path)
			}
		}
	})
}

// coveredByParent tells whether a foreign type that contains path is in the table.
func coveredByParent(known map[string]bool, path string) bool {
	for {
		end := strings.LastIndexByte(path, '.')
		if end < 0 || path[:end] == "spec" || path[:end] == "spec.pod" {
			return false
		}
		if path = path[:end]; known[path] && foreignParents[path] {
			return true
		}
	}
}

// foreignParents are types of Kubernetes, and those that stand for one, which the
// table has as a whole.
var foreignParents = map[string]bool{
	"spec.pod.vpa.updatePolicy": true, "spec.pod.vpa.resourcePolicy": true,
	"spec.pod.volumeClaimTemplates[]": true, "spec.pod.persistentVolumeClaimRetentionPolicy": true,
	"spec.transformFunction": true, "spec.producerConfig.batchingConfig": true,
	"spec.inputSpecs{}.messagePayloadProcessorConfig": true,
}

// fieldCase is a custom resource with one field, and the same with another value.
type fieldCase struct{ first, second map[string]any }

func casesOf(kind testedKind, field crdpaths.Field) fieldCase {
	first, second := sampleValues(field)
	return fieldCase{first: withField(kind, field.Path, first), second: withField(kind, field.Path, second)}
}

// A mapped field shows in the view, under its path, and changing it there changes it
// alone in the custom resource.
func TestMappedFieldsAreMapped(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		fields := map[string]crdpaths.Field{}
		for _, field := range committedFields(t, kind) {
			fields[field.Path] = field
		}
		for _, row := range fieldTable(t) {
			field := fields[row.Path]
			if !row.Of(kind.names().Type) || row.Treatment != fieldtable.Mapped || row.Setter == "server" ||
				!strings.HasPrefix(row.Path, "spec.") || !isLeaf(field, fields) {
				continue
			}
			test := casesOf(kind, field)
			view, other := mustTranslate(t, kind, test.first), mustTranslate(t, kind, test.second)
			at := strings.Split(row.View, "[")[0]
			at, _, _ = strings.Cut(at, "{")
			a, b := member(toJSONMap(view), strings.Split(at, ".")), member(toJSONMap(other), strings.Split(at, "."))
			if cmp.Equal(a, b) {
				t.Errorf("%s: the view has %v at %s for both", row.Path, a, at)
			}
			raw := runtime.DeepCopyJSON(test.first)
			if _, err := updateOf(kind, raw, other); err != nil {
				t.Errorf("%s: %v", row.Path, err)
			}
			for _, path := range alsoWritten[row.Path] {
				removeMember(raw, path)
				removeMember(test.second, path)
			}
			if diff := cmp.Diff(test.second, raw); diff != "" {
				t.Errorf("%s: changed in the view (-want +got):\n%s", row.Path, diff)
			}
		}
	})
}

// alsoWritten are members that a change of a field brings along.
var alsoWritten = map[string][]string{
	"spec.clusterName": {"spec.pulsar"},
	"spec.tenant":      {"metadata.labels"},
	"spec.namespace":   {"metadata.labels"},
	"spec.name":        {"metadata.labels"},
	"spec.logTopic":    {"spec.logTopicAgent"},
	"spec.className":   {"spec.windowConfig"},
}

// Preserved fields aren't shown, and stay through any update.
func TestPreservedFieldsArePreserved(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		fields := map[string]crdpaths.Field{}
		for _, field := range committedFields(t, kind) {
			fields[field.Path] = field
		}
		for _, row := range fieldTable(t) {
			field := fields[row.Path]
			if !row.Of(kind.names().Type) || row.Treatment != fieldtable.Preserved ||
				!strings.HasPrefix(row.Path, "spec.") || !isLeaf(field, fields) {
				continue
			}
			test := casesOf(kind, field)
			assertSame(t, row.Path, specOf(mustTranslate(t, kind, test.first)).Interface(), specOf(mustTranslate(t, kind, test.second)).Interface())
			wanted := mustTranslate(t, kind, test.first)
			spec := wanted.Common()
			spec.ClassName, spec.Cluster, spec.RuntimeFlags, spec.Pod = "org.example.Other", "standalone", "flags", nil
			raw := runtime.DeepCopyJSON(test.first)
			if changed, err := updateOf(kind, raw, wanted); err != nil || !changed {
				t.Errorf("%s: changed=%v, %v", row.Path, changed, err)
			}
			path := pathOf(row.Path)
			if diff := cmp.Diff(memberAt(test.first, path), memberAt(raw, path)); diff != "" {
				t.Errorf("%s (-before +after):\n%s", row.Path, diff)
			}
		}
	})
}

// Resources with refused fields can't be shown.
func TestRefusedFieldsAreRefused(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		for _, row := range fieldTable(t) {
			if !row.Of(kind.names().Type) || row.Treatment != fieldtable.Refused || strings.Count(row.Path, ".") != 1 {
				continue
			}
			raw := withField(kind, "spec.className", "x")
			raw["spec"].(map[string]any)[strings.TrimPrefix(row.Path, "spec.")] = map[string]any{}
			cr, err := decodeCR(kind, raw)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kind.fromCR(cr); err == nil {
				t.Errorf("%s is shown", row.Path)
			}
		}
	})
}

// withField returns a custom resource in which a field has a value.
func withField(kind testedKind, path string, value any) map[string]any {
	raw := map[string]any{
		"apiVersion": "compute.functionmesh.io/v1alpha1", "kind": strings.TrimPrefix(kind.names().Kind, "Pulsar"),
		"metadata": map[string]any{"name": "x", "namespace": "team"},
		"spec":     map[string]any{"java": map[string]any{"jar": "/pulsar/a.jar"}},
	}
	spec := raw["spec"].(map[string]any)
	for _, block := range []string{"python", "golang", "genericRuntime"} {
		if strings.HasPrefix(path, "spec."+block+".") {
			delete(spec, "java")
		}
	}
	switch {
	case strings.HasPrefix(path, "spec.python."):
		spec["python"] = map[string]any{"py": "/pulsar/a.py"}
	case strings.HasPrefix(path, "spec.golang."):
		spec["golang"] = map[string]any{"go": "/pulsar/a"}
	case strings.HasPrefix(path, "spec.genericRuntime."):
		spec["genericRuntime"] = map[string]any{"functionFile": "/pulsar/a", "language": "nodejs"}
	case path == "spec.logTopicAgent":
		spec["logTopic"] = "log"
	case strings.Contains(path, "cryptoSecrets[]."):
		setMember(raw, pathOf(path[:strings.LastIndexByte(path, '.')]), object("secretName", "s", "secretKey", "k"))
	case strings.HasPrefix(path, "spec.windowConfig."):
		spec["windowConfig"] = object("actualWindowFunctionClassName", "", "windowLengthCount", int64(1), "slidingIntervalCount", int64(1),
			"windowLengthDurationMs", int64(1), "slidingIntervalDurationMs", int64(1), "maxLagMs", int64(1), "watermarkEmitIntervalMs", int64(1))
	case strings.Contains(path, ".oauth2Config."):
		setMember(raw, strings.Split(path[:strings.LastIndexByte(path, '.')], "."), map[string]any{"keySecretName": "kept"})
	}
	setMember(raw, pathOf(path), value)
	return raw
}

// pathOf returns the members that lead to a field: of a map the one called k, of a
// list the first.
func pathOf(path string) []string {
	path = strings.ReplaceAll(strings.ReplaceAll(path, "{}", ".k"), "[]", ".0")
	return strings.Split(path, ".")
}

func setMember(object map[string]any, path []string, value any) {
	for i, name := range path[:len(path)-1] {
		if path[i+1] == "0" {
			rest := path[i+2:]
			if len(rest) == 0 {
				object[name] = []any{value}
				return
			}
			items, ok := object[name].([]any)
			if !ok {
				items = []any{map[string]any{}}
				object[name] = items
			}
			setMember(items[0].(map[string]any), rest, value)
			return
		}
		child, ok := object[name].(map[string]any)
		if !ok {
			child = map[string]any{}
			object[name] = child
		}
		object = child
	}
	object[path[len(path)-1]] = value
}

// memberAt is member for paths into lists.
func memberAt(value any, path []string) any {
	for _, name := range path {
		switch typed := value.(type) {
		case map[string]any:
			value = typed[name]
		case []any:
			value = typed[0]
		default:
			return nil
		}
	}
	return value
}

func removeMember(object map[string]any, path string) {
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		child, ok := object[name].(map[string]any)
		if !ok {
			return
		}
		object = child
	}
	delete(object, names[len(names)-1])
}

func isLeaf(field crdpaths.Field, fields map[string]crdpaths.Field) bool {
	if field.Free || field.Type != "object" && field.Type != "array" {
		return true
	}
	for path := range fields {
		if strings.HasPrefix(path, field.Path+".") || path == field.Path+"[]" || path == field.Path+"{}" {
			return false
		}
	}
	return true
}

// sampleValues returns two values that a field can have.
func sampleValues(field crdpaths.Field) (any, any) {
	if pair, ok := samples[field.Path]; ok {
		return pair[0], pair[1]
	}
	switch {
	case len(field.Enum) > 1:
		return field.Enum[0], field.Enum[1]
	case field.Type == "string":
		return "one", "two"
	case field.Type == "int-or-string":
		return "1", "2"
	case field.Type == "boolean":
		return false, true
	case strings.HasPrefix(field.Type, "int"):
		return int64(2), int64(3)
	case field.Free:
		return map[string]any{"name": "one"}, map[string]any{"name": "two"}
	}
	panic(fmt.Sprintf("no values of %s for %s", field.Type, field.Path))
}

func object(pairs ...any) map[string]any {
	made := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i].(string)] = pairs[i+1]
	}
	return made
}

// samples are values of foreign types, and of fields that not every value fits.
var samples = map[string][2]any{
	"spec.pod.affinity": {
		object("nodeAffinity", object("requiredDuringSchedulingIgnoredDuringExecution", object("nodeSelectorTerms", []any{object("matchFields", []any{object("key", "a", "operator", "Exists")})}))),
		object("nodeAffinity", object("requiredDuringSchedulingIgnoredDuringExecution", object("nodeSelectorTerms", []any{object("matchFields", []any{object("key", "b", "operator", "Exists")})}))),
	},
	"spec.pod.autoScalingBehavior": {
		object("scaleUp", object("stabilizationWindowSeconds", int64(1))), object("scaleUp", object("stabilizationWindowSeconds", int64(2))),
	},
	"spec.pod.autoScalingMetrics[]": {object("type", "Pods"), object("type", "Object")},
	"spec.pod.env[]": {object("name", "A", "value", "1"),
		object("name", "A", "valueFrom", object("secretKeyRef", object("name", "s", "key", "k")))},
	"spec.pod.initContainers[]": {object("name", "i", "image", "a", "resources", object()), object("name", "i", "image", "b", "resources", object())},
	"spec.pod.sidecars[]":       {object("name", "s", "image", "a", "resources", object()), object("name", "s", "image", "b", "resources", object())},
	"spec.pod.securityContext":  {object("runAsUser", int64(1)), object("runAsUser", int64(2))},
	"spec.pod.startupProbe":     {object("periodSeconds", int64(1)), object("periodSeconds", int64(2))},
	"spec.pod.tolerations[]":    {object("key", "a"), object("key", "b")},
	"spec.pod.volumes[]":        {object("name", "v", "emptyDir", object()), object("name", "v", "secret", object("secretName", "s"))},
	"spec.pod.vpa.updatePolicy": {object("updateMode", "Off"), object("updateMode", "Auto")},
	"spec.pod.vpa.resourcePolicy": {
		object("containerPolicies", []any{object("containerName", "a", "mode", "Off")}),
		object("containerPolicies", []any{object("containerName", "a", "mode", "Auto")}),
	},
	"spec.persistentVolumeClaimRetentionPolicy": {object("whenDeleted", "Retain"), object("whenDeleted", "Delete")},
	"spec.volumeClaimTemplates[]": {
		object("metadata", object("name", "a"), "spec", object("resources", object())),
		object("metadata", object("name", "b"), "spec", object("resources", object())),
	},
	"spec.volumeMounts[]":     {object("name", "a", "mountPath", "/a"), object("name", "b", "mountPath", "/a")},
	"spec.resources.claims[]": {object("name", "a", "request", "r"), object("name", "a", "request", "s")},
	"spec.java.jar":           {"/opt/a.jar", "/opt/b.jar"},
	"spec.python.py":          {"/opt/a.py", "/opt/b.py"},
	"spec.golang.go":          {"/opt/a", "/opt/b"},

	"spec.genericRuntime.functionFile": {"/opt/a", "/opt/b"},
}
