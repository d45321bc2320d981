// Package kubectlparity runs the same kubectl commands on the kinds of this group and
// on built-in ones, and compares what kubectl answers: exit code, output and errors,
// after the names of kinds and what is random have been taken out. Where they are
// meant to differ, a table says why. It holds nothing but tests.
package kubectlparity
