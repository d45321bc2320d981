package topics

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/go-jose/go-jose/v4"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// guarded is a Pulsar that asks everybody who they are, and what leads to it.
type guarded struct {
	pulsar *pulsarstandalone.Pulsar
	server *controlplane.Server
	shim   *controlplane.Server
	sign   func(role string) string
	// args are flags of its shims.
	args []string
	lies

	// certificates has signed what Pulsar shows.
	certificates *controlplane.CA
}

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	dir := t.TempDir()
	key, keyFile := []byte(rand.Text()+rand.Text()), filepath.Join(dir, "token.key")
	if err := os.WriteFile(keyFile, key, 0o600); err != nil {
		t.Fatal(err)
	}
	g := &guarded{args: []string{"--token-secret-key-file=" + keyFile}, sign: func(role string) string {
		t.Helper()
		signer := must[jose.Signer](t)(jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, nil))
		signed := must[*jose.JSONWebSignature](t)(signer.Sign([]byte(`{"sub":"` + role + `"}`)))
		return must[string](t)(signed.CompactSerialize())
	}}
	g.startLiar(t)
	g.certificates = must[*controlplane.CA](t)(controlplane.NewCA("pulsar"))
	certFile, tlsKeyFile, err := must[controlplane.KeyPair](t)(g.certificates.SignServer(controlplane.Loopback)).Write(dir, "pulsar")
	if err != nil {
		t.Fatal(err)
	}
	g.pulsar = must[*pulsarstandalone.Pulsar](t)(pulsarstandalone.Start(ctx, pulsarstandalone.Options{
		Repository: root, Dir: filepath.Join(env.ControlPlane.Dir(), "guarded"), Logf: t.Logf,
		TokenSecretFile: keyFile, SuperUserToken: g.sign(pulsarstandalone.SuperUser), TLSCertFile: certFile, TLSKeyFile: tlsKeyFile,
	}))
	t.Cleanup(g.pulsar.Stop)
	g.server = must[*controlplane.Server](t)(env.StartAPIServer(ctx, devenv.APIServerOptions{
		Name: "guarded", Config: g.config(),
	}))
	// It would take part in elections.
	t.Cleanup(g.server.Stop)
	g.shim = g.startShim(t, "guarded", g.certificates)
	return g
}

// startShim starts a shim that trusts a Pulsar with certificates that an authority signed.
func (g *guarded) startShim(t *testing.T, name string, trusted *controlplane.CA) *controlplane.Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, trusted.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	shim := must[*controlplane.Server](t)(env.StartShim(t.Context(), devenv.ShimOptions{
		Name: "shim-" + name, APIServer: g.server, ExtraArgs: append([]string{"--pulsar-ca-file=" + file}, g.args...),
	}))
	t.Cleanup(shim.Stop)
	return shim
}

// administer changes something in the guarded Pulsar.
func (g *guarded) administer(t *testing.T, method, path, body string) {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, g.pulsar.URL()+path, strings.NewReader(body)))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+g.sign(pulsarstandalone.SuperUser))
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

// trigger triggers a function as a role, or as nobody.
func (g *guarded) trigger(ctx context.Context, name, role string) (answer, error) {
	return g.triggerAt(ctx, g.shim, name, role)
}

func (g *guarded) triggerAt(ctx context.Context, shim *controlplane.Server, name, role string) (answer, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := errors.Join(form.WriteField("data", "for "+role), form.Close()); err != nil {
		return answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, shimURL(shim)+functions+name+"/trigger", &body)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	if role != "" {
		request.Header.Set("Authorization", "Bearer "+g.sign(role))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(response.Body)
	return answer{code: response.StatusCode, body: text.String()}, err
}

// echo answers as an instance does.
func (g *guarded) echo(t *testing.T, input, output string) {
	t.Helper()
	client := must[pulsar.Client](t)(pulsar.NewClient(pulsar.ClientOptions{
		URL: g.pulsar.ServiceURL(), Authentication: pulsar.NewAuthenticationToken(g.sign(pulsarstandalone.SuperUser)), Logger: log.DefaultNopLogger(),
	}))
	t.Cleanup(client.Close)
	consumer := must[pulsar.Consumer](t)(client.Subscribe(pulsar.ConsumerOptions{Topic: input, SubscriptionName: "function"}))
	producer := must[pulsar.Producer](t)(client.CreateProducer(pulsar.ProducerOptions{Topic: output}))
	go func() {
		for {
			message, err := consumer.Receive(t.Context())
			if err != nil {
				return
			}
			_, err = producer.Send(t.Context(), &pulsar.ProducerMessage{Payload: message.Payload(), Properties: map[string]string{
				"__pfn_input_msg_id__": base64.StdEncoding.EncodeToString(message.ID().Serialize()), "__pfn_input_topic__": message.Topic(),
			}})
			if err != nil || consumer.Ack(message) != nil {
				return
			}
		}
	}()
}

// TestTriggerAs triggers as several people, who have the same right here and others in
// Pulsar. The server and the shim have none there.
func TestTriggerAs(t *testing.T) {
	g := startGuarded(t)
	const input, output = "persistent://public/default/guarded-in", "persistent://public/default/guarded-out"
	for role, permission := range map[string]string{"author": `["produce","consume"]`, "sender": `["produce"]`, "reader": `["consume"]`} {
		g.administer(t, "POST", "/admin/v2/namespaces/public/default/permissions/"+role, permission)
	}
	roles := []string{"author", "sender", "reader", "stranger", "anonymous"}
	for _, role := range roles {
		kubectl(t, "create", "rolebinding", "trigger-"+role, "--clusterrole", devenv.AuthorRole, "--user", "pulsar:"+role)
	}
	definition{name: "guarded", className: "org.example.Slow", inputs: []string{input}, output: output}.create(t, env.ShimURL())
	ready(t, "guarded")
	g.echo(t, input, output)

	eventually(t, "the roles to count", func(ctx context.Context) error {
		got, err := g.trigger(ctx, "guarded", "author")
		if err == nil && got.code != http.StatusOK {
			err = errors.New(got.body)
		}
		return err
	})
	for role, want := range map[string]answer{
		"author": {code: 200, body: "for author"},
		"sender": {code: 401}, "reader": {code: 401}, "stranger": {code: 401}, "": {code: 401},
	} {
		got := must[answer](t)(g.trigger(t.Context(), "guarded", role))
		if got.code != want.code || want.body != "" && got.body != want.body {
			t.Errorf("%q is answered %+v", role, got)
		}
		if want.code == http.StatusUnauthorized && got.reason() != "Pulsar doesn't let the caller use the function's topics" {
			t.Errorf("%q is told %q", role, got.reason())
		}
	}
	t.Run("over TLS", func(t *testing.T) { overTLS(t, g, input, output) })
	// The shim says nothing of tokens, and neither does the library.
	text := string(must[[]byte](t)(os.ReadFile(g.shim.Process().LogPath())))
	for _, role := range roles {
		if strings.Contains(text, g.sign(role)) {
			t.Errorf("the log has the token of %s", role)
		}
	}
	if strings.Contains(text, "for author") {
		t.Error("the log has a message")
	}
}
