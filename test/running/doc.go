// Package running tests what can be asked of and done with what runs: stop, start and
// restart, status and stats, on a control plane whose pods come up at addresses of this
// machine, so that what a pod declares can lead to a real instance of a function.
//
// The operator isn't there: what it does with a resource, as far as it can be seen from
// outside, is done by the stand-in of package operator.
package running
