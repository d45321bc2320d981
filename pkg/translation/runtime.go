package translation

import (
	"errors"
	"fmt"
	"path"
	"strings"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

func (t *FunctionTranslator) directory() string {
	return strings.TrimRight(t.config.PackageDirectory, "/")
}

// runtimeToCR writes the block of the language that a view has.
func (t *FunctionTranslator) runtimeToCR(view *adminv1alpha1.PulsarFunctionSpec, cr *computev1alpha1.FunctionSpec) error {
	if runtimes := runtimesOf(view.Java != nil, view.Python != nil, view.Go != nil, false); len(runtimes) != 1 {
		return fmt.Errorf("spec must have one of java, python and go, not %d of them", len(runtimes))
	}
	file, location := "", ""
	if view.Package != nil {
		file, location = view.Package.FileName, view.Package.Location
	}
	if file == "" && location != "" {
		file = defaultFileName(view)
	}
	if file != "" {
		file = filePath(t.directory(), file)
	}
	switch {
	case view.Java != nil:
		cr.Java = &computev1alpha1.JavaRuntime{Jar: file, JarLocation: location, Log: logToCR(&view.Java.Runtime)}
	case view.Python != nil:
		cr.Python = &computev1alpha1.PythonRuntime{Py: file, PyLocation: location, Log: logToCR(view.Python)}
	default:
		cr.Golang = &computev1alpha1.GoRuntime{Go: file, GoLocation: location, Log: logToCR(view.Go)}
	}
	return nil
}

// runtimeFromCR is the inverse of runtimeToCR. The name of a file that follows from
// the rest isn't shown, so that it goes on following; that its author chose it is a
// kept field.
func runtimeFromCR(cr *computev1alpha1.FunctionSpec, directory string, view *adminv1alpha1.PulsarFunctionSpec) error {
	runtimes := runtimesOf(cr.Java != nil, cr.Python != nil, cr.Golang != nil, cr.GenericRuntime != nil)
	switch {
	case len(runtimes) == 0:
		return errors.New("it has none of the blocks spec.java, spec.python and spec.golang")
	case len(runtimes) > 1:
		return fmt.Errorf("it has more than one runtime: %s", strings.Join(runtimes, ", "))
	case cr.GenericRuntime != nil:
		return errors.New("spec.genericRuntime is not supported")
	}
	var file, location string
	switch {
	case cr.Java != nil:
		file, location = cr.Java.Jar, cr.Java.JarLocation
		view.Java = &adminv1alpha1.JavaRuntime{Runtime: *logFromCR(cr.Java.Log)}
	case cr.Python != nil:
		file, location = cr.Python.Py, cr.Python.PyLocation
		view.Python = logFromCR(cr.Python.Log)
	default:
		file, location = cr.Golang.Go, cr.Golang.GoLocation
		view.Go = logFromCR(cr.Golang.Log)
	}
	if file == "" && location == "" {
		return nil
	}
	view.Package = &adminv1alpha1.Package{Location: location}
	if location == "" || file != filePath(directory, defaultFileName(view)) {
		view.Package.FileName = fileName(directory, file)
	}
	return nil
}

func runtimesOf(java, python, golang, generic bool) []string {
	var runtimes []string
	for _, runtime := range []struct {
		name string
		set  bool
	}{{"java", java}, {"python", python}, {"golang", golang}, {"genericRuntime", generic}} {
		if runtime.set {
			runtimes = append(runtimes, runtime.name)
		}
	}
	return runtimes
}

// filePath returns the path in the container of a file that a view names. A name
// with a slash is a path already.
func filePath(directory, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return directory + "/" + name
}

// fileName is the inverse of filePath.
func fileName(directory, file string) string {
	if base := path.Base(file); file == directory+"/"+base {
		return base
	}
	return file
}

// A log block that says nothing is none.
func logToCR(view *adminv1alpha1.Runtime) *computev1alpha1.RuntimeLogConfig {
	if view.Log == nil || view.Log.Level == "" {
		return nil
	}
	return &computev1alpha1.RuntimeLogConfig{Level: computev1alpha1.LogLevel(view.Log.Level)}
}

func logFromCR(cr *computev1alpha1.RuntimeLogConfig) *adminv1alpha1.Runtime {
	if cr == nil || cr.Level == "" {
		return &adminv1alpha1.Runtime{}
	}
	return &adminv1alpha1.Runtime{Log: &adminv1alpha1.RuntimeLog{Level: string(cr.Level)}}
}
