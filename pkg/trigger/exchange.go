package trigger

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/log"
	"k8s.io/client-go/util/cert"

	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
)

const (
	// stepTimeout bounds each of the steps: asking about the topic, connecting, following
	// the output, sending. The client library looks at no context.
	stepTimeout = 4 * time.Second
	// answerTimeout is how long the function has to answer, as in Pulsar.
	answerTimeout = 10 * time.Second
	// receiverQueue is how many messages of the output topic wait to be looked at.
	receiverQueue = 1

	// What an answer says of the message that it is for.
	propertyMessageID = "__pfn_input_msg_id__"
	propertyTopic     = "__pfn_input_topic__"
)

// exchange is one with Pulsar, in the process that is there for it.
type exchange struct {
	tls *tls.Config
	web http.RoundTripper
}

// newExchange returns an exchange that verifies Pulsar's certificates with those in PEM,
// or with the system's where there are none.
func newExchange(authorities []byte) (*exchange, error) {
	config, transport := &tls.Config{MinVersion: tls.VersionTLS12}, pulsaradmin.NewTransport()
	if len(authorities) != 0 {
		pool, err := cert.NewPoolFromBytes(authorities)
		if err != nil {
			return nil, fmt.Errorf("could not use the certificates for Pulsar: %w", err)
		}
		config.RootCAs = pool
	}
	transport.TLSClientConfig = config.Clone()
	return &exchange{tls: config, web: transport}, nil
}

// send sends a message and returns the answer to it, as Client.Send does.
func (e *exchange) send(ctx context.Context, message Message) (answer []byte, answered bool, err error) {
	schema, refused, err := e.look(ctx, message)
	if err != nil {
		return nil, false, err
	}
	answer, answered, err = e.talk(ctx, message, schema)
	if err != nil && (refused || strings.Contains(err.Error(), "AuthorizationError") || strings.Contains(err.Error(), "AuthenticationError")) && !errors.Is(err, ErrTimeout) {
		return nil, false, fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	return answer, answered, err
}

// talk follows the output topic, sends the message and waits for the answer.
func (e *exchange) talk(ctx context.Context, message Message, schema pulsar.Schema) ([]byte, bool, error) {
	options := pulsar.ClientOptions{
		URL:               message.ServiceURL,
		TLSConfig:         e.tls.Clone(),
		ConnectionTimeout: stepTimeout,
		OperationTimeout:  stepTimeout,
		KeepAliveInterval: 2 * stepTimeout,
		// It would tell the log of topics, connections and messages.
		Logger:             log.DefaultNopLogger(),
		MetricsCardinality: pulsar.MetricsCardinalityNone,
	}
	if message.Token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(message.Token)
	}
	client, err := pulsar.NewClient(options)
	if err != nil {
		return nil, false, fmt.Errorf("could not make a client for Pulsar: %w", err)
	}
	defer client.Close()

	// The output is followed from before the message on.
	var output pulsar.Reader
	if message.OutputTopic != "" {
		output, err = client.CreateReader(pulsar.ReaderOptions{
			Topic: message.OutputTopic, StartMessageID: pulsar.LatestMessageID(), ReceiverQueueSize: receiverQueue, SubscriptionRolePrefix: "trigger",
		})
		if err != nil {
			return nil, false, fmt.Errorf("could not follow the output topic: %w", err)
		}
		defer output.Close()
	}
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	sent, err := produce(ctx, client, message, schema)
	if err != nil || output == nil {
		return nil, false, err
	}
	waiting, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for {
		received, err := output.Next(waiting)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return nil, false, ErrTimeout
		case err != nil:
			return nil, false, fmt.Errorf("could not read the output topic: %w", err)
		case answers(received.Properties(), sent, message.Topic):
			return received.Payload(), true, nil
		}
	}
}

func produce(ctx context.Context, client pulsar.Client, message Message, schema pulsar.Schema) (pulsar.MessageID, error) {
	producer, err := client.CreateProducer(pulsar.ProducerOptions{
		// In a batch it would have no place of its own by which the answer is known.
		Topic: message.Topic, Schema: schema, SendTimeout: stepTimeout, DisableBatching: true, DisableBlockIfQueueFull: true,
	})
	if err != nil {
		return nil, fmt.Errorf("could not open the topic: %w", err)
	}
	defer producer.Close()
	bounded, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	sent, err := producer.Send(bounded, &pulsar.ProducerMessage{Payload: message.Value})
	switch {
	case errors.Is(err, pulsar.ErrMessageTooLarge):
		return nil, ErrTooLarge
	case err != nil:
		return nil, fmt.Errorf("could not send the message: %w", err)
	}
	return sent, nil
}

// answers tells whether what has the properties answers the message that was sent. No two
// ledgers of a cluster have one number, so partitions need no look. An instance names the
// partition that it read, where Pulsar has any.
func answers(properties map[string]string, sent pulsar.MessageID, topic string) bool {
	read := properties[propertyTopic]
	if base, partition, found := strings.Cut(strings.TrimPrefix(read, topic), "-partition-"); read != topic && (!found || base != "" || partition == "") {
		return false
	}
	serialized, err := base64.StdEncoding.DecodeString(properties[propertyMessageID])
	if err != nil {
		return false
	}
	id, err := pulsar.DeserializeMessageID(serialized)
	return err == nil && id.LedgerID() == sent.LedgerID() && id.EntryID() == sent.EntryID()
}
