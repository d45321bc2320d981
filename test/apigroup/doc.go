// Package apigroup tests the API group as its users meet it: every request goes
// through a real kube-apiserver, its aggregator, its authorization and its garbage
// collector, and ends in real custom resources. It holds nothing but tests.
package apigroup
