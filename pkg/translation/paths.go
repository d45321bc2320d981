package translation

import (
	"slices"
	"strings"
)

// pathPair says where a field of a custom resource stands in a view.
type pathPair struct{ cr, view string }

// commonPaths says where the fields of every kind stand in a view, if not under the
// same path. Of two that fit, the first counts. Some are the webhook's own spellings
// of paths that no resource has.
var commonPaths = append(slices.Concat(
	connectionPaths("spec.pulsar", "spec"),
	connectionPaths("spec.pulsarPackageService", "spec.packageService"),
), []pathPair{
	{"spec.replicas", "spec.parallelism"},
	{"spec.clusterName", "spec.cluster"},
	{"spec.pulsar.pulsarConfig", "spec.cluster"},
	{"spec.pulsarPackageService.pulsarConfig", "spec.packageService.configMapName"},
	{"spec.pulsarPackageService", "spec.packageService"},
	{"spec.statefulConfig.pulsar", "spec.stateConfig"},
	{"spec.statefulConfig", "spec.stateConfig"},
	{"spec.processingGuarantee", "spec.processingGuarantees"},
	{"spec.timeout", "spec.timeoutMs"},
	{"spec.maxMessageRetry", "spec.maxMessageRetries"},
	{"spec.secretsMap", "spec.secrets"},
	{"spec.classname", "spec.className"},

	{"spec.input.typeClassName", "spec.inputTypeClassName"},
	{"spec.input.topics", "spec.inputs"},
	{"spec.input.topicPattern", "spec.topicsPattern"},
	{"spec.input.customSerdeSources", "spec.customSerdeInputs"},
	{"spec.input.customSchemaSources", "spec.customSchemaInputs"},
	{"spec.input.sourceSpecs", "spec.inputSpecs"},

	{"spec.output.typeClassName", "spec.outputTypeClassName"},
	{"spec.output.topic", "spec.output"},
	{"spec.output.sinkSerdeClassName", "spec.outputSerdeClassName"},
	{"spec.output.sinkSchemaType", "spec.outputSchemaType"},
	{"spec.output.customSchemaSinks", "spec.customSchemaOutputs"},
	{"spec.output.producerConf", "spec.producerConfig"},

	{"spec.java.jarLocation", "spec.package.location"},
	{"spec.java.jar", "spec.package.fileName"},
	{"spec.runtime.java", "spec.java"},

	{"spec.image", "spec.pod.image"},
	{"spec.imagePullPolicy", "spec.pod.imagePullPolicy"},
	{"spec.imageHasPulsarctl", "spec.pod.imageHasPulsarctl"},
	{"spec.imageHasGet", "spec.pod.imageHasWget"},
	{"spec.downloaderImage", "spec.pod.downloaderImage"},
	{"spec.cleanupImage", "spec.pod.cleanupImage"},
	{"spec.filebeatImage", "spec.pod.filebeatImage"},
	{"spec.volumeMounts", "spec.pod.volumeMounts"},
	{"spec.pod.builtinAutoscaler", "spec.pod.hpa.builtinRules"},
	{"spec.pod.autoScalingMetrics", "spec.pod.hpa.metrics"},
	{"spec.pod.autoScalingBehavior", "spec.pod.hpa.behavior"},
}...)

// connectionPaths are the paths of a way to reach Pulsar. Of an account the view has
// no more than the Secret.
func connectionPaths(cr, view string) []pathPair {
	oauth2 := cr + ".authConfig.oauth2Config"
	return []pathPair{
		{cr + ".authSecret", view + ".auth.secretName"},
		{oauth2 + ".keySecretName", view + ".auth.oauth2.secretName"},
		{oauth2 + ".keySecretKey", view + ".auth.oauth2"},
		{oauth2 + ".audience", view + ".auth.oauth2"},
		{oauth2 + ".issuerUrl", view + ".auth.oauth2"},
		{oauth2 + ".scope", view + ".auth.oauth2"},
		{oauth2, view + ".auth.oauth2"},
		{cr + ".authConfig", view + ".auth"},
		{cr + ".tlsSecret", view + ".tls.secretName"},
		{cr + ".tlsConfig", view + ".tls"},
	}
}

// The paths that only one kind has.
var (
	functionPaths = []pathPair{
		{"spec.funcConfig", "spec.userConfig"},
		{"spec.windowConfig.actualWindowFunctionClassName", "spec.className"},
		{"spec.windowConfig.processingGuarantees", "spec.processingGuarantees"},
		{"spec.python.pyLocation", "spec.package.location"},
		{"spec.python.py", "spec.package.fileName"},
		{"spec.golang.goLocation", "spec.package.location"},
		{"spec.golang.go", "spec.package.fileName"},
		{"spec.golang", "spec.go"},
		{"spec.runtime.golang", "spec.go"},
		{"spec.runtime.python", "spec.python"},
		{"spec.genericRuntime.functionFileLocation", "spec.package.location"},
		{"spec.genericRuntime.functionFile", "spec.package.fileName"},
		{"spec.genericRuntime", "spec.generic"},
		{"spec.volumeClaimTemplates", "spec.pod.volumeClaimTemplates"},
		{"spec.persistentVolumeClaimRetentionPolicy", "spec.pod.persistentVolumeClaimRetentionPolicy"},
	}
	sourcePaths = []pathPair{{"spec.sourceConfig", "spec.configs"}}
	sinkPaths   = []pathPair{{"spec.sinkConfig", "spec.configs"}}
)

// sourceSpecFields are the fields of a source spec that have another name in a
// view. They are looked for at the end: topics can have any character.
var sourceSpecFields = strings.NewReplacer(
	".serdeClassname\x00", ".serdeClassName",
	".isRegexPattern\x00", ".regexPattern",
	"\x00", "",
)

// ViewPath returns the path in a view of what stands in a custom resource under path,
// such as spec.replicas or spec.input.topics[0]. One that isn't known is returned as it
// is.
func (t *Translator[CR, P, View]) ViewPath(path string) string {
	if path == "spec.input" {
		return "spec.inputs"
	}
	for _, known := range slices.Concat(t.kind.paths, commonPaths) {
		rest, ok := strings.CutPrefix(path, known.cr)
		if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
			continue
		}
		if known.cr == "spec.input.sourceSpecs" {
			rest = sourceSpecFields.Replace(rest + "\x00")
		}
		return known.view + rest
	}
	return path
}
