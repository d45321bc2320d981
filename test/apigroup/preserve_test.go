package apigroup

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// byHand is full of what views don't show: what Function Mesh has besides, what
// this project's CRD doesn't know, and other people's metadata.
const byHand = `
metadata:
  labels: {team: blue, pulsar-cluster: dev, compute.functionmesh.io/pulsar-cluster: dev}
  annotations: {example.org/foreign: kept, prometheus.io/scrape: "true"}
  finalizers: [example.org/foreign]
spec:
  minReplicas: 3
  maxReplicas: 10
  image: example.org/mine:1
  imagePullPolicy: Always
  unknownOfTomorrow: {deep: [1, {a: null}], empty: {}, none: []}
  pod:
    labels: {app: x}
    env:
    - {name: Z_FIRST, value: "1"}
    - {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}}
    - {name: A_LAST, value: "$(Z_FIRST)"}
    volumes: [{name: v, emptyDir: {}}]
    terminationGracePeriodSeconds: 30
  input:
    sourceSpecs:
      persistent://public/default/special: {schemaType: avro, unknownOfSpec: 1}
    unknownOfInput: true
  output:
    producerConf: {maxPendingMessages: 7, unknownOfProducer: x}
    unknownOfOutput: why
  funcConfig:
    big: 9007199254740993
    negative: -9007199254740993
    precise: 0.1
    text: "it's"
    none: null
    list: [1, 2.5, {}]
    object: {}
  java:
    extraDependenciesDir: /pulsar/lib
    javaOpts: ["-Xmx1g"]
  pulsar:
    authSecret: my-auth
    tlsSecret: my-tls
  resources:
    limits: {cpu: "2", memory: 2Gi, example.org/gpu: "1"}
    requests: {memory: 1Gi}
  volumeMounts: [{name: v, mountPath: /v}]
status:
  conditions: {}
  replicas: 1
  selector: a=b
`

// TestNothingIsLost changes everything that can be changed through the view in
// each way, and compares the rest of the custom resource.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*space) error{
		"update": func(s *space) error {
			function := s.get("by-hand")
			function.Spec.Parallelism = ptr.To(int32(5))
			_, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
			return err
		},
		"JSON patch": func(s *space) error {
			_, err := s.author.Patch(s.ctx, "by-hand", types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/parallelism","value":5}]`), metav1.PatchOptions{})
			return err
		},
		"merge patch": func(s *space) error {
			_, err := s.author.Patch(s.ctx, "by-hand", types.MergePatchType, []byte(`{"spec":{"parallelism":5}}`), metav1.PatchOptions{})
			return err
		},
		"apply": func(s *space) error {
			_, err := s.apply("tester", "by-hand", "spec: {parallelism: 5}", true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpace(t)
			s.createCR("by-hand", byHand)
			before := s.cr("by-hand")
			s.check(change(s))
			after := s.cr("by-hand")
			if got := field(after, "spec", "replicas"); got != int64(5) {
				t.Errorf("the custom resource has %v replicas", got)
			}
			if text := s.crText("by-hand"); !strings.Contains(text, `"big":9007199254740993`) || !strings.Contains(text, `"negative":-9007199254740993`) {
				t.Errorf("big numbers are lost: %s", text)
			}
			delete(before.Object["spec"].(map[string]any), "replicas")
			delete(after.Object["spec"].(map[string]any), "replicas")
			if !reflect.DeepEqual(before.Object["spec"], after.Object["spec"]) {
				t.Errorf("the spec was\n%s\nand is\n%s", text(t, before.Object["spec"]), text(t, after.Object["spec"]))
			}
			if !reflect.DeepEqual(before.Object["status"], after.Object["status"]) {
				t.Errorf("the status was\n%v\nand is\n%v", before.Object["status"], after.Object["status"])
			}
			annotations := after.GetAnnotations()
			delete(annotations, "admin.functionmesh.io/managed-fields")
			labels := after.GetLabels()
			if !reflect.DeepEqual(before.GetLabels(), labels) || !reflect.DeepEqual(before.GetAnnotations(), annotations) ||
				!reflect.DeepEqual(before.GetFinalizers(), after.GetFinalizers()) {
				t.Errorf("the metadata was\n%s\nand is\n%s", text(t, before.Object["metadata"]), text(t, after.Object["metadata"]))
			}
		})
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReadingChangesNothing lists, gets and writes back what is there.
func TestReadingChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.createCR("by-hand", byHand)
	function := s.get("by-hand")
	if function.Spec.UserConfig == nil || !strings.Contains(string(function.Spec.UserConfig.Raw), "9007199254740993") {
		t.Errorf("the view's userConfig is %s", function.Spec.UserConfig.Raw)
	}
	for range 2 {
		if _, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	cr := s.cr("by-hand")
	if cr.GetGeneration() != created.GetGeneration() || !reflect.DeepEqual(cr.Object["spec"], created.Object["spec"]) {
		t.Errorf("the spec was\n%s\nand is\n%s", text(t, created.Object["spec"]), text(t, cr.Object["spec"]))
	}
}

// TestSiblingsSurvive removes what the view shows beside what it doesn't.
func TestSiblingsSurvive(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.createCR("by-hand", byHand)
	function := s.get("by-hand")
	function.Spec.ProducerConfig = nil
	function.Spec.Output = ""
	function.Spec.Resources.Limits["memory"] = *resourceOf("4Gi")
	function.Spec.UserConfig = &runtime.RawExtension{Raw: []byte(`{"big":9007199254740995}`)}
	function.Labels = nil
	_, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
	s.check(err)
	cr := s.cr("by-hand")
	for path, want := range map[string]any{
		"spec.output.producerConf.maxPendingMessages": nil,
		"spec.output.producerConf.unknownOfProducer":  "x",
		"spec.output.topic":                           nil,
		"spec.output.unknownOfOutput":                 "why",
		"spec.resources.limits.memory":                "4Gi",
		"spec.funcConfig":                             map[string]any{"big": int64(9007199254740995)},
		"spec.input.unknownOfInput":                   true,
		"metadata.labels.team":                        nil,
		"spec.pulsar.authSecret":                      "my-auth",
	} {
		if got := field(cr, strings.Split(path, ".")...); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, not %v", path, got, want)
		}
	}
	if got := fmt.Sprint(field(cr, "spec", "input", "sourceSpecs", "persistent://public/default/special")); !strings.Contains(got, "unknownOfSpec:1") {
		t.Errorf("the source spec is %s", got)
	}
}
