#!/usr/bin/env bash
# Builds programs pinned in the modules below hack/tools into bin/, each once.
#
#   hack/build-tools.sh etcd kube-apiserver ...
#
# A program is built again when its module's versions, its build flags or the Go
# version changed: not when one more program is pinned beside it, and not when
# this script changed. Builds say what they are doing, since a cold build of
# kube-apiserver takes minutes.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools="$root/hack/tools"
bin="$root/bin"
stamps="$bin/.stamps"
mkdir -p "$stamps"

toolchain=$(go env GOVERSION GOOS GOARCH | tr '\n' ' ')

# The version that Kubernetes programs report: without it they call themselves
# v0.0.0-master, which clients' version checks refuse.
kubernetes_version=$(cd "$tools" && go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=$(cut -d. -f2 <<<"$kubernetes_version")
kubernetes_ldflags=""
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  kubernetes_ldflags+=" -X $package.gitVersion=$kubernetes_version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
  kubernetes_ldflags+=" -X $package.gitTreeState=clean -X $package.gitCommit=0000000000000000000000000000000000000000"
done

package_of() {
  case "$1" in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    kube-apiserver | kube-controller-manager | kube-scheduler | kubectl) echo "k8s.io/kubernetes/cmd/$1" ;;
    applyconfiguration-gen | client-gen | deepcopy-gen | defaulter-gen | informer-gen | lister-gen) echo "k8s.io/code-generator/cmd/$1" ;;
    openapi-gen) echo k8s.io/kube-openapi/cmd/openapi-gen ;;
    kwok) echo sigs.k8s.io/kwok/cmd/kwok ;;
    controller-gen) echo sigs.k8s.io/controller-tools/cmd/controller-gen ;;
    protobuf-gen) echo github.com/function-mesh/functionmesh-apiserver/hack/tools/proto ;;
    protoc-gen-go) echo google.golang.org/protobuf/cmd/protoc-gen-go ;;
    protoc-gen-go-grpc) echo google.golang.org/grpc/cmd/protoc-gen-go-grpc ;;
    staticcheck) echo honnef.co/go/tools/cmd/staticcheck ;;
    *) echo "unknown tool: $1" >&2; return 1 ;;
  esac
}

# The folder of the module that pins a program.
module_of() {
  case "$1" in
    kwok) echo "$tools/kwok" ;;
    protobuf-gen | protoc-gen-go | protoc-gen-go-grpc) echo "$tools/proto" ;;
    *) echo "$tools" ;;
  esac
}

ldflags_of() {
  case "$1" in
    kube-apiserver | kube-controller-manager | kube-scheduler | kubectl) echo "-s -w$kubernetes_ldflags" ;;
    *) echo "-s -w" ;;
  esac
}

# What a program is built from: everything that, changed, means building it
# again. Of go.mod that is the versions: not the list of tools, not a comment.
stamp_of() {
  local module sources
  module=$(module_of "$1")
  sources=$({
    sed '/^tool (/,/^)/d; /^tool /d; s,[[:space:]]*//.*,,' "$module/go.mod"
    cat "$module/go.sum"
    # Of a module that has a program of its own, that as well.
    find "$module" -maxdepth 1 -name '*.go' -exec cat {} +
    package_of "$1"
    ldflags_of "$1"
  } | sha256sum | cut -c1-16)
  echo "$sources $toolchain"
}

# The stages by which kwok moves nodes and pods along are files of its module
# that the program doesn't embed.
copy_kwok_stages() {
  local module file
  module=$(cd "$tools/kwok" && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)
  for file in "$module"/kustomize/stage/node/fast/node-*.yaml "$module"/kustomize/stage/pod/fast/pod-*.yaml; do
    echo "---"
    cat "$file"
  done >"$bin/kwok-stages.yaml"
}

# Says every half minute that a long build is still going on.
heartbeat=""
stop_heartbeat() {
  if [[ -n "$heartbeat" ]]; then
    kill "$heartbeat" 2>/dev/null || true
    heartbeat=""
  fi
}
trap stop_heartbeat EXIT

for tool in "$@"; do
  package=$(package_of "$tool")
  stamp=$(stamp_of "$tool")
  if [[ -x "$bin/$tool" && "$(cat "$stamps/$tool" 2>/dev/null)" == "$stamp" ]]; then
    continue
  fi
  hint=""
  case "$tool" in
    kube-apiserver) hint=" (the longest step: about 5 minutes on 2 cores the first time)" ;;
    kube-controller-manager) hint=" (about 2 minutes the first time)" ;;
    kwok) hint=" (about a minute the first time)" ;;
  esac
  echo "building bin/$tool from $package$hint"
  start=$SECONDS
  (
    trap 'kill "$!"; exit' TERM
    # $$ is the script: this ends with it, even if that was killed.
    while kill -0 $$ 2>/dev/null; do
      sleep 30 >/dev/null 2>&1 &
      wait "$!"
      echo "still building bin/$tool after $((SECONDS - start)) s"
    done
  ) &
  heartbeat=$!
  (cd "$(module_of "$tool")" && CGO_ENABLED=0 go build -ldflags "$(ldflags_of "$tool")" -o "$bin/$tool" "$package")
  if [[ "$tool" == kwok ]]; then
    copy_kwok_stages
  fi
  stop_heartbeat
  echo "$stamp" >"$stamps/$tool"
  echo "built bin/$tool in $((SECONDS - start)) s"
done
