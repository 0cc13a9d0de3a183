package ordering

import (
	"context"

	"order-processing-service/internal/domain/order"
)

// Read returns one order. The error is order.ErrNotFound, or a fault of kind Unavailable.
func (s *Service) Read(ctx context.Context, id order.ID) (*order.Order, error) {
	return s.store.Get(ctx, id)
}

// Timeline returns all events of an order, in sequence order. Errors are those of Read.
func (s *Service) Timeline(ctx context.Context, id order.ID) ([]order.Event, error) {
	return s.store.Events(ctx, id, 0, order.MaxEvents)
}
