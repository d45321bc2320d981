package config

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// validatePinning checks that packages can be pinned where they are to be.
func validatePinning(config *v1alpha1.FunctionMeshAPIServerConfiguration) field.ErrorList {
	var errs field.ErrorList
	for i, cluster := range config.PulsarClusters {
		if config.PinPackages && cluster.AdminURL == "" {
			errs = append(errs, field.Required(field.NewPath("pulsarClusters").Index(i).Child("adminUrl"), "packages can't be pinned without it"))
		}
	}
	return errs
}

// ValidatePinning is for a configuration whose pinPackages a flag has changed.
func ValidatePinning(config *v1alpha1.FunctionMeshAPIServerConfiguration) error {
	if err := validatePinning(config).ToAggregate(); err != nil {
		return fmt.Errorf("could not accept the configuration: %w", err)
	}
	return nil
}
