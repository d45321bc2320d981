package validation

import (
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func connected(change func(*v1alpha1.ComponentSpec)) v1alpha1.Component {
	return newSink(func(s *sinkSpec) { change(&s.ComponentSpec) })
}

func packageService(service v1alpha1.PackageService) v1alpha1.Component {
	return connected(func(s *v1alpha1.ComponentSpec) { s.PackageService = &service })
}

func TestConnection(t *testing.T) {
	state := func(state v1alpha1.StateConfig) v1alpha1.Component {
		return connected(func(s *v1alpha1.ComponentSpec) { s.StateConfig = &state })
	}
	tls := func(tls v1alpha1.TLS) v1alpha1.Component {
		return connected(func(s *v1alpha1.ComponentSpec) { s.TLS = &tls })
	}
	auth := func(auth v1alpha1.Auth) v1alpha1.Component {
		return connected(func(s *v1alpha1.ComponentSpec) { s.Auth = &auth })
	}
	checkRefusals(t, map[string]refusal{
		"secret":                   {auth(v1alpha1.Auth{SecretName: "A/b"}), "spec.auth.secretName", "RFC 1123"},
		"account":                  {auth(v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{SecretName: "x"}}), "spec.auth.oauth2", "has to be resolved by the server"},
		"account and secret":       {auth(v1alpha1.Auth{SecretName: "x", OAuth2: &v1alpha1.OAuth2{SecretName: "x"}}), "spec.auth.oauth2", "together with secretName"},
		"certificate without key":  {tls(v1alpha1.TLS{CertSecretName: "x"}), "spec.tls.certSecretKey", "both certSecretName and certSecretKey"},
		"certificate without name": {tls(v1alpha1.TLS{CertSecretKey: "x"}), "spec.tls.certSecretName", "both certSecretName and certSecretKey"},
		"certificate name":         {tls(v1alpha1.TLS{CertSecretName: "X", CertSecretKey: "x"}), "spec.tls.certSecretName", "RFC 1123"},
		"certificate elsewhere":    {tls(v1alpha1.TLS{CertSecretName: "x", CertSecretKey: "../x"}), "spec.tls.certSecretKey", "config key"},
		"old settings":             {tls(v1alpha1.TLS{SecretName: "X"}), "spec.tls.secretName", "RFC 1123"},
		"no ConfigMap":             {packageService(v1alpha1.PackageService{}), "spec.packageService.configMapName", "is needed"},
		"ConfigMap":                {packageService(v1alpha1.PackageService{ConfigMapName: "a b"}), "spec.packageService.configMapName", "RFC 1123"},
		"account for packages": {packageService(v1alpha1.PackageService{ConfigMapName: "x", Auth: &v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{SecretName: "x"}}}),
			"spec.packageService.auth.oauth2", "has to be resolved by the server"},
		"TLS for packages": {packageService(v1alpha1.PackageService{ConfigMapName: "x", TLS: &v1alpha1.TLS{CertSecretName: "x"}}),
			"spec.packageService.tls.certSecretKey", "both certSecretName"},
		"no state URL":   {state(v1alpha1.StateConfig{}), "spec.stateConfig.serviceUrl", "is needed"},
		"no state class": {state(v1alpha1.StateConfig{ServiceURL: "bk://x:1", JavaProvider: &v1alpha1.StateProvider{}}), "spec.stateConfig.javaProvider.className", "is needed"},
		"state config": {state(v1alpha1.StateConfig{ServiceURL: "bk://x:1", JavaProvider: &v1alpha1.StateProvider{ClassName: "a.B", Config: raw(`1`)}}),
			"spec.stateConfig.javaProvider.config", "must be a JSON object"},
	})
	valid := connected(func(s *v1alpha1.ComponentSpec) {
		s.Auth = &v1alpha1.Auth{SecretName: "token"}
		s.TLS = &v1alpha1.TLS{Enabled: true, CertSecretName: "certs", CertSecretKey: "ca.crt", SecretName: "old"}
		s.PackageService = &v1alpha1.PackageService{ConfigMapName: "other-pulsar", Auth: &v1alpha1.Auth{SecretName: "token"}, TLS: &v1alpha1.TLS{Enabled: true}}
		s.StateConfig = &v1alpha1.StateConfig{ServiceURL: "bk://host:4181", JavaProvider: &v1alpha1.StateProvider{ClassName: "a.B", Config: raw(`{}`)}}
	})
	if result := Validate(valid, testOptions); len(result.Errors) > 0 {
		t.Errorf("errors %v, want none", result.Errors)
	}
}

// An account that exists stays, and can go, but isn't exchanged.
func TestUpdateKeepsTheAccount(t *testing.T) {
	with := func(secret string) v1alpha1.Component {
		return connected(func(s *v1alpha1.ComponentSpec) {
			s.Auth = &v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{SecretName: secret}}
			s.PackageService = &v1alpha1.PackageService{ConfigMapName: "x", Auth: s.Auth.DeepCopy()}
		})
	}
	if result := ValidateUpdate(with("alice"), with("alice"), testOptions); len(result.Errors) > 0 {
		t.Errorf("unchanged: errors %v, want none", result.Errors)
	}
	result := ValidateUpdate(with("bob"), with("alice"), testOptions)
	if len(result.Errors) != 2 || !found(result, "spec.auth.oauth2", "can't be set or changed") ||
		!found(result, "spec.packageService.auth.oauth2", "can't be set or changed") {
		t.Errorf("changed: errors %v, want two", result.Errors)
	}
	if result := ValidateUpdate(newSink(), with("alice"), testOptions); len(result.Errors) > 0 {
		t.Errorf("removed: errors %v, want none", result.Errors)
	}
	if warnings := UpdateWarnings(newSink(), with("alice")); len(warnings) != 2 {
		t.Errorf("removed: warnings %q, want two", warnings)
	}
}
