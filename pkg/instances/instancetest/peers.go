// Package instancetest has what answers in the place of instances, for tests: honest ones,
// dead ones, and such that lie or talk something else.
package instancetest

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
)

// Peer answers on a listener until stop is called, which closes it.
type Peer func(listener net.Listener) (stop func())

// Honest is an instance that has counted something.
func Honest(status *instancecontrol.FunctionStatus, metrics *instancecontrol.MetricsData) Peer {
	return serve(func(server *grpc.Server) {
		instancecontrol.RegisterInstanceControlServer(server, &control{status: status, metrics: metrics})
	})
}

// Hung takes connections and says nothing. Where it isn't nil, it tells connected when a
// connection begins, and when it ends.
func Hung(connected func(bool)) Peer {
	return talking(func(connection net.Conn) {
		if connected != nil {
			connected(true)
			defer connected(false)
		}
		_, _ = io.Copy(io.Discard, connection)
	})
}

// control is the service of an instance.
type control struct {
	instancecontrol.UnimplementedInstanceControlServer
	status  *instancecontrol.FunctionStatus
	metrics *instancecontrol.MetricsData
}

func (c *control) GetFunctionStatus(context.Context, *emptypb.Empty) (*instancecontrol.FunctionStatus, error) {
	return c.status, nil
}

func (c *control) GetMetrics(context.Context, *emptypb.Empty) (*instancecontrol.MetricsData, error) {
	return c.metrics, nil
}

// encoded answers every call with the same bytes, which need not be a message.
func encoded(answer []byte) Peer {
	handle := func(_ any, stream grpc.ServerStream) error {
		if err := stream.RecvMsg(&[]byte{}); err != nil {
			return err
		}
		return stream.SendMsg(&answer)
	}
	return serve(func(*grpc.Server) {}, grpc.ForceServerCodecV2(bytesCodec{}), grpc.UnknownServiceHandler(handle))
}

// failing answers every call with an error.
func failing(err error) Peer {
	return serve(func(*grpc.Server) {}, grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return err }))
}

// bytesCodec sends and takes bytes as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string { return encoding.GetCodecV2("proto").Name() }

func (bytesCodec) Marshal(value any) (mem.BufferSlice, error) {
	raw, ok := value.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("could not send a %T", value)
	}
	return mem.BufferSlice{mem.SliceBuffer(*raw)}, nil
}

func (bytesCodec) Unmarshal(mem.BufferSlice, any) error { return nil }

// serve is a peer with a gRPC server.
func serve(register func(*grpc.Server), options ...grpc.ServerOption) Peer {
	return func(listener net.Listener) func() {
		server := grpc.NewServer(options...)
		register(server)
		go func() { _ = server.Serve(listener) }()
		return server.Stop
	}
}

// talking is a peer that does something with each connection, which is closed when it has
// done that, or when the peer is stopped.
func talking(talk func(net.Conn)) Peer {
	return func(listener net.Listener) func() {
		var lock sync.Mutex
		open := map[net.Conn]bool{}
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				lock.Lock()
				open[connection] = true
				lock.Unlock()
				go func() {
					talk(connection)
					connection.Close()
					lock.Lock()
					delete(open, connection)
					lock.Unlock()
				}()
			}
		}()
		return func() {
			listener.Close()
			lock.Lock()
			defer lock.Unlock()
			for connection := range open {
				connection.Close()
			}
		}
	}
}
