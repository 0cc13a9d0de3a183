package mongo

import (
	"context"
	"fmt"
	"log/slog"

	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

// order reads the order of a record, in whichever form it is kept: a document of the FastAPI service is
// an order of version 1, of which nobody is to be told.
func (s *Store) order(ctx context.Context, r *record) (*order.Order, error) {
	if r.predecessors {
		return s.adopt(ctx, r)
	}
	o, err := r.order()
	if err != nil {
		return nil, err
	}
	// The FastAPI service, if it still runs, writes a status into any document that has the id.
	if status, ok := r.raw.Lookup("status").StringValueOK(); ok && status != o.Status().String() && s.legacy.first("written "+r.id.String()) {
		s.log.WarnContext(ctx, "another program has written a status into an order that this service keeps; it does not count",
			slog.String("order_id", r.id.String()), slog.String("written", status), slog.String("status", o.Status().String()))
	}
	return o, nil
}

// adopt reads the order of a document of the FastAPI service, and says once if a price was rounded.
func (s *Store) adopt(ctx context.Context, r *record) (*order.Order, error) {
	adopted, err := document.Adopt(r.id, r.raw, s.currency)
	if err != nil {
		return nil, unconverted(fmt.Errorf("order %s: %w", r.id, err))
	}
	r.adopted = adopted
	if len(adopted.Rounded) > 0 && s.legacy.first("rounded "+r.id.String()) {
		rounded := make([]string, len(adopted.Rounded))
		for i, p := range adopted.Rounded {
			rounded[i] = fmt.Sprintf("line %d: %s to %s", p.Line, p.Was, p.Is)
		}
		s.log.WarnContext(ctx, "prices of an order of the FastAPI service are rounded",
			slog.String("order_id", r.id.String()), slog.Any("rounded", rounded))
	}
	return adopted.Order, nil
}

// unconverted is the fault for a document of the FastAPI service that is no order.
func unconverted(err error) error {
	return fault.Wrap(err, fault.Internal, "order_not_convertible",
		"this order can't be read: the service before this one kept it in a way that can't be converted; "+
			"an operator sees why with 'orders mongo migrate --dry-run'")
}

// listed reads a document for a list. One that is no order of ours, nor one of the FastAPI service that
// can be converted, is left out, and spoken of once: nil.
func (s *Store) listed(ctx context.Context, raw bson.Raw) (*order.Order, error) {
	r, err := read(raw)
	if err == nil {
		var o *order.Order
		if o, err = s.order(ctx, &r); err == nil || !r.predecessors {
			return o, err
		}
	}
	if id := raw.Lookup("_id").String(); s.legacy.first("left out " + id) {
		s.log.WarnContext(ctx, "a document is left out of lists, as it can't be converted to an order; see 'orders mongo migrate --dry-run'",
			slog.String("id", id), slog.Any("error", err))
	}
	return nil, nil //nolint:nilnil // left out
}
