package translation

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestTrust(t *testing.T) {
	const secret = "f-function-trust"
	kept := &adminv1alpha1.TLS{Enabled: true, CertSecretName: secret, CertSecretKey: TrustKey}
	hostname := kept.DeepCopy()
	hostname.HostnameVerification = true
	named := &adminv1alpha1.TLS{Enabled: true, CertSecretName: "own", CertSecretKey: "k"}
	worker := &adminv1alpha1.TLS{Enabled: true, SecretName: "of-the-worker"}
	for name, test := range map[string]struct {
		said, before, defaults, want *adminv1alpha1.TLS
		exists, unconfigured, golang bool
	}{
		"nothing is said":            {want: hostname},
		"TLS is on":                  {said: &adminv1alpha1.TLS{Enabled: true}, want: kept},
		"TLS is off":                 {said: &adminv1alpha1.TLS{}, want: &adminv1alpha1.TLS{}},
		"certificates are named":     {said: named, want: named},
		"all settings are":           {said: worker, want: worker},
		"defaults without any":       {defaults: &adminv1alpha1.TLS{Enabled: true}, want: kept},
		"defaults with some":         {defaults: named, want: named},
		"no file":                    {unconfigured: true},
		"Go":                         {golang: true},
		"update of one without":      {exists: true},
		"update of another's":        {exists: true, before: named, said: named, want: named},
		"update that leaves it out":  {exists: true, before: hostname, want: hostname},
		"update that takes it away":  {exists: true, before: hostname, said: &adminv1alpha1.TLS{}, want: &adminv1alpha1.TLS{}},
		"update that turns TLS on":   {exists: true, before: &adminv1alpha1.TLS{}, said: &adminv1alpha1.TLS{Enabled: true}, want: &adminv1alpha1.TLS{Enabled: true}},
		"update that changes others": {exists: true, before: hostname, said: &adminv1alpha1.TLS{Enabled: true, AllowInsecure: true}, want: &adminv1alpha1.TLS{Enabled: true, AllowInsecure: true, CertSecretName: secret, CertSecretKey: TrustKey}},
	} {
		t.Run(name, func(t *testing.T) {
			config := testConfig()
			if !test.unconfigured {
				config.PulsarClusters[0].TrustCertsFile = "ca.crt"
			}
			config.Defaults.TLS = test.defaults
			translator := NewFunctionTranslator(config, nil)
			function := func(tls *adminv1alpha1.TLS) *adminv1alpha1.PulsarFunction {
				view := bareFunction()
				view.Name, view.Spec.TLS = "f", tls.DeepCopy()
				if test.golang {
					view.Spec.Java, view.Spec.Go = nil, &adminv1alpha1.Runtime{}
				}
				return view
			}
			view := function(test.said)
			if test.exists {
				before := function(test.before)
				before.Spec.Cluster = config.PulsarClusters[0].Name
				translator.DefaultUpdate(view, before)
			} else {
				translator.Default(view)
				server := translator.ServerDefaults(view).Spec.TLS
				if named := view.Spec.TLS != nil && view.Spec.TLS.CertSecretName == secret; named && (server == nil || server.CertSecretName != secret) {
					t.Errorf("its author needs a right for what the server gives: %+v", server)
				}
			}
			if diff := cmp.Diff(test.want, view.Spec.TLS); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
