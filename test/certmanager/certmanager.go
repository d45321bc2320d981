// Package certmanager keeps cert-manager in go.mod. The manifest test installs
// the CRDs that lie in that module, so that certificates are checked by the real
// schemas without a copy of them here.
package certmanager

import _ "github.com/cert-manager/cert-manager/pkg/apis/certmanager"
