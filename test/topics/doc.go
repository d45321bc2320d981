// Package topics tests what this project does with the topics of functions in a real
// Pulsar: it sends messages to functions and waits for their answers, and it removes
// subscriptions of functions that are gone.
//
// Instances are real ones, in processes of their own, started with the command line that
// the operator gives them; a pod leads to one as far as anybody can see. Pulsar's own
// functions worker runs the same functions, and is asked the same.
package topics
