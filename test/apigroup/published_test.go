package apigroup

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// updatePublished is for who has changed the API on purpose.
var updatePublished = flag.Bool("update", false, "write testdata/published instead of comparing with it")

// publishedDir holds what clients are told of the group.
const publishedDir = "testdata/published"

// modelPrefix begins the names of the group's types in OpenAPI.
const modelPrefix = "io.functionmesh.admin."

// ourGroup is the path below which everything of the group is.
const ourGroup = "/apis/" + v1alpha1.GroupName

// TestPublished compares what kube-apiserver publishes of the group with what is
// committed, so that no change of the API goes unnoticed: its names, verbs and
// subresources, and the schemas by which kubectl explain, kubectl --validate and
// server-side apply work. Of the documents that kube-apiserver merges only the part
// that is this group's is kept.
func TestPublished(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	const (
		plain      = "application/json"
		aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
	)
	for _, document := range []struct {
		file, path, accept string
		// ours takes what is this group's out of the document. It returns an error while
		// kube-apiserver hasn't heard of the group yet.
		ours func(document map[string]any) (any, error)
	}{
		{"discovery.json", "/apis", aggregated, discoveredGroup},
		{"group.json", ourGroup, plain, whole},
		{"resources.json", ourGroup + "/v1alpha1", plain, whole},
		{"openapi-v2-paths.json", "/openapi/v2", plain, pathsOfGroup},
		{"openapi-v2-types.json", "/openapi/v2", plain, typesIn("definitions")},
		{"openapi-v3-paths.json", "/openapi/v3" + ourGroup + "/v1alpha1", plain, pathsOfGroup},
		{"openapi-v3-types.json", "/openapi/v3" + ourGroup + "/v1alpha1", plain, typesIn("components", "schemas")},
	} {
		t.Run(document.file, func(t *testing.T) {
			var ours any
			s.eventually("kube-apiserver to publish the group", func() error {
				body, err := s.kube.Discovery().RESTClient().Get().AbsPath(document.path).SetHeader("Accept", document.accept).DoRaw(s.ctx)
				if err != nil {
					return err
				}
				var got map[string]any
				if err := json.Unmarshal(body, &got); err != nil {
					return err
				}
				ours, err = document.ours(got)
				return err
			})
			comparePublished(t, document.file, ours)
		})
	}
}

// comparePublished compares a document with the committed one, line by line.
func comparePublished(t *testing.T, file string, document any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(document); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(publishedDir, file)
	if *updatePublished {
		if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text.String(), "\n")); diff != "" {
		t.Errorf("the API has changed (-committed +published):\n%s\nIf that is meant, run make published and commit what it writes.", diff)
	}
}

func whole(document map[string]any) (any, error) { return document, nil }

// discoveredGroup takes the group out of an APIGroupDiscoveryList.
func discoveredGroup(document map[string]any) (any, error) {
	groups, _ := document["items"].([]any)
	for _, item := range groups {
		group, _ := item.(map[string]any)
		metadata, _ := group["metadata"].(map[string]any)
		if metadata["name"] != v1alpha1.GroupName {
			continue
		}
		// The APIService was created some time.
		delete(metadata, "creationTimestamp")
		if text := fmt.Sprint(group); !strings.Contains(text, "freshness:Current") {
			return nil, fmt.Errorf("it isn't up to date: %s", text)
		}
		return group, nil
	}
	return nil, fmt.Errorf("it isn't among %d groups", len(groups))
}

// pathsOfGroup takes the paths below the group's out of an OpenAPI document, and the
// parameters that they share.
func pathsOfGroup(document map[string]any) (any, error) {
	paths, _ := document["paths"].(map[string]any)
	ours := map[string]any{}
	for path, operations := range paths {
		if strings.HasPrefix(path, ourGroup) {
			ours[path] = operations
		}
	}
	if len(ours) == 0 {
		return nil, fmt.Errorf("none of %d paths is the group's", len(paths))
	}
	text, err := json.Marshal(ours)
	if err != nil {
		return nil, err
	}
	shared, _ := document["parameters"].(map[string]any)
	parameters := maps.Clone(shared)
	maps.DeleteFunc(parameters, func(name string, _ any) bool {
		return !bytes.Contains(text, []byte(`"#/parameters/`+name+`"`))
	})
	return map[string]any{"paths": ours, "parameters": parameters}, nil
}

// typesIn returns a function that takes the group's types out of what an OpenAPI
// document has at a path. What they use of Kubernetes' own is named there.
func typesIn(path ...string) func(map[string]any) (any, error) {
	return func(document map[string]any) (any, error) {
		types := document
		for _, member := range path {
			types, _ = types[member].(map[string]any)
		}
		ours := maps.Clone(types)
		maps.DeleteFunc(ours, func(name string, _ any) bool { return !strings.HasPrefix(name, modelPrefix) })
		if len(ours) == 0 {
			return nil, fmt.Errorf("none of %d types is the group's", len(types))
		}
		return ours, nil
	}
}
