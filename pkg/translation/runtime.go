package translation

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// runtimes are the blocks of a view of which exactly one says what runs its code.
type runtimes struct {
	java           *adminv1alpha1.JavaRuntime
	python, golang *adminv1alpha1.Runtime
	generic        *adminv1alpha1.GenericRuntime
}

func runtimesOf(view adminv1alpha1.Component) runtimes {
	blocks := runtimes{java: view.Common().Java}
	if function, ok := view.(*adminv1alpha1.PulsarFunction); ok {
		blocks.python, blocks.golang, blocks.generic = function.Spec.Python, function.Spec.Go, function.Spec.Generic
	}
	return blocks
}

// setRuntimes is the inverse of runtimesOf. Blocks that the kind doesn't have are
// left out.
func setRuntimes(view adminv1alpha1.Component, blocks runtimes) {
	view.Common().Java = blocks.java
	if function, ok := view.(*adminv1alpha1.PulsarFunction); ok {
		function.Spec.Python, function.Spec.Go, function.Spec.Generic = blocks.python, blocks.golang, blocks.generic
	}
}

func (t *Translator[CR, P, View]) directory() string {
	return strings.TrimRight(t.config.PackageDirectory, "/")
}

// packageToCR writes the block of the language that a view has, with the package in
// it, and the image that runs it.
func (t *Translator[CR, P, View]) packageToCR(view View, resource P) error {
	blocks, cr := runtimesOf(view), resource.Common()
	names := blockNames(blocks.java != nil, blocks.python != nil, blocks.golang != nil, blocks.generic != nil)
	if len(names) != 1 {
		return fmt.Errorf("spec must have one of java, python, go and generic, not %d of them", len(names))
	}
	file, location := "", locationOf(view)
	if builtin, ok := t.builtinOf(view); ok {
		file, location = builtin.Archive, ""
		if err := recordBuiltin(resource, builtin); err != nil {
			return err
		}
	} else if pkg := view.Common().Package; pkg != nil {
		if file = pkg.FileName; file == "" && location != "" {
			file = defaultFileName(view)
		}
		if file != "" {
			file = filePath(t.directory(), file)
		}
	}
	switch {
	case blocks.java != nil:
		cr.Java = &computev1alpha1.JavaRuntime{
			Jar:                  file,
			JarLocation:          location,
			ExtraDependenciesDir: blocks.java.ExtraDependenciesDir,
			JavaOpts:             emptyListAsNil(blocks.java.JavaOpts),
			InstancePath:         blocks.java.InstancePath,
			EntryClass:           blocks.java.EntryClass,
			Log:                  logToCR(&blocks.java.Runtime),
		}
	case blocks.python != nil:
		cr.Python = &computev1alpha1.PythonRuntime{Py: file, PyLocation: location, Log: logToCR(blocks.python)}
	case blocks.golang != nil:
		cr.Golang = &computev1alpha1.GoRuntime{Go: file, GoLocation: location, Log: logToCR(blocks.golang)}
	default:
		cr.GenericRuntime = &computev1alpha1.GenericRuntime{FunctionFile: file, FunctionFileLocation: location, Language: blocks.generic.Language}
	}
	cr.Image = t.imageOf(view)
	return nil
}

// packageFromCR is the inverse of packageToCR. The name of a file that follows from
// the rest isn't shown, so that it goes on following, and nor is such an image; that
// its author chose it is a kept field.
func (t *Translator[CR, P, View]) packageFromCR(resource P, view View) error {
	cr := resource.Common()
	names := blockNames(cr.Java != nil, cr.Python != nil, cr.Golang != nil, cr.GenericRuntime != nil)
	switch {
	case len(names) > 1:
		return fmt.Errorf("it has more than one runtime: %s", strings.Join(names, ", "))
	case cr.Java == nil && t.kind.names != adminv1alpha1.FunctionKind:
		return errors.New("it has no block spec.java")
	case len(names) == 0:
		return errors.New("it has none of the blocks spec.java, spec.python, spec.golang and spec.genericRuntime")
	}
	var blocks runtimes
	var file, location string
	switch {
	case cr.Java != nil:
		file, location = cr.Java.Jar, cr.Java.JarLocation
		blocks.java = &adminv1alpha1.JavaRuntime{
			Runtime:              *logFromCR(cr.Java.Log),
			JavaOpts:             emptyListAsNil(cr.Java.JavaOpts),
			ExtraDependenciesDir: cr.Java.ExtraDependenciesDir,
			InstancePath:         cr.Java.InstancePath,
			EntryClass:           cr.Java.EntryClass,
		}
	case cr.Python != nil:
		file, location = cr.Python.Py, cr.Python.PyLocation
		blocks.python = logFromCR(cr.Python.Log)
	case cr.Golang != nil:
		file, location = cr.Golang.Go, cr.Golang.GoLocation
		blocks.golang = logFromCR(cr.Golang.Log)
	default:
		file, location = cr.GenericRuntime.FunctionFile, cr.GenericRuntime.FunctionFileLocation
		blocks.generic = &adminv1alpha1.GenericRuntime{Language: cr.GenericRuntime.Language}
	}
	setRuntimes(view, blocks)
	spec := view.Common()
	builtin, isBuiltin := t.builtinBehind(resource)
	switch {
	case isBuiltin:
		spec.Package = &adminv1alpha1.Package{Location: builtin.location()}
	case file != "" || location != "":
		spec.Package = &adminv1alpha1.Package{Location: location}
		if location == "" || file != filePath(t.directory(), defaultFileName(view)) {
			spec.Package.FileName = fileName(t.directory(), file)
		}
	}
	if cr.Image != "" && cr.Image != t.imageOf(view) && cr.Image != builtin.Image {
		podOf(spec).Image = cr.Image
	}
	return nil
}

// imageOf returns the image that runs a view: its author's, the built-in package's,
// or the configured one for the language.
func (t *Translator[CR, P, View]) imageOf(view View) string {
	if pod := view.Common().Pod; pod != nil && pod.Image != "" {
		return pod.Image
	}
	return t.defaultImageOf(view)
}

// defaultImageOf returns the image of a view whose author names none. Without one
// the operator takes its own.
func (t *Translator[CR, P, View]) defaultImageOf(view View) string {
	if builtin, ok := t.builtinOf(view); ok && builtin.Image != "" {
		return builtin.Image
	}
	switch blocks, images := runtimesOf(view), t.config.RunnerImages; {
	case blocks.java != nil:
		return images.Java
	case blocks.python != nil:
		return images.Python
	case blocks.golang != nil:
		return images.Go
	}
	return ""
}

// podOf returns the pod section of a view, made if there is none.
func podOf(spec *adminv1alpha1.ComponentSpec) *adminv1alpha1.Pod {
	if spec.Pod == nil {
		spec.Pod = &adminv1alpha1.Pod{}
	}
	return spec.Pod
}

// blockNames returns how a resource calls those of its blocks that are there.
func blockNames(java, python, golang, generic bool) []string {
	var names []string
	for _, block := range []struct {
		name string
		set  bool
	}{{"java", java}, {"python", python}, {"golang", golang}, {"genericRuntime", generic}} {
		if block.set {
			names = append(names, block.name)
		}
	}
	return names
}

func locationOf(view adminv1alpha1.Component) string {
	return ptr.Deref(view.Common().Package, adminv1alpha1.Package{}).Location
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
	log := view.Log
	if log == nil {
		return nil
	}
	return emptyStructAsNil(&computev1alpha1.RuntimeLogConfig{
		Level:                   computev1alpha1.LogLevel(log.Level),
		Format:                  computev1alpha1.LogFormat(log.Format),
		RotatePolicy:            computev1alpha1.RotatePolicy(log.RotatePolicy),
		LogConfig:               (*computev1alpha1.LogConfig)(log.LogConfig),
		JavaLog4JConfigFileType: computev1alpha1.JavaLog4JConfigFileType(log.JavaLog4JConfigFileType),
	})
}

func logFromCR(cr *computev1alpha1.RuntimeLogConfig) *adminv1alpha1.Runtime {
	if cr == nil {
		return &adminv1alpha1.Runtime{}
	}
	return &adminv1alpha1.Runtime{Log: emptyStructAsNil(&adminv1alpha1.RuntimeLog{
		Level:                   string(cr.Level),
		Format:                  string(cr.Format),
		RotatePolicy:            string(cr.RotatePolicy),
		LogConfig:               (*adminv1alpha1.LogConfig)(cr.LogConfig),
		JavaLog4JConfigFileType: string(cr.JavaLog4JConfigFileType),
	})}
}
