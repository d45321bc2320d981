package customruntimeoptions

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const defaultImage = "registry.example.org:5000/runner:1"

func function() *adminv1alpha1.PulsarFunction {
	view := &adminv1alpha1.PulsarFunction{}
	view.Spec.Java = &adminv1alpha1.JavaRuntime{}
	view.Spec.Cluster, view.Spec.Parallelism = "standalone", ptr.To[int32](2)
	return view
}

func mustParse(t *testing.T, text string) *Options {
	t.Helper()
	options, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return options
}

func TestApplyAndWithdraw(t *testing.T) {
	for text, want := range map[string]func(*adminv1alpha1.PulsarFunction){
		``:                    func(*adminv1alpha1.PulsarFunction) {},
		`{"unknown":{"a":1}}`: func(*adminv1alpha1.PulsarFunction) {},
		`{"maxReplicas":0}`:   func(*adminv1alpha1.PulsarFunction) {},
		`{"maxReplicas":2}`:   func(*adminv1alpha1.PulsarFunction) {},
		`{"maxReplicas":3}`:   func(f *adminv1alpha1.PulsarFunction) { f.Spec.MaxReplicas = ptr.To[int32](3) },
		`{"managed":true}`:    func(*adminv1alpha1.PulsarFunction) {},
		`{"logLevel":"INFO"}`: func(f *adminv1alpha1.PulsarFunction) { f.Spec.Java.Log = &adminv1alpha1.RuntimeLog{Level: "info"} },
		`{"logRotationPolicy":"timedPOLICYWithDaily"}`: func(f *adminv1alpha1.PulsarFunction) {
			f.Spec.Java.Log = &adminv1alpha1.RuntimeLog{RotatePolicy: "TimedPolicyWithDaily"}
		},
		`{"serviceAccountName":"a"}`: func(f *adminv1alpha1.PulsarFunction) { f.Spec.Pod = &adminv1alpha1.Pod{ServiceAccountName: "a"} },
		`{"runnerImage":"x/y:1"}`:    func(f *adminv1alpha1.PulsarFunction) { f.Spec.Pod = &adminv1alpha1.Pod{Image: "x/y:1"} },
		`{"runnerImageTag":"2"}`: func(f *adminv1alpha1.PulsarFunction) {
			f.Spec.Pod = &adminv1alpha1.Pod{Image: "registry.example.org:5000/runner:2"}
		},
		`{"runnerImageTag":"1"}`: func(*adminv1alpha1.PulsarFunction) {},
		`{"env":{"B":"2","A":"1"}}`: func(f *adminv1alpha1.PulsarFunction) {
			f.Spec.Pod = &adminv1alpha1.Pod{Env: []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}}
		},
		`{"hpaSpec":{"builtinCPURule":"c"}}`: func(*adminv1alpha1.PulsarFunction) {},
		`{"maxReplicas":5,"hpaSpec":{"builtinCPURule":"c","builtinMemoryRule":"m"}}`: func(f *adminv1alpha1.PulsarFunction) {
			f.Spec.MaxReplicas = ptr.To[int32](5)
			f.Spec.Pod = &adminv1alpha1.Pod{HPA: &adminv1alpha1.HorizontalPodAutoscaling{BuiltinRules: []string{"c", "m"}}}
		},
		`{"vpaSpec":{"updatePolicy":{"updateMode":"Auto"},"resourcePolicy":[{"containerName":"x"}]}}`: func(f *adminv1alpha1.PulsarFunction) {
			f.Spec.Pod = &adminv1alpha1.Pod{VPA: &adminv1alpha1.VerticalPodAutoscaling{
				UpdatePolicy:   &adminv1alpha1.VPAUpdatePolicy{UpdateMode: ptr.To("Auto")},
				ResourcePolicy: &adminv1alpha1.VPAResourcePolicy{ContainerPolicies: []adminv1alpha1.VPAContainerPolicy{{ContainerName: "x"}}},
			}}
		},
		`{"managed":false}`: func(f *adminv1alpha1.PulsarFunction) { f.Annotations = map[string]string{ManagedAnnotation: "false"} },
		`{"inputTypeClassName":"I","outputTypeClassName":"O"}`: func(f *adminv1alpha1.PulsarFunction) {
			f.Spec.InputTypeClassName, f.Spec.OutputTypeClassName = "I", "O"
		},
		`{"clusterName":"other"}`: func(f *adminv1alpha1.PulsarFunction) { f.Spec.Cluster = "other" },
	} {
		got, wanted := function(), function()
		want(wanted)
		options := mustParse(t, text)
		options.Apply(got, defaultImage)
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		options.Withdraw(got)
		if got.Spec.MaxReplicas != nil || len(got.Annotations) > 0 || got.Spec.Java.Log != nil && *got.Spec.Java.Log != (adminv1alpha1.RuntimeLog{}) {
			t.Errorf("%s withdrawn: %+v", text, got.Spec)
		}
		if pod := ptr.Deref(got.Spec.Pod, adminv1alpha1.Pod{}); pod.Image != "" || pod.ServiceAccountName != "" || len(pod.Env) > 0 || pod.HPA != nil || pod.VPA != nil {
			t.Errorf("%s withdrawn: pod %+v", text, pod)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for _, text := range []string{"no JSON", "[]", `{"maxReplicas":"3"}`, `{"env":{"A":1}}`} {
		if options, err := Parse(text); err == nil {
			t.Errorf("%s: got %+v", text, options)
		}
	}
}

// A text is shown as it was given as long as it is true, else with today's values.
func TestCurrent(t *testing.T) {
	const text = `{"serviceAccountName":"a","env":{"A":"1","B":"2"},"logLevel":"INFO","mine":[1]}`
	for name, test := range map[string]struct {
		text   string
		change func(*adminv1alpha1.PulsarFunction)
		want   string
	}{
		"nothing changed": {text, func(*adminv1alpha1.PulsarFunction) {}, text},
		"something else":  {text, func(f *adminv1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr.To[int32](9) }, text},
		"another account": {text, func(f *adminv1alpha1.PulsarFunction) { f.Spec.Pod.ServiceAccountName = "b" },
			`{"env":{"A":"1","B":"2"},"logLevel":"info","mine":[1],"serviceAccountName":"b"}`},
		"a variable goes": {text, func(f *adminv1alpha1.PulsarFunction) { f.Spec.Pod.Env = f.Spec.Pod.Env[1:] },
			`{"env":{"B":"2"},"logLevel":"info","mine":[1],"serviceAccountName":"a"}`},
		"all of it goes": {text, func(f *adminv1alpha1.PulsarFunction) { f.Spec.Pod, f.Spec.Java.Log = nil, nil }, `{"mine":[1]}`},
		"no options":     {"as it is", func(*adminv1alpha1.PulsarFunction) {}, "as it is"},
		"scaled beyond its maximum": {`{"maxReplicas":3}`, func(f *adminv1alpha1.PulsarFunction) { f.Spec.MaxReplicas = ptr.To[int32](7) },
			`{"maxReplicas":7}`},
	} {
		view := function()
		if options, err := Parse(test.text); err == nil {
			options.Apply(view, defaultImage)
		}
		test.change(view)
		got, err := Current(test.text, view, defaultImage)
		if err != nil || got != test.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, test.want)
		}
		if again, err := Current(got, view, defaultImage); err != nil || again != got {
			t.Errorf("%s: %s became %s, %v", name, got, again, err)
		}
	}
}

func TestApplyImageTag(t *testing.T) {
	for _, test := range []struct{ text, image, defaultImage, want string }{
		{`{"runnerImageTag":"2"}`, "", defaultImage, "registry.example.org:5000/runner:2"},
		{`{"runnerImageTag":"2"}`, "", "registry.example.org:5000/runner", "registry.example.org:5000/runner:2"},
		{`{"runnerImageTag":"2"}`, "", "runner:1@sha256:0123", "runner:2"},
		{`{"runnerImageTag":"1"}`, "", defaultImage, ""},
		{`{"runnerImageTag":"2"}`, "own:3", defaultImage, "own:3"},
		{`{"runnerImageTag":"2","runnerImage":"own"}`, "", defaultImage, ""},
		{`{"runnerImageTag":"2"}`, "", "", ""},
		{`{}`, "", defaultImage, ""},
		{`no JSON`, "", defaultImage, ""},
	} {
		view := function()
		view.Spec.CustomRuntimeOptions = test.text
		if test.image != "" {
			view.Spec.Pod = &adminv1alpha1.Pod{Image: test.image}
		}
		ApplyImageTag(view, test.defaultImage)
		if got := ptr.Deref(view.Spec.Pod, adminv1alpha1.Pod{}).Image; got != test.want {
			t.Errorf("%s of %s, by default %s: the image is %q, not %q", test.text, test.image, test.defaultImage, got, test.want)
		}
	}
}
