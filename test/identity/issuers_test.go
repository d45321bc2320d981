package identity

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"bufio"
	"encoding/json"

	"github.com/function-mesh/functionmesh-apiserver/test/openid"
)

// TestConfigurationIsFollowed adds an issuer and takes one away while the shim runs.
func TestConfigurationIsFollowed(t *testing.T) {
	ctx := t.Context()
	file := inDir("followed.yaml")
	configure := func(issuers ...*openid.Provider) {
		t.Helper()
		// As Kubernetes changes a volume: at once.
		if err := os.WriteFile(file+".new", []byte(configuration(issuers...)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	configure(world.issuer)
	secret := inDir("followed.key")
	if err := os.WriteFile(secret, world.secret, 0o600); err != nil {
		t.Fatal(err)
	}
	shim := must[doors](t)(startShim(ctx, "shim-followed", "--authentication-config="+file, "--token-secret-key-file="+secret))
	known := bearing(issuedToken(t, world.issuer, "oidc-author")).at(&shim)
	stranger := bearing(issuedToken(t, world.stranger, "oidc-author")).at(&shim)
	ours := bearing(pulsarToken(t, "author")).at(&shim)
	eventually(t, "the issuer's token to be taken", func() error { return unlessOK(known.do(t)) })
	expectAllowed(t, "Pulsar's token", ours.do(t))
	expectUnauthorized(t, "a stranger's token", stranger.do(t))
	configure(world.issuer, world.stranger)
	eventually(t, "the added issuer's token to be taken", func() error {
		if got := known.do(t); got.code != http.StatusOK {
			t.Fatalf("meanwhile the other issuer's token got %s", got)
		}
		return unlessOK(stranger.do(t))
	})
	configure(world.stranger)
	if err := os.WriteFile(secret, []byte(strings.Repeat("x", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the removed issuer's and the old secret's tokens to be refused", func() error {
		if known.do(t).code != http.StatusUnauthorized || ours.do(t).code != http.StatusUnauthorized {
			return errors.New("still taken")
		}
		return nil
	})
	// What can't be used changes nothing.
	if err := os.WriteFile(file, []byte("jwt: none"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shim to notice", func() error {
		log, err := os.ReadFile(world.env.ControlPlane.LogPath("shim-followed"))
		if err != nil {
			return err
		}
		if !strings.Contains(string(log), "Could not use what a file has become") {
			return errors.New("not noticed")
		}
		return nil
	})
	expectAllowed(t, "the token of the last good configuration", stranger.do(t))
}

// TestIssuerAway asks a shim whose issuer can't be reached: that isn't the caller's fault,
// and the token still goes nowhere else.
func TestIssuerAway(t *testing.T) {
	away := must[*openid.Provider](t)(openid.Start(world.env.ControlPlane, accounts))
	token := issuedToken(t, away, "oidc-author")
	file := inDir("away.yaml")
	if err := os.WriteFile(file, []byte(configuration(away)), 0o600); err != nil {
		t.Fatal(err)
	}
	away.Stop()
	shim := must[doors](t)(startShim(t.Context(), "shim-away", "--authentication-config="+file))
	got := bearing(token).at(&shim).do(t)
	if got.code != http.StatusServiceUnavailable || strings.Contains(got.body, "127.0.0.1") {
		t.Errorf("got %s", got)
	}
	expectAllowed(t, "others", bearing(pulsarToken(t, "author")).at(&shim).do(t))
}

// TestBadConfigurations starts shims with files that can't be used.
func TestBadConfigurations(t *testing.T) {
	good := configuration(world.issuer)
	program := filepath.Join(world.root, "bin", "pulsar-admin-shim")
	for name, test := range map[string]struct{ content, want string }{
		"plain HTTP":      {strings.Replace(good, "https://", "http://", 1), "URL scheme must be https"},
		"unknown field":   {strings.Replace(good, "audiences", "audience", 1), "unknown field"},
		"another kind":    {"apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources: []\n", "AuthenticationConfiguration is needed"},
		"anonymous":       {good + "anonymous: {enabled: true}\n", "there is --anonymous"},
		"egress selector": {strings.Replace(good, "audiences", "egressSelectorType: cluster\n    audiences", 1), "egressSelectorType can't be set"},
		"bad rule":        {strings.Replace(good, "claims.sub", "claims.", 1), "compilation failed"},
		"no authority":    {strings.Replace(good, "BEGIN CERTIFICATE", "BEGIN NOTHING", 1), "certificateAuthority"},
		"same issuer":     {configuration(world.issuer, world.issuer), "Duplicate value"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "bad.yaml")
			if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			output, err := exec.CommandContext(t.Context(), program, "--apiserver=https://localhost:1", "--apiserver-ca-file="+world.env.ControlPlane.CAFile(),
				"--front-proxy-client-cert-file="+inDir("serving.crt"), "--front-proxy-client-key-file="+inDir("serving.key"),
				"--default-namespace=default", "--authentication-config="+file).CombinedOutput()
			if err == nil || !strings.Contains(string(output), test.want) {
				t.Errorf("ended with %v: %s", err, output)
			}
		})
	}
}

// TestAudited finds each caller's name in functionmesh-apiserver's audit log, with groups
// and nothing that the shim can't claim.
func TestAudited(t *testing.T) {
	member := bearing(issuedToken(t, world.issuer, "oidc-member")).with("X-Request-Id", "audited-member")
	expectAllowed(t, "member", member.do(t))
	proxied := bearing(pulsarToken(t, proxyRole)).with(originalPrincipal, "author").with("X-Request-Id", "audited-proxy")
	expectAllowed(t, "proxied", proxied.do(t))
	users := func(id string) (result []string) {
		eventually(t, id+" in the audit log", func() error {
			result = nil
			log, err := os.Open(world.env.AuditLogPath("functionmesh-apiserver"))
			if err != nil {
				return err
			}
			defer log.Close()
			lines := bufio.NewScanner(log)
			lines.Buffer(nil, 16<<20)
			for lines.Scan() {
				var event auditv1.Event
				if err := json.Unmarshal(lines.Bytes(), &event); err != nil || string(event.AuditID) != id || event.Stage != auditv1.StageResponseComplete {
					continue
				}
				result = append(result, event.User.Username+" "+strings.Join(event.User.Groups, ","))
			}
			if len(result) == 0 {
				return errors.New("not there yet")
			}
			return lines.Err()
		})
		return result
	}
	for _, user := range users("audited-member") {
		if user != "pulsar:oidc-member pulsar:authors" {
			t.Errorf("the member is %q", user)
		}
	}
	got := strings.Join(users("audited-proxy"), "; ")
	if got != "pulsar:proxy ; pulsar:author " {
		t.Errorf("the proxy's request was made by %q", got)
	}
}
