package oauth2

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
)

const (
	issuerURL     = "https://issuer.example.org"
	annotationKey = "cloud.streamnative.io/service-account.email"
	// hidden is what no error may have.
	hidden = "s3cr3t-of-the-client"
)

// namespace is what a test's namespace holds, by name.
type namespace struct {
	secrets map[string]*corev1.Secret
	// refuses makes it refuse to be read.
	refuses bool
	// roles are those that objects are bound to Secrets by name for.
	roles map[string]string
}

func (n *namespace) Get(_ context.Context, _, name string) (*corev1.Secret, error) {
	if n.refuses {
		return nil, apierrors.NewForbidden(corev1.Resource("secrets"), name, nil)
	}
	if secret, found := n.secrets[name]; found {
		return secret, nil
	}
	return nil, apierrors.NewNotFound(corev1.Resource("secrets"), name)
}

func (n *namespace) Annotated(_ context.Context, _, key, value string) ([]string, error) {
	if n.refuses {
		return nil, apierrors.NewForbidden(corev1.Resource("secrets"), "", nil)
	}
	var names []string
	for name, secret := range n.secrets {
		if secret.Annotations[key] == value {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (n *namespace) OtherRole(_ context.Context, _, secret, role string) (bool, error) {
	other, bound := n.roles[secret]
	return bound && other != role, nil
}

// account returns a Secret with an account of a client.
func account(name, client string, annotations ...string) *corev1.Secret {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: "1"},
		Data: map[string][]byte{
			credential.KeyFile:       []byte(`{"client_id":"` + client + `","client_secret":"` + hidden + `","issuer_url":"` + issuerURL + `"}`),
			credential.ParametersKey: []byte(`{"issuerUrl":"` + issuerURL + `","audience":"pulsar","privateKey":"file:///x"}`),
		},
	}
	if len(annotations) > 0 {
		secret.Annotations = map[string]string{annotationKey: annotations[0]}
	}
	return secret
}

func secretsOf(secrets ...*corev1.Secret) *namespace {
	n := &namespace{secrets: map[string]*corev1.Secret{}, roles: map[string]string{}}
	for _, secret := range secrets {
		n.secrets[secret.Name] = secret
	}
	return n
}

// newPlugin returns a plugin. Users may read the Secrets called like them.
func newPlugin(n *namespace, change func(*configv1alpha1.OAuth2)) *Plugin {
	config := &configv1alpha1.OAuth2{
		Issuers:     []configv1alpha1.OAuth2Issuer{{IssuerURL: issuerURL, Audience: "pulsar"}},
		SecretRules: []string{"annotation", "name"}, SecretAnnotationKey: annotationKey, Required: ptr.To(true),
	}
	if change != nil {
		change(config)
	}
	p := New()
	Initializer{Config: config, Finder: n}.Initialize(p)
	p.SetAuthorizer(authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
		if a.GetVerb() == "get" && a.GetResource() == "secrets" && strings.HasSuffix(a.GetUser().GetName(), ":"+a.GetName()+"-reader") {
			return authorizer.DecisionAllow, "", nil
		}
		return authorizer.DecisionNoOpinion, "", nil
	}))
	return p
}

func admit(t *testing.T, p *Plugin, userName string, component, old v1alpha1.Component) error {
	t.Helper()
	operation := admission.Create
	var before runtime.Object
	if old != nil {
		operation, before = admission.Update, old
	}
	kind := component.ComponentKind()
	attributes := admission.NewAttributesRecord(component, before, v1alpha1.SchemeGroupVersion.WithKind(kind.Kind), "n", component.GetName(),
		v1alpha1.SchemeGroupVersion.WithResource(kind.Resource), "", operation, nil, true, &user.DefaultInfo{Name: userName})
	if err := p.Admit(t.Context(), attributes, nil); err != nil {
		return err
	}
	return p.Validate(t.Context(), attributes, nil)
}

func echo(auth *v1alpha1.Auth) *v1alpha1.PulsarFunction {
	f := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: "echo"}}
	f.Spec.Auth = auth
	return f
}

func named(secret string) *v1alpha1.Auth {
	return &v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{SecretName: secret}}
}

func TestCreate(t *testing.T) {
	without := func(secret *corev1.Secret, key string) *corev1.Secret {
		delete(secret.Data, key)
		return secret
	}
	broken := account("alice", "alice")
	broken.Data[credential.KeyFile] = []byte(`{"client_secret":` + hidden)
	golang := echo(nil)
	golang.Spec.Go = &v1alpha1.Runtime{}
	forOthers := echo(nil)
	forOthers.Spec.PackageService = &v1alpha1.PackageService{Auth: named("other")}
	taken := secretsOf(account("alice", "alice"))
	taken.roles["alice"] = "alice@p1"
	optional := func(c *configv1alpha1.OAuth2) { c.Required = ptr.To(false) }
	for name, test := range map[string]struct {
		namespace *namespace
		config    func(*configv1alpha1.OAuth2)
		user      string
		function  *v1alpha1.PulsarFunction
		secret    string
		rule      v1alpha1.CredentialRule
		code      int32
		refusal   string
	}{
		"by name":                   {namespace: secretsOf(account("alice", "alice")), user: "pulsar:alice", secret: "alice", rule: "name"},
		"by stripped name":          {namespace: secretsOf(account("alice", "alice")), user: "pulsar:alice@p1", secret: "alice", rule: "name"},
		"by name, full client":      {namespace: secretsOf(account("alice", "alice@p1")), user: "pulsar:alice@p1", secret: "alice", rule: "name"},
		"Azure":                     {namespace: secretsOf(account("1234", "1234")), user: "pulsar:api://1234", secret: "1234", rule: "name"},
		"kubectl":                   {namespace: secretsOf(account("alice", "alice")), user: "alice", secret: "alice", rule: "name"},
		"by annotation":             {namespace: secretsOf(account("x", "id-1", "alice@p1")), user: "pulsar:alice@p1", secret: "x", rule: "annotation"},
		"annotation without params": {namespace: secretsOf(without(account("x", "id-1", "alice"), credential.ParametersKey)), user: "pulsar:alice", secret: "x", rule: "annotation"},
		"both rules, one Secret":    {namespace: secretsOf(account("alice", "alice", "alice")), user: "pulsar:alice", secret: "alice", rule: "annotation"},
		"annotated, other by name":  {namespace: secretsOf(account("x", "id-1", "alice"), account("alice", "mallory")), user: "pulsar:alice", secret: "x", rule: "annotation"},
		"explicit":                  {namespace: secretsOf(account("etl", "etl")), user: "pulsar:etl-reader", function: echo(named("etl")), secret: "etl", rule: "explicit"},
		"explicit, service account": {namespace: secretsOf(account("etl", "etl")), user: "system:serviceaccount:n:etl-reader", function: echo(named("etl")), secret: "etl", rule: "explicit"},
		"another credential":        {namespace: secretsOf(), user: "pulsar:alice", function: echo(&v1alpha1.Auth{SecretName: "token"})},
		"not required":              {namespace: secretsOf(), config: optional, user: "pulsar:alice"},

		"two annotations":      {namespace: secretsOf(account("x", "1", "alice"), account("y", "2", "alice")), user: "pulsar:alice", code: 422, refusal: "has more than one account"},
		"two rules, two":       {namespace: secretsOf(account("x", "1", "alice"), account("alice", "alice")), user: "pulsar:alice", code: 422, refusal: "has more than one account"},
		"none":                 {namespace: secretsOf(), user: "pulsar:alice", code: 422, refusal: `there is no account for role "alice"`},
		"name rule is off":     {namespace: secretsOf(account("alice", "alice")), config: func(c *configv1alpha1.OAuth2) { c.SecretRules = []string{"annotation"} }, user: "pulsar:alice", code: 422, refusal: "there is no account"},
		"annotation is off":    {namespace: secretsOf(account("x", "1", "alice")), config: func(c *configv1alpha1.OAuth2) { c.SecretRules = []string{"name"} }, user: "pulsar:alice", code: 422, refusal: "there is no account"},
		"another's annotation": {namespace: secretsOf(account("alice", "alice", "alice@p1")), user: "pulsar:alice@p2", code: 422, refusal: "says that it is another's"},
		"another's account":    {namespace: secretsOf(account("alice", "bob")), user: "pulsar:alice", code: 422, refusal: "its account is another's"},
		"two roles, one name":  {namespace: taken, user: "pulsar:alice@p2", code: 422, refusal: "more than one role"},
		"the one that had it":  {namespace: taken, user: "pulsar:alice@p1", secret: "alice", rule: "name"},
		"no key file":          {namespace: secretsOf(without(account("alice", "alice"), credential.KeyFile)), user: "pulsar:alice", code: 422, refusal: "has no key auth.json"},
		"no parameters":        {namespace: secretsOf(without(account("alice", "alice"), credential.ParametersKey)), user: "pulsar:alice", code: 422, refusal: "has no key clientAuthenticationParameters"},
		"bad JSON":             {namespace: secretsOf(broken), user: "pulsar:alice", code: 422, refusal: "is no JSON object"},
		"bad JSON, optional":   {namespace: secretsOf(broken), config: optional, user: "pulsar:alice", code: 422, refusal: "is no JSON object"},
		"Go":                   {namespace: secretsOf(account("alice", "alice")), user: "pulsar:alice", function: golang, code: 422, refusal: "a Go function gets none"},
		"service account":      {namespace: secretsOf(), user: "system:serviceaccount:n:bot", code: 422, refusal: "has no role in Pulsar"},
		"anonymous":            {namespace: secretsOf(account("anonymous", "anonymous")), user: "pulsar:anonymous", code: 422, refusal: "has no role in Pulsar"},
		"not the prefix":       {namespace: secretsOf(account("alice", "alice")), config: func(c *configv1alpha1.OAuth2) { c.KubernetesUserPrefix = "oidc:" }, user: "alice", code: 422, refusal: "has no role in Pulsar"},
		"explicit, not his":    {namespace: secretsOf(account("etl", "etl")), user: "pulsar:alice", function: echo(named("etl")), code: 403, refusal: `needs the right to get secrets "etl"`},
		"explicit, not there":  {namespace: secretsOf(), user: "pulsar:etl-reader", function: echo(named("etl")), code: 422, refusal: `there is no Secret "etl"`},
		"not there, not his":   {namespace: secretsOf(), user: "pulsar:alice", function: echo(named("etl")), code: 403, refusal: "needs the right"},
		"no name":              {namespace: secretsOf(), user: "pulsar:alice", function: echo(named("../x")), code: 422, refusal: "RFC 1123"},
		"no RoleBinding":       {namespace: &namespace{refuses: true}, user: "pulsar:alice", code: 422, refusal: "RoleBinding there of ClusterRole functionmesh-apiserver-oauth2"},
		"package service":      {namespace: secretsOf(account("alice", "alice")), user: "pulsar:alice", function: forOthers, code: 403, refusal: "spec.packageService.auth.oauth2.secretName"},
	} {
		t.Run(name, func(t *testing.T) {
			function := test.function
			if function == nil {
				function = echo(nil)
			}
			function = function.DeepCopy()
			err := admit(t, newPlugin(test.namespace, test.config), test.user, function, nil)
			if test.refusal != "" {
				checkRefusal(t, err, test.code, test.refusal)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if test.secret == "" {
				if auth := function.Spec.Auth; auth != nil && auth.Resolved != nil {
					t.Errorf("it was given %+v", auth)
				}
				return
			}
			auth := function.Spec.Auth
			if auth == nil || auth.OAuth2.SecretName != test.secret || auth.Resolved == nil {
				t.Fatalf("it was given %+v", auth)
			}
			if got := auth.Resolved; got.Binding.User != test.user || got.Binding.Rule != test.rule || got.IssuerURL != issuerURL || got.Audience != "pulsar" || got.Key != "auth.json" {
				t.Errorf("resolved is %+v", got)
			}
		})
	}
}

func checkRefusal(t *testing.T, err error, code int32, text string) {
	t.Helper()
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		t.Fatalf("got %v, want a refusal with %q", err, text)
	}
	if status.Status().Code != code || !strings.Contains(err.Error(), text) {
		t.Errorf("got %d: %v, want %d with %q", status.Status().Code, err, code, text)
	}
	if cause, found := apierrors.StatusCause(err, v1alpha1.CauseTypePulsarReason); !found || cause.Message == "" {
		t.Error("Pulsar's clients are told no reason")
	}
	if causes := status.Status().Details.Causes; !strings.HasPrefix(causes[0].Field, "spec.") {
		t.Errorf("no field is named: %+v", causes)
	}
	if strings.Contains(err.Error(), hidden) {
		t.Errorf("the refusal has the secret: %v", err)
	}
}

func TestUpdate(t *testing.T) {
	n := secretsOf(account("alice", "alice"), account("bob", "bob"), account("etl", "etl"))
	bound := func(secret string, rule v1alpha1.CredentialRule) *v1alpha1.Auth {
		auth := named(secret)
		auth.Bound = &v1alpha1.CredentialBinding{SecretName: secret, User: "pulsar:" + secret, Role: secret, Rule: rule}
		return auth
	}
	for name, test := range map[string]struct {
		user       string
		auth, old  *v1alpha1.Auth
		secret     string
		reresolved bool
		code       int32
		refusal    string
	}{
		"as it was":            {user: "pulsar:bob", auth: named("alice"), old: bound("alice", "name"), secret: "alice"},
		"nothing said":         {user: "pulsar:bob", old: bound("alice", "name"), secret: "alice"},
		"an empty section":     {user: "pulsar:bob", auth: &v1alpha1.Auth{}, old: bound("alice", "annotation"), secret: "alice"},
		"taken away":           {user: "pulsar:bob", old: bound("etl", "explicit")},
		"the caller's own":     {user: "pulsar:bob", auth: named(""), old: bound("alice", "name"), secret: "bob", reresolved: true},
		"a first one":          {user: "pulsar:bob", auth: named(""), secret: "bob", reresolved: true},
		"none before":          {user: "pulsar:bob"},
		"another, named":       {user: "pulsar:etl-reader", auth: named("etl"), old: bound("alice", "name"), secret: "etl", reresolved: true},
		"another, not his":     {user: "pulsar:bob", auth: named("etl"), old: bound("alice", "name"), code: 403, refusal: "needs the right to get secrets"},
		"none of his":          {user: "pulsar:carol", auth: named(""), old: bound("alice", "name"), code: 422, refusal: "there is no account"},
		"another kind of them": {user: "pulsar:bob", auth: &v1alpha1.Auth{SecretName: "token"}, old: bound("alice", "name")},
	} {
		t.Run(name, func(t *testing.T) {
			function := echo(test.auth.DeepCopy())
			err := admit(t, newPlugin(n, nil), test.user, function, echo(test.old))
			if test.refusal != "" {
				checkRefusal(t, err, test.code, test.refusal)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			auth := function.Spec.Auth
			if test.secret == "" {
				if auth != nil && auth.OAuth2 != nil {
					t.Errorf("it was given %+v", auth.OAuth2)
				}
				return
			}
			if auth == nil || auth.OAuth2 == nil || auth.OAuth2.SecretName != test.secret || (auth.Resolved != nil) != test.reresolved {
				t.Fatalf("it was given %+v", auth)
			}
			if !test.reresolved && (auth.Bound == nil || auth.Bound.User != "pulsar:alice") {
				t.Errorf("the binding is %+v", auth.Bound)
			}
		})
	}
}

// TestNotConfigured refuses accounts and leaves everything else alone.
func TestNotConfigured(t *testing.T) {
	p := New()
	p.SetAuthorizer(authorizer.AuthorizerFunc(func(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
		return authorizer.DecisionAllow, "", nil
	}))
	Initializer{}.Initialize(p)
	if err := p.ValidateInitialization(); err != nil {
		t.Fatal(err)
	}
	for _, function := range []*v1alpha1.PulsarFunction{echo(nil), echo(&v1alpha1.Auth{SecretName: "token"})} {
		if err := admit(t, p, "pulsar:alice", function, nil); err != nil {
			t.Error(err)
		}
	}
	checkRefusal(t, admit(t, p, "pulsar:alice", echo(named("alice")), nil), 422, "is not configured to give accounts")
	checkRefusal(t, admit(t, p, "pulsar:alice", echo(named("")), echo(nil)), 422, "is not configured to give accounts")
	// What a resource has stays.
	if err := admit(t, p, "pulsar:bob", echo(named("alice")), echo(named("alice"))); err != nil {
		t.Error(err)
	}
}

// TestRace has the Secret change between resolution and write.
func TestRace(t *testing.T) {
	n := secretsOf(account("alice", "alice"))
	p := newPlugin(n, nil)
	function := echo(nil)
	attributes := admission.NewAttributesRecord(function, nil, v1alpha1.SchemeGroupVersion.WithKind("PulsarFunction"), "n", "echo",
		v1alpha1.SchemeGroupVersion.WithResource("pulsarfunctions"), "", admission.Create, nil, false, &user.DefaultInfo{Name: "pulsar:alice"})
	if err := p.Admit(t.Context(), attributes, nil); err != nil {
		t.Fatal(err)
	}
	changed := account("alice", "alice")
	changed.ResourceVersion = "2"
	n.secrets["alice"] = changed
	if err := p.Validate(t.Context(), attributes, nil); !apierrors.IsConflict(err) {
		t.Errorf("a Secret that changed: %v", err)
	}
	delete(n.secrets, "alice")
	if err := p.Validate(t.Context(), attributes, nil); !apierrors.IsInvalid(err) {
		t.Errorf("a Secret that is gone: %v", err)
	}
}
