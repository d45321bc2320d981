package trigger

import (
	"context"
	"errors"
	"fmt"
	"os"

	"k8s.io/client-go/util/cert"
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
	// ErrUntrusted says that a Pulsar's certificate can't be verified: it was sent nothing.
	ErrUntrusted = errors.New("the certificate can't be verified")
	// ErrEnded says that the process for the exchange ended without an outcome, over what
	// it read. Whether the message was sent isn't known.
	ErrEnded = errors.New("the exchange with Pulsar ended without an outcome")
)

// MaxAnswerBytes bounds the answer of a function: it is as large as a message in Pulsar is
// by default.
const MaxAnswerBytes = 5 << 20

// exchangeTimeout bounds a whole exchange, whether the library heeds a context or not.
const exchangeTimeout = 6*stepTimeout + answerTimeout

// Client triggers functions. It can be used concurrently.
type Client struct {
	// authorities verify Pulsar's certificates, PEM; the system's do where it is empty.
	authorities []byte
}

// NewClient returns a client that verifies Pulsar's certificates with those in a file, or
// with the system's where it is "".
func NewClient(caFile string) (*Client, error) {
	if caFile == "" {
		return &Client{}, nil
	}
	authorities, err := os.ReadFile(caFile)
	if err == nil {
		_, err = cert.NewPoolFromBytes(authorities)
	}
	if err != nil {
		return nil, fmt.Errorf("could not load the certificates for Pulsar: %w", err)
	}
	return &Client{authorities: authorities}, nil
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
	Value              []byte `json:"-"`
}

// Send sends a message and returns the answer to it. answered is false for a function
// that gives none. Errors are those above,
// *schema.Error for a value that the topic's schema doesn't allow, and others where
// Pulsar can't be used. It
// returns when the process for it is gone.
func (c *Client) Send(ctx context.Context, message Message) (answer []byte, answered bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	answer, answered, err = run(bounded, request{Message: message, Authorities: c.authorities, ValueBytes: len(message.Value)})
	switch {
	case err == nil:
		return answer, answered, nil
	case ctx.Err() != nil:
		return nil, false, ctx.Err()
	case bounded.Err() != nil:
		return nil, false, ErrTimeout
	default:
		return nil, false, err
	}
}
