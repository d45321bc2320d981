package component

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func strip(t *testing.T, text string) *Component {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	component, err := Strip(Kinds[0], object)
	if err != nil {
		t.Fatal(err)
	}
	return component
}

func TestReferences(t *testing.T) {
	component := strip(t, `
metadata: {name: f}
spec:
  pulsar:
    pulsarConfig: cluster
    authSecret: not-used
    authConfig: {oauth2Config: {keySecretName: account, keySecretKey: auth.json, audience: a, issuerUrl: i}}
    tlsSecret: not-used
    tlsConfig: {enabled: true, certSecretName: authorities}
  pulsarPackageService: {pulsarConfig: packages, authSecret: package-token, tlsSecret: package-tls}
  secretsMap: {B: {path: db, key: k}, A: {path: cache, key: k}, C: {path: db, key: other}}
  input: {sourceSpecs: {in: {cryptoConfig: {cryptoSecrets: [{secretName: reader, secretKey: k}]}}}}
  output: {producerConf: {cryptoConfig: {cryptoSecrets: [{secretName: writer, secretKey: k}]}}}
  java: {jar: x, log: {logConfig: {name: log4j, key: k}}}
  pod:
    env:
    - {name: X, value: x}
    - {name: S, valueFrom: {secretKeyRef: {name: env-secret, key: k}}}
    - {name: M, valueFrom: {configMapKeyRef: {name: env-map, key: k}}}
    - {name: O, valueFrom: {secretKeyRef: {name: not-needed, key: k, optional: true}}}
    initContainers: [{name: i, envFrom: [{secretRef: {name: init}}, {configMapRef: {name: not-needed, optional: true}}]}]
    sidecars: [{name: s, env: [{name: S, valueFrom: {secretKeyRef: {name: side, key: k}}}]}]
    volumes:
    - {name: v, secret: {secretName: volume}}
    - {name: o, configMap: {name: not-needed, optional: true}}
    - {name: p, projected: {sources: [{configMap: {name: projected}}, {serviceAccountToken: {path: t}}]}}
    imagePullSecrets: [{name: registry}]
`)
	var got []string
	for _, reference := range component.References {
		got = append(got, reference.String())
	}
	want := []string{
		"ConfigMap cluster (spec.cluster)",
		"Secret account (spec.auth.oauth2.secretName)",
		"Secret authorities (spec.tls.certSecretName)",
		"ConfigMap packages (spec.packageService.configMapName)",
		"Secret package-token (spec.packageService.auth.secretName)",
		"Secret package-tls (spec.packageService.tls.secretName)",
		"Secret cache (spec.secrets[A])",
		"Secret db (spec.secrets[B])",
		"Secret reader (spec.inputSpecs[in].cryptoConfig)",
		"Secret writer (spec.producerConfig.cryptoConfig)",
		"ConfigMap log4j (spec.java.log.logConfig)",
		"Secret env-secret (spec.pod.env[S])",
		"ConfigMap env-map (spec.pod.env[M])",
		"Secret init (spec.pod.initContainers[i].envFrom)",
		"Secret side (spec.pod.sidecars[s].env[S])",
		"Secret volume (spec.pod.volumes[v])",
		"ConfigMap projected (spec.pod.volumes[p])",
		"Secret registry (spec.pod.imagePullSecrets)",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestStrip(t *testing.T) {
	component := strip(t, `
metadata:
  name: word-count-640ae9e6
  namespace: n
  labels: {pulsar-cluster: test-pulsar, pulsar-tenant: public, pulsar-namespace: default, pulsar-component: word-count, other: label}
  annotations: {admin.functionmesh.io/status: s, admin.functionmesh.io/stopped-as-duplicate: d, compute.functionmesh.io/managed: "false", other: annotation}
spec: {name: word-count-640ae9e6, maxReplicas: 3}
status: {observedGeneration: 7, selector: a=b}
`)
	if got := component.Identity.String(); got != "public/default/word-count" {
		t.Errorf("the identity is %s", got)
	}
	if component.Replicas != 1 || !component.Autoscaled || !component.Unmanaged || component.OperatorGeneration != 7 || component.Selector != "a=b" ||
		component.ChildName() != "word-count-640ae9e6-function" || len(component.Labels) != 0 || len(component.Annotations) != 2 {
		t.Errorf("got %+v", component)
	}
	if broken := strip(t, `{metadata: {name: f}, spec: {replicas: many}}`); !broken.Broken {
		t.Error("a resource with fields of wrong types is taken for a good one")
	}
}

// Where the code is, and at which Pulsar cluster: that of the package service where there
// is one.
func TestPackage(t *testing.T) {
	const pulsar, elsewhere = "pulsar: {pulsarConfig: here}", "pulsar: {pulsarConfig: here}, pulsarPackageService: {pulsarConfig: there}"
	for name, test := range map[string]struct {
		spec string
		want *Package
	}{
		"java":      {"{java: {jarLocation: 'function://a/b/c@v'}, " + pulsar + "}", &Package{"function://a/b/c@v", "here", false}},
		"elsewhere": {"{java: {jarLocation: 'sink://a/b/c'}, " + elsewhere + "}", &Package{"sink://a/b/c", "there", false}},
		"python":    {"{python: {pyLocation: 'source://a/b/c'}, " + pulsar + "}", &Package{"source://a/b/c", "here", false}},
		"go":        {"{golang: {goLocation: 'function://a/b/c'}, " + pulsar + "}", &Package{"function://a/b/c", "here", true}},
		"generic":   {"{genericRuntime: {functionFileLocation: 'function://a/b/c'}}", &Package{"function://a/b/c", "", false}},
		"http":      {"{java: {jarLocation: 'https://example.org/a.jar'}, " + pulsar + "}", nil},
		"in image":  {"{java: {jar: /pulsar/a.jar}, " + pulsar + "}", nil},
		"none":      {"{}", nil},
	} {
		got := strip(t, "metadata: {name: f}\nspec: "+test.spec).Package
		if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestReplicasOwner(t *testing.T) {
	entry := func(manager, operation, subresource, fields string) string {
		return `{manager: ` + manager + `, operation: ` + operation + `, subresource: "` + subresource + `", fieldsType: FieldsV1, fieldsV1: ` + fields + `}`
	}
	const replicas, other = `{"f:spec":{"f:replicas":{}}}`, `{"f:spec":{"f:image":{}}}`
	for name, test := range map[string]struct{ meta, owner string }{
		"nobody":           {`managedFields: []`, ""},
		"we":               {`managedFields: [` + entry("functionmesh-apiserver", "Update", "", replicas) + `]`, ""},
		"kubectl edit":     {`managedFields: [` + entry("kubectl-edit", "Update", "", replicas) + `]`, ""},
		"applied":          {`managedFields: [` + entry("flux", "Apply", "", other) + `,` + entry("ci", "Apply", "", replicas) + `]`, "ci"},
		"Argo CD":          {`managedFields: [` + entry("argocd-controller", "Update", "", replicas) + `]`, "argocd-controller"},
		"autoscaler":       {`managedFields: [` + entry("kube-controller-manager", "Update", "scale", replicas) + `]`, ""},
		"part of a mesh":   {`ownerReferences: [{apiVersion: compute.functionmesh.io/v1alpha1, kind: FunctionMesh, name: m, uid: u, controller: true}]`, "FunctionMesh m"},
		"owned, not ruled": {`ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: m, uid: u}]`, ""},
	} {
		if got := strip(t, "metadata:\n  name: f\n  "+test.meta+"\nspec: {replicas: 2}\n").ReplicasOwner; got != test.owner {
			t.Errorf("%s: %q decides, not %q", name, got, test.owner)
		}
	}
}
