package instances

import (
	"context"
	"errors"
	"fmt"
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

// maxConnections bounds how many instances are asked at once, for all requests. A
// Kubernetes namespace has half of them, so that its instances, when they don't answer,
// keep only each other waiting.
const maxConnections = 512

// What is said of instances that were never asked.
const (
	tooLate = "The instance was not asked, since others took too long."
	notOwn  = "The instance was not asked, since its pod has no address of its own."
)

// askAll asks each instance whose pod can answer.
func (i *Instances) askAll(ctx context.Context, component v1alpha1.Component, found []v1alpha1.PulsarInstance, pods map[int32]*corev1.Pod) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	kind, place, taken := component.ComponentKind(), component.GetNamespace(), figuresOf(len(found))
	var asking sync.WaitGroup
	defer asking.Wait()
	for f := range found {
		instance := &found[f]
		pod := pods[instance.ID]
		if pod == nil || !answers(kind, pod) {
			continue
		}
		address, ok := i.addressOf(kind, pod)
		if !ok {
			instance.Error = notOwn
			continue
		}
		if !i.slots.Wait(ctx, place) {
			instance.Error = tooLate
			continue
		}
		asking.Go(func() {
			defer i.slots.Leave(place)
			if err := ask(ctx, address, taken, instance); err != nil {
				klog.FromContext(ctx).V(4).Info("An instance did not answer", "pod", klog.KObj(pod), "err", err)
				instance.Error = words(err)
			}
		})
	}
}

// answers tells whether a pod's instance can be there: its container runs.
func answers(kind v1alpha1.ComponentKind, pod *corev1.Pod) bool {
	if pod.Status.Phase != corev1.PodRunning {
		return false
	}
	for _, container := range pod.Status.ContainerStatuses {
		if container.Name == containerName(kind) {
			return container.State.Running != nil
		}
	}
	return false
}

// ask fills in what is taken over of what an instance says of itself.
func ask(ctx context.Context, address string, taken figures, instance *v1alpha1.PulsarInstance) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	connection, err := grpc.NewClient("passthrough:///"+address,
		// That is how instances listen.
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// A pod is never behind a proxy, and is not who configures this server.
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer), grpc.ForceCodecV2(newStrictCodec())),
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
	// An address may have become another pod's since the pods were read.
	if id := status.GetInstanceId(); id != "" && id != strconv.Itoa(int(instance.ID)) {
		return errAnother
	}
	metrics, err := control.GetMetrics(ctx, &emptypb.Empty{})
	if err != nil {
		return fmt.Errorf("could not get metrics: %w", err)
	}
	instance.Status, instance.Metrics = taken.status(status), taken.metrics(metrics)
	return nil
}

// errAnother is of an answer that says that it is another instance's.
var errAnother = errors.New("the answer is another instance's")

const (
	maxHeaders = 16 << 10
	bufferSize = 4 << 10
)

// words says why an instance told nothing, without what only an administrator of the
// cluster should know, such as addresses.
func words(err error) string {
	if errors.Is(err, errAnother) {
		return "The instance says that it is another one."
	}
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
