package pulsarstandalone

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// brokerConfig is the broker's configuration: everything on loopback, one copy of
// everything, and packages in a folder.
const brokerConfig = `clusterName=standalone
bindAddress=$loopback
advertisedAddress=$loopback
listeningInterface=lo
allowLoopback=true
brokerServicePort=$binary
webServicePort=$web
managedLedgerDefaultEnsembleSize=1
managedLedgerDefaultWriteQuorum=1
managedLedgerDefaultAckQuorum=1
loadManagerClassName=org.apache.pulsar.broker.loadbalance.NoopLoadManager
loadBalancerEnabled=false
numIOThreads=2
numHttpServerThreads=8
enablePackagesManagement=true
functionsWorkerEnablePackageManagement=true
packagesManagementStorageProvider=org.apache.pulsar.packages.management.storage.filesystem.FileSystemPackagesStorageProvider
STORAGE_PATH=$dir/packages
`

// tokenConfig has the broker let nobody in without a token.
const tokenConfig = `authenticationEnabled=true
authorizationEnabled=true
authenticationProviders=org.apache.pulsar.broker.authentication.AuthenticationProviderToken
tokenSecretKey=file://$secret
superUserRoles=` + SuperUser + `
brokerClientAuthenticationPlugin=org.apache.pulsar.client.impl.auth.AuthenticationToken
brokerClientAuthenticationParameters=token:$token
`

// tlsConfig has the broker be reached by TLS as well.
const tlsConfig = `brokerServicePortTls=$tlsbinary
webServicePortTls=$tlsweb
tlsCertificateFilePath=$tlscert
tlsKeyFilePath=$tlskey
`

// workerConfig is the functions worker's. Code is judged without being loaded, as is the
// default.
const workerConfig = `workerId: standalone
workerHostname: $loopback
workerPort: $web
pulsarFunctionsNamespace: public/functions
pulsarFunctionsCluster: standalone
functionMetadataTopicName: metadata
clusterCoordinationTopicName: coordinate
functionAssignmentTopicName: assignments
numFunctionPackageReplicas: 1
functionsWorkerEnablePackageManagement: true
$runtimeschedulerClassName: org.apache.pulsar.functions.worker.scheduler.RoundRobinScheduler
failureCheckFreqMs: 30000
rescheduleTimeoutMs: 60000
initialBrokerReconnectMaxRetries: 60
assignmentWriteMaxRetries: 60
instanceLivenessCheckFreqMs: 30000
topicCompactionFrequencySec: 1800
downloadDirectory: $dir/downloads
narExtractionDirectory: $dir/extracted
connectorsDirectory: $connectors
functionsDirectory: $dir/functions
`

// noInstances has instances be processes, of programs that the worker can't find: where
// definitions are tested, none needs to run.
const noInstances = `functionRuntimeFactoryClassName: org.apache.pulsar.functions.runtime.process.ProcessRuntimeFactory
functionRuntimeFactoryConfigs:
  logDirectory: $dir/logs
  javaInstanceJarLocation: $dir/none.jar
  pythonInstanceLocation: $dir/none.py
`

// threads has instances run inside Pulsar. One with a log topic would break the log of
// Pulsar itself.
const threads = `functionRuntimeFactoryClassName: org.apache.pulsar.functions.runtime.thread.ThreadRuntimeFactory
functionRuntimeFactoryConfigs:
  threadGroupName: functions
`

// configFiles are what Pulsar is started with.
type configFiles struct {
	broker, worker, metadata, bookkeeper, temporary string
}

// writeConfig writes the configuration of a Pulsar that keeps all its state in dir.
func (p *Pulsar) writeConfig(dir string, web int, runtime string, options Options) (configFiles, error) {
	files := configFiles{
		broker: filepath.Join(dir, "standalone.conf"), worker: filepath.Join(dir, "functions_worker.yml"),
		metadata: filepath.Join(dir, "metadata"), bookkeeper: filepath.Join(dir, "bookkeeper"), temporary: filepath.Join(dir, "temporary"),
	}
	for _, folder := range []string{files.temporary, filepath.Join(dir, "extracted"), filepath.Join(dir, "functions")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return configFiles{}, fmt.Errorf("could not make a folder for Pulsar: %w", err)
		}
	}
	values := strings.NewReplacer("$loopback", controlplane.Loopback, "$dir", dir, "$web", fmt.Sprint(web), "$binary", fmt.Sprint(p.binary),
		"$tlsweb", fmt.Sprint(p.tlsWeb), "$tlsbinary", fmt.Sprint(p.tlsBinary), "$tlscert", options.TLSCertFile, "$tlskey", options.TLSKeyFile,
		"$connectors", p.Code.Connectors, "$secret", options.TokenSecretFile, "$token", options.SuperUserToken)
	broker := brokerConfig
	if options.TokenSecretFile != "" {
		broker += tokenConfig
	}
	if options.TLSCertFile != "" {
		broker += tlsConfig
	}
	worker := strings.Replace(workerConfig, "$runtime", runtime, 1)
	for file, text := range map[string]string{files.broker: broker, files.worker: worker} {
		if err := os.WriteFile(file, []byte(values.Replace(text)), 0o600); err != nil {
			return configFiles{}, fmt.Errorf("could not configure Pulsar: %w", err)
		}
	}
	return files, nil
}
