package translation

import (
	"encoding/json"
	"math/rand"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/hack/crdpaths"
	"github.com/function-mesh/functionmesh-apiserver/hack/fieldtable"
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestCommittedListsAreThoseOfTheDefinitions(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		crd := definition(t, kind)
		if crd == nil {
			t.Logf("%s is not set: the committed list was not compared with the definition", crdsVariable)
			return
		}
		t.Logf("the committed list was compared with the definition in %s", os.Getenv(crdsVariable))
		derived, err := crdpaths.Derive(crd)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(derived, committedFields(t, kind)); diff != "" {
			t.Errorf("run hack/update-crd-paths.sh (-definition +committed):\n%s", diff)
		}
	})
}

// What we write has only fields that Function Mesh has, of its types and with its
// values.
func TestWrittenResourcesFitTheDefinitions(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		checker := crdpaths.NewChecker(committedFields(t, kind))
		validator := schemaValidator(t, kind)
		seen := map[string]bool{}
		for seed := range int64(rounds) {
			view := randomView(rand.New(rand.NewSource(seed)), kind)
			makeValid(view)
			object := written(t, kind, view)
			for _, problem := range checker.Check(object) {
				t.Errorf("seed %d: %s", seed, problem)
			}
			if validator != nil {
				for _, problem := range validator.Validate(object).Errors {
					t.Errorf("seed %d: %v", seed, problem)
				}
			}
			if _, ok := object["status"]; ok {
				t.Fatal("a status was written")
			}
			collectPaths(seen, "spec", object["spec"])
			if t.Failed() {
				return
			}
		}
		// A field that the generator never fills would not be tested.
		for _, row := range fieldTable(t) {
			if row.Of(kind.names().Type) && row.Treatment == fieldtable.Mapped && !strings.ContainsAny(row.Path, "[{") &&
				strings.HasPrefix(row.Path, "spec") && !seen[row.Path] && !unwritten(row.Path) {
				t.Errorf("no random view led to %s", row.Path)
			}
		}
	})
}

// unwritten are the fields that makeValid takes back.
func unwritten(path string) bool {
	for _, part := range []string{"authConfig", "javaProvider.config", "spec.pod.", "spec.volumeMounts", "spec.volumeClaimTemplates", "spec.persistentVolumeClaimRetentionPolicy"} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

// makeValid takes back what the generator makes and the definition refuses. Accounts
// are completed elsewhere.
func makeValid(view adminv1alpha1.Component) {
	spec := view.Common()
	for _, auth := range []*adminv1alpha1.Auth{spec.Auth, ptr.Deref(spec.PackageService, adminv1alpha1.PackageService{}).Auth} {
		if auth != nil {
			auth.OAuth2 = nil
		}
	}
	if spec.StateConfig != nil && spec.StateConfig.JavaProvider != nil {
		spec.StateConfig.JavaProvider.Config = nil
	}
	if pod := spec.Pod; pod != nil {
		*pod = adminv1alpha1.Pod{
			Image: pod.Image, ImagePullPolicy: pod.ImagePullPolicy, ImageHasPulsarctl: pod.ImageHasPulsarctl, ImageHasWget: pod.ImageHasWget,
			DownloaderImage: pod.DownloaderImage, CleanupImage: pod.CleanupImage, FilebeatImage: pod.FilebeatImage,
			ImagePullSecrets: pod.ImagePullSecrets, Labels: pod.Labels, Annotations: pod.Annotations,
			ServiceAccountName: pod.ServiceAccountName, TerminationGracePeriodSeconds: pod.TerminationGracePeriodSeconds,
			NodeSelector: pod.NodeSelector, DisableDefaultAffinity: pod.DisableDefaultAffinity, Liveness: pod.Liveness,
		}
	}
}

func collectPaths(seen map[string]bool, path string, value any) {
	seen[path] = true
	if object, ok := value.(map[string]any); ok {
		for name, member := range object {
			collectPaths(seen, path+"."+name, member)
		}
	}
}

// schemaValidator validates against the whole schema, as kube-apiserver does; nil
// where there is no definition.
func schemaValidator(t *testing.T, kind testedKind) *validate.SchemaValidator {
	t.Helper()
	crd := definition(t, kind)
	if crd == nil {
		t.Logf("%s is not set: only the committed list was checked against", crdsVariable)
		return nil
	}
	t.Logf("the committed list and the schema in %s were checked against", os.Getenv(crdsVariable))
	var parsed struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema spec.Schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(crd, &parsed); err != nil {
		t.Fatal(err)
	}
	validator := validate.NewSchemaValidator(&parsed.Spec.Versions[0].Schema.OpenAPIV3Schema, nil, "", strfmt.Default)
	if bad := toJSONMap(json.RawMessage(`{"spec":{"replicas":-1}}`)); validator.Validate(bad).IsValid() {
		t.Fatal("the validator takes anything")
	}
	return validator
}

// The checks themselves find what is wrong.
func TestCheckerFinds(t *testing.T) {
	checker := crdpaths.NewChecker(committedFields(t, testedKinds()[0]))
	for _, test := range []struct{ object, want string }{
		{`{"spec":{"replica":1}}`, "spec.replica is not in the definition"},
		{`{"spec":{"input":{"sourceSpecs":{"t":{"serdeClassName":"x"}}}}}`, "spec.input.sourceSpecs.t.serdeClassName is not in the definition"},
		{`{"spec":{"replicas":"1"}}`, "spec.replicas is a string, not of type int32"},
		{`{"spec":{"replicas":-1}}`, "spec.replicas is -1, less than 0"},
		{`{"spec":{"timeout":3000000000}}`, "spec.timeout is 3000000000, which is no int32"},
		{`{"spec":{"subscriptionPosition":"Latest"}}`, `spec.subscriptionPosition is "Latest", not one of ["latest" "earliest"]`},
		{`{"spec":{"windowConfig":{}}}`, "spec.windowConfig.actualWindowFunctionClassName is required"},
		{`{"spec":{"input":{"topics":[1]}}}`, "spec.input.topics[0] is a int64, not of type string"},
		{`{"spec":{"funcConfig":{"any":[1]},"resources":{"limits":{"cpu":"1"}}},"metadata":{"name":"x"}}`, ""},
	} {
		got := ""
		if problems := checker.Check(toJSONMap(json.RawMessage(test.object))); len(problems) > 0 {
			got = problems[0]
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.object, got, test.want)
		}
	}
}
