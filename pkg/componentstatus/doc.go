// Package componentstatus holds how Pulsar's admin API says what runs of a function, sink
// or source: the members that each kind has, under which names and in which order, which
// of them are left out or null when nothing is known, and how they are made of what an
// instance says.
package componentstatus
