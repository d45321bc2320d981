package identity

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoSecretIsTold makes requests with credentials of each kind, good and bad, and looks
// for them in everything that was logged or answered.
func TestNoSecretIsTold(t *testing.T) {
	good := pulsarToken(t, "author")
	bad := good[:len(good)-2]
	issued := issuedToken(t, world.issuer, "oidc-author")
	late := issuedToken(t, world.issuer, "oidc-late")
	proxy := pulsarToken(t, proxyRole)
	opaque := "opaque-0123456789-abcdefgh"
	secrets := map[string]string{"secret": string(world.secret), "secret in base64": base64.StdEncoding.EncodeToString(world.secret)}
	for name, token := range map[string]string{"good": good, "bad": bad, "issued": issued, "late": late, "proxy": proxy, "opaque": opaque} {
		parts := strings.Split(token, ".")
		secrets[name] = parts[len(parts)-1]
		answers := []answer{
			bearing(token).do(t), bearing(token).with(originalPrincipal, "author").do(t), bearing(token, token).do(t), bearing(token).on("/none").do(t),
			call{}.with("Authorization", "Basic "+token).do(t), call{}.with("Cookie", token).do(t), bearing(token).on("/" + token).do(t),
			write(t, http.MethodPost, "x!", token, ""), {body: call{query: map[string][]string{"token": {token}}}.do(t).body},
		}
		for i, got := range answers {
			text := got.body
			for _, values := range got.header {
				text += strings.Join(values, " ")
			}
			// A name in a path is repeated: that is what a caller named it.
			if i != 6 && strings.Contains(text, secrets[name]) {
				t.Errorf("%s: answer %d tells the credential: %s", name, i, text)
			}
		}
	}
	for id, account := range accounts {
		secrets[id] = account.Secret
	}
	expectNowhere(t, secrets)
	entries, err := os.ReadDir(filepath.Join(world.dir, "env", "logs"))
	if err != nil || len(entries) < 5 {
		t.Errorf("there are %d logs to look at, %v", len(entries), err)
	}
}

// expectNowhere looks for texts in the logs of all servers. Tokens that name a path are
// not among them: the servers never saw one as a name.
func expectNowhere(t *testing.T, texts map[string]string) {
	t.Helper()
	logs := filepath.Join(world.dir, "env", "logs")
	err := filepath.WalkDir(logs, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasPrefix(entry.Name(), "shim-") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for name, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("%s has credential %s", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
