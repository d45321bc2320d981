#!/usr/bin/env bash
# Makes the certificates that artifacts/base mounts, for clusters without
# cert-manager, and gives the APIService its caBundle.
#
#   artifacts/certificates/create.sh [--rotate] [--shim-name NAME]...
#
# Run it after `kubectl apply -k artifacts/base`, with kubectl pointing at the
# cluster (KUBECTL names another program). It makes what is missing, what ends
# within 30 days and what lacks a name, and leaves the rest alone. --rotate makes
# new keys and certificates for both servers, signed by the same authorities.
# --shim-name adds a DNS name or an IP address that clients call the shim by.
#
# The authorities' keys are kept in Secrets of namespace functionmesh-system, as
# cert-manager would keep them. Nothing secret is printed or put on a command line.
set -euo pipefail

readonly namespace=functionmesh-system
readonly apiservice=v1alpha1.admin.functionmesh.io
readonly kubectl=${KUBECTL:-kubectl}
readonly ca_days=3650
readonly leaf_days=90
readonly renew_seconds=$((30 * 24 * 3600))

fail() {
  echo "$*" >&2
  exit 1
}

rotate=false
shim_names=()
while (($# > 0)); do
  case "$1" in
    --rotate) rotate=true ;;
    --shim-name)
      [[ $# -gt 1 ]] || fail "--shim-name needs a name"
      # It becomes part of an openssl configuration file.
      [[ "$2" =~ ^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?$ ]] || fail "not a DNS name or an IP address: $2"
      shim_names+=("$2")
      shift
      ;;
    *) fail "usage: $0 [--rotate] [--shim-name NAME]..." ;;
  esac
  shift
done

for program in "$kubectl" openssl base64; do
  command -v "$program" >/dev/null || fail "$program is needed, but isn't in PATH"
done
for object in "namespace/$namespace" "apiservice/$apiservice"; do
  "$kubectl" get "$object" -o name >/dev/null || fail "$object can't be read: run 'kubectl apply -k artifacts/base' first"
done

umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch SECRET reads a Secret's files into $work/SECRET. It fails when there is no
# such Secret or it lacks a file.
fetch() {
  local secret=$1 found key data
  mkdir -p "$work/$secret"
  # An error is not an absence: it must not lead to new authorities.
  found=$("$kubectl" -n "$namespace" get secret "$secret" --ignore-not-found -o name) || fail "could not read secret $secret"
  [[ -n "$found" ]] || return 1
  for key in tls.crt tls.key ca.crt; do
    data=$("$kubectl" -n "$namespace" get secret "$secret" -o "jsonpath={.data.${key/./\\.}}") || fail "could not read secret $secret"
    [[ -n "$data" ]] || return 1
    base64 -d <<<"$data" >"$work/$secret/$key"
  done
}

# store SECRET writes $work/SECRET to the cluster. Server-side apply keeps the key
# out of the annotation that client-side apply would leave behind.
store() {
  local secret=$1
  "$kubectl" -n "$namespace" create secret generic "$secret" --type=kubernetes.io/tls \
    --from-file="$work/$secret" --dry-run=client -o yaml |
    "$kubectl" apply --server-side --field-manager=functionmesh-certificates -f - >/dev/null ||
    fail "could not write secret $secret; if cert-manager made it, leave certificates to cert-manager"
  echo "secret/$secret written"
}

# request DIR COMMON_NAME makes a key and a signing request in DIR.
request() {
  local dir=$1 common_name=$2
  rm -f "$dir"/*
  openssl ecparam -name prime256v1 -genkey -noout -out "$dir/ec.key"
  openssl pkcs8 -topk8 -nocrypt -in "$dir/ec.key" -out "$dir/tls.key"
  printf '[req]\nprompt = no\ndistinguished_name = name\n[name]\nCN = %s\n' "$common_name" >"$dir/req.conf"
  openssl req -new -sha256 -config "$dir/req.conf" -key "$dir/tls.key" -out "$dir/req.csr"
}

# authority SECRET makes sure that there is an authority of that name.
authority() {
  local secret=$1 dir="$work/$1"
  if fetch "$secret" && openssl x509 -in "$dir/tls.crt" -noout -checkend "$renew_seconds" >/dev/null; then
    echo "secret/$secret kept"
    return
  fi
  request "$dir" "$secret"
  printf 'basicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, keyCertSign\nsubjectKeyIdentifier = hash\n' >"$dir/ext.conf"
  openssl x509 -req -sha256 -in "$dir/req.csr" -signkey "$dir/tls.key" -days "$ca_days" \
    -set_serial "0x$(openssl rand -hex 16)" -extfile "$dir/ext.conf" -out "$dir/tls.crt" 2>"$dir/log" ||
    fail "could not make the certificate of $secret: $(cat "$dir/log")"
  cp "$dir/tls.crt" "$dir/ca.crt"
  rm "$dir"/{ec.key,req.conf,req.csr,ext.conf,log}
  store "$secret"
}

# names_match CERTIFICATE NAME... tells whether a certificate has all names.
names_match() {
  local certificate=$1 name check
  shift
  for name in "$@"; do
    check=-checkhost
    is_address "$name" && check=-checkip
    openssl x509 -in "$certificate" -noout "$check" "$name" | grep -q 'does match' || return 1
  done
}

is_address() {
  [[ "$1" == *:* || "$1" =~ ^[0-9.]+$ ]]
}

# present_names SECRET prints the names in a certificate that is there, so that one
# which is made anew keeps those that somebody once asked for.
present_names() {
  local secret=$1
  fetch "$secret" || return 0
  openssl x509 -in "$work/$secret/tls.crt" -noout -ext subjectAltName 2>/dev/null |
    tr ',' '\n' | sed -n 's/^ *DNS://p; s/^ *IP Address://p'
}

# leaf SECRET AUTHORITY COMMON_NAME USAGE [NAME...] makes sure that there is a
# certificate for that use which the authority has signed.
leaf() {
  local secret=$1 ca=$2 common_name=$3 usage=$4 dir="$work/$1" name kind names=""
  shift 4
  if [[ "$rotate" == false ]] && fetch "$secret" &&
    cmp -s "$dir/ca.crt" "$work/$ca/tls.crt" &&
    openssl verify -CAfile "$work/$ca/tls.crt" "$dir/tls.crt" >/dev/null 2>&1 &&
    openssl x509 -in "$dir/tls.crt" -noout -checkend "$renew_seconds" >/dev/null &&
    names_match "$dir/tls.crt" "$@"; then
    echo "secret/$secret kept"
    return
  fi
  mkdir -p "$dir"
  request "$dir" "$common_name"
  for name in "$@"; do
    kind=DNS
    is_address "$name" && kind=IP
    names+="${names:+, }$kind:$name"
  done
  {
    printf 'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = %s\nauthorityKeyIdentifier = keyid\n' "$usage"
    [[ -z "$names" ]] || printf 'subjectAltName = %s\n' "$names"
  } >"$dir/ext.conf"
  openssl x509 -req -sha256 -in "$dir/req.csr" -CA "$work/$ca/tls.crt" -CAkey "$work/$ca/tls.key" -days "$leaf_days" \
    -set_serial "0x$(openssl rand -hex 16)" -extfile "$dir/ext.conf" -out "$dir/tls.crt" 2>"$dir/log" ||
    fail "could not make the certificate of $secret: $(cat "$dir/log")"
  cp "$work/$ca/tls.crt" "$dir/ca.crt"
  rm "$dir"/{ec.key,req.conf,req.csr,ext.conf,log}
  store "$secret"
}

authority functionmesh-serving-ca
authority pulsar-admin-shim-front-proxy-ca

service_names() {
  echo "$1" "$1.$namespace" "$1.$namespace.svc" "$1.$namespace.svc.cluster.local"
}
# shellcheck disable=SC2046 # service_names prints words.
leaf functionmesh-apiserver-serving functionmesh-serving-ca functionmesh-apiserver serverAuth $(service_names functionmesh-apiserver)
# shellcheck disable=SC2046
leaf pulsar-admin-shim-serving functionmesh-serving-ca pulsar-admin-shim serverAuth \
  $( (service_names pulsar-admin-shim | tr ' ' '\n'; present_names pulsar-admin-shim-serving) | awk '!seen[$0]++') \
  ${shim_names[@]+"${shim_names[@]}"}
# The API server is told this common name by --shim-allowed-names.
leaf pulsar-admin-shim-front-proxy pulsar-admin-shim-front-proxy-ca pulsar-admin-shim clientAuth

bundle=$(base64 <"$work/functionmesh-serving-ca/tls.crt" | tr -d '\n')
"$kubectl" patch apiservice "$apiservice" --type=merge -p "{\"spec\":{\"caBundle\":\"$bundle\"}}" >/dev/null
echo "apiservice/$apiservice trusts functionmesh-serving-ca"
