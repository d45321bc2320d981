package storagesuite

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exportedFunctions returns the functions of a package of k8s.io/apiserver whose
// names begin with prefix, or, with a receiver, its methods of such names.
func exportedFunctions(t *testing.T, dir, receiver, prefix string) []string {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/apiserver").Output()
	if err != nil {
		t.Fatalf("could not find the source of k8s.io/apiserver: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(module)), filepath.FromSlash(dir), "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no source in %s: %v", dir, err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if ok && receiverOf(function) == receiver && strings.HasPrefix(function.Name.Name, prefix) {
				names = append(names, function.Name.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// receiverOf returns the name of a method's type, and nothing for a function.
func receiverOf(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return ""
	}
	pointed := function.Recv.List[0].Type
	if star, ok := pointed.(*ast.StarExpr); ok {
		pointed = star.X
	}
	name, _ := pointed.(*ast.Ident)
	if name == nil {
		return "?"
	}
	return name.Name
}

// TestEverySuiteIsDecided fails when Kubernetes adds, renames or removes a suite.
func TestEverySuiteIsDecided(t *testing.T) {
	var decided []string
	for _, suite := range suites {
		decided = append(decided, suite.name)
		if (suite.run == nil) == (suite.reason == "") {
			t.Errorf("%s must either run or say why it is left out", suite.name)
		}
	}
	slices.Sort(decided)
	if exported := exportedFunctions(t, "pkg/storage/testing", "", "Run"); !slices.Equal(decided, exported) {
		t.Errorf("the table has\n%v\nthe package exports\n%v", decided, exported)
	}
}
