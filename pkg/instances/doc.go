// Package instances finds out what runs of a function, source or sink: which pods it
// has, what is wrong with them, and what the instances in them say of themselves.
//
// It is done anew for each request. Instances are asked over a connection that nothing
// protects and by a protocol that anybody can speak, so what they answer is bounded and
// believed for nothing but what it says of the one that said it.
package instances
