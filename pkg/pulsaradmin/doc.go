// Package pulsaradmin asks Pulsar's admin API whether tenants and namespaces exist.
//
// It is what the API server knows of Pulsar beside what runs in it, and it asks with
// the server's own account, never with a caller's credential. Answers are kept
// briefly, and the same question is asked once at a time, so that a wave of creations
// isn't a wave of requests to Pulsar. Where Pulsar gives no answer there is none: an
// unknown namespace must not pass for one that exists.
//
// How a request to Pulsar's web service is made safely, Connect, At and Account, is here
// for other clients of it as well.
package pulsaradmin
