// Package tenancy tests who may do what where, on a real control plane and at both
// doors: which Kubernetes namespace serves which Pulsar namespace, what roles allow, what
// an author can't give a pod, and what the audit log says about it. It holds nothing but
// tests.
package tenancy
