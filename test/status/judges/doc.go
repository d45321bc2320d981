// Package judges has tests in which others judge the status of objects: the library
// by which Flux, kpt and Cluster API read conditions, and Argo CD's way of running
// a script. Neither needs a control plane.
package judges
