package delivery

import (
	"context"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Limits of a page of deliveries.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Operations is what an operator does with deliveries. It is safe for concurrent use.
type Operations struct {
	store Store
	wake  func()
	now   func() time.Time
}

// NewOperations returns Operations on a store; wake is called when something has become due, and is
// the Wake of the process's dispatcher.
func NewOperations(store Store, wake func(), now func() time.Time) *Operations {
	return &Operations{store: store, wake: wake, now: now}
}

// List returns a page of the deliveries that wait or are parked. The error is a fault of kind
// Invalid, for an unknown state, a limit that is not 1 to MaxLimit or a place that no page named, or
// Unavailable.
func (s *Operations) List(ctx context.Context, q Query) (Page, error) {
	if q.State != StateWaiting && q.State != StateParked {
		return Page{}, fault.New(fault.Invalid, "state_invalid", "must be waiting or parked")
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return Page{}, fault.New(fault.Invalid, "limit_invalid", "must be a whole number from 1 to 200")
	}
	return s.store.Deliveries(ctx, q)
}

// Redrive has a delivery that waits or is parked tried again at once, with all its tries ahead of
// it. The error is order.ErrNotFound, or a fault of kind NotFound for an unknown subscriber,
// NotAllowed when nothing waits or it is being told right now, or Unavailable.
func (s *Operations) Redrive(ctx context.Context, id order.ID, subscriber string) error {
	if err := s.store.Redrive(ctx, id, subscriber, s.now()); err != nil {
		return err
	}
	s.wake()
	return nil
}

// Skip passes over the event that is to be delivered next; what comes after it is delivered at once.
// Errors are those of Redrive.
func (s *Operations) Skip(ctx context.Context, id order.ID, subscriber string) error {
	if err := s.store.Skip(ctx, id, subscriber, s.now()); err != nil {
		return err
	}
	s.wake()
	return nil
}
