package config

import (
	"fmt"
	"strings"

	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
)

// defaultAnnotationKey is the Java worker's.
const defaultAnnotationKey = "cloud.streamnative.io/service-account.email"

var secretRules = []string{string(adminv1alpha1.CredentialByAnnotation), string(adminv1alpha1.CredentialByName)}

func setOAuth2Defaults(oauth2 *v1alpha1.OAuth2) {
	if oauth2 == nil {
		return
	}
	if oauth2.SecretRules == nil {
		oauth2.SecretRules = secretRules
	}
	if oauth2.SecretAnnotationKey == "" {
		oauth2.SecretAnnotationKey = defaultAnnotationKey
	}
	if oauth2.Required == nil {
		oauth2.Required = ptr.To(true)
	}
}

// ValidateOAuth2 checks a complete part of the configuration, which may be nil.
func ValidateOAuth2(oauth2 *v1alpha1.OAuth2) error {
	if errs := validateOAuth2(oauth2); len(errs) > 0 {
		return fmt.Errorf("could not accept the configuration: %w", errs.ToAggregate())
	}
	return nil
}

func validateOAuth2(oauth2 *v1alpha1.OAuth2) field.ErrorList {
	if oauth2 == nil {
		return nil
	}
	at := field.NewPath("oauth2")
	var errs field.ErrorList
	if len(oauth2.Issuers) == 0 {
		errs = append(errs, field.Required(at.Child("issuers"), "at least one issuer"))
	}
	seen := map[string]bool{}
	for i, issuer := range oauth2.Issuers {
		at := at.Child("issuers").Index(i)
		if err := credential.CheckIssuerURL(issuer.IssuerURL); err != nil {
			// The value may hold a credential.
			errs = append(errs, field.Invalid(at.Child("issuerUrl"), field.OmitValueType{}, err.Error()))
		}
		known := strings.TrimSuffix(issuer.IssuerURL, "/")
		if seen[known] {
			errs = append(errs, field.Duplicate(at.Child("issuerUrl"), known))
		}
		seen[known] = true
		for _, text := range []struct{ member, value string }{{"audience", issuer.Audience}, {"scope", issuer.Scope}} {
			if err := credential.CheckText(text.value); err != nil {
				errs = append(errs, field.Invalid(at.Child(text.member), text.value, err.Error()))
			}
		}
	}
	for i, rule := range oauth2.SecretRules {
		if rule != secretRules[0] && rule != secretRules[1] {
			errs = append(errs, field.NotSupported(at.Child("secretRules").Index(i), rule, secretRules))
		}
	}
	for _, problem := range utilvalidation.IsQualifiedName(strings.ToLower(oauth2.SecretAnnotationKey)) {
		errs = append(errs, field.Invalid(at.Child("secretAnnotationKey"), oauth2.SecretAnnotationKey, problem))
	}
	return errs
}
