package crdschema

import "strings"

// since says when fields came to Function Mesh's definitions: the version where it is
// known, and the month in which the field was written. Earlier fields aren't here.
var since = map[string]string{
	"spec.statefulConfig":                       "2022-05",
	"spec.pulsar.tlsConfig":                     "2022-07",
	"spec.minReplicas":                          "2022-09",
	"spec.pulsar.authConfig":                    "2022-09",
	"spec.windowConfig":                         "v0.6.0",
	"spec.pod.vpa":                              "v0.8.0 (2022-11)",
	"spec.pod.liveness":                         "2022-12",
	"spec.showPreciseParallelism":               "2023-03",
	"spec.volumeClaimTemplates":                 "2023-03",
	"spec.pulsar.authConfig.genericAuth":        "2023-04",
	"spec.cleanupSubscription":                  "v0.14.0",
	"spec.pulsar.cleanupAuthConfig":             "2023-05",
	"spec.cleanupImage":                         "2023-05",
	"spec.imageHasPulsarctl":                    "2023-05",
	"spec.imageHasGet":                          "2023-05",
	"spec.skipToLatest":                         "2023-05",
	"spec.output.producerConf.compressionType":  "2023-05",
	"spec.persistentVolumeClaimRetentionPolicy": "v0.14.0 (2023-05)",
	"spec.java.log.format":                      "2023-07",
	"spec.python.log.format":                    "2023-07",
	"spec.golang.log.format":                    "2023-07",
	"spec.java.log.javaLog4JConfigFileType":     "2023-07",
	"spec.logTopicAgent":                        "v0.16.0 (2023-08)",
	"spec.filebeatImage":                        "v0.16.0 (2023-08)",
	"spec.genericRuntime":                       "v0.18.0 (2023-10)",
	"spec.windowConfig.processingGuarantees":    "2024-11",
	"spec.pod.disableDefaultAffinity":           "v0.25.0 (2025-07)",
	"spec.sourceConfig":                         "2025-11",
	"spec.sinkConfig":                           "2025-11",
	"spec.java.instancePath":                    "2025-11",
	"spec.java.entryClass":                      "2025-11",
	"spec.pulsarPackageService":                 "v0.27.0 (2026-03)",
	"spec.pod.startupProbe":                     "2026-05",
}

// sinceText returns when a field came, as the end of a sentence, or nothing if that
// isn't known. A field is as old as what it is in, at most.
func sinceText(canonical string) string {
	for path := canonical; path != ""; {
		if when, ok := since[path]; ok {
			return ": it came with Function Mesh " + whenText(when)
		}
		end := strings.LastIndexByte(path, '.')
		if end < 0 {
			break
		}
		path = path[:end]
	}
	return ": the installed Function Mesh is older than it"
}

func whenText(when string) string {
	if strings.HasPrefix(when, "v") {
		return when
	}
	return "of " + when
}
