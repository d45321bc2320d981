package instancetest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
)

// Secret is in what liars say, where it would do harm if it was repeated.
const Secret = "<script>a lie</script>"

// What is said of instances that don't say anything usable of themselves.
const (
	Late        = "The instance did not answer in time."
	Unreachable = "The instance could not be reached."
	Another     = "The instance says that it is another one."
	// Unusable begins what is said of the others.
	Unusable = "The instance gave no usable answer ("
)

// Lie is what a peer says or does.
type Lie struct {
	Name string
	Peer Peer
	// Errors are what may be said of it, nothing for a lie of which figures are taken over.
	Errors []string
}

type (
	said      = instancecontrol.FunctionStatus
	counted   = instancecontrol.MetricsData
	exception = instancecontrol.FunctionStatus_ExceptionInformation
)

// Figures are the lies of which something is taken over, since it could be so: the numbers
// are sanitised, and the texts bounded.
func Figures() []Lie {
	long := strings.Repeat("\x01<", 2<<10)
	var many []*exception
	metrics := map[string]float64{}
	for i := range 50 {
		many = append(many, &exception{ExceptionString: long[:2000], MsSinceEpoch: int64(i)})
	}
	for i := range 4000 {
		metrics[fmt.Sprint(long[:20], i)] = float64(i)
	}
	return []Lie{
		{Name: "no numbers", Peer: Honest(&said{AverageLatency: math.NaN()},
			&counted{AvgProcessLatency: math.Inf(1), AvgProcessLatency_1Min: math.Inf(-1), UserMetrics: map[string]float64{"nan": math.NaN(), "inf": math.Inf(1)}})},
		{Name: "below nothing", Peer: Honest(
			&said{NumRestarts: -1, NumReceived: math.MinInt64, NumSuccessfullyProcessed: -1, NumUserExceptions: -1, NumSystemExceptions: -1, NumSourceExceptions: -1,
				NumSinkExceptions: -1, AverageLatency: -1, LastInvocationTime: -1, LatestUserExceptions: []*exception{{MsSinceEpoch: -1}}},
			&counted{ReceivedTotal: -1, ProcessedSuccessfullyTotal: -1, SystemExceptionsTotal: -1, UserExceptionsTotal: -1, AvgProcessLatency: -1, LastInvocation: -1,
				ReceivedTotal_1Min: -1, ProcessedSuccessfullyTotal_1Min: -1, SystemExceptionsTotal_1Min: -1, UserExceptionsTotal_1Min: -1, AvgProcessLatency_1Min: -1})},
		{Name: "beyond everything", Peer: Honest(
			&said{NumReceived: math.MaxInt64, NumSystemExceptions: math.MaxInt64, NumSourceExceptions: math.MaxInt64, AverageLatency: math.MaxFloat64},
			&counted{ReceivedTotal: math.MaxInt64, ReceivedTotal_1Min: math.MaxInt64, AvgProcessLatency: math.MaxFloat64, AvgProcessLatency_1Min: math.MaxFloat64})},
		{Name: "many exceptions", Peer: Honest(&said{FailureException: long, LatestUserExceptions: many, LatestSinkExceptions: many}, &counted{})},
		{Name: "many metrics", Peer: Honest(&said{}, &counted{UserMetrics: metrics})},
		{Name: "control characters", Peer: Honest(&said{FailureException: "\x00\x1b[2J\u2028\"}]\n" + Secret}, &counted{UserMetrics: map[string]float64{"\x00\"": 1}})},
		{Name: "fields of another answer", Peer: encoded(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))},
	}
}

// Falsehoods are the lies of which nothing is taken over.
func Falsehoods() []Lie {
	text := func(field protowire.Number, text string) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), text)
	}
	unusable := []string{Unusable}
	cut := []string{Unreachable, Unusable, Late}
	lies := []Lie{
		{Name: "the name of another", Peer: Honest(&said{InstanceId: "1000000", NumReceived: 1}, &counted{}), Errors: []string{Another}},
		{Name: "no name of any", Peer: Honest(&said{InstanceId: Secret}, &counted{}), Errors: []string{Another}},
		{Name: "too large", Peer: encoded(text(2, strings.Repeat("x", 300<<10))), Errors: unusable},
		{Name: "small, and large in memory", Peer: encoded(bytes.Repeat(text(7, ""), 120<<10)), Errors: unusable},
		{Name: "no text", Peer: encoded(text(2, "\xff\xfe")), Errors: unusable},
		{Name: "no text in metrics", Peer: encoded(text(9, string(text(1, "\xff")))), Errors: unusable},
		{Name: "no message", Peer: encoded([]byte(Secret)), Errors: unusable},
		{Name: "half a message", Peer: encoded(text(2, Secret)[:9]), Errors: unusable},
		{Name: "an error with a text", Peer: failing(grpcstatus.Error(codes.Unauthenticated, Secret)), Errors: unusable},
		{Name: "an error of no code", Peer: failing(grpcstatus.Error(4711, Secret)), Errors: unusable},
		{Name: "another service", Peer: serve(func(*grpc.Server) {}), Errors: unusable},
		{Name: "a bomb", Peer: answering(func(connection net.Conn) error {
			start := append(statusOK, slices.Concat(field("content-type", "application/grpc"), field("grpc-encoding", "gzip"))...)
			_, err := connection.Write(slices.Concat(frame(frameHeaders, flagEndHeaders, firstStream, start...), data(message(1, bomb()))))
			return err
		}), Errors: unusable},
		{Name: "a message of 4 GiB", Peer: endless(slices.Concat(answerHeaders, data([]byte{0, 0xff, 0xff, 0xff, 0xff})), data(make([]byte, 8<<10))), Errors: cut},
		{Name: "a redirection", Peer: answering(func(connection net.Conn) error {
			fields := slices.Concat(field(":status", "302"), field("location", "http://169.254.169.254/"+Secret))
			_, err := connection.Write(frame(frameHeaders, flagEndHeaders|flagEndStream, firstStream, fields...))
			return err
		}), Errors: cut},
		{Name: "HTTP/1", Peer: once("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"), Errors: cut},
		{Name: "TLS", Peer: once("\x15\x03\x01\x00\x02\x02\x46"), Errors: cut},
		{Name: "garbage", Peer: once(strings.Repeat(Secret, 100)), Errors: cut},
		{Name: "nothing", Peer: once(""), Errors: cut},
		{Name: "a drip", Peer: answering(func(connection net.Conn) error {
			for _, char := range slices.Concat(answerHeaders, data(message(0, text(2, strings.Repeat("x", 4<<10))))) {
				if _, err := connection.Write([]byte{char}); err != nil {
					return err
				}
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		}), Errors: []string{Late}},
	}
	return append(lies, floods()...)
}

// floods are lies without an end.
func floods() []Lie {
	long := field("x-lie", strings.Repeat("x", 8<<10))
	ended := []string{Unreachable, Unusable, Late}
	return []Lie{
		{Name: "endless headers", Peer: endless(frame(frameHeaders, 0, firstStream, statusOK...), frame(frameContinuation, 0, firstStream, long...)), Errors: ended},
		{Name: "endless trailers", Peer: endless(slices.Concat(answerHeaders, frame(frameHeaders, flagEndStream, firstStream, long...)),
			frame(frameContinuation, 0, firstStream, long...)), Errors: ended},
		{Name: "endless pings", Peer: endless(nil, bytes.Repeat(frame(framePing, 0, 0, make([]byte, 8)...), 100)), Errors: ended},
		{Name: "endless settings", Peer: endless(nil, bytes.Repeat(frame(frameSettings, 0, 0), 100)), Errors: ended},
	}
}

func data(content []byte) []byte { return frame(frameData, 0, firstStream, content...) }

// once is a peer that says something at once, and hangs up.
func once(text string) Peer {
	return talking(func(connection net.Conn) { _, _ = connection.Write([]byte(text)) })
}

// bomb is small, and large once it is uncompressed.
func bomb() []byte {
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	_, err := writer.Write(make([]byte, 12<<20))
	if err = errors.Join(err, writer.Close()); err != nil {
		panic(err) // Nothing of it can fail.
	}
	return compressed.Bytes()
}
