package caller

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
)

// judge says of tokens what their names say.
var judge = authenticator.TokenFunc(func(_ context.Context, token string) (*authenticator.Response, bool, error) {
	kind, name, _ := strings.Cut(token, ":")
	switch kind {
	case "good":
		return &authenticator.Response{User: &user.DefaultInfo{Name: name, Groups: []string{"team"}}}, true, nil
	case "bad":
		return nil, false, errors.New("a bad token")
	case "away":
		return nil, false, ErrUnavailable
	}
	return nil, false, nil
})

// certificates says that every certificate is one of "operator", except expired ones.
var certificates = authenticator.RequestFunc(func(request *http.Request) (*authenticator.Response, bool, error) {
	if request.TLS.PeerCertificates[0].NotAfter.IsZero() {
		return nil, false, errors.New("a bad certificate")
	}
	return &authenticator.Response{User: &user.DefaultInfo{Name: "operator"}}, true, nil
})

func bearer(tokens ...string) http.Header {
	header := http.Header{}
	for _, token := range tokens {
		header.Add("Authorization", "Bearer "+token)
	}
	return header
}

func onBehalfOf(principals []string, header http.Header) http.Header {
	header["X-Original-Principal"] = principals
	return header
}

func someUser(role string, groups ...string) User {
	result := User{name: "pulsar:" + role}
	for _, group := range groups {
		result.groups = append(result.groups, "pulsar:"+group)
	}
	return result
}

func TestAuthenticate(t *testing.T) {
	var (
		all       = Authenticator{Tokens: judge, Certificates: certificates, ProxyRoles: []string{"proxy", "proxy-2"}, Anonymous: true}
		strict    = Authenticator{Tokens: judge, Certificates: certificates}
		none      = Authenticator{}
		anonymous = Credential{user: someUser("anonymous")}
		alice     = Credential{user: someUser("alice", "team"), pulsarToken: "good:alice"}
		proxied   = Credential{user: someUser("alice"), proxy: someUser("proxy", "team"), pulsarToken: "good:proxy"}
		proxyCert = Authenticator{Certificates: certificates, ProxyRoles: []string{"operator"}}
	)
	for name, test := range map[string]struct {
		by          Authenticator
		header      http.Header
		query       string
		certificate string
		want        Credential
		err         error
	}{
		"a Kubernetes token":                 {by: none, header: bearer("abc.def"), want: Credential{kubernetesToken: "abc.def"}},
		"a Kubernetes token beside ours":     {by: all, header: bearer("abc.def"), want: Credential{kubernetesToken: "abc.def"}},
		"scheme in lower case":               {by: none, header: http.Header{"Authorization": {"bearer abc"}}, want: Credential{kubernetesToken: "abc"}},
		"our token":                          {by: all, header: bearer("good:alice"), want: alice},
		"our token that is bad":              {by: all, header: bearer("bad:alice"), err: ErrUnauthenticated},
		"our token that can't be judged":     {by: all, header: bearer("away:alice"), err: ErrUnavailable},
		"our token with a role that isn't":   {by: all, header: bearer("good:alice\x00"), err: ErrUnauthenticated},
		"nothing":                            {by: strict, err: ErrUnauthenticated},
		"nothing where anonymous is allowed": {by: all, want: anonymous},
		"asserted users are not looked at":   {by: all, header: http.Header{"X-Remote-User": {"admin"}, "Impersonate-User": {"admin"}}, want: anonymous},

		"other scheme is never anonymous":     {by: all, header: http.Header{"Authorization": {"Basic YTpi"}}, err: ErrUnauthenticated},
		"empty header is never anonymous":     {by: all, header: http.Header{"Authorization": {""}}, err: ErrUnauthenticated},
		"empty token":                         {by: all, header: http.Header{"Authorization": {"Bearer "}}, err: ErrUnauthenticated},
		"scheme alone":                        {by: all, header: http.Header{"Authorization": {"Bearer"}}, err: ErrUnauthenticated},
		"two tokens":                          {by: all, header: bearer("good:alice", "good:alice"), err: ErrUnauthenticated},
		"two tokens in one header":            {by: all, header: bearer("a, Bearer b"), err: ErrUnauthenticated},
		"token in the URL is never anonymous": {by: all, query: "?token=good:alice", err: ErrUnauthenticated},
		"token in the URL and in the header":  {by: all, query: "?a=b&token=", header: bearer("good:alice"), err: ErrUnauthenticated},
		"largest token":                       {by: none, header: bearer(strings.Repeat("x", maxToken)), want: Credential{kubernetesToken: strings.Repeat("x", maxToken)}},
		"larger token":                        {by: none, header: bearer(strings.Repeat("x", maxToken+1)), err: ErrUnauthenticated},

		"a certificate":                           {by: all, certificate: "good", want: Credential{user: someUser("operator")}},
		"a bad certificate is never anonymous":    {by: all, certificate: "bad", err: ErrUnauthenticated},
		"a certificate where they prove nothing":  {by: none, certificate: "good", err: ErrUnauthenticated},
		"a token comes before a certificate":      {by: all, header: bearer("good:alice"), certificate: "bad", want: alice},
		"a certificate makes no bad token good":   {by: all, header: bearer("bad:alice"), certificate: "good", err: ErrUnauthenticated},
		"a certificate makes no Basic auth good":  {by: all, header: http.Header{"Authorization": {"Basic YTpi"}}, certificate: "good", err: ErrUnauthenticated},
		"a certificate gives no Kubernetes token": {by: all, header: bearer("abc"), certificate: "good", want: Credential{kubernetesToken: "abc"}},

		"proxy":                             {by: all, header: onBehalfOf([]string{"alice"}, bearer("good:proxy")), want: proxied},
		"proxy with a certificate":          {by: proxyCert, header: onBehalfOf([]string{"alice"}, http.Header{}), certificate: "good", want: Credential{user: someUser("alice"), proxy: someUser("operator")}},
		"proxy for nobody":                  {by: all, header: bearer("good:proxy"), err: ErrNoOriginalPrincipal},
		"proxy for an empty name":           {by: all, header: onBehalfOf([]string{""}, bearer("good:proxy")), err: ErrNoOriginalPrincipal},
		"proxy for two":                     {by: all, header: onBehalfOf([]string{"alice", "bob"}, bearer("good:proxy")), err: ErrNoOriginalPrincipal},
		"proxy for itself":                  {by: all, header: onBehalfOf([]string{"proxy"}, bearer("good:proxy")), err: ErrNoOriginalPrincipal},
		"proxy for another proxy":           {by: all, header: onBehalfOf([]string{"proxy-2"}, bearer("good:proxy")), err: ErrNoOriginalPrincipal},
		"proxy for a name that isn't":       {by: all, header: onBehalfOf([]string{"a\x7f"}, bearer("good:proxy")), err: ErrNoOriginalPrincipal},
		"somebody names themselves":         {by: all, header: onBehalfOf([]string{"alice"}, bearer("good:alice")), want: alice},
		"somebody names somebody else":      {by: all, header: onBehalfOf([]string{"bob"}, bearer("good:alice")), err: ErrOriginalPrincipal},
		"somebody names themselves twice":   {by: all, header: onBehalfOf([]string{"alice", "alice"}, bearer("good:alice")), err: ErrOriginalPrincipal},
		"somebody names nobody":             {by: all, header: onBehalfOf([]string{""}, bearer("good:alice")), err: ErrOriginalPrincipal},
		"a Kubernetes token names somebody": {by: all, header: onBehalfOf([]string{"admin"}, bearer("abc")), err: ErrOriginalPrincipal},
		"a Kubernetes token names nobody":   {by: all, header: onBehalfOf([]string{""}, bearer("abc")), err: ErrOriginalPrincipal},
		"anonymous names somebody":          {by: all, header: onBehalfOf([]string{"admin"}, http.Header{}), err: ErrOriginalPrincipal},
		"a bad token names somebody":        {by: all, header: onBehalfOf([]string{"admin"}, bearer("bad:proxy")), err: ErrUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/"+test.query, nil)
			request.Header = test.header
			if test.certificate != "" {
				certificate := &x509.Certificate{}
				if test.certificate == "good" {
					certificate.NotAfter = certificate.NotAfter.AddDate(3000, 0, 0)
				}
				request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
			}
			got, err := test.by.Authenticate(request)
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v", err)
			}
			if err == nil && !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if err != nil && !reflect.DeepEqual(got, Credential{}) && got.user.name != "" {
				t.Errorf("%v, but also %+v", err, got)
			}
		})
	}
}

// A name must reach the API server as it is, or its owner is somebody else there.
func TestNewUser(t *testing.T) {
	for _, name := range []string{
		"", " ", "admin ", " admin", "\tadmin", "admin\n", "admin\r\nX-Remote-Group: pulsar:admins", "a\x00b", "a\x7fb", "a\u200bb", "a\u202eb",
		"admin\u00a0", "\u3000admin", "a\xffb", strings.Repeat("x", maxName+1),
	} {
		if got, err := NewUser(name, nil); err == nil || got.name != "" {
			t.Errorf("%q became %+v", name, got)
		}
		if got, err := NewUser("alice", []string{"team", name}); err == nil || got.name != "" {
			t.Errorf("with group %q: %+v", name, got)
		}
	}
	if _, err := NewUser("alice", make([]string, maxGroups+1)); err == nil {
		t.Error("no limit of groups")
	}
	for _, name := range []string{"alice", "acme/orders", "a b", "Jürgen", "system:masters", "pulsar:alice", "sa@acme.auth.example", strings.Repeat("x", maxName)} {
		got, err := NewUser(name, []string{name})
		if err != nil || got.name != "pulsar:"+name || got.groups[0] != "pulsar:"+name {
			t.Errorf("%q became %+v, %v", name, got, err)
		}
	}
}
