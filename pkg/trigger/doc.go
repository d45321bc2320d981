// Package trigger sends a message to a function and waits for the function's answer to
// it.
//
// It is all that this project does with messages, and the only package that imports
// Pulsar's client library. That believes what messages say of their sizes, so each trigger
// has a process of its own, which a message can end without anything else.
//
// Whoever triggers is somebody in Pulsar too: each trigger has a connection of its own with
// that credential, which nobody else's messages go over, and nothing is left of it
// afterwards. Which cluster and which topics these are was decided by who knows the
// function, never by who triggers.
package trigger
