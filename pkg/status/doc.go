// Package status computes what is said of a function, source or sink, and gives it
// the form in which it is published: an annotation on its custom resource.
//
// The watch of an object is the watch of its custom resource. A status that a read
// computes of StatefulSets and pods would never reach a watcher, and kubectl wait
// would hang. So one loop observes, publishes, and every reader projects the same
// text. Everything here is pure: the loop is in pkg/controller.
package status
