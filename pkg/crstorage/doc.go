// Package crstorage is a k8s.io/apiserver storage.Interface whose backend is not
// etcd but the custom resources of another API group.
//
// It exists because an object of this project's API group has no data of its own:
// it is a custom resource, seen through a projection. A generic registry store on
// top of this package gets strategies, admission, managed fields, preconditions
// and tables from the library, as any built-in resource does.
//
// Three rules keep foreign data safe. A custom resource is never rebuilt: an
// update applies the difference of two projections to what is stored. Selectors,
// limits and resource versions go to the backend as they came: nothing is filtered
// after it was translated. And errors of the backend are told in the caller's
// terms, so that no name or path of a custom resource leaks.
package crstorage
