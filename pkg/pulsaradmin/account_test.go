package pulsaradmin

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestAccount(t *testing.T) {
	var shown string
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		shown = request.Header.Get("Authorization")
	}))
	t.Cleanup(server.Close)
	write := func(name, content string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	ca := write("ca", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	ask := func(account Account) error {
		transport, err := account.NewTransport()
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	if err := ask(Account{}); err == nil {
		t.Error("trusts a certificate that the system doesn't")
	}
	if err := ask(Account{CAFile: ca}); err != nil || shown != "" {
		t.Errorf("%v; without a token it shows %q", err, shown)
	}
	if err := ask(Account{CAFile: ca, TokenFile: write("token", "secret\n")}); err != nil || shown != "Bearer secret" {
		t.Errorf("%v; with a token it shows %q", err, shown)
	}
	for name, account := range map[string]Account{
		"no file": {TokenFile: "nowhere"}, "empty token": {TokenFile: write("empty", "\n")}, "no CA": {CAFile: ca + "x"},
	} {
		if _, err := account.NewTransport(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
