// Pins the cert-manager whose CRDs the manifests are tested against. It is a
// module of its own because nothing is built from it: only its files are read.
module github.com/function-mesh/functionmesh-apiserver/test/certmanager

go 1.26.0

require github.com/cert-manager/cert-manager v1.21.2
