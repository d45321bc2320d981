package apiserver

import (
	"fmt"
	"slices"

	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/mutating"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"

	"github.com/function-mesh/functionmesh-apiserver/pkg/admission/oauth2"
	"github.com/function-mesh/functionmesh-apiserver/pkg/config"
)

const (
	rulesFlag  = "oauth2-secret-rules"
	verifyFlag = "verify-oauth2"
)

// installAdmission adds the plugin that resolves accounts, behind every other one that
// changes objects: a webhook's answer would lose what it found.
func installAdmission(options *genericoptions.AdmissionOptions) {
	oauth2.Register(options.Plugins)
	last := slices.Index(options.RecommendedPluginOrder, mutating.PluginName)
	options.RecommendedPluginOrder = slices.Insert(options.RecommendedPluginOrder, last+1, oauth2.PluginName)
}

// overrideOAuth2 applies the flags to the configuration.
func (o *Options) overrideOAuth2() error {
	given := func(name string) bool { return o.flags != nil && o.flags.Changed(name) }
	if o.file.OAuth2 == nil {
		if given(rulesFlag) || given(verifyFlag) && o.VerifyOAuth2 {
			return fmt.Errorf("could not use --%s and --%s: the configuration has no oauth2 with issuers", rulesFlag, verifyFlag)
		}
		return nil
	}
	if given(rulesFlag) {
		o.file.OAuth2.SecretRules = o.OAuth2SecretRules
	}
	if given(verifyFlag) {
		o.file.OAuth2.Verify = o.VerifyOAuth2
	}
	return config.ValidateOAuth2(o.file.OAuth2)
}

// accountInitializers give the plugin what it needs.
func (o *Options) accountInitializers(generic *genericapiserver.RecommendedConfig) ([]admission.PluginInitializer, error) {
	initializer := oauth2.Initializer{Config: o.file.OAuth2}
	if o.file.OAuth2 != nil {
		finder, err := oauth2.NewFinder(generic.ClientConfig)
		if err != nil {
			return nil, err
		}
		initializer.Finder = finder
	}
	return []admission.PluginInitializer{initializer}, nil
}
