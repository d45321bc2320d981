package translation

import (
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/customruntimeoptions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// Default fills in what the author of something new left to the server: Pulsar's
// defaults, the cluster, what a built-in package brings along, the type classes, what
// Go functions need, what the configuration has for every component, the image of a
// tag, and resources. The identity is not among it.
func (t *Translator[CR, P, View]) Default(view View) {
	t.refreshCatalogue(view)
	t.setBuiltinDefaults(view, nil)
	t.setDefaults(view)
	setGoInputs(view)
	t.setServerDefaults(view, nil)
	customruntimeoptions.ApplyImageTag(view, t.defaultImageOf(view))
	t.setDefaultResources(view)
}

// DefaultUpdate is Default for what exists and is before. Its resources stay as they
// are unless the update is about them: an adopted one may do without any, and must
// not be restarted because somebody labels it.
func (t *Translator[CR, P, View]) DefaultUpdate(view, before View) {
	if locationOf(view) != locationOf(before) {
		t.refreshCatalogue(view)
	}
	t.setBuiltinDefaults(view, before)
	t.setDefaults(view)
	setGoInputs(view)
	t.setServerDefaults(view, before)
	customruntimeoptions.ApplyImageTag(view, t.defaultImageOf(view))
	if !equality.Semantic.DeepEqual(resourcesToCR(view.Common().Resources), resourcesToCR(before.Common().Resources)) {
		t.setDefaultResources(view)
	}
}

// setDefaults fills in what FromCR never leaves out. So it can be done to the old
// and the new view of an update without hiding a difference between them.
func (t *Translator[CR, P, View]) setDefaults(view View) {
	t.kind.setDefaults(view)
	spec := view.Common()
	if spec.Cluster == "" && len(t.config.PulsarClusters) > 0 {
		spec.Cluster = t.config.PulsarClusters[0].Name
	}
	if spec.MinReplicas == nil {
		spec.MinReplicas = ptr.To(operatorDefaultMinReplicas)
	}
	t.setLogTopicAgent(spec)
	if input := view.Input(); input != nil {
		input.InputTypeClassName = orDefault(input.InputTypeClassName, DefaultTypeClassName)
	}
	if output := view.Output(); output != nil {
		output.OutputTypeClassName = orDefault(output.OutputTypeClassName, DefaultTypeClassName)
	}
}

func (t *Translator[CR, P, View]) setDefaultResources(view View) {
	spec := view.Common()
	if spec.Resources == nil {
		spec.Resources = &adminv1alpha1.Resources{}
	}
	t.completeResources(&spec.Resources.Requests, &spec.Resources.Limits)
}

// setGoInputs names the topics of a Go function. The operator looks at input.topics
// alone there, and dereferences the first of them without a check.
func setGoInputs(view adminv1alpha1.Component) {
	if runtimesOf(view).golang == nil {
		return
	}
	if input := view.Input(); len(input.Inputs) == 0 {
		input.Inputs = plainTopics(input.InputSpecs)
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

// pythonLanguage is the language of generic runtimes whose files Python loads.
const pythonLanguage = "python"

// defaultFileName names the package's file after its location, or after the class
// where Python has to find the module by the file's name.
func defaultFileName(view adminv1alpha1.Component) string {
	spec, blocks := view.Common(), runtimesOf(view)
	base := locationName(spec.Package.Location)
	python := blocks.python != nil || blocks.generic != nil && blocks.generic.Language == pythonLanguage
	switch extension := path.Ext(base); {
	case python:
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
	case blocks.java != nil:
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
func (t *Translator[CR, P, View]) completeResources(requests, limits *corev1.ResourceList) {
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
func (t *Translator[CR, P, View]) ConfigMapName(cluster string) string {
	for _, configured := range t.config.PulsarClusters {
		if configured.Name == cluster && configured.ConfigMapName != "" {
			return configured.ConfigMapName
		}
	}
	return identity.SanitizeWorkerName(cluster) + clusterConfigMapSuffix
}
