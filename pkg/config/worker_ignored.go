package config

import (
	"cmp"
	"slices"
)

// workerFactory is the member of a functions_worker.yml about the runtime.
const workerFactory = "functionRuntimeFactoryConfigs"

// workerHonoured are the members that are read, of those of which all others are named.
var workerHonoured = map[string][]string{
	workerCustom: {
		"functionEnabled", "sourceEnabled", "sinkEnabled", "functionRunnerImages", "defaultResources", "connectorDefinitionsFilePath",
		// The file is looked at more often than that.
		"connectorSearchIntervalSeconds",
		"labels", "functionLabels", "sourceLabels", "sinkLabels",
		"annotations", "functionAnnotations", "sourceAnnotations", "sinkAnnotations",
		"env", "functionEnv", "sourceEnv", "sinkEnv",
		"functionInitContainers", "sourceInitContainers", "sinkInitContainers",
		"volumes", "volumeMounts", "imagePullSecrets", "imagePullPolicy", "defaultServiceAccountName",
		"javaOPTs", "extraDependenciesDir",
	},
	workerFactory: {"extraFunctionDependenciesDir", "customLabels", "jobNamespace"},
}

// workerMatters are Pulsar's own members that decide what becomes of a function, and
// that have no effect here. The others are about a worker that runs functions itself,
// or about its own listeners.
var workerMatters = []string{
	"authenticationEnabled", "authenticationProviders", "authorizationEnabled", "authorizationProvider", "superUserRoles", "proxyRoles",
	"anonymousUserRole", "functionAuthProviderClassName", "clientAuthenticationPlugin", "clientAuthenticationParameters",
	"brokerClientAuthenticationEnabled", "brokerClientAuthenticationPlugin", "brokerClientAuthenticationParameters",
	"tlsEnabled", "tlsAllowInsecureConnection", "tlsEnableHostnameVerification", "tlsTrustCertsFilePath", "brokerClientTrustCertsFilePath",
	"stateStorageServiceUrl", "stateStorageProviderImplementation", "secretsProviderConfiguratorClassName", "secretsProviderConfiguratorConfig",
	"runtimeCustomizerClassName", "runtimeCustomizerConfig", "validateConnectorConfig", "forwardSourceMessageProperty",
	"exposeAdminClientEnabled", "ignoreUnknownConfigFields", "functionsWorkerEnablePackageManagement",
}

// workerTLSMembers say how functions use TLS, if they do.
var workerTLSMembers = []string{"tlsAllowInsecureConnection", "tlsEnableHostnameVerification"}

// workerStateMembers say where functions keep state.
var workerStateMembers = []string{"stateStorageServiceUrl", "stateStorageProviderImplementation"}

// noTrustFile is why files with certificates have no effect.
const noTrustFile = "it is a file of the worker's; instead: pulsarClusters[].trustCertsFile in a --config file"

// workerReasons says why something has no effect, or what to use instead.
var workerReasons = map[string]string{
	"authenticationEnabled": "instead: pulsar-admin-shim's flags and Kubernetes' RBAC", "authorizationEnabled": "instead: Kubernetes' RBAC",
	"brokerClientTrustCertsFilePath": noTrustFile, "tlsTrustCertsFilePath": noTrustFile,
	"usingInsecureAuth":       "functions run with their authors' accounts, never with the worker's",
	"oauth2SecretName":        "functions run with their authors' accounts",
	"superUserRoles":          "instead: Kubernetes' RBAC",
	"connectorsDirectory":     "archives are not read; instead: connectorDefinitionsFilePath or --connectors-file",
	"functionsDirectory":      "archives are not read; instead: connectorDefinitionsFilePath or --connectors-file",
	"enableTrustedMode":       "instead: the verbs customize and use in Kubernetes' RBAC",
	"ownerReference":          "objects would be deleted together with the worker that it names",
	"uploadEnabled":           "whether files are taken is for pulsar-admin-shim's --package-service-url",
	"submittingInsidePod":     "instead: --kubeconfig, or the pod's own account",
	"disk":                    "Function Mesh has no such resource",
	"validateConnectorConfig": "code is not looked into",

	"stateStorageServiceUrl":                 "only a table service of BookKeeper's can be a default; instead: spec.stateConfig of each component",
	"functionsWorkerEnablePackageManagement": "packages always come from package URLs",
	"allowUserDefinedServiceAccountName":     "instead: the verb use in Kubernetes' RBAC",
}

// workerDirectories are matters only where they aren't Pulsar's defaults, which the file
// that comes with Pulsar names.
var workerDirectories = map[string]string{"connectorsDirectory": "./connectors", "functionsDirectory": "./functions"}

// notHonoured returns the members that are set, matter, and have no effect.
func notHonoured(worker workerConfig, members map[string]any) []string {
	var names []string
	add := func(prefix, name string, value any) {
		if !isSet(value) || worker.honours(name) || slices.Contains(workerStateMembers, name) && worker.keepsTables() || worker.UseTLS && slices.Contains(workerTLSMembers, name) {
			return
		}
		full := prefix + name
		if reason, ok := workerReasons[name]; ok {
			full += " (" + reason + ")"
		}
		names = append(names, full)
	}
	for name, value := range members {
		usual, isDirectory := workerDirectories[name]
		if slices.Contains(workerMatters, name) || isDirectory && value != usual {
			add("", name, value)
		}
	}
	for within, honoured := range workerHonoured {
		nested, _ := members[within].(map[string]any)
		for name, value := range nested {
			if !slices.Contains(honoured, name) {
				add(within+".", name, value)
			}
		}
	}
	for name, resources := range map[string]workerResources{
		workerCustom + ".defaultResources": worker.Custom.DefaultResources,
		"functionInstanceMinResources":     worker.FunctionInstanceMinResources,
		"functionInstanceMaxResources":     worker.FunctionInstanceMaxResources,
	} {
		if resources.Disk != nil {
			add(name+".", "disk", *resources.Disk)
		}
	}
	if !worker.sameURLPatterns() {
		const instead = "additionalEnabledFunctionsUrlPatterns and additionalEnabledConnectorUrlPatterns (only where both are the same)"
		names = append(names, instead)
	}
	slices.SortFunc(names, cmp.Compare[string])
	return names
}

// isSet says whether a value is more than what stands for nothing.
func isSet(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case bool:
		return value
	case string:
		return value != ""
	case []any:
		return len(value) > 0
	case map[string]any:
		return len(value) > 0
	}
	return true
}
