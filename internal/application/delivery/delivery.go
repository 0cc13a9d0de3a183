// Package delivery tells subscribers of every change: at least once, in each order's own sequence,
// without gaps, however often processes die in between. The rules are pure functions on Tracks,
// which lie in the store beside the order; the dispatcher does the work.
package delivery

import (
	"context"
	"time"

	"order-processing-service/internal/domain/order"
)

// MaxEvents is how many events of one order a subscriber is handed at once.
const MaxEvents = 100

// Subscriber is told of changes. Implementations must be safe for concurrent use and do their work
// more than once without harm: an event can be told again after a crash.
//
// An error is one of two. A fault of kind Unavailable says that the outside system is away as a whole,
// or takes no more at the moment: unreachable, timed out, throttled. That is no fault of the order's,
// so it uses up none of its tries and never parks it, however long it lasts. When a whole call ends so,
// the subscriber rests, for longer each time, and then one call decides for all. Any other error is
// about the message: it counts as a try. What befalls only some orders must not be Unavailable, or
// those are tried for ever.
type Subscriber interface {
	// Name is how the subscriber's tracks are stored: short, lower case, the same for ever.
	Name() string
	// Deliver tells the subscriber the events of each message, in their sequence; the messages are
	// of different orders. It returns one result for each message, in the same order. The context
	// ends before the lease does.
	Deliver(ctx context.Context, messages []Message) []Result
}

// Message is what a subscriber is told of one order.
type Message struct {
	// Order is the order, at least as new as the last event. It must not be changed.
	Order *order.Order
	// Events are the events not told yet, in sequence order, at least one and at most MaxEvents.
	Events []order.Event
}

// Result says how the delivery of one message ended.
type Result struct {
	// Told is how many of the message's events were told, counted from the first.
	Told int
	// Err says why the next one was not, a fault of kind Unavailable if the outside system is away;
	// nil when all were told.
	Err error
}

// Store keeps the tracks. Implementations apply the methods of Tracks in one atomic write of the
// order, and answer a store that is away with a fault of kind Unavailable. They are safe for
// concurrent use, also by several processes.
type Store interface {
	// Claim leases due tracks, those due longest first, as far as that costs nothing. Orders are
	// read with their tracks: at most c.Limit orders are returned, with a task for each leased track.
	// A store that knows a lease's owner to be gone need not wait for the lease's end.
	Claim(ctx context.Context, c Claim) ([]Task, error)
	// Settle takes note of deliveries that ended, and answers each in the same order.
	Settle(ctx context.Context, settlements []Settlement) ([]Settled, error)
	// Next returns the task that goes on after a settlement that was answered with More. It has no
	// events when there is nothing left to tell.
	Next(ctx context.Context, id order.ID, subscriber string) (Task, error)
	// Deliveries lists tracks that wait or are parked.
	Deliveries(ctx context.Context, q Query) (Page, error)
	// Backlog counts what the subscribers have yet to be told, a row for each in the same order; see
	// Tally. It looks at limit orders at most of which something waits, whichever, and at as many of which
	// something is parked, so that it costs no more than that however many orders there are. It may look
	// at fewer very large ones; it says so with More. An order whose tracks can't be read is passed over.
	Backlog(ctx context.Context, subscribers []string, limit int) ([]Backlog, error)
	// Redrive applies Tracks.Redrive.
	Redrive(ctx context.Context, id order.ID, subscriber string, now time.Time) error
	// Skip applies Tracks.Skip.
	Skip(ctx context.Context, id order.ID, subscriber string, now time.Time) error
}

// Claim asks for work.
type Claim struct {
	Owner       string
	Subscribers []string // whom this dispatcher can tell
	Now         time.Time
	Until       time.Time // when the lease ends
	Limit       int       // orders at most
}

// Task is work that a dispatcher holds the lease of.
type Task struct {
	Message
	Subscriber string
	Attempts   int
}

// Settlement says how far a dispatcher got with one track.
type Settlement struct {
	Order      order.ID
	Subscriber string
	Owner      string // of the lease; "" when it is over, and only what was told is to be noted
	// Told is the sequence of the last event told; not more than before when none was.
	Told int
	// Error says why the next event was not told; "" when nothing failed. Attempts then counts the
	// failed tries so far, which may be as many as before or none, and RetryAt says when to try again:
	// zero parks the track.
	Error    string
	Attempts int
	RetryAt  time.Time
	// Until keeps the lease up to then if there is more to tell. When it is zero (and Error is ""),
	// the lease is given back and what is left is due at RetryAt.
	Until time.Time
}

// Settled answers a Settlement.
type Settled struct {
	// More: new events have come meanwhile and the lease goes on; ask for them with Next.
	More bool
	// Lost: another dispatcher holds the lease, or nobody does; leave the track alone.
	Lost bool
}

// State is what a listed delivery waits for.
type State string

// The states by which deliveries can be listed.
const (
	StateWaiting State = "waiting" // to be told, now or at its next attempt
	StateParked  State = "parked"  // given up until an operator acts
)

// Query asks for a page of deliveries. Waiting ones come by the time they are due, parked ones by
// order id. A delivery that changes its place between two pages may be seen twice or not at all.
type Query struct {
	State State
	Limit int // deliveries at most; a page may hold a few more to keep an order's together
	After string
}

// Page is a page of deliveries. Next continues after it; "" at the end.
type Page struct {
	Deliveries []Delivery
	Next       string
}

// Delivery is one track as an operator sees it.
type Delivery struct {
	Order    order.ID
	Sequence int // of the event to be told next
	State    State
	Track    Track
}
