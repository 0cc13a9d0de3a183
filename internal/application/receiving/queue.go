package receiving

import (
	"context"
	"time"
)

// MaxReceive is how many messages Queue.Receive is asked for at most.
const MaxReceive = 10

// Received is a message in hand, which nobody else gets for a while.
type Received struct {
	Message
	// Receipt names this receiving of the message.
	Receipt string
}

// Hidden asks that a message in hand stay hidden from all readers for so long from now on; zero gives it back at once.
type Hidden struct {
	Receipt string
	For     time.Duration
}

// Queue is where a Worker takes messages from. A message that is not deleted comes again when it is no longer hidden.
// Implementations are safe for concurrent use.
type Queue interface {
	// Receive waits for messages, half a minute at most, and returns up to most of them, or none. They are hidden from other
	// readers for the time given. Those of a FIFO group come in their order, and no more of it come while some are hidden. The
	// error is a fault of kind Unavailable that says what to do, or that of ctx.
	Receive(ctx context.Context, most int, hide time.Duration) ([]Received, error)
	// Delete takes messages off the queue, up to MaxReceive, and answers each in the same order.
	Delete(ctx context.Context, receipts []string) []error
	// Hide says how long messages stay hidden, up to MaxReceive, and answers each in the same order.
	Hide(ctx context.Context, messages []Hidden) []error
}
