package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/emicklei/go-restful/v3"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/schema"
	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
	"github.com/function-mesh/functionmesh-apiserver/pkg/trigger"
)

const (
	partDataStream = "dataStream"
	partTopic      = "topic"

	// maxTriggerBytes is as large as a message in Pulsar is by default.
	maxTriggerBytes = 5 << 20
	maxTopicBytes   = 8 << 10
	// maxTriggers bounds the triggers at once, and with them the processes that they have:
	// the memory limit of the Deployment is for all of these together.
	maxTriggers = 16
)

// triggers send messages to functions.
type triggers struct {
	client *trigger.Client
	slots  *slots.Slots
	// plain says that tokens may cross the network in clear text.
	plain bool
}

func newTriggers(client *trigger.Client, plain bool) *triggers {
	return &triggers{client: client, slots: slots.New(maxTriggers), plain: plain}
}

// exposed tells whether a token would cross the network in clear text.
func exposed(way *v1alpha1.PulsarTriggerStatus) bool {
	for _, text := range []string{way.ServiceURL, way.WebServiceURL} {
		scheme, hosts, _ := strings.Cut(text, "://")
		if scheme == "pulsar+ssl" || scheme == "https" {
			continue
		}
		for host := range strings.SplitSeq(hosts, ",") {
			if at, err := url.Parse(scheme + "://" + host); err != nil || !isLoopback(at.Hostname()) {
				return true
			}
		}
	}
	return false
}

// trigger sends a message to a function and answers with the function's answer.
//
// Pulsar asks first whether the caller may, then what they send, then whether the function
// is there. The look-up comes first here, since it proves the caller, before a message is
// held in memory.
func (c *components) trigger(writer http.ResponseWriter, request *restful.Request) error {
	name, object, err := c.find(request)
	var missing *restError
	if err != nil && (!errors.As(err, &missing) || missing.code != http.StatusNotFound) {
		return err
	}
	// What isn't there shares the slots of one place: tenants' names are the callers' texts.
	place := ""
	if missing == nil {
		place = object.GetNamespace()
	}
	if !c.triggers.slots.Enter(place) {
		return errorf(http.StatusTooManyRequests, "Too many triggers at once. Please try again in a little while.")
	}
	defer c.triggers.slots.Leave(place)
	form, err := readTrigger(request.Request, c.limits.parts)
	switch {
	case err != nil:
		return err
	case form.value == nil:
		return errorf(http.StatusBadRequest, "Trigger Data is not provided")
	case missing != nil:
		return missing
	}
	ctx := request.Request.Context()
	way, err := c.kind.in(object.GetNamespace()).trigger(ctx, object, form.topic)
	if err != nil {
		return c.kind.called(name.Name).translate(err)
	}
	token := ownToken(ctx)
	if token != "" && !c.triggers.plain && exposed(way) {
		return errorf(http.StatusServiceUnavailable, "The function's Pulsar cluster is reached without TLS, and no token is sent there (--insecure-passthrough)")
	}
	answer, answered, err := c.triggers.client.Send(ctx, trigger.Message{
		ServiceURL: way.ServiceURL, WebServiceURL: way.WebServiceURL, Token: token,
		Topic: way.Topic, OutputTopic: way.OutputTopic, Value: form.value,
	})
	switch {
	case err != nil:
		return notTriggered(ctx, way, err)
	case !answered:
		writeNothing(writer, request.Request)
	default:
		writeBytes(writer, request.Request, answer)
	}
	return nil
}

// notTriggered says why a function could not be triggered, in Pulsar's words where it has
// any.
func notTriggered(ctx context.Context, way *v1alpha1.PulsarTriggerStatus, err error) error {
	answer := &restError{cause: fmt.Errorf("could not trigger a function by topic %s: %w", way.Topic, err)}
	var mismatch *schema.Error
	switch {
	case errors.As(err, &mismatch):
		// The space that is missing is missing in Pulsar, too.
		answer.code, answer.reason = http.StatusBadRequest, fmt.Sprintf(
			"Failed to serialize input with error: %s. Please checkif input data conforms with the schema of the input topic.", mismatch)
	case errors.Is(err, trigger.ErrNotReady):
		answer.code, answer.reason = http.StatusBadRequest, "Function in trigger function is not ready"
	case errors.Is(err, trigger.ErrNotAllowed):
		answer.code, answer.reason = http.StatusUnauthorized, "Pulsar doesn't let the caller use the function's topics"
	case errors.Is(err, trigger.ErrUntrusted):
		answer.code, answer.reason = http.StatusServiceUnavailable, "The certificate of the function's Pulsar cluster can't be verified"
	case errors.Is(err, trigger.ErrTooLarge):
		answer.code, answer.reason = http.StatusRequestEntityTooLarge, "The message is larger than Pulsar takes"
	case errors.Is(err, trigger.ErrEnded):
		answer.code, answer.reason = http.StatusBadGateway,
			"What came from Pulsar could not be read: it is too large, or something else than it claims to be. The message may have been sent."
	case errors.Is(err, trigger.ErrTimeout), ctx.Err() != nil:
		answer.code, answer.reason = http.StatusRequestTimeout, "Request Timed Out"
	default:
		answer.code, answer.reason = http.StatusServiceUnavailable, "Pulsar could not be used to trigger the function. Please try again in a little while."
	}
	return answer
}

// writeBytes answers with what a function answered. Pulsar calls it JSON, whatever it is.
func writeBytes(writer http.ResponseWriter, request *http.Request, content []byte) {
	addWarnings(writer, request)
	header := writer.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	writer.WriteHeader(http.StatusOK)
	if _, err := writer.Write(content); err != nil {
		klog.FromContext(request.Context()).V(4).Info("Could not send an answer", "err", err)
	}
}

// triggerForm is what a trigger sends.
type triggerForm struct {
	// value is the message; nil where there is none.
	value []byte
	topic string
}

// readTrigger reads the parts of a trigger, in whichever order they come. A file counts
// for more than a text. Errors are of type *restError.
func readTrigger(request *http.Request, maxParts int) (triggerForm, error) {
	limits := map[string]int64{partData: maxTriggerBytes, partDataStream: maxTriggerBytes, partTopic: maxTopicBytes}
	read := map[string][]byte{}
	err := readParts(request, formLimits{config: 2 * maxTriggerBytes, parts: maxParts}, func(part *multipart.Part, body *meteredBody, name string) (err error) {
		limit, known := limits[name]
		if !known {
			if _, err := io.Copy(io.Discard, part); err != nil {
				return bodyError(err)
			}
			return nil
		}
		read[name], err = readPart(part, body, name, limit)
		return err
	})
	if err != nil {
		return triggerForm{}, err
	}
	for _, name := range []string{partDataStream, partData} {
		if value := read[name]; value != nil {
			return triggerForm{value: slices.Clip(value), topic: string(read[partTopic])}, nil
		}
	}
	return triggerForm{}, nil
}
