package statestore

import (
	"context"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/statestorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/statetable"
)

// peer stands for a table service that answers badly, which a real one does too seldom. A
// real one is in test/running.
type peer struct {
	statestorage.UnimplementedRootRangeServiceServer
	statetable.UnimplementedTableServiceServer

	mu sync.Mutex
	// find, make and ask say what is answered; nil is success.
	find func() (*statestorage.GetStreamResponse, error)
	make func() (*statestorage.CreateStreamResponse, error)
	ask  func(ctx context.Context) (*statetable.RangeResponse, error)
	put  func() (*statetable.PutResponse, error)
	// calls are how often each was called.
	finds, makes, namespaces, asks, puts int
	headers                              metadata.MD
	server                               *grpc.Server
}

const tableNumber = 1024

func found() *statestorage.GetStreamResponse {
	return &statestorage.GetStreamResponse{StreamProps: &statestorage.StreamProperties{StreamId: tableNumber}}
}

func (p *peer) GetStream(context.Context, *statestorage.GetStreamRequest) (*statestorage.GetStreamResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finds++
	if p.find != nil {
		return p.find()
	}
	return found(), nil
}

func (p *peer) CreateStream(context.Context, *statestorage.CreateStreamRequest) (*statestorage.CreateStreamResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.makes++
	return p.make()
}

func (p *peer) CreateNamespace(context.Context, *statestorage.CreateNamespaceRequest) (*statestorage.CreateNamespaceResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.namespaces++
	return &statestorage.CreateNamespaceResponse{}, nil
}

func (p *peer) Range(ctx context.Context, _ *statetable.RangeRequest) (*statetable.RangeResponse, error) {
	p.mu.Lock()
	p.asks++
	p.headers, _ = metadata.FromIncomingContext(ctx)
	p.mu.Unlock()
	return p.ask(ctx)
}

func (p *peer) Put(context.Context, *statetable.PutRequest) (*statetable.PutResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.puts++
	if p.put != nil {
		return p.put()
	}
	return &statetable.PutResponse{}, nil
}

// serve returns a client of the peer.
func (p *peer) serve(t *testing.T) *Store {
	t.Helper()
	store, err := New("bk://" + p.serveAt(t, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// serveAt serves the peer, and returns where.
func (p *peer) serveAt(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p.server = grpc.NewServer()
	statestorage.RegisterRootRangeServiceServer(p.server, p)
	statetable.RegisterTableServiceServer(p.server, p)
	server := p.server
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}
