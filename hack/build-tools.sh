#!/usr/bin/env bash
# Builds programs pinned in hack/tools/go.mod into bin/, each once.
#
#   hack/build-tools.sh etcd kube-apiserver ...
#
# A program is built again when hack/tools or the Go version changed. Builds say
# what they are doing, since a cold build of kube-apiserver takes minutes.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools="$root/hack/tools"
bin="$root/bin"
stamps="$bin/.stamps"
mkdir -p "$stamps"

cd "$tools"
pinned=$(cat go.mod go.sum "$root/hack/build-tools.sh" | sha256sum | cut -c1-16)
pinned="$pinned $(go env GOVERSION GOOS GOARCH | tr '\n' ' ')"

# The version that Kubernetes programs report: without it they call themselves
# v0.0.0-master, which clients' version checks refuse.
kubernetes_version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=$(cut -d. -f2 <<<"$kubernetes_version")
kubernetes_ldflags=""
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  kubernetes_ldflags+=" -X $package.gitVersion=$kubernetes_version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
  kubernetes_ldflags+=" -X $package.gitTreeState=clean -X $package.gitCommit=0000000000000000000000000000000000000000"
done

package_of() {
  case "$1" in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    kube-apiserver | kube-controller-manager | kubectl) echo "k8s.io/kubernetes/cmd/$1" ;;
    applyconfiguration-gen | client-gen | deepcopy-gen | defaulter-gen | informer-gen | lister-gen) echo "k8s.io/code-generator/cmd/$1" ;;
    openapi-gen) echo k8s.io/kube-openapi/cmd/openapi-gen ;;
    controller-gen) echo sigs.k8s.io/controller-tools/cmd/controller-gen ;;
    staticcheck) echo honnef.co/go/tools/cmd/staticcheck ;;
    *) echo "unknown tool: $1" >&2; return 1 ;;
  esac
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
  if [[ -x "$bin/$tool" && "$(cat "$stamps/$tool" 2>/dev/null)" == "$pinned" ]]; then
    continue
  fi
  ldflags="-s -w"
  hint=""
  case "$tool" in
    kube-apiserver) ldflags+="$kubernetes_ldflags"; hint=" (the longest step: about 5 minutes on 2 cores the first time)" ;;
    kube-controller-manager) ldflags+="$kubernetes_ldflags"; hint=" (about 2 minutes the first time)" ;;
    kubectl) ldflags+="$kubernetes_ldflags" ;;
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
  CGO_ENABLED=0 go build -ldflags "$ldflags" -o "$bin/$tool" "$package"
  stop_heartbeat
  echo "$pinned" >"$stamps/$tool"
  echo "built bin/$tool in $((SECONDS - start)) s"
done
