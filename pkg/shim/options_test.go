package shim

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestValidate(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	tests := []struct {
		name   string
		change func(*Options)
		// want is part of the one failure; empty for none.
		want string
	}{
		{"as it is", func(*Options) {}, ""},
		{"IPv6 loopback", func(o *Options) { o.BindAddress = "::1" }, ""},
		{"URL with a slash", func(o *Options) { o.APIServer += "/" }, ""},
		{"tokens only", func(o *Options) {
			o.Authentication.Anonymous, o.FrontProxyClientCertFile, o.FrontProxyClientKeyFile = false, "", ""
		}, ""},
		{"TLS only", func(o *Options) {
			o.BindAddress, o.Port, o.SecurePort, o.TLSCertFile, o.TLSPrivateKeyFile = "0.0.0.0", 0, 6751, "c", "k"
		}, ""},
		{"plain for everybody", func(o *Options) { o.BindAddress, o.AllowInsecureRemote = "0.0.0.0", true }, ""},
		{"plain for everybody by mistake", func(o *Options) { o.BindAddress = "0.0.0.0" }, "clear text"},
		{"plain on another address by mistake", func(o *Options) { o.BindAddress = "10.0.0.1" }, "clear text"},
		{"name for an address", func(o *Options) { o.BindAddress = "localhost" }, "--bind-address"},
		{"a token for no package service", func(o *Options) { o.PackageServiceTokenFile = "t" }, "--package-service-token-file is for --package-service-url only"},
		{"a token for a package service", func(o *Options) {
			o.PackageServiceURL, o.PackageServiceTokenFile = "https://broker.example:8443", "t"
		}, ""},
		{"a token in clear text", func(o *Options) {
			o.PackageServiceURL, o.PackageServiceTokenFile = "http://broker.example:8080", "t"
		}, "clear text"},
		{"no listener", func(o *Options) { o.Port = 0 }, "--port and --secure-port"},
		{"same port", func(o *Options) { o.SecurePort, o.TLSCertFile, o.TLSPrivateKeyFile = o.Port, "c", "k" }, "are the same"},
		{"port too large", func(o *Options) { o.Port = 65536 }, "--port 65536"},
		{"TLS without a certificate", func(o *Options) { o.SecurePort = 6751 }, "--secure-port needs"},
		{"certificate without a key", func(o *Options) { o.TLSCertFile = "c" }, "--tls-private-key-file go together"},
		{"no API server", func(o *Options) { o.APIServer = "" }, "--apiserver: a URL is needed"},
		{"plain API server", func(o *Options) { o.APIServer = "http://localhost" }, "--apiserver: must be https"},
		{"API server with a path", func(o *Options) { o.APIServer += "/apis" }, "--apiserver: must end"},
		{"API server with a user", func(o *Options) { o.APIServer = "https://a:b@localhost" }, "--apiserver: must be https"},
		{"no CA", func(o *Options) { o.APIServerCAFile = "" }, "--apiserver-ca-file"},
		{"anonymous without a certificate", func(o *Options) { o.FrontProxyClientCertFile, o.FrontProxyClientKeyFile = "", "" }, "--anonymous needs"},
		{"front proxy without a key", func(o *Options) { o.FrontProxyClientKeyFile = "" }, "--front-proxy-client-key-file go together"},
		{"tokens without a certificate", func(o *Options) {
			o.Authentication.Anonymous, o.Authentication.ConfigFile, o.FrontProxyClientCertFile, o.FrontProxyClientKeyFile = false, "f", "", ""
		}, "--authentication-config needs --front-proxy-client-cert-file"},
		{"keys without a certificate", func(o *Options) {
			o.Authentication.Anonymous, o.Authentication.Tokens.PublicKeyFile, o.FrontProxyClientCertFile, o.FrontProxyClientKeyFile = false, "f", "", ""
		}, "--token-public-key-file needs --front-proxy-client-cert-file"},
		{"certificates on plain HTTP", func(o *Options) { o.Authentication.ClientCAFile = "f" }, "--client-ca-file needs --secure-port"},
		{"audience of no token", func(o *Options) { o.Authentication.Tokens.Audience = "a" }, "--token-audience is for"},
		{"no claim", func(o *Options) { o.Authentication.Tokens.RoleClaim = "" }, "--token-auth-claim"},
		{"proxies that nobody knows", func(o *Options) { o.Authentication.ProxyRoles = []string{"p"} }, "--proxy-roles needs a way"},
		{"anybody a proxy", func(o *Options) {
			o.Authentication.ProxyRoles, o.Authentication.ConfigFile = []string{"p", "anonymous"}, "f"
		}, "--proxy-roles must not have"},
		{"a proxy without a name", func(o *Options) { o.Authentication.ProxyRoles, o.Authentication.ConfigFile = []string{" "}, "f" }, "--proxy-roles: could not take"},
		{"proxies", func(o *Options) { o.Authentication.ProxyRoles, o.Authentication.ConfigFile = []string{"p"}, "f" }, ""},
		{"tokens to a plain broker", func(o *Options) { o.PassthroughURL, o.Authentication.ConfigFile = "http://broker:8080", "f" }, "clear text"},
		{"secrets' tokens to a plain broker", func(o *Options) {
			o.PassthroughURL, o.Authentication.Tokens.SecretKeyFile = "http://10.0.0.1:8080", "f"
		}, "clear text"},
		{"tokens to a plain broker by will", func(o *Options) {
			o.PassthroughURL, o.Authentication.ConfigFile, o.AllowInsecurePassthrough = "http://broker:8080", "f", true
		}, ""},
		{"tokens to a broker on this machine", func(o *Options) { o.PassthroughURL, o.Authentication.ConfigFile = "http://127.0.0.1:8080", "f" }, ""},
		{"tokens to a broker", func(o *Options) { o.PassthroughURL, o.Authentication.ConfigFile = "https://broker:8443", "f" }, ""},
		{"no tokens to a plain broker", func(o *Options) { o.PassthroughURL = "http://broker:8080" }, ""},
		{"no namespace's name", func(o *Options) { o.DefaultNamespace = "../x" }, "--default-namespace"},
		{"no config", func(o *Options) { o.MaxConfigBytes = 0 }, "--max-config-bytes"},
		{"no requests", func(o *Options) { o.MaxRequestsInFlight = 0 }, "--max-requests-inflight"},
		{"no time", func(o *Options) { o.RequestTimeout = 0 }, "--request-timeout"},
		{"no time for headers", func(o *Options) { o.ReadHeaderTimeout = 0 }, "--read-header-timeout"},
		{"no idle time", func(o *Options) { o.IdleTimeout = 0 }, "--idle-timeout"},
		{"no list", func(o *Options) { o.MaxListed = 0 }, "--max-list-objects"},
		{"no parts", func(o *Options) { o.MaxFormParts = 0 }, "--max-form-parts"},
		{"time travel", func(o *Options) { o.ShutdownDelay = -1 }, "--shutdown-delay-duration"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			options := newTestOptions(t, server)
			test.change(options)
			failures := options.Validate()
			switch {
			case test.want == "" && len(failures) > 0:
				t.Errorf("got %v", failures)
			case test.want != "" && (len(failures) != 1 || !strings.Contains(failures[0].Error(), test.want)):
				t.Errorf("got %v, want one with %q", failures, test.want)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	options := NewOptions()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	options.AddFlags(flags)
	if err := flags.Parse([]string{"--port=7000", "--anonymous", "--default-namespace=x", "--request-timeout=5s"}); err != nil {
		t.Fatal(err)
	}
	if options.Port != 7000 || !options.Authentication.Anonymous || options.DefaultNamespace != "x" || options.RequestTimeout.Seconds() != 5 {
		t.Errorf("got %+v", options)
	}
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Usage == "" {
			t.Errorf("--%s has no description", flag.Name)
		}
	})
}

func TestConfigNeedsItsFiles(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	missing := filepath.Join(t.TempDir(), "missing")
	tests := map[string]func(*Options){
		"client CA":           func(o *Options) { o.Authentication.ClientCAFile = missing },
		"issuers":             func(o *Options) { o.Authentication.ConfigFile = missing },
		"secret":              func(o *Options) { o.Authentication.Tokens.SecretKeyFile = missing },
		"public key":          func(o *Options) { o.Authentication.Tokens.PublicKeyFile = missing },
		"CA":                  func(o *Options) { o.APIServerCAFile = missing },
		"front proxy":         func(o *Options) { o.FrontProxyClientCertFile = missing },
		"token":               func(o *Options) { o.TokenFile = missing },
		"serving certificate": func(o *Options) { o.SecurePort, o.TLSCertFile, o.TLSPrivateKeyFile = 6751, missing, missing },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			options := newTestOptions(t, server)
			change(options)
			if _, err := options.Config(); err == nil {
				t.Error("no error")
			}
		})
	}
}
