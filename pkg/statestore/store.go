package statestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	grpcstatus "google.golang.org/grpc/status"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/statestorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/statetable"
	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
)

const (
	// MaxKey bounds a key, in bytes: it goes into a header, and the service takes 8 KiB of
	// them in all.
	MaxKey = 4 << 10
	// MaxValue bounds a value, in bytes: the service takes 1016 KiB, with the key and what
	// is around both.
	MaxValue = 1_000_000

	// maxAnswer leaves room for what is around a value.
	maxAnswer = MaxValue + 2*MaxKey + 4<<10
	// maxParallel bounds how many requests are made to a store at once.
	maxParallel = 64
	// timeout is how long a store has for one request.
	timeout = 10 * time.Second
	// maxReconnect is how long after a failed connection the next one is made at most, and
	// connectTimeout is how long one may take.
	maxReconnect   = 2 * time.Second
	connectTimeout = 5 * time.Second
	// notConnected is in the errors of requests that were never sent.
	notConnected = "connection error: desc = \"transport: Error while dialing"
	// createTries is how often a table is made that isn't there afterwards.
	createTries = 3
	// silence is after how long a peer that should answer and doesn't is given up, and
	// idle is how long nothing may have come from it until it is looked for, once something
	// is asked: the service doesn't allow to do it more often than every five minutes.
	silence = 10 * time.Second
	idle    = 6 * time.Minute
)

var (
	// ErrNotFound says that there is nothing under a key.
	ErrNotFound = errors.New("there is no such key")
	// ErrCounter says that a key is a counter's, whose value can't be put.
	ErrCounter = errors.New("the key is a counter's, whose value can't be put")
	// ErrName says that a table can't be called so.
	ErrName = errors.New("no table of the state store can have the name")
	// ErrTooLarge says that a value is larger than MaxValue.
	ErrTooLarge = errors.New("the value is too large")
	// ErrBusy says that too much is asked of the store already.
	ErrBusy = errors.New("too many requests are made to the state store")
)

// JavaProvider is the class by which Pulsar's instances keep state in a table service.
const JavaProvider = "org.apache.pulsar.functions.instance.state.BKStateStoreProviderImpl"

// Store is a table service. It is safe for concurrent use.
type Store struct {
	address    string
	connection *grpc.ClientConn
	root       statestorage.RootRangeServiceClient
	tables     statetable.TableServiceClient
	slots      *slots.Slots
	timeout    time.Duration
}

// New returns the table service with a URL. It is connected to when it is needed, by one
// connection for all requests.
func New(serviceURL string) (*Store, error) {
	address, err := Address(serviceURL)
	if err != nil {
		return nil, fmt.Errorf("could not use the state store: its URL %w", err)
	}
	connection, err := grpc.NewClient("passthrough:///"+address,
		// That is how the service listens.
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(),
		// By default it would stay away for up to two minutes after an outage.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: maxReconnect},
			MinConnectTimeout: connectTimeout,
		}),
		// Else a connection that leads nowhere any more would be kept for a quarter of an hour.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: idle, Timeout: silence}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)))
	if err != nil {
		return nil, fmt.Errorf("could not use the state store: %w", err)
	}
	return &Store{
		address: address, connection: connection, root: statestorage.NewRootRangeServiceClient(connection),
		tables: statetable.NewTableServiceClient(connection), slots: slots.New(maxParallel),
		timeout: timeout,
	}, nil
}

// Keeps tells whether a URL is that of the store.
func (s *Store) Keeps(serviceURL string) bool {
	address, err := Address(serviceURL)
	return err == nil && address == s.address
}

// Close ends the connection.
func (s *Store) Close() error { return s.connection.Close() }

// Value is what is under a key.
type Value struct {
	// Bytes are what was put; a counter has none.
	Bytes []byte
	// Counter is what was counted; nil for what isn't a counter.
	Counter *int64
	// Version counts the changes, from 0.
	Version int64
}

// Get returns what is under a key of a table. Where there is nothing, or no such table,
// the error is ErrNotFound. place is the Kubernetes namespace that asks: it may have half
// of what is asked at once.
func (s *Store) Get(ctx context.Context, place string, table Table, key string) (*Value, error) {
	ctx, done, err := s.begin(ctx, place)
	if err != nil {
		return nil, err
	}
	defer done()
	number, found, err := s.find(ctx, table)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNotFound
	}
	request := &statetable.RangeRequest{Key: []byte(key), Header: &statetable.RoutingHeader{StreamId: number, RKey: []byte(key)}}
	var answer *statetable.RangeResponse
	err = retry(ctx, func() error {
		answer, err = s.tables.Range(toRange(ctx, number, key), request)
		if code := answer.GetHeader().GetCode(); err == nil && code != codeSuccess && code != codeKeyNotFound {
			return &codeError{what: "read a value", code: code}
		}
		return err
	})
	switch {
	case grpcstatus.Code(err) == codes.ResourceExhausted:
		return nil, ErrTooLarge
	case err != nil:
		return nil, err
	case len(answer.GetKvs()) == 0:
		return nil, ErrNotFound
	}
	return valueOf(answer.GetKvs()[0])
}

func valueOf(found *statetable.KeyValue) (*Value, error) {
	value := &Value{Bytes: found.GetValue(), Version: found.GetVersion()}
	if len(value.Bytes) > MaxValue {
		return nil, ErrTooLarge
	}
	if found.GetIsNumber() {
		counter := found.GetNumberValue()
		value.Bytes, value.Counter = nil, &counter
	}
	return value, nil
}

// Put puts a value under a key of a table, which is made if there is none.
// place is as for Get.
func (s *Store) Put(ctx context.Context, place string, table Table, key string, value []byte) error {
	ctx, done, err := s.begin(ctx, place)
	if err != nil {
		return err
	}
	defer done()
	number, err := s.ensure(ctx, table)
	if err != nil {
		return err
	}
	request := &statetable.PutRequest{Key: []byte(key), Value: value, Header: &statetable.RoutingHeader{StreamId: number, RKey: []byte(key)}}
	return retryIf(ctx, undone, func() error {
		answer, err := s.tables.Put(toRange(ctx, number, key), request)
		switch code := answer.GetHeader().GetCode(); {
		case err != nil:
			return err
		case code == codeBadRequest:
			return ErrCounter
		case code != codeSuccess:
			return &codeError{what: "put a value", code: code}
		}
		return nil
	})
}

// begin returns a context for a request, which is done when the function is called.
func (s *Store) begin(ctx context.Context, place string) (context.Context, func(), error) {
	if !s.slots.Enter(place) {
		return nil, nil, ErrBusy
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	return ctx, func() {
		cancel()
		s.slots.Leave(place)
	}, nil
}

// retry calls again while the service can't answer yet, and until ctx ends: it learns
// where a range is when it is first asked, and a range may just be moving. What is asked
// of it can be done twice.
func retry(ctx context.Context, call func() error) error {
	return retryIf(ctx, passing, call)
}

// retryIf is retry where the error says that it may go better the next time.
func retryIf(ctx context.Context, again func(error) bool, call func() error) error {
	delays := wait.Backoff{Duration: 20 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 16, Cap: time.Second}
	for {
		err := call()
		if err == nil || ctx.Err() != nil || !again(err) {
			return err
		}
		timer := time.NewTimer(delays.Step())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// undone tells whether a put was certainly not done, and may go better the next time. Else
// it could be done again after another one, whose value would be lost.
func undone(err error) bool {
	switch grpcstatus.Code(err) {
	case codes.NotFound:
		return true
	case codes.Unavailable:
		return strings.Contains(grpcstatus.Convert(err).Message(), notConnected)
	}
	return false
}

// passing tells whether it may go better the next time.
func passing(err error) bool {
	var code *codeError
	if errors.As(err, &code) {
		return code.code == codeInternalError
	}
	switch grpcstatus.Code(err) {
	case codes.NotFound, codes.Unavailable, codes.Aborted:
		return true
	}
	return false
}
