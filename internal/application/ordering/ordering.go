// Package ordering has the use cases of orders, one a file: place, read, list, change. It owns the
// port to the store and the rules of idempotent requests; what an order may do is the domain's.
package ordering

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Store keeps orders. Each change is one atomic write of one order: its state, its events and who is
// yet to be told. When a method that writes returns without an error, the write is durable. A store
// that is away or whose queue is full (ErrStoreBusy) answers with a fault of kind Unavailable and has
// then written nothing, unless the fault's code is store_outcome_unknown: the store went away before it
// said. After that, after any other error, or when ctx ends early, the write is wholly there or not at all.
// What ctx ended early has context.Canceled or context.DeadlineExceeded in its error, as is the case.
// Implementations are safe for concurrent use.
type Store interface {
	// Create inserts orders, each on its own, and answers each in the same order. An order whose id
	// is there already is answered with the order that has it.
	Create(ctx context.Context, orders []NewOrder) []Created
	// Get reads one order. The error is order.ErrNotFound if there is none.
	Get(ctx context.Context, id order.ID) (*order.Order, error)
	// Change reads an order, applies change to it and, if that left it unsaved, writes it, provided
	// that nobody else has meanwhile; else it begins again, a bounded number of times. An order that
	// only remembers a request keeps its version, and nobody is told. Change must be
	// pure: it may run more than once. Its error is returned as it is. The error for an unknown id
	// is order.ErrNotFound; too many conflicts are a fault of kind Unavailable.
	Change(ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error) (Changed, error)
	// Events returns the order's events with a sequence above after, in sequence order, at most
	// limit. The error is order.ErrNotFound if there is no such order.
	Events(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error)
	// List returns at most q.Limit orders that match, newest first by CreatedAt, then by id, and ends with the order with which
	// the list is q.Full.
	List(ctx context.Context, q Query) ([]*order.Order, error)
	// Ping answers nil if an order could be written now.
	Ping(ctx context.Context) error
}

// NewOrder is an order to insert.
type NewOrder struct {
	Order    *order.Order
	Handover delivery.Handover
}

// Created answers a NewOrder.
type Created struct {
	// Existing is the order that has the id already; nil when the new one was inserted.
	Existing *order.Order
	// Leased are the tracks that the handover's owner holds.
	Leased []delivery.Track
	Err    error
}

// Changed answers a change.
type Changed struct {
	// Order is the order after the change, or as it was found if there was nothing to change.
	Order *order.Order
	// Leased are the tracks that the handover's owner holds.
	Leased []delivery.Track
}

// Teller takes over what was committed, to tell subscribers of it at once. The dispatcher is one.
// Implementations are safe for concurrent use and never block.
type Teller interface {
	// Offer says who is to be told of a change that is about to be written, and keeps a place for
	// it. Every offer is answered with one Accept or Decline.
	Offer(now time.Time) delivery.Handover
	// Accept hands over a committed change: the order, the events that came with it and the tracks
	// that the store leased to the offer's owner.
	Accept(h delivery.Handover, o *order.Order, events []order.Event, leased []delivery.Track)
	// Decline gives the place back: nothing was written.
	Decline(h delivery.Handover)
}

// Meter counts what was committed. Implementations are safe for concurrent use and never block.
type Meter interface {
	// Placed counts an order that was inserted; asHistory tells that no subscriber learns of it.
	Placed(asHistory bool)
	// Moved counts an order that came to another status.
	Moved(to order.Status)
}

// Config says what a Service is made of. All fields but Meter are needed.
type Config struct {
	Store  Store
	Teller Teller
	// Now is the clock.
	Now func() time.Time
	// DefaultCurrency is the ISO 4217 code of an order that names none.
	DefaultCurrency string
	// Meter counts; nil for nobody. A write of which the store could not say whether it was made does not count, and neither
	// does a repeat of a request.
	Meter Meter
}

// Service has the use cases. It is safe for concurrent use.
type Service struct {
	store           Store
	teller          Teller
	now             func() time.Time
	defaultCurrency string
	meter           Meter
	ids             ids
}

// New returns a Service.
func New(c Config) *Service {
	if c.Meter == nil {
		c.Meter = nobody{}
	}
	return &Service{store: c.Store, teller: c.Teller, now: c.Now, defaultCurrency: c.DefaultCurrency, meter: c.Meter, ids: newIDs()}
}

// nobody counts nothing.
type nobody struct{}

func (nobody) Placed(bool)        {}
func (nobody) Moved(order.Status) {}

// ErrStoreBusy is the fault of a store whose queue is full.
var ErrStoreBusy = &fault.Error{
	Kind: fault.Unavailable, Code: "store_busy", RetryAfter: time.Second,
	Message: "too many changes are waiting to be written; try again in a moment",
}

// Ready answers nil if orders are being taken now, else a fault of kind Unavailable. A store that is
// busy counts as ready: it is working at its limit, and whoever took the service out of use for that
// would move its load to the next one.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.store.Ping(ctx); !errors.Is(err, ErrStoreBusy) {
		return err
	}
	return nil
}

// Caller is who asks for something.
type Caller struct {
	// Subject names the caller: the owner of its idempotency keys and the actor of its changes.
	Subject string
	// Customer is the only customer whose orders there are for the caller; "" for all.
	Customer string
	// Trace is the W3C traceparent of what it asks, to be kept with the events that come of it; "" when nobody records that.
	Trace string
}

// sees reports whether there is such an order for the caller.
func (c Caller) sees(o *order.Order) bool {
	return c.Customer == "" || c.Customer == o.View().CustomerID
}

// MaxIdempotencyKey is the longest idempotency key, in bytes.
const MaxIdempotencyKey = 255

// CheckIdempotencyKey answers a fault of kind Invalid unless key is 1 to MaxIdempotencyKey printable
// ASCII characters.
func CheckIdempotencyKey(key string) error {
	ok := len(key) >= 1 && len(key) <= MaxIdempotencyKey
	for i := 0; ok && i < len(key); i++ {
		ok = key[i] >= 0x20 && key[i] < 0x7f
	}
	if !ok {
		return fault.New(fault.Invalid, "idempotency_key_invalid",
			"an idempotency key must have 1 to 255 printable ASCII characters")
	}
	return nil
}

// ErrKeyReused is the fault for an idempotency key that comes with something else than before.
var ErrKeyReused = fault.New(fault.Invalid, "idempotency_key_reused",
	"this idempotency key was used before with another request; use a new key for a new request")

// ids makes ids in the layout of ObjectID: seconds, five random bytes a process, a counter.
type ids struct {
	process [5]byte
	counter *atomic.Uint32
}

func newIDs() ids {
	var seed [8]byte
	rand.Read(seed[:]) // it never fails
	n := ids{counter: new(atomic.Uint32)}
	copy(n.process[:], seed[:5])
	n.counter.Store(binary.BigEndian.Uint32(append([]byte{0}, seed[5:]...)))
	return n
}

func (n ids) next(at time.Time) order.ID {
	var unique [8]byte
	copy(unique[:5], n.process[:])
	c := n.counter.Add(1)
	unique[5], unique[6], unique[7] = byte(c>>16), byte(c>>8), byte(c) //nolint:gosec // three bytes of the counter
	return order.TimedID(at, unique)
}
