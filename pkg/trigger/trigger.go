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

var (
	// ErrNotReady says that the topic doesn't exist, so that nobody consumes it.
	ErrNotReady = errors.New("the topic doesn't exist")
	// ErrTimeout says that no answer came in time.
	ErrTimeout = errors.New("no answer came in time")
	// ErrNotAllowed says that Pulsar doesn't let the caller send or receive.
	ErrNotAllowed = errors.New("the caller is refused")
	// ErrTooLarge says that Pulsar takes no message of that size.
	ErrTooLarge = errors.New("the message is too large")
)

// SchemaError says that a value isn't what the schema of the topic asks for.
type SchemaError struct{ reason string }

func (e *SchemaError) Error() string { return e.reason }

// Client triggers functions. It can be used concurrently.
type Client struct {
	tls *tls.Config
	web http.RoundTripper
}

// NewClient returns a client that verifies Pulsar's certificates with those in a file, or
// with the system's where it is "".
func NewClient(caFile string) (*Client, error) {
	config, transport := &tls.Config{MinVersion: tls.VersionTLS12}, pulsaradmin.NewTransport()
	if caFile != "" {
		pool, err := cert.NewPool(caFile)
		if err != nil {
			return nil, fmt.Errorf("could not load the certificates for Pulsar: %w", err)
		}
		config.RootCAs = pool
	}
	transport.TLSClientConfig = config.Clone()
	return &Client{tls: config, web: transport}, nil
}

// Message is a message for a function.
type Message struct {
	// ServiceURL and WebServiceURL are those of the Pulsar cluster.
	ServiceURL, WebServiceURL string
	// Token is the caller's token of Pulsar's; without one they are nobody there.
	Token string
	// Topic is the full name of where the message goes, OutputTopic of where the answer
	// comes from, empty for a function that gives none.
	Topic, OutputTopic string
	Value              []byte
}

// Send sends a message and returns the answer to it. answered is false for a function
// that gives none. Errors are those above, and others where Pulsar can't be used.
func (c *Client) Send(ctx context.Context, message Message) (answer []byte, answered bool, err error) {
	schema, refused, err := c.look(ctx, message)
	if err != nil {
		return nil, false, err
	}
	answer, answered, err = c.exchange(ctx, message, schema)
	if err != nil && (refused || strings.Contains(err.Error(), "AuthorizationError") || strings.Contains(err.Error(), "AuthenticationError")) && !errors.Is(err, ErrTimeout) {
		return nil, false, fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	return answer, answered, err
}

func (c *Client) exchange(ctx context.Context, message Message, schema pulsar.Schema) ([]byte, bool, error) {
	options := pulsar.ClientOptions{
		URL:               message.ServiceURL,
		TLSConfig:         c.tls.Clone(),
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
	sent, err := send(ctx, client, message, schema)
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

func send(ctx context.Context, client pulsar.Client, message Message, schema pulsar.Schema) (pulsar.MessageID, error) {
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
