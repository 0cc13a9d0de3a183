// Package receiving applies what other systems say about orders: that one was paid, sent or delivered, or should be
// canceled. It comes as messages from a queue, at least once each and in any order.
package receiving

import "time"

// Message is one message of a queue, as it was received.
type Message struct {
	// ID is the queue's own id of the message, the same each time that it comes.
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
