package translation

import "strings"

// functionPaths says where the fields of a Function stand in a view, if not under
// the same path. Of two that fit, the first counts. Some are the webhook's own
// spellings of paths that no Function has.
var functionPaths = []struct{ cr, view string }{
	{"spec.replicas", "spec.parallelism"},
	{"spec.clusterName", "spec.cluster"},
	{"spec.pulsar.pulsarConfig", "spec.cluster"},
	{"spec.processingGuarantee", "spec.processingGuarantees"},
	{"spec.timeout", "spec.timeoutMs"},
	{"spec.maxMessageRetry", "spec.maxMessageRetries"},
	{"spec.secretsMap", "spec.secrets"},
	{"spec.funcConfig", "spec.userConfig"},
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

	{"spec.windowConfig.actualWindowFunctionClassName", "spec.className"},
	{"spec.windowConfig.processingGuarantees", "spec.processingGuarantees"},

	{"spec.java.jarLocation", "spec.package.location"},
	{"spec.java.jar", "spec.package.fileName"},
	{"spec.python.pyLocation", "spec.package.location"},
	{"spec.python.py", "spec.package.fileName"},
	{"spec.golang.goLocation", "spec.package.location"},
	{"spec.golang.go", "spec.package.fileName"},
	{"spec.golang", "spec.go"},
	{"spec.runtime.golang", "spec.go"},
	{"spec.runtime.python", "spec.python"},
	{"spec.runtime.java", "spec.java"},
}

// sourceSpecFields are the fields of a source spec that have another name in a
// view. They are looked for at the end: topics can have any character.
var sourceSpecFields = strings.NewReplacer(
	".serdeClassname\x00", ".serdeClassName",
	".isRegexPattern\x00", ".regexPattern",
	"\x00", "",
)

// ViewPath returns the path in a view of what stands in a Function under path, such
// as spec.replicas or spec.input.topics[0]. One that isn't known is returned as it
// is.
func (t *FunctionTranslator) ViewPath(path string) string {
	if path == "spec.input" {
		return "spec.inputs"
	}
	for _, known := range functionPaths {
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
