// Package receiving applies what other systems say about orders: that one was paid, sent or delivered, or should be
// canceled. It comes as messages from a queue, at least once each and in any order.
//
// A Service decides what becomes of one message. A Worker takes messages off a queue and hands them to it; a Lambda function
// gets them from AWS and does the same.
package receiving

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"order-processing-service/internal/application/ordering"
)

// OriginalIDAttribute is the attribute of a message that was sent again from a dead-letter queue: the id that it had at
// first, which is to become Message.ID, so that it is known again.
const OriginalIDAttribute = "original-message-id"

// Message is one message of a queue, as it was received.
type Message struct {
	// ID is the queue's own id of the message, the same each time that it comes: OriginalIDAttribute if it has that.
	ID string
	// Body is a command or an EventBridge envelope around one, as JSON.
	Body []byte
	// Group is the FIFO group of the message, whose messages are to be applied in their order; "" where the queue has none.
	Group string
	// Receives is how often the message has been received, this time included; 0 if that is not known.
	Receives int
	// SentAt is when the message was sent; zero if that is not known.
	SentAt time.Time
	// Trace is the W3C traceparent of what sent the message; "" for none.
	Trace string
}

// Reason says why a message was set aside.
type Reason struct {
	Code string // stable, for machines: "payment_amount_wrong"
	Text string // one sentence, without the customer's data
}

// DeadLetters is the queue to which messages go that can't be applied. Implementations are safe for concurrent use.
type DeadLetters interface {
	// Send sets a message aside. When it returns nil the message is kept there. It may come to be there twice.
	Send(ctx context.Context, m Message, why Reason) error
}

// Orders is the use case that commands come to. Its errors are faults.
type Orders interface {
	Change(ctx context.Context, caller ordering.Caller, c ordering.Change) (ordering.Revised, error)
}

// Subject is the caller whose name commands have that name no source. With one it is Subject, a colon and the source.
const Subject = "commands"

// Defaults of Config.
const (
	DefaultEarlyFor      = time.Hour
	DefaultEarlyReceives = 10
)

// Config says what a Service is made of. Orders is needed.
type Config struct {
	Orders Orders
	// DeadLetters takes what can never be applied. With nil such a message is answered with an error each time, so that the
	// queue's own redrive policy decides.
	DeadLetters DeadLetters
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Log gets a line for each message; nil for none.
	Log *slog.Logger
	// EarlyFor is how old, and EarlyReceives how often received, a message must be before it is given up that is ahead of its
	// order, or that fails for no known reason. What is not known of a message counts as reached. Defaults: 1 hour, 10 times.
	EarlyFor      time.Duration
	EarlyReceives int
}

// Service decides what becomes of messages. It is safe for concurrent use.
type Service struct {
	Config
	counts counts
}

// New returns a Service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.EarlyFor = cmp.Or(c.EarlyFor, DefaultEarlyFor)
	c.EarlyReceives = cmp.Or(c.EarlyReceives, DefaultEarlyReceives)
	return &Service{Config: c}
}
