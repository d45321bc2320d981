// Package translation projects Function Mesh's custom resources to the objects of
// the group admin.functionmesh.io and back.
//
// Both directions are pure functions of the object and the server's configuration.
// A resource is never rebuilt from its view: writers apply the difference between
// two projections to what is stored. That is why FromCR shows what takes effect,
// the operator's defaults included, while ToCR writes everything that the operator
// needs: what a view doesn't change cancels out, whether the stored resource has
// it or not.
//
// What is said of metadata holds for every kind; each kind has a translator of its
// own for the rest.
package translation
