package privilege

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// What a field needs, as the tests write it.
const (
	free           = ""
	customize      = "customize"
	secret         = "get secrets"
	configMap      = "get configmaps"
	serviceAccount = "use serviceaccounts"
)

// fields says of every field of the specs what it needs when it alone is set. Lists
// and maps have one element, and types of other groups count as one value. A field that
// isn't here fails the test: whoever adds one has to decide.
var fields = map[string]string{
	"tenant": free, "namespace": free, "name": free, "cluster": free, "className": free,
	"package.location": free, "package.fileName": free,
	"java.javaOpts": customize, "java.extraDependenciesDir": customize, "java.instancePath": customize, "java.entryClass": customize,
	"generic.language": free,
	"runtimeFlags":     free, "customRuntimeOptions": free,
	"parallelism": free, "suspend": free, "minReplicas": free, "maxReplicas": free, "showPreciseParallelism": free,
	"resources.requests": free, "resources.limits": free, "resources.claims": free, "resources.disk": free,
	"processingGuarantees": free,
	"secrets.path":         secret, "secrets.key": free,
	"logTopic": free, "logTopicAgent": free,
	"auth.secretName": secret, "auth.oauth2.secretName": secret,
	"packageService.configMapName": configMap, "packageService.auth.secretName": secret, "packageService.auth.oauth2.secretName": secret,
	"stateConfig.serviceUrl": free, "stateConfig.javaProvider.className": free, "stateConfig.javaProvider.config": free,

	"inputs": free, "topicsPattern": free, "customSerdeInputs": free, "customSchemaInputs": free,
	"inputSpecs.schemaType": free, "inputSpecs.serdeClassName": free, "inputSpecs.regexPattern": free, "inputSpecs.schemaProperties": free,
	"inputSpecs.consumerProperties": free, "inputSpecs.receiverQueueSize": free, "inputSpecs.poolMessages": free,
	"inputSpecs.messagePayloadProcessorConfig.className": free, "inputSpecs.messagePayloadProcessorConfig.config": free,
	"inputTypeClassName": free, "subscriptionName": free, "subscriptionPosition": free, "cleanupSubscription": free,
	"retainOrdering": free, "retainKeyOrdering": free, "autoAck": free, "timeoutMs": free, "maxMessageRetries": free, "deadLetterTopic": free,

	"output": free, "outputSerdeClassName": free, "outputSchemaType": free, "customSchemaOutputs": free, "outputTypeClassName": free,
	"producerConfig.maxPendingMessages": free, "producerConfig.maxPendingMessagesAcrossPartitions": free,
	"producerConfig.useThreadLocalProducers": free, "producerConfig.batchBuilder": free, "producerConfig.compressionType": free,
	"producerConfig.batchingConfig.enabled": free, "producerConfig.batchingConfig.batchingMaxPublishDelayMs": free,
	"producerConfig.batchingConfig.roundRobinRouterBatchingPartitionSwitchFrequency": free, "producerConfig.batchingConfig.batchingMaxMessages": free,
	"producerConfig.batchingConfig.batchingMaxBytes": free, "producerConfig.batchingConfig.batchBuilder": free,
	"forwardSourceMessageProperty": free,

	"skipToLatest": free, "maxPendingAsyncRequests": free, "userConfig": free, "exposePulsarAdminClientEnabled": free,
	"windowConfig.windowLengthCount": free, "windowConfig.windowLengthDurationMs": free, "windowConfig.slidingIntervalCount": free,
	"windowConfig.slidingIntervalDurationMs": free, "windowConfig.lateDataTopic": free, "windowConfig.maxLagMs": free,
	"windowConfig.watermarkEmitIntervalMs": free, "windowConfig.timestampExtractorClassName": free,
	"sourceConfig.sourceType": free, "sourceConfig.className": free, "sourceConfig.typeClassName": free, "sourceConfig.configs": free,
	"sourceConfig.batchSourceConfig.discoveryTriggererClassName": free, "sourceConfig.batchSourceConfig.discoveryTriggererConfig": free,
	"sinkConfig.sinkType": free, "sinkConfig.className": free, "sinkConfig.typeClassName": free, "sinkConfig.configs": free,

	"configs": free, "sourceType": free, "sinkType": free,
	"batchSourceConfig.discoveryTriggererClassName": free, "batchSourceConfig.discoveryTriggererConfig": free,
	"negativeAckRedeliveryDelayMs": free, "topicToSchemaProperties": free,
	"transformFunction.location": free, "transformFunction.className": free, "transformFunction.config": free,

	"pod.image": customize, "pod.downloaderImage": customize, "pod.cleanupImage": customize, "pod.filebeatImage": customize,
	"pod.imagePullPolicy": free, "pod.imageHasPulsarctl": free, "pod.imageHasWget": free,
	"pod.imagePullSecrets": secret,
	"pod.labels":           customize, "pod.annotations": customize,
	// A value is free; what it can be taken from is in TestReferences.
	"pod.env":                free,
	"pod.serviceAccountName": serviceAccount,
	"pod.securityContext":    customize, "pod.tolerations": customize,
	"pod.terminationGracePeriodSeconds": free, "pod.nodeSelector": free, "pod.affinity": free, "pod.disableDefaultAffinity": free,
	"pod.volumes": customize, "pod.volumeMounts": customize,
	"pod.volumeClaimTemplates.metadata.name": customize, "pod.volumeClaimTemplates.metadata.labels": customize,
	"pod.volumeClaimTemplates.metadata.annotations": customize, "pod.volumeClaimTemplates.spec": customize,
	"pod.persistentVolumeClaimRetentionPolicy.whenDeleted": free, "pod.persistentVolumeClaimRetentionPolicy.whenScaled": free,
	"pod.initContainers": customize, "pod.sidecars": customize,
	"pod.liveness.periodSeconds": free, "pod.liveness.initialDelaySeconds": free, "pod.liveness.successThreshold": free, "pod.liveness.failureThreshold": free,
	"pod.startupProbe":     customize,
	"pod.hpa.builtinRules": free, "pod.hpa.metrics": free, "pod.hpa.behavior": free,
	"pod.vpa.updatePolicy.updateMode": free, "pod.vpa.updatePolicy.minReplicas": free,
	"pod.vpa.updatePolicy.evictionRequirements.resources": free, "pod.vpa.updatePolicy.evictionRequirements.changeRequirement": free,
	"pod.vpa.resourcePolicy.containerPolicies.containerName": free, "pod.vpa.resourcePolicy.containerPolicies.mode": free,
	"pod.vpa.resourcePolicy.containerPolicies.minAllowed": free, "pod.vpa.resourcePolicy.containerPolicies.maxAllowed": free,
	"pod.vpa.resourcePolicy.containerPolicies.controlledResources": free, "pod.vpa.resourcePolicy.containerPolicies.controlledValues": free,
}

// What stands in more than one place.
func init() {
	for _, tls := range []string{"tls.", "packageService.tls."} {
		for member, need := range map[string]string{
			"enabled": free, "allowInsecure": free, "hostnameVerification": free, "certSecretName": secret, "certSecretKey": free, "secretName": secret,
		} {
			fields[tls+member] = need
		}
	}
	for _, runtime := range []string{"java.", "python.", "go."} {
		for member, need := range map[string]string{
			"level": free, "format": free, "rotatePolicy": free, "javaLog4JConfigFileType": free, "logConfig.name": configMap, "logConfig.key": free,
		} {
			fields[runtime+"log."+member] = need
		}
	}
	for _, crypto := range []string{"inputSpecs.cryptoConfig.", "producerConfig.cryptoConfig."} {
		for member, need := range map[string]string{
			"cryptoKeyReaderClassName": free, "cryptoKeyReaderConfig": free, "encryptionKeys": free, "producerCryptoFailureAction": free,
			"consumerCryptoFailureAction": free, "cryptoSecrets.secretName": secret, "cryptoSecrets.secretKey": free, "cryptoSecrets.asVolume": free,
		} {
			fields[crypto+member] = need
		}
	}
}

// leaf is a field, and how to set it alone in a component.
type leaf struct {
	path string
	set  func(spec reflect.Value)
}

// leaves walks through the types of this project and stops at those of others.
func leaves(t reflect.Type, path string) []leaf {
	var all []leaf
	for i := range t.NumField() {
		field := t.Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == "-" {
			continue
		}
		inner := strings.TrimPrefix(path+"."+tag, ".")
		if tag == "" {
			inner = path
		}
		element := field.Type
		for element.Kind() == reflect.Pointer || element.Kind() == reflect.Slice || element.Kind() == reflect.Map {
			element = element.Elem()
		}
		if element.Kind() == reflect.Struct && element.PkgPath() == reflect.TypeFor[v1alpha1.Pod]().PkgPath() {
			for _, below := range leaves(element, inner) {
				all = append(all, leaf{below.path, func(spec reflect.Value) {
					target := reflect.New(element).Elem()
					below.set(target)
					spec.Field(i).Set(wrap(field.Type, target))
				}})
			}
			continue
		}
		all = append(all, leaf{inner, func(spec reflect.Value) { spec.Field(i).Set(sample(field.Type)) }})
	}
	return all
}

// wrap puts a value into pointers, lists and maps.
func wrap(t reflect.Type, value reflect.Value) reflect.Value {
	switch t.Kind() {
	case reflect.Pointer:
		pointer := reflect.New(t.Elem())
		pointer.Elem().Set(wrap(t.Elem(), value))
		return pointer
	case reflect.Slice:
		return reflect.Append(reflect.MakeSlice(t, 0, 1), wrap(t.Elem(), value))
	case reflect.Map:
		wrapped := reflect.MakeMap(t)
		wrapped.SetMapIndex(reflect.ValueOf("key").Convert(t.Key()), wrap(t.Elem(), value))
		return wrapped
	}
	return value
}

// sample returns a value of a type that isn't empty.
func sample(t reflect.Type) reflect.Value {
	value := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Pointer:
		value.Set(reflect.New(t.Elem()))
		value.Elem().Set(sample(t.Elem()))
	case reflect.Slice, reflect.Map:
		value.Set(wrap(t, sample(t.Elem())))
	case reflect.String:
		value.SetString("value")
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int32, reflect.Int64:
		value.SetInt(1)
	case reflect.Uint8:
		value.SetUint('1')
	case reflect.Struct:
		if t == reflect.TypeFor[resource.Quantity]() {
			return reflect.ValueOf(resource.MustParse("1"))
		}
		if t == reflect.TypeFor[runtime.RawExtension]() {
			return reflect.ValueOf(runtime.RawExtension{Raw: []byte(`{"a":1}`)})
		}
		if name := value.FieldByName("Name"); name.IsValid() {
			name.SetString("value")
		}
	default:
		panic(fmt.Sprintf("no sample of %s", t))
	}
	return value
}

func TestEveryField(t *testing.T) {
	unused := map[string]bool{}
	for path := range fields {
		unused[path] = true
	}
	for _, empty := range []v1alpha1.Component{&v1alpha1.PulsarFunction{}, &v1alpha1.PulsarSource{}, &v1alpha1.PulsarSink{}} {
		spec := reflect.ValueOf(empty).Elem().FieldByName("Spec").Type()
		for _, leaf := range leaves(spec, "") {
			delete(unused, leaf.path)
			t.Run(empty.ComponentKind().Title+"/"+leaf.path, func(t *testing.T) {
				need, known := fields[leaf.path]
				if !known {
					t.Fatal("nobody has decided what it needs")
				}
				component := empty.DeepCopyObject().(v1alpha1.Component)
				component.SetName("echo")
				leaf.set(reflect.ValueOf(component).Elem().FieldByName("Spec"))
				checkRights(t, component, need, leaf.path)
				if again := Required(component, component.DeepCopyObject().(v1alpha1.Component), nobody); len(again) != 0 {
					t.Errorf("unchanged it needs %v", again)
				}
			})
		}
	}
	for path := range unused {
		t.Errorf("there is no field %s", path)
	}
}

// checkRights checks what a new component needs, and for which field.
func checkRights(t *testing.T, component v1alpha1.Component, need, path string) {
	t.Helper()
	rights := Required(component, nil, nobody)
	if need == free {
		if len(rights) != 0 {
			t.Errorf("it needs %+v", rights)
		}
		return
	}
	if len(rights) != 1 {
		t.Fatalf("it needs %+v", rights)
	}
	got := rights[0]
	want := Right{Verb: customize, Group: "admin.functionmesh.io", Resource: component.ComponentKind().Resource, Name: "echo"}
	if verb, resource, found := strings.Cut(need, " "); found {
		want = Right{Verb: verb, Resource: resource, Name: "value"}
	}
	want.Field = got.Field
	if got != want {
		t.Errorf("it needs %+v, not %+v", got, want)
	}
	// The path has an element's name or number; the field may be the whole element.
	if plain := withoutElements(got.Field); !strings.HasPrefix("spec."+path, plain) {
		t.Errorf("what needs it is %s", got.Field)
	}
}

func withoutElements(path string) string {
	var plain strings.Builder
	depth := 0
	for _, char := range path {
		switch {
		case char == '[':
			depth++
		case char == ']':
			depth--
		case depth == 0:
			plain.WriteRune(char)
		}
	}
	return plain.String()
}

// TestFieldsAsDocumented compares with the table of fields that the documentation is
// made of. What stands beside a name in a reference counts there as part of it.
func TestFieldsAsDocumented(t *testing.T) {
	const table = "../translation/testdata/fields.txt"
	data, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{customize: customize, "secret": secret, "configmap": configMap, "serviceaccount": serviceAccount, "free": free}
	compared := 0
	for line := range strings.Lines(string(data)) {
		columns := strings.Fields(line)
		if len(columns) != 5 || columns[0] == "#" {
			continue
		}
		path := strings.TrimPrefix(strings.NewReplacer("[]", "", "{}", "").Replace(columns[3]), "spec.")
		need, known := fields[path]
		who, ours := documented[columns[4]]
		if !known || !ours {
			continue
		}
		compared++
		if need != who && !(need == free && slices.Contains(keysOfReferences, path)) {
			t.Errorf("%s is documented as %s, and needs %q", columns[3], columns[4], need)
		}
	}
	if compared < 100 {
		t.Errorf("only %d fields were compared with %s", compared, table)
	}
}

// keysOfReferences say which part of a Secret or ConfigMap is meant. Without its name
// they mean nothing.
var keysOfReferences = []string{
	"secrets.key", "tls.certSecretKey", "packageService.tls.certSecretKey",
	"java.log.logConfig.key", "python.log.logConfig.key", "go.log.logConfig.key",
	"inputSpecs.cryptoConfig.cryptoSecrets.secretKey", "inputSpecs.cryptoConfig.cryptoSecrets.asVolume",
	"producerConfig.cryptoConfig.cryptoSecrets.secretKey", "producerConfig.cryptoConfig.cryptoSecrets.asVolume",
}
