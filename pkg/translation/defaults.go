package translation

import (
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// Default fills in what the author of a new function left to the server: Pulsar's
// defaults, the cluster, the type classes, what Go functions need, and resources.
// The identity is not among it.
func (t *FunctionTranslator) Default(view *adminv1alpha1.PulsarFunction) {
	t.setDefaults(view)
	setGoInputs(&view.Spec)
	t.setDefaultResources(&view.Spec)
}

// DefaultUpdate is Default for a function that exists and is before. Its resources
// stay as they are unless the update is about them: an adopted one may do without
// any, and must not be restarted because somebody labels it.
func (t *FunctionTranslator) DefaultUpdate(view, before *adminv1alpha1.PulsarFunction) {
	t.setDefaults(view)
	setGoInputs(&view.Spec)
	if !equality.Semantic.DeepEqual(resourcesToCR(view.Spec.Resources), resourcesToCR(before.Spec.Resources)) {
		t.setDefaultResources(&view.Spec)
	}
}

// setDefaults fills in what FromCR never leaves out. So it can be done to the old
// and the new view of an update without hiding a difference between them.
func (t *FunctionTranslator) setDefaults(view *adminv1alpha1.PulsarFunction) {
	adminv1alpha1.SetDefaults_PulsarFunction(view)
	spec := &view.Spec
	if spec.Cluster == "" && len(t.config.PulsarClusters) > 0 {
		spec.Cluster = t.config.PulsarClusters[0].Name
	}
	spec.InputTypeClassName = orDefault(spec.InputTypeClassName, DefaultTypeClassName)
	spec.OutputTypeClassName = orDefault(spec.OutputTypeClassName, DefaultTypeClassName)
}

func (t *FunctionTranslator) setDefaultResources(spec *adminv1alpha1.PulsarFunctionSpec) {
	if spec.Resources == nil {
		spec.Resources = &adminv1alpha1.Resources{}
	}
	t.completeResources(&spec.Resources.Requests, &spec.Resources.Limits)
}

// setGoInputs names the topics of a Go function. The operator looks at input.topics
// alone there, and dereferences the first of them without a check.
func setGoInputs(spec *adminv1alpha1.PulsarFunctionSpec) {
	if spec.Go != nil && len(spec.Inputs) == 0 {
		spec.Inputs = plainTopics(spec.InputSpecs)
	}
}

// plainTopics returns the names that aren't patterns, sorted.
func plainTopics(specs map[string]adminv1alpha1.ConsumerSpec) []string {
	var topics []string
	for topic, spec := range specs {
		if !spec.RegexPattern {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	return topics
}

// A file name ends up in a shell command, so nothing else is taken from a location.
var plainFileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// defaultFileName names the package's file after its location, or after the class
// where Python has to find the module by the file's name.
func defaultFileName(spec *adminv1alpha1.PulsarFunctionSpec) string {
	base := locationName(spec.Package.Location)
	switch extension := path.Ext(base); {
	case spec.Python != nil:
		if slices.Contains([]string{".py", ".zip", ".whl"}, extension) {
			return base
		}
		if module, class, found := strings.Cut(spec.ClassName, "."); found && plainFileName.MatchString(module) {
			if strings.Contains(class, ".") {
				// A class in a package can't be in a single file.
				return module + ".zip"
			}
			return module + ".py"
		}
		return base + ".py"
	case spec.Java != nil:
		if extension == ".jar" || extension == ".nar" {
			return base
		}
		return base + ".jar"
	}
	return base
}

// locationName returns the last part of a package URL's or URL's path, if that can
// stand in a shell command.
func locationName(location string) string {
	name := location
	if packageURL, err := identity.ParsePackageURL(location); err == nil {
		name = packageURL.Name
	} else if end := strings.IndexAny(name, "?#"); end >= 0 {
		name = name[:end]
	}
	if name = path.Base(name); plainFileName.MatchString(name) {
		return name
	}
	return "function"
}

// completeResources adds the configured defaults for what is not asked for. A
// request that is absent equals the limit, as in Kubernetes. The operator refuses
// a function without both a request and a limit of memory, so the limit is at
// least the request.
func (t *FunctionTranslator) completeResources(requests, limits *corev1.ResourceList) {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		fallback := t.config.DefaultResources[name]
		request, hasRequest := (*requests)[name]
		limit, hasLimit := (*limits)[name]
		switch {
		case !hasRequest && !hasLimit:
			request, limit = fallback, fallback
		case !hasRequest:
			request = limit
		case !hasLimit && name == corev1.ResourceMemory:
			if limit = fallback; limit.Cmp(request) < 0 {
				limit = request
			}
		case !hasLimit:
			continue
		}
		setResource(requests, name, request)
		setResource(limits, name, limit)
	}
}

func setResource(list *corev1.ResourceList, name corev1.ResourceName, quantity resource.Quantity) {
	if *list == nil {
		*list = corev1.ResourceList{}
	}
	(*list)[name] = quantity.DeepCopy()
}

// clusterConfigMapSuffix ends the names of ConfigMaps that are derived from the
// cluster's name, as the Java worker does it.
const clusterConfigMapSuffix = "-function-mesh-config"

// ConfigMapName returns the name of the ConfigMap by which instances find a Pulsar
// cluster, whether the cluster is configured or not.
func (t *FunctionTranslator) ConfigMapName(cluster string) string {
	for _, configured := range t.config.PulsarClusters {
		if configured.Name == cluster && configured.ConfigMapName != "" {
			return configured.ConfigMapName
		}
	}
	return identity.SanitizeWorkerName(cluster) + clusterConfigMapSuffix
}

// image returns the configured image for the runtime that a Function has. Without
// one the operator takes its own.
func (t *FunctionTranslator) image(spec *computev1alpha1.FunctionSpec) string {
	switch images := t.config.RunnerImages; {
	case spec.Java != nil:
		return images.Java
	case spec.Python != nil:
		return images.Python
	case spec.Golang != nil:
		return images.Go
	}
	return ""
}
