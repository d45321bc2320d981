package instances

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const (
	// maxLogs bounds how many logs are read at once, for all requests: who follows one
	// stays, and isn't counted among the requests in flight.
	maxLogs = 512
	// retryAfterSeconds is when to ask again while so many are.
	retryAfterSeconds = 5
)

// PodName returns the name of the pod that an instance of a component has, if it has one.
func PodName(kind v1alpha1.ComponentKind, component string, instance int32) string {
	return fmt.Sprintf("%s-%d", setName(kind, component), instance)
}

// Log returns the log of an instance, to be closed. It ends with ctx, and when the server
// stops. That the caller may read the log of a pod of that name, see PodName, is to be
// known before.
func (i *Instances) Log(ctx context.Context, component v1alpha1.Component, options *v1alpha1.PulsarLogOptions) (io.ReadCloser, error) {
	select {
	case i.logs <- struct{}{}:
	default:
		return nil, apierrors.NewTooManyRequests("too many logs are read at the moment", retryAfterSeconds)
	}
	ctx, cancel := context.WithCancel(ctx)
	log := &log{end: func() {
		cancel()
		<-i.logs
	}}
	go func() {
		select {
		case <-i.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	var err error
	if log.ReadCloser, err = i.openLog(ctx, component, options); err != nil {
		log.end()
		return nil, err
	}
	return log, nil
}

// log is a log that is being read.
type log struct {
	io.ReadCloser
	// end releases what it holds.
	end func()
}

// Close implements io.Closer. It is called once.
func (l *log) Close() error {
	defer l.end()
	return l.ReadCloser.Close()
}

func (i *Instances) openLog(ctx context.Context, component v1alpha1.Component, options *v1alpha1.PulsarLogOptions) (io.ReadCloser, error) {
	pods, err := i.pods(ctx, component)
	if err != nil {
		return nil, failed(ctx, component, err)
	}
	pod := pods[options.Instance]
	if pod == nil {
		reason, message := withoutPod(component)
		return nil, notFound(fmt.Sprintf("instance %d of %s has no pod (%s): %s", options.Instance, component.GetName(), reason, message))
	}
	asked := &corev1.PodLogOptions{
		Container: options.Container, Follow: options.Follow, Previous: options.Previous, Timestamps: options.Timestamps,
		SinceSeconds: options.SinceSeconds, SinceTime: options.SinceTime, TailLines: options.TailLines, LimitBytes: options.LimitBytes,
	}
	if asked.Container == "" {
		asked.Container = containerName(component.ComponentKind())
	}
	text, err := i.client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, asked).Stream(ctx)
	var refused apierrors.APIStatus
	switch {
	case err == nil:
		return text, nil
	case errors.As(err, &refused) && (apierrors.IsBadRequest(err) || apierrors.IsNotFound(err) || apierrors.IsInvalid(err)):
		// The caller would be told the same of the pod's own log.
		return nil, err
	}
	return nil, failed(ctx, component, fmt.Errorf("could not read a log: %w", err))
}

// notFound is for what isn't an object.
func notFound(message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: message,
	}}
}
