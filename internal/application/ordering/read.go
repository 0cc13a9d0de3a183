package ordering

import (
	"context"

	"order-processing-service/internal/domain/order"
)

// Read returns one order. The error is order.ErrNotFound, also if it is not for this caller, or a fault of kind Unavailable.
func (s *Service) Read(ctx context.Context, caller Caller, id order.ID) (*order.Order, error) {
	o, err := s.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if !caller.sees(o) {
		return nil, order.ErrNotFound
	}
	return o, nil
}

// Timeline returns an order with all its events, in sequence order. Errors are those of Read.
func (s *Service) Timeline(ctx context.Context, caller Caller, id order.ID) (*order.Order, []order.Event, error) {
	o, err := s.Read(ctx, caller, id)
	if err != nil {
		return nil, nil, err
	}
	events, err := s.store.Events(ctx, id, 0, order.MaxEvents)
	return o, events, err
}
