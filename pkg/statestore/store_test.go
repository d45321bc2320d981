package statestore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/statestorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/statetable"
)

var table = TableOf("a-tenant", "its-namespace", "a-function")

func TestTableOf(t *testing.T) {
	if want := (Table{Namespace: "a_tenant_its_namespace", Name: "a-function"}); table != want {
		t.Errorf("the table is %v", table)
	}
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"bk://host:4181": "host:4181", "bk://host": "host:4181", "bk://Host:04181/": "host:4181", "bk://a-b.c_d.example:1": "a-b.c_d.example:1",
		"bk://127.0.0.1:65535": "127.0.0.1:65535",
	} {
		if got, err := Address(text); err != nil || got != want {
			t.Errorf("%s: %s (%v)", text, got, err)
		}
	}
	for _, text := range []string{
		"", "host:4181", "http://host:4181", "bk://", "bk://host:0", "bk://host:65536", "bk://user:secret@host:4181", "bk://a,b:4181",
		"bk://host:4181/path", "bk://host:4181?x", "bk://$(id):4181", "bk://host;id:4181", "bk://host\n:4181", "bk://[::1]:4181", "bk://-x:1",
	} {
		if got, err := Address(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %s (%v)", text, got, err)
		}
	}
}

func value(text string) (*statetable.RangeResponse, error) {
	return &statetable.RangeResponse{Kvs: []*statetable.KeyValue{{Value: []byte(text), Version: 3}}}, nil
}

// TestHeaders proves by what a request finds its range: the names and forms are those
// that a real service understands.
func TestHeaders(t *testing.T) {
	service := &peer{ask: func(context.Context) (*statetable.RangeResponse, error) { return value("v") }}
	got, err := service.serve(t).Get(t.Context(), "here", table, "k\x00é")
	if err != nil || string(got.Bytes) != "v" || got.Version != 3 || got.Counter != nil {
		t.Fatalf("%+v (%v)", got, err)
	}
	for header, want := range map[string]string{tableHeader: "\x00\x00\x00\x00\x00\x00\x04\x00", keyHeader: "k\x00é", containerHeader: ""} {
		if got := strings.Join(service.headers[header], "|"); got != want {
			t.Errorf("%s is %q", header, got)
		}
	}
}

// TestPassing proves that what passes is waited for: the service learns where a range is
// when it is first asked, and ranges move.
func TestPassing(t *testing.T) {
	service := &peer{}
	service.find = func() (*statestorage.GetStreamResponse, error) {
		switch service.finds {
		case 1:
			return nil, grpcstatus.Error(codes.NotFound, "")
		case 2:
			return &statestorage.GetStreamResponse{Code: codeInternalError}, nil
		}
		return found(), nil
	}
	service.ask = func(context.Context) (*statetable.RangeResponse, error) {
		switch service.asks {
		case 1:
			return nil, grpcstatus.Error(codes.NotFound, "")
		case 2:
			return nil, grpcstatus.Error(codes.Unavailable, "")
		}
		return value("v")
	}
	if got, err := service.serve(t).Get(t.Context(), "here", table, "k"); err != nil || string(got.Bytes) != "v" {
		t.Fatalf("%+v (%v)", got, err)
	}
}

func TestRefusals(t *testing.T) {
	code := func(code int32) *peer {
		return &peer{
			ask: func(context.Context) (*statetable.RangeResponse, error) {
				return &statetable.RangeResponse{Header: &statetable.ResponseHeader{Code: code}}, nil
			},
			put: func() (*statetable.PutResponse, error) {
				return &statetable.PutResponse{Header: &statetable.ResponseHeader{Code: code}}, nil
			},
		}
	}
	noTable := func(code int32) *peer {
		return &peer{find: func() (*statestorage.GetStreamResponse, error) {
			return &statestorage.GetStreamResponse{Code: code}, nil
		}}
	}
	lying := func(size int) *peer {
		return &peer{ask: func(context.Context) (*statetable.RangeResponse, error) { return value(strings.Repeat("x", size)) }}
	}
	for what, test := range map[string]struct {
		service *peer
		want    error
	}{
		"no such key": {code(codeKeyNotFound), ErrNotFound}, "nothing": {code(codeSuccess), ErrNotFound},
		"no such table": {noTable(codeTableNotFound), ErrNotFound}, "no such namespace": {noTable(codeNamespaceNotFound), ErrNotFound},
		"no name":   {noTable(codeTableName), ErrName},
		"too large": {lying(MaxValue + 1), ErrTooLarge}, "far too large": {lying(8 << 20), ErrTooLarge},
	} {
		if got, err := test.service.serve(t).Get(t.Context(), "here", table, "k"); !errors.Is(err, test.want) {
			t.Errorf("%s: %+v (%v)", what, got, err)
		}
	}
	var unknown *codeError
	if _, err := code(12).serve(t).Get(t.Context(), "here", table, "k"); !errors.As(err, &unknown) {
		t.Errorf("an unknown code: %v", err)
	}
	if err := code(codeBadRequest).serve(t).Put(t.Context(), "here", table, "k", nil); !errors.Is(err, ErrCounter) {
		t.Errorf("a counter is put: %v", err)
	}
	if err := code(12).serve(t).Put(t.Context(), "here", table, "k", nil); !errors.As(err, &unknown) {
		t.Errorf("an unknown code: %v", err)
	}
}

// TestMaking proves that a put makes what there isn't, also when somebody else does so at
// the same time, and gives up in the end.
func TestMaking(t *testing.T) {
	missing := &statestorage.GetStreamResponse{Code: codeNamespaceNotFound}
	for what, test := range map[string]struct {
		service          *peer
		fails            bool
		makes, namespace int
	}{
		"a table in a new namespace": {service: made(codeNamespaceNotFound, codeSuccess), makes: 2, namespace: 1},
		"a table":                    {service: made(codeSuccess), makes: 1},
		"somebody else's":            {service: made(codeInternalError), makes: 1},
		"never":                      {service: made(codeInternalError), fails: true, makes: createTries},
	} {
		finds := 0
		test.service.find = func() (*statestorage.GetStreamResponse, error) {
			if finds++; finds == 1 || test.fails {
				return missing, nil
			}
			return found(), nil
		}
		err := test.service.serve(t).Put(t.Context(), "here", table, "k", []byte("v"))
		if (err != nil) != test.fails || test.service.makes != test.makes || test.service.namespaces != test.namespace {
			t.Errorf("%s: %d and %d were made (%v)", what, test.service.makes, test.service.namespaces, err)
		}
		if puts := test.service.puts; (puts == 1) == test.fails {
			t.Errorf("%s: %d were put", what, puts)
		}
	}
}

// made answers with codes one after the other to who makes tables; the last one stays.
func made(codes ...int32) *peer {
	service := &peer{}
	service.make = func() (*statestorage.CreateStreamResponse, error) {
		return &statestorage.CreateStreamResponse{Code: codes[min(service.makes, len(codes))-1]}, nil
	}
	return service
}

// TestHanging proves that only so many wait for an answer, and that who goes away makes
// room.
func TestHanging(t *testing.T) {
	asked := make(chan struct{}, maxParallel)
	service := &peer{ask: func(ctx context.Context) (*statetable.RangeResponse, error) {
		asked <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	store := service.serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	for _, place := range []string{"here", "there"} {
		for range maxParallel / 2 {
			go func() {
				_, err := store.Get(ctx, place, table, "k")
				ended <- err
			}()
		}
		for range maxParallel / 2 {
			<-asked
		}
		// The other half is for others, until all are taken.
		if _, err := store.Get(t.Context(), "here", table, "k"); !errors.Is(err, ErrBusy) {
			t.Errorf("one too many: %v", err)
		}
	}
	if _, err := store.Get(t.Context(), "elsewhere", table, "k"); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many of all: %v", err)
	}
	cancel()
	for range maxParallel {
		if err := <-ended; grpcstatus.Code(err) != codes.Canceled {
			t.Errorf("it ended with %v", err)
		}
	}
	if taken := store.slots.Taken(); taken != 0 {
		t.Errorf("%d slots are taken", taken)
	}
}

// TestOutage proves that a store that was away for a while is found again soon, and that
// what could not be sent then is sent.
func TestOutage(t *testing.T) {
	service := &peer{ask: func(context.Context) (*statetable.RangeResponse, error) { return value("v") }}
	store := service.serve(t)
	if _, err := store.Get(t.Context(), "here", table, "k"); err != nil {
		t.Fatal(err)
	}
	service.server.Stop()
	store.timeout = time.Second
	// By default a connection would be tried every ten seconds by then.
	for end := time.Now().Add(18 * time.Second); time.Now().Before(end); {
		if _, err := store.Get(t.Context(), "here", table, "k"); err == nil {
			t.Fatal("a store that is away answers")
		}
	}
	store.timeout = 5 * time.Second
	service.serveAt(t, store.address)
	if err := store.Put(t.Context(), "here", table, "k", []byte("v")); err != nil || service.puts != 1 {
		t.Errorf("%d were put afterwards (%v)", service.puts, err)
	}
}

// TestPutsOnce proves that what may have been put isn't put again.
func TestPutsOnce(t *testing.T) {
	for what, test := range map[string]struct {
		first error
		code  int32
		puts  int
	}{
		"not here":          {first: grpcstatus.Error(codes.NotFound, ""), puts: 2},
		"broken off":        {first: grpcstatus.Error(codes.Unavailable, "error reading from server: EOF"), puts: 1},
		"aborted":           {first: grpcstatus.Error(codes.Aborted, ""), puts: 1},
		"an internal error": {code: codeInternalError, puts: 1},
	} {
		service := &peer{}
		service.put = func() (*statetable.PutResponse, error) {
			if service.puts == 1 {
				return &statetable.PutResponse{Header: &statetable.ResponseHeader{Code: test.code}}, test.first
			}
			return &statetable.PutResponse{}, nil
		}
		if err := service.serve(t).Put(t.Context(), "here", table, "k", nil); service.puts != test.puts || (err == nil) != (test.puts == 2) {
			t.Errorf("%s: put %d times (%v)", what, service.puts, err)
		}
	}
}

// TestUnreachable proves that a store that isn't there is given up.
func TestUnreachable(t *testing.T) {
	store, err := New("bk://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	store.timeout = time.Second
	if _, err := store.Get(t.Context(), "here", table, "k"); grpcstatus.Code(err) != codes.Unavailable {
		t.Errorf("it ended with %v", err)
	}
}
