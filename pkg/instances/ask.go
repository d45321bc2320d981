package instances

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
)

const (
	// maxParallel bounds how many instances are asked at once for one request: those that
	// don't answer must not keep the others waiting.
	maxParallel = 256
	// maxConnections bounds the same for all requests.
	maxConnections = 1024
	// maxAnswer bounds an instance's answer, in bytes.
	maxAnswer = 256 << 10
)

// askAll asks each instance whose pod can answer.
func (i *Instances) askAll(ctx context.Context, kind v1alpha1.ComponentKind, found []v1alpha1.PulsarInstance, pods map[int32]*corev1.Pod) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	parallel := make(chan struct{}, maxParallel)
	var asking sync.WaitGroup
	defer asking.Wait()
	for f := range found {
		instance := &found[f]
		pod := pods[instance.ID]
		if pod == nil || !answers(kind, pod) {
			continue
		}
		if !take(ctx, parallel) {
			instance.Error = tooLate
			continue
		}
		asking.Go(func() {
			defer func() { <-parallel }()
			if !take(ctx, i.slots) {
				instance.Error = tooLate
				return
			}
			defer func() { <-i.slots }()
			address := net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(portOf(kind, pod))))
			if err := ask(ctx, address, instance); err != nil {
				klog.FromContext(ctx).V(4).Info("An instance did not answer", "pod", klog.KObj(pod), "err", err)
				instance.Error = words(err)
			}
		})
	}
}

// tooLate is said of instances that were never asked.
const tooLate = "The instance was not asked, since others took too long."

func take(ctx context.Context, slots chan<- struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// answers tells whether a pod's instance can be there: its container runs.
func answers(kind v1alpha1.ComponentKind, pod *corev1.Pod) bool {
	if pod.Status.Phase != corev1.PodRunning || net.ParseIP(pod.Status.PodIP) == nil {
		return false
	}
	for _, container := range pod.Status.ContainerStatuses {
		if container.Name == containerName(kind) {
			return container.State.Running != nil
		}
	}
	return false
}

// ask fills in what an instance says of itself.
func ask(ctx context.Context, address string, instance *v1alpha1.PulsarInstance) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	connection, err := grpc.NewClient("passthrough:///"+address,
		// That is how instances listen.
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// A pod is never behind a proxy, and is not who configures this server.
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithMaxHeaderListSize(maxHeaders),
		grpc.WithInitialWindowSize(maxAnswer), grpc.WithInitialConnWindowSize(2*maxAnswer),
		grpc.WithReadBufferSize(bufferSize), grpc.WithWriteBufferSize(bufferSize))
	if err != nil {
		return fmt.Errorf("could not connect: %w", err)
	}
	defer connection.Close()
	control := instancecontrol.NewInstanceControlClient(connection)
	status, err := control.GetFunctionStatus(ctx, &emptypb.Empty{})
	if err != nil {
		return fmt.Errorf("could not get a status: %w", err)
	}
	metrics, err := control.GetMetrics(ctx, &emptypb.Empty{})
	if err != nil {
		return fmt.Errorf("could not get metrics: %w", err)
	}
	instance.Status, instance.Metrics = statusOf(status), metricsOf(metrics)
	return nil
}

const (
	maxHeaders = 16 << 10
	bufferSize = 4 << 10
)

// words says why an instance told nothing, without what only an administrator of the
// cluster should know, such as addresses.
func words(err error) string {
	code := codes.Unknown
	if status, ok := grpcstatus.FromError(err); ok {
		code = status.Code()
	}
	switch code {
	case codes.DeadlineExceeded, codes.Canceled:
		return "The instance did not answer in time."
	case codes.Unavailable:
		return "The instance could not be reached."
	}
	return fmt.Sprintf("The instance gave no usable answer (%s).", code)
}
