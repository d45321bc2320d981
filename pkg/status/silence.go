package status

import (
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// operatorPatience is how long the operator may take: longer than to be rescheduled, or
// to try again after a failure.
const operatorPatience = 5 * time.Minute

const silentMessage = "The Function Mesh operator has not acted on this generation for 5 minutes. It does not run, or it fails: its log says why."

// silence says that the operator should have acted by now. It tells nobody but its log
// what it fails on, or it isn't there.
func (c *computation) silence() (reason, message string) {
	since := c.conditions.since(v1alpha1.ConditionReconciled).Time
	if c.Previous == nil && c.Generation == 1 {
		// There was nothing to publish before.
		since = c.Created
	}
	if rest := since.Add(operatorPatience).Sub(c.Now); rest > 0 {
		c.recheckIn(rest)
		return "", ""
	}
	return ReasonOperatorSilent, silentMessage
}
