package tenancy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		" ":                                 "",
		"acme/orders":                       "acme/orders",
		" acme/orders ,\n\tacme/* ":         "acme/orders acme/*",
		"acme/orders,acme/orders":           "acme/orders",
		"a-b=c:d.e_F1/-=:._Z":               "a-b=c:d.e_F1/-=:._Z",
		"acme":                              "!",
		"acme/":                             "!",
		"/orders":                           "!",
		"*/orders":                          "!",
		"*/*":                               "!",
		"acme/orders/x":                     "!",
		"acme/or*":                          "!",
		"acme/**":                           "!",
		"acme/orders,":                      "!",
		"acme/orders beta/x":                "!",
		"acme/orders;beta/x":                "!",
		"äcme/orders":                       "!",
		strings.Repeat("a/b,", 128) + "a/b": "!",
		strings.Repeat("a/b,", 127) + "a/b": "a/b",
		"a/" + strings.Repeat("b", 8192):    "!",
	} {
		claims, err := Parse(text)
		var got []string
		for _, claim := range claims {
			got = append(got, claim.String())
		}
		if (err != nil) != (want == "!") || err == nil && strings.Join(got, " ") != want {
			t.Errorf("%.40q is read as %q, %v", text, got, err)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("the message has %d bytes", len(err.Error()))
		}
	}
}

// namespaces is an informer's store without an informer that fills it.
type namespaces struct {
	cache.SharedIndexInformer
	indexer cache.Indexer
	synced  bool
}

func (n *namespaces) AddIndexers(indexers cache.Indexers) error {
	return n.indexer.AddIndexers(indexers)
}
func (n *namespaces) GetIndexer() cache.Indexer { return n.indexer }
func (n *namespaces) GetStore() cache.Store     { return n.indexer }
func (n *namespaces) HasSynced() bool           { return n.synced }

func namespace(name, annotation string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{Annotation: annotation, "other": "x"}}}
}

func newTestIndex(t *testing.T, defaultNamespace string, claims map[string]string) *Index {
	t.Helper()
	informer := &namespaces{indexer: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}), synced: true}
	index, err := NewIndex(informer, defaultNamespace)
	if err != nil {
		t.Fatal(err)
	}
	for name, annotation := range claims {
		stripped, err := Strip(namespace(name, annotation))
		if err != nil {
			t.Fatal(err)
		}
		if len(stripped.(*corev1.Namespace).Annotations) != 1 {
			t.Errorf("kept %+v", stripped)
		}
		if err := informer.indexer.Add(stripped); err != nil {
			t.Fatal(err)
		}
	}
	return index
}

var testClaims = map[string]string{
	"orders": "acme/orders", "all": "acme/*,other/x", "twice-a": "both/x", "twice-b": "both/x, both/y",
	"bad": "acme/billing,acme", "wide-a": "wide/*", "wide-b": "wide/*", "exact": "wide/x",
}

func TestServing(t *testing.T) {
	index := newTestIndex(t, "rest", testClaims)
	for pulsar, want := range map[PulsarNamespace]string{
		{"acme", "orders"}:  "orders",
		{"acme", "billing"}: "all",
		{"acme", "*"}:       "rest",
		{"other", "x"}:      "all",
		{"other", "y"}:      "rest",
		{"both", "x"}:       "twice-a twice-b",
		{"both", "y"}:       "twice-b",
		{"wide", "x"}:       "exact",
		{"wide", "y"}:       "wide-a wide-b",
		{"Acme", "orders"}:  "rest",
		{"acme/orders", ""}: "rest",
	} {
		if got := strings.Join(index.Serving(pulsar), " "); got != want {
			t.Errorf("%s is served by %q, not %q", pulsar, got, want)
		}
	}
	if got, want := index.Kubernetes(), []string{"all", "exact", "orders", "rest", "twice-a", "twice-b", "wide-a", "wide-b"}; !slices.Equal(got, want) {
		t.Errorf("%q serve something", got)
	}
	if got := newTestIndex(t, "", testClaims).Serving(PulsarNamespace{"other", "y"}); len(got) != 0 {
		t.Errorf("without a default namespace %q serve what nobody claims", got)
	}
	if got := index.Rivals("twice-a"); !slices.Equal(got, []string{"twice-b"}) {
		t.Errorf("the rivals are %q", got)
	}
	for name, words := range map[string]string{"orders": "", "twice-b": "both/x is claimed by twice-a", "bad": `"acme" is neither`, "absent": ""} {
		if _, err := index.Problem(name); (err == nil) != (words == "") || err != nil && !strings.Contains(err.Error(), words) {
			t.Errorf("the problem of %s is %v", name, err)
		}
	}
}

func TestEnforcer(t *testing.T) {
	live := map[string]*corev1.Namespace{
		// What the index doesn't know yet.
		"new": namespace("new", "fresh/x"), "orders": namespace("orders", "acme/orders,acme/later"), "late": namespace("late", "acme/orders"),
	}
	asked := 0
	get := func(_ context.Context, name string) (metav1.Object, error) {
		asked++
		switch found, ok := live[name]; {
		case name == "unreachable":
			return nil, errors.New("unreachable")
		case ok:
			return found, nil
		}
		return nil, apierrors.NewNotFound(corev1.Resource("namespaces"), name)
	}
	enforcer := NewEnforcer(newTestIndex(t, "rest", testClaims), get)
	for _, test := range []struct {
		kubernetes string
		pulsar     PulsarNamespace
		words      string
		served     bool
		asks       int
	}{
		{"orders", PulsarNamespace{"acme", "orders"}, "", true, 0},
		{"orders", PulsarNamespace{"acme", "later"}, "", true, 1},
		{"orders", PulsarNamespace{"acme", "billing"}, "does not serve", false, 1},
		{"all", PulsarNamespace{"acme", "orders"}, "does not serve", false, 1},
		{"rest", PulsarNamespace{"public", "default"}, "", true, 0},
		{"rest", PulsarNamespace{"acme", "orders"}, "does not serve", false, 1},
		{"new", PulsarNamespace{"fresh", "x"}, "", true, 1},
		{"late", PulsarNamespace{"acme", "orders"}, "more than one", false, 1},
		{"twice-a", PulsarNamespace{"both", "x"}, "more than one", true, 0},
		{"bad", PulsarNamespace{"acme", "billing"}, "does not serve", false, 1},
		{"absent", PulsarNamespace{"acme", "billing"}, "does not serve", false, 1},
	} {
		asked = 0
		err := enforcer.Check(t.Context(), test.kubernetes, test.pulsar)
		var refused *RefusedError
		if (err == nil) != (test.words == "") || err != nil && (!errors.As(err, &refused) || !strings.Contains(err.Error(), test.words)) || asked != test.asks {
			t.Errorf("%s in %s: %v after %d questions", test.pulsar, test.kubernetes, err, asked)
		}
		if served, err := enforcer.Serves(t.Context(), test.kubernetes, test.pulsar); served != test.served || err != nil {
			t.Errorf("%s in %s is served: %t, %v", test.pulsar, test.kubernetes, served, err)
		}
	}
	var refused *RefusedError
	if err := enforcer.Check(t.Context(), "unreachable", PulsarNamespace{"acme", "x"}); err == nil || errors.As(err, &refused) {
		t.Errorf("what can't be found out is %v", err)
	}
	for name, want := range map[string]PulsarNamespace{"orders": {"acme", "orders"}, "new": {"fresh", "x"}, "all": {}, "wide-a": {}, "absent": {}, "bad": {}} {
		if got, ok := enforcer.Default(t.Context(), name); got != want || ok != (want != PulsarNamespace{}) {
			t.Errorf("the default in %s is %s", name, got)
		}
	}
	unsynced := newTestIndex(t, "rest", nil)
	unsynced.informer.(*namespaces).synced = false
	if err := NewEnforcer(unsynced, get).Check(t.Context(), "rest", PulsarNamespace{"acme", "orders"}); !errors.Is(err, ErrNotReady) {
		t.Errorf("before the claims are known the answer is %v", err)
	}
}

func TestAnywhere(t *testing.T) {
	index := newTestIndex(t, Anywhere, testClaims)
	enforcer := NewEnforcer(index, func(context.Context, string) (metav1.Object, error) { return namespace("x", ""), nil })
	if err := enforcer.Check(t.Context(), "x", PulsarNamespace{"public", "default"}); err != nil {
		t.Error(err)
	}
	if err := enforcer.Check(t.Context(), "x", PulsarNamespace{"acme", "orders"}); err == nil {
		t.Error("what is claimed may be anywhere")
	}
	if why := index.NotServed("x", PulsarNamespace{"acme", "orders"}); why == "" {
		t.Error("what is claimed is served anywhere")
	}
}

func TestClaimedElsewhere(t *testing.T) {
	enforcer := NewEnforcer(newTestIndex(t, "", map[string]string{"a": "acme/*", "b": "acme-eu/orders,acme/*", "c": "other/x"}), nil)
	for _, test := range []struct {
		kubernetes, claim string
		want              bool
	}{{"a", "acme-eu/orders", true}, {"b", "acme-eu/orders", false}, {"a", "acme/*", true}, {"c", "other/x", false}, {"a", "none/x", false}} {
		got := enforcer.ClaimedElsewhere(test.kubernetes, func(claim PulsarNamespace) bool { return claim.String() == test.claim })
		if got != test.want {
			t.Errorf("%s elsewhere than in %s: %t", test.claim, test.kubernetes, got)
		}
	}
}
