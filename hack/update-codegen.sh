#!/usr/bin/env bash
# Generates deepcopy, defaults, OpenAPI, clientset, informers, listers, apply
# configurations and the development CRDs from the types in pkg/apis, and what speaks
# to instances and to state stores.
#
#   hack/update-codegen.sh [OUTPUT_ROOT]
#
# With OUTPUT_ROOT, a copy of the tree, the files are written there instead.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:-$root}
module=github.com/function-mesh/functionmesh-apiserver
bin="$root/bin"

"$root/hack/build-tools.sh" deepcopy-gen defaulter-gen openapi-gen client-gen lister-gen informer-gen applyconfiguration-gen controller-gen \
  protobuf-gen protoc-gen-go protoc-gen-go-grpc

cd "$out"
header=hack/boilerplate.go.txt
admin=$module/pkg/apis/admin/v1alpha1
compute=$module/pkg/apis/compute/v1alpha1
config=$module/pkg/apis/config/v1alpha1

find pkg -name 'zz_generated.*' -delete
rm -rf pkg/generated

"$bin/deepcopy-gen" --go-header-file "$header" --output-file zz_generated.deepcopy.go "$admin" "$compute" "$config"
"$bin/defaulter-gen" --go-header-file "$header" --output-file zz_generated.defaults.go "$admin"
"$bin/openapi-gen" --go-header-file "$header" --output-file zz_generated.openapi.go \
  --output-dir pkg/generated/openapi --output-pkg "$module/pkg/generated/openapi" \
  --output-model-name-file zz_generated.model_name.go --report-filename /dev/null \
  --readonly-pkg k8s.io/apimachinery/pkg/apis/meta/v1 --readonly-pkg k8s.io/apimachinery/pkg/runtime \
  --readonly-pkg k8s.io/apimachinery/pkg/version --readonly-pkg k8s.io/apimachinery/pkg/api/resource \
  --readonly-pkg k8s.io/apimachinery/pkg/util/intstr --readonly-pkg k8s.io/api/core/v1 \
  --readonly-pkg k8s.io/api/autoscaling/v1 --readonly-pkg k8s.io/api/autoscaling/v2 \
  "$admin" k8s.io/apimachinery/pkg/apis/meta/v1 k8s.io/apimachinery/pkg/runtime \
  k8s.io/apimachinery/pkg/version k8s.io/apimachinery/pkg/api/resource k8s.io/apimachinery/pkg/util/intstr \
  k8s.io/api/core/v1 k8s.io/api/autoscaling/v1 k8s.io/api/autoscaling/v2

"$bin/applyconfiguration-gen" --go-header-file "$header" \
  --output-dir pkg/generated/applyconfiguration --output-pkg "$module/pkg/generated/applyconfiguration" \
  --openapi-schema <(go run ./hack/models-schema) "$admin"
"$bin/client-gen" --go-header-file "$header" --clientset-name versioned \
  --input-base '' --input "$admin" --output-dir pkg/generated/clientset --output-pkg "$module/pkg/generated/clientset" \
  --apply-configuration-package "$module/pkg/generated/applyconfiguration"
"$bin/lister-gen" --go-header-file "$header" \
  --output-dir pkg/generated/listers --output-pkg "$module/pkg/generated/listers" "$admin"
"$bin/informer-gen" --go-header-file "$header" \
  --output-dir pkg/generated/informers --output-pkg "$module/pkg/generated/informers" \
  --versioned-clientset-package "$module/pkg/generated/clientset/versioned" \
  --listers-package "$module/pkg/generated/listers" "$admin"

"$bin/protobuf-gen" "$bin" pkg/instances instancecontrol.proto pkg/generated/instancecontrol
"$bin/protobuf-gen" "$bin" pkg/statestore statestorage.proto pkg/generated/statestorage
"$bin/protobuf-gen" "$bin" pkg/statestore statetable.proto pkg/generated/statetable

# The size of a CRD is bounded by etcd; descriptions are for kubectl explain of the
# real CRDs, which these stand in for.
"$bin/controller-gen" crd:crdVersions=v1,maxDescLen=0,allowDangerousTypes=true \
  paths=./pkg/apis/compute/... output:crd:dir=artifacts/development

gofmt -w pkg/generated
