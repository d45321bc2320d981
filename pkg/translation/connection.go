package translation

import (
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// messagingToCR translates how Pulsar is reached. Of an account only the Secret is
// the view's: what else there is in the resource stays, until the account goes.
func messagingToCR(configMap string, auth *adminv1alpha1.Auth, tls *adminv1alpha1.TLS) *computev1alpha1.PulsarMessaging {
	cr := &computev1alpha1.PulsarMessaging{PulsarConfig: configMap}
	if auth != nil {
		cr.AuthSecret = auth.SecretName
		if auth.OAuth2 != nil {
			cr.AuthConfig = &computev1alpha1.AuthConfig{OAuth2Config: oauth2ToCR(auth)}
		}
	}
	if tls == nil {
		return cr
	}
	cr.TLSSecret = tls.SecretName
	config := computev1alpha1.TLSConfig{
		Enabled:              tls.Enabled,
		AllowInsecure:        tls.AllowInsecure,
		HostnameVerification: tls.HostnameVerification,
		CertSecretName:       tls.CertSecretName,
		CertSecretKey:        tls.CertSecretKey,
	}
	if config != (computev1alpha1.TLSConfig{}) || tls.SecretName == "" {
		cr.TLSConfig = &config
	}
	return cr
}

// oauth2ToCR translates an account. What the server knows of it is written by the
// request in which it found out, all of it, so that nothing of another account stays.
func oauth2ToCR(auth *adminv1alpha1.Auth) *computev1alpha1.OAuth2Config {
	cr := &computev1alpha1.OAuth2Config{KeySecretName: auth.OAuth2.SecretName}
	if resolved := auth.Resolved; resolved != nil {
		cr.IssuerURL, cr.Audience, cr.Scope, cr.KeySecretKey = resolved.IssuerURL, resolved.Audience, &resolved.Scope, resolved.Key
	}
	return cr
}

// authFromCR and tlsFromCR are the inverse of messagingToCR.
func authFromCR(cr *computev1alpha1.PulsarMessaging) *adminv1alpha1.Auth {
	if cr == nil {
		return nil
	}
	view := &adminv1alpha1.Auth{SecretName: cr.AuthSecret}
	if cr.AuthConfig != nil && cr.AuthConfig.OAuth2Config != nil {
		view.OAuth2 = &adminv1alpha1.OAuth2{SecretName: cr.AuthConfig.OAuth2Config.KeySecretName}
	}
	return emptyStructAsNil(view)
}

func tlsFromCR(cr *computev1alpha1.PulsarMessaging) *adminv1alpha1.TLS {
	if cr == nil || cr.TLSConfig == nil && cr.TLSSecret == "" {
		return nil
	}
	view := &adminv1alpha1.TLS{SecretName: cr.TLSSecret}
	if config := cr.TLSConfig; config != nil {
		view.Enabled = config.Enabled
		view.AllowInsecure = config.AllowInsecure
		view.HostnameVerification = config.HostnameVerification
		view.CertSecretName = config.CertSecretName
		view.CertSecretKey = config.CertSecretKey
	}
	return view
}

func packageServiceToCR(view *adminv1alpha1.PackageService) *computev1alpha1.PulsarMessaging {
	if view == nil {
		return nil
	}
	return messagingToCR(view.ConfigMapName, view.Auth, view.TLS)
}

func packageServiceFromCR(cr *computev1alpha1.PulsarMessaging) *adminv1alpha1.PackageService {
	if cr == nil {
		return nil
	}
	return &adminv1alpha1.PackageService{ConfigMapName: cr.PulsarConfig, Auth: authFromCR(cr), TLS: tlsFromCR(cr)}
}

func stateToCR(view *adminv1alpha1.StateConfig) *computev1alpha1.StatefulConfig {
	if view == nil {
		return nil
	}
	store := &computev1alpha1.PulsarStateStore{ServiceURL: view.ServiceURL}
	if provider := view.JavaProvider; provider != nil {
		store.JavaProvider = &computev1alpha1.JavaStateProvider{ClassName: provider.ClassName, Config: jsonObject(provider.Config)}
	}
	return &computev1alpha1.StatefulConfig{Pulsar: store}
}

func stateFromCR(cr *computev1alpha1.StatefulConfig) *adminv1alpha1.StateConfig {
	if cr == nil || cr.Pulsar == nil {
		return nil
	}
	view := &adminv1alpha1.StateConfig{ServiceURL: cr.Pulsar.ServiceURL}
	if provider := cr.Pulsar.JavaProvider; provider != nil {
		view.JavaProvider = &adminv1alpha1.StateProvider{ClassName: provider.ClassName, Config: jsonObject(provider.Config)}
	}
	return view
}
