// Package memory keeps orders in the process's memory. It is a whole store: it keeps every promise
// of the ports but durability, and passes the same conformance kit as the stores that orders are
// kept in. The tests of the application layer and of the ways in run on it, and the kit is held
// against it. It is not for production: orders end with the process, and lists and claims look at
// every order.
package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

var (
	_ ordering.Store      = (*Store)(nil)
	_ delivery.Store      = (*Store)(nil)
	_ copying.Source      = (*Store)(nil)
	_ copying.Destination = (*Store)(nil)
)

// Memory is where orders lie. Like a file or a server it outlives the stores that are opened on it,
// and several may be open at once, as several processes are. It is safe for concurrent use.
type Memory struct {
	away atomic.Bool

	mu      sync.Mutex
	records map[order.ID]*record // guarded by mu, with all that is in it
}

// record is all that is kept of one order.
type record struct {
	order  *order.Order // never changed and never given away; see copied
	events []order.Event
	tracks delivery.Tracks
}

// New returns an empty Memory.
func New() *Memory { return &Memory{records: make(map[order.ID]*record)} }

// Open opens a store on the memory. It never fails.
func (m *Memory) Open() *Store { return &Store{memory: m} }

// SetAway says whether the memory can't be reached: every open store then answers with a fault of
// kind Unavailable.
func (m *Memory) SetAway(away bool) { m.away.Store(away) }

// Store is a store on a Memory. It implements ordering.Store, delivery.Store and the ports of copying.
type Store struct {
	memory *Memory
	closed atomic.Bool
}

// Close ends the store, and the memory stays: calls that come later are answered with a fault of
// kind Unavailable. It never fails and may be called more than once.
func (s *Store) Close() error {
	s.memory.mu.Lock() // wait for what is under way
	defer s.memory.mu.Unlock()
	s.closed.Store(true)
	return nil
}

// Ping implements ordering.Store.
func (s *Store) Ping(ctx context.Context) error {
	_, release, err := s.enter(ctx, "ping")
	if err != nil {
		return err
	}
	release()
	return nil
}

// enter begins work on the records, which is the caller's alone until it calls release.
func (s *Store) enter(ctx context.Context, operation string) (records map[order.ID]*record, release func(), err error) {
	s.memory.mu.Lock()
	switch {
	case s.closed.Load():
		err = unavailable("store is closed")
	case s.memory.away.Load():
		err = unavailable("memory is away")
	default:
		err = ctx.Err()
	}
	if err != nil {
		s.memory.mu.Unlock()
		return nil, nil, fmt.Errorf("%s: %w", operation, err)
	}
	return s.memory.records, s.memory.mu.Unlock, nil
}

func unavailable(cause string) error {
	return fault.Wrap(errors.New(cause), fault.Unavailable, "store_unavailable",
		"the orders can't be reached at the moment; try again")
}

// copied returns an order that shares nothing with o and has recorded nothing yet.
func copied(o *order.Order) *order.Order {
	c, err := order.Restore(o.Snapshot())
	if err != nil {
		panic(fmt.Sprintf("memory: an order that was kept can't be restored: %v", err)) // New and Restore let none in
	}
	return c
}
