// Package javaclass reads Java class files: what a class is called, what it extends
// and implements, and with which type arguments.
//
// It exists so that a package can be checked as Pulsar's functions worker checks it
// without a Java runtime, and without loading anything that a user wrote. The input
// is untrusted: every length in it is checked against what is left, and nothing is
// allocated that the file does not hold.
package javaclass
