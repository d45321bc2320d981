package tenancy

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// fieldTable says of each field who may set it. The documentation is made of it too.
const fieldTable = "../../pkg/translation/testdata/fields.txt"

// The column "who may set it" for what needs a right, and which right that is.
var rightsByWho = map[string]rbacv1.PolicyRule{
	"customize":      {APIGroups: []string{"admin.functionmesh.io"}, Resources: []string{"pulsarfunctions", "pulsarsinks", "pulsarsources"}, Verbs: []string{"customize"}},
	"secret":         {APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}},
	"configmap":      {APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get"}},
	"serviceaccount": {APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, Verbs: []string{"use"}},
}

const (
	crypto   = `{cryptoKeyReaderClassName: org.example.Keys, encryptionKeys: [k], cryptoSecrets: [{secretName: keys, secretKey: k, asVolume: /keys}]}`
	external = `[{name: x, image: "registry.example.org/x:1"}]`
	emptyDir = `volumes: [{name: x, emptyDir: {}}]`
)

// settings set one field of a function each, as members of its spec, by its path in the
// table without marks of lists and maps. What can't stand alone comes with what it needs.
var settings = map[string]string{
	"auth.secretName":                           `auth: {secretName: token}`,
	"go.log.logConfig":                          `go: {log: {logConfig: {name: log, key: a}}}`,
	"python.log.logConfig":                      `python: {log: {logConfig: {name: log, key: a}}}`,
	"java.log.logConfig":                        `java: {log: {logConfig: {name: log, key: a}}}`,
	"inputSpecs.cryptoConfig.cryptoSecrets":     `inputSpecs: {"persistent://public/default/in": {cryptoConfig: ` + crypto + `}}`,
	"producerConfig.cryptoConfig.cryptoSecrets": `output: "persistent://public/default/out", producerConfig: {cryptoConfig: ` + crypto + `}`,
	"java.entryClass":                           `java: {entryClass: org.example.Main}`,
	"java.extraDependenciesDir":                 `java: {extraDependenciesDir: /pulsar/lib}`,
	"java.instancePath":                         `java: {instancePath: /pulsar/instance.jar}`,
	"java.javaOpts":                             `java: {javaOpts: ["-Da=b"]}`,
	"packageService.auth.secretName":            `packageService: {configMapName: always, auth: {secretName: token}}`,
	"packageService.configMapName":              `packageService: {configMapName: packages}`,
	"packageService.tls.certSecretName":         `packageService: {configMapName: always, tls: {enabled: true, certSecretName: ca, certSecretKey: ca.crt}}`,
	"packageService.tls.secretName":             `packageService: {configMapName: always, tls: {enabled: true, certSecretName: ca, certSecretKey: ca.crt, secretName: client}}`,
	"tls.certSecretName":                        `tls: {enabled: true, certSecretName: ca, certSecretKey: ca.crt}`,
	"tls.secretName":                            `tls: {enabled: true, certSecretName: ca, certSecretKey: ca.crt, secretName: client}`,
	"secrets":                                   `secrets: {PASSWORD: {path: database, key: password}}`,
	"pod.annotations":                           `pod: {annotations: {a: b}}`,
	"pod.labels":                                `pod: {labels: {a: b}}`,
	"pod.cleanupImage":                          `pod: {cleanupImage: "registry.example.org/x:1"}`,
	"pod.downloaderImage":                       `pod: {downloaderImage: "registry.example.org/x:1"}`,
	"pod.filebeatImage":                         `pod: {filebeatImage: "registry.example.org/x:1"}`,
	"pod.image":                                 `pod: {image: "registry.example.org/x:1"}`,
	"pod.imagePullSecrets":                      `pod: {imagePullSecrets: [{name: pull}]}`,
	"pod.initContainers":                        `pod: {initContainers: ` + external + `}`,
	"pod.sidecars":                              `pod: {sidecars: ` + external + `}`,
	"pod.securityContext":                       `pod: {securityContext: {runAsUser: 1000}}`,
	"pod.serviceAccountName":                    `pod: {serviceAccountName: builder}`,
	"pod.startupProbe":                          `pod: {startupProbe: {httpGet: {path: /, port: 9094}}}`,
	"pod.tolerations":                           `pod: {tolerations: [{key: a, operator: Exists}]}`,
	"pod.volumes":                               `pod: {` + emptyDir + `}`,
	"pod.volumeMounts":                          `pod: {` + emptyDir + `, volumeMounts: [{name: x, mountPath: /x}]}`,
	"pod.volumeClaimTemplates":                  `cleanupSubscription: false, pod: {volumeClaimTemplates: [{metadata: {name: x}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}], volumeMounts: [{name: x, mountPath: /x}]}`,
}

// escalation is a kind whose fields are tried.
type escalation struct {
	// column is the kind's letter in the table.
	column   string
	resource string
	kind     string
	// spec is that of a valid object, beside className.
	spec string
	// rows is the least number of fields that need a right: fewer weren't read right.
	rows int
}

var escalations = []escalation{
	{"F", "pulsarfunctions", "PulsarFunction", `java: {}, inputs: ["persistent://public/default/in"], package: {location: "function://public/default/code@1"}`, 40},
	{"S", "pulsarsinks", "PulsarSink", `inputs: ["persistent://public/default/in"], package: {location: "sink://public/default/code@1"}`, 30},
	{"R", "pulsarsources", "PulsarSource", `output: "persistent://public/default/out", package: {location: "source://public/default/code@1"}`, 30},
}

func (e escalation) views() schema.GroupVersionResource {
	return views.GroupVersion().WithResource(e.resource)
}

// parts are paths that say nothing by themselves: what they are part of is in settings.
var parts = []string{".logConfig.key", ".logConfig.name", ".cryptoSecrets.secretName", ".cryptoSecrets.secretKey", ".cryptoSecrets.asVolume", ".certSecretKey", "secrets.key", "secrets.path"}

// elsewhere are paths whose values are looked up and checked apart.
var elsewhere = map[string]bool{
	"auth": true, "auth.oauth2": true, "auth.oauth2.secretName": true,
	"packageService.auth": true, "packageService.auth.oauth2": true, "packageService.auth.oauth2.secretName": true,
}

// tableRows returns who may set each field of the kind that needs a right.
func (e escalation) tableRows(t *testing.T) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for line := range strings.Lines(string(must[[]byte](t)(os.ReadFile(fieldTable)))) {
		columns := strings.Fields(line)
		if len(columns) != 5 || columns[0] == "#" || !strings.Contains(columns[0], e.column) || columns[2] != "mapped" {
			continue
		}
		if _, needs := rightsByWho[columns[4]]; needs {
			rows[strings.TrimPrefix(strings.NewReplacer("[]", "", "{}", "").Replace(columns[3]), "spec.")] = columns[4]
		}
	}
	if len(rows) < e.rows {
		t.Fatalf("%s has only %d such fields", fieldTable, len(rows))
	}
	return rows
}

func isPart(path string) bool {
	for _, part := range parts {
		if strings.HasSuffix("."+path, "."+strings.TrimPrefix(part, ".")) {
			return true
		}
	}
	return false
}

// withSettings returns an object of the kind with more in its spec.
func (e escalation) withSettings(t *testing.T, name, members string) *unstructured.Unstructured {
	t.Helper()
	made := object(t, `
apiVersion: admin.functionmesh.io/v1alpha1
kind: `+e.kind+`
metadata: {name: `+name+`}
spec: {className: org.example.F, `+e.spec+`}
`)
	spec := made.Object["spec"].(map[string]any)
	var more map[string]any
	if err := yaml.Unmarshal([]byte("{"+members+"}"), &more); err != nil {
		t.Fatal(err)
	}
	for key, value := range more {
		if key == "python" || key == "go" {
			delete(spec, "java")
		}
		if key == "python" {
			spec["className"] = "module.Class"
		}
		if key == "go" {
			delete(spec, "className")
		}
		spec[key] = value
	}
	return made
}

// TestEveryFieldThatNeedsARight creates an object of each kind with each field that
// somebody needs a right for, as callers with each of these rights and as one with none.
func TestEveryFieldThatNeedsARight(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, kind := range escalations {
		for path := range kind.tableRows(t) {
			used[path] = true
		}
	}
	for path := range settings {
		if !used[path] {
			t.Errorf("%s is not a field that needs a right", path)
		}
	}
	for _, kind := range escalations {
		t.Run(kind.kind, kind.tryAll)
	}
}

func (e escalation) tryAll(t *testing.T) {
	tenant := "escalation-" + strings.ToLower(e.column)
	namespace := newNamespace(t, "escalation", tenant+"/x")
	const author = "functionmesh-pulsar-author"
	// What a field comes with, where it can't stand alone, is everybody's to use.
	always := clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"always"}, Verbs: []string{"get"}})
	writer := func(name string) *caller { return newCaller(t, namespace, name).bind(t, author).bind(t, always) }
	callers := map[string]*caller{"": writer("plain")}
	everything := writer("everything")
	for who, rule := range rightsByWho {
		role := clusterRole(t, rule)
		everything.bind(t, role)
		callers[who] = writer(who).bind(t, role)
	}
	for who, c := range callers {
		eventually(t, "the rights of "+who, func() error {
			for _, path := range map[string][]string{"": {}, "customize": {"pod.image"}, "secret": {"secrets"}, "configmap": {"java.log.logConfig"}, "serviceaccount": {"pod.serviceAccountName"}}[who] {
				return e.tryCreate(t, c, namespace, e.withSettings(t, "rights", settings[path]))
			}
			return e.tryCreate(t, c, namespace, e.withSettings(t, "rights", ""))
		})
	}
	var tried []string
	for path, who := range e.tableRows(t) {
		members, known := settings[path]
		if !known {
			if !isPart(path) && !elsewhere[path] {
				t.Errorf("%s needs %s, and nobody tries it", path, who)
			}
			continue
		}
		name := fmt.Sprintf("f%d", len(tried))
		tried = append(tried, path)
		for having, c := range callers {
			err := e.tryCreate(t, c, namespace, e.withSettings(t, name, members))
			switch {
			case having == who && err != nil:
				t.Errorf("%s, with the right %s: %v", path, who, err)
			case having != who && !apierrors.IsForbidden(err):
				t.Errorf("%s, with the right %q, needs %s and is not forbidden: %v", path, having, who, err)
			case having != who && !strings.Contains(err.Error(), "needs the right to "+rightsByWho[who].Verbs[0]):
				t.Errorf("%s: the refusal is %v", path, err)
			}
		}
		e.expectScalable(t, everything, callers[""], namespace, e.withSettings(t, name, members), path)
	}
}

func (e escalation) tryCreate(t *testing.T, c *caller, namespace string, object *unstructured.Unstructured) error {
	t.Helper()
	return second(c.dynamic(t).Resource(e.views()).Namespace(namespace).Create(t.Context(), object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}))
}

// expectScalable has somebody with all rights create an object, and somebody with none
// of them scale, suspend and label it, which is no use of what it has, and copy it, which
// is.
func (e escalation) expectScalable(t *testing.T, creator, editor *caller, namespace string, object *unstructured.Unstructured, path string) {
	t.Helper()
	created, err := creator.dynamic(t).Resource(e.views()).Namespace(namespace).Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Errorf("%s, with all rights: %v", path, err)
		return
	}
	client := editor.dynamic(t).Resource(e.views()).Namespace(namespace)
	for _, change := range []struct {
		patch       string
		subresource []string
	}{
		{`{"spec":{"parallelism":2}}`, nil}, {`{"spec":{"replicas":3}}`, []string{"scale"}}, {`{"spec":{"suspend":true}}`, nil},
		{`{"metadata":{"labels":{"team":"blue"}}}`, nil}, {`{"spec":{"resources":{"limits":{"cpu":"3"}}}}`, nil},
	} {
		if _, err := client.Patch(t.Context(), created.GetName(), types.MergePatchType, []byte(change.patch), metav1.PatchOptions{}, change.subresource...); err != nil {
			t.Errorf("%s: %s without the right: %v", path, change.patch, err)
		}
	}
	// The whole object again, as a tool writes it, is no change of the field.
	current := must[*unstructured.Unstructured](t)(client.Get(t.Context(), created.GetName(), metav1.GetOptions{}))
	// The status may be published in between.
	current.SetResourceVersion("")
	if _, err := client.Update(t.Context(), current, metav1.UpdateOptions{}); err != nil {
		t.Errorf("%s: an update with what is there: %v", path, err)
	}
	// And what it has can't be handed on to another one.
	copied := current.DeepCopy()
	text := must[[]byte](t)(json.Marshal(copied.Object["spec"]))
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	delete(spec, "name")
	copied.Object = map[string]any{"apiVersion": current.GetAPIVersion(), "kind": current.GetKind(), "metadata": map[string]any{"name": "copy"}, "spec": spec}
	if err := e.tryCreate(t, editor, namespace, copied); !apierrors.IsForbidden(err) {
		t.Errorf("%s: a copy is not forbidden: %v", path, err)
	}
}
