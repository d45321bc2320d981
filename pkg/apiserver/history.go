package apiserver

import (
	"fmt"

	"github.com/function-mesh/functionmesh-apiserver/pkg/config"
)

// The flags that say for how long revisions and packages are kept.
const (
	historyFlag = "revision-history-limit"
	graceFlag   = "package-grace-period"
)

// overrideHistory lets the command line override the configuration.
func (o *Options) overrideHistory() error {
	if o.flags == nil {
		return nil
	}
	if o.flags.Changed(historyFlag) {
		o.file.RevisionHistoryLimit = &o.RevisionHistoryLimit
	}
	if o.flags.Changed(graceFlag) {
		o.file.PackageGracePeriod.Duration = o.PackageGracePeriod
	}
	if err := config.ValidateHistory(o.file).ToAggregate(); err != nil {
		return fmt.Errorf("could not use the command line: %w", err)
	}
	return nil
}
