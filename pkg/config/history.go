package config

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// ValidateHistory checks for how long revisions and packages are kept, in a complete
// configuration. What runs is a revision, too.
func ValidateHistory(config *v1alpha1.FunctionMeshAPIServerConfiguration) field.ErrorList {
	var errs field.ErrorList
	if limit := *config.RevisionHistoryLimit; limit < 1 || limit > maxRevisionHistoryLimit {
		errs = append(errs, field.Invalid(field.NewPath("revisionHistoryLimit"), limit, fmt.Sprintf("must be from 1 to %d", maxRevisionHistoryLimit)))
	}
	if period := config.PackageGracePeriod; period.Duration <= 0 {
		errs = append(errs, field.Invalid(field.NewPath("packageGracePeriod"), period.Duration.String(), "must be greater than 0"))
	}
	return errs
}
