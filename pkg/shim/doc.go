// Package shim serves Pulsar's admin REST API v3 for functions, sinks and sources from
// the API group admin.functionmesh.io.
//
// It translates and decides nothing: a handler reads what Pulsar's clients send,
// calls the group as whoever made the request, and says the answer in Pulsar's
// words. What is valid, who may do what and what is stored is the API server's.
// That is also why it is a process of its own with no rights: a bug in it, or a
// large upload, must not reach the API server that a whole cluster's discovery
// and namespace deletion depend on.
package shim
