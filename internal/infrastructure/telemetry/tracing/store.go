package tracing

import (
	"context"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/telemetry/failure"
)

// collection is where both stores keep orders.
const collection = "orders"

// Store returns a store each of whose calls is a span, if it is made within recorded work. System is its db.system.name.
func (t *Tracer) Store(system string, s ordering.Store) ordering.Store {
	if t == nil {
		return s
	}
	return store{s, calls{t, system}}
}

type store struct {
	ordering.Store

	calls calls
}

// calls are the calls of a store.
type calls struct {
	tracer *Tracer
	system string
}

// begin begins the span of a call.
func (c calls) begin(ctx context.Context, operation string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, nil
	}
	return c.tracer.begin(ctx, operation+" "+collection, append(options, client(), with(
		semconv.DBSystemNameKey.String(c.system), semconv.DBOperationName(operation), semconv.DBCollectionName(collection)))...)
}

// ended ends the span of a call. An order that is not there, or a change that an order does not allow, is an answer like others.
func ended(span trace.Span, err error) {
	if span != nil {
		fail(span, failure.OfStore(err))
		span.End()
	}
}

// Create implements ordering.Store. The call has failed if one of its orders has.
func (s store) Create(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
	var options []trace.SpanStartOption
	if len(orders) > 1 {
		options = append(options, with(semconv.DBOperationBatchSize(len(orders))))
	}
	ctx, span := s.calls.begin(ctx, "create", options...)
	created := s.Store.Create(ctx, orders)
	if span != nil {
		fail(span, failure.OfCreated(created))
		span.End()
	}
	return created
}

// Get implements ordering.Store.
func (s store) Get(ctx context.Context, id order.ID) (*order.Order, error) {
	ctx, span := s.calls.begin(ctx, "get")
	o, err := s.Store.Get(ctx, id)
	ended(span, err)
	return o, err
}

// Change implements ordering.Store.
func (s store) Change(
	ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
) (ordering.Changed, error) {
	ctx, span := s.calls.begin(ctx, "change")
	changed, err := s.Store.Change(ctx, id, h, now, change)
	ended(span, err)
	return changed, err
}

// Events implements ordering.Store.
func (s store) Events(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
	ctx, span := s.calls.begin(ctx, "events")
	events, err := s.Store.Events(ctx, id, after, limit)
	ended(span, err)
	return events, err
}

// List implements ordering.Store.
func (s store) List(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
	ctx, span := s.calls.begin(ctx, "list")
	orders, err := s.Store.List(ctx, q)
	ended(span, err)
	return orders, err
}

// DeliveryStore is Store for the deliveries that operators ask for. What the dispatcher does by itself is part of no recorded work,
// and so no span.
func (t *Tracer) DeliveryStore(system string, s delivery.Store) delivery.Store {
	if t == nil {
		return s
	}
	return deliveryStore{s, calls{t, system}}
}

type deliveryStore struct {
	delivery.Store

	calls calls
}

// Deliveries implements delivery.Store.
func (s deliveryStore) Deliveries(ctx context.Context, q delivery.Query) (delivery.Page, error) {
	ctx, span := s.calls.begin(ctx, "deliveries")
	page, err := s.Store.Deliveries(ctx, q)
	ended(span, err)
	return page, err
}

// Redrive implements delivery.Store.
func (s deliveryStore) Redrive(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	ctx, span := s.calls.begin(ctx, "redrive")
	err := s.Store.Redrive(ctx, id, subscriber, now)
	ended(span, err)
	return err
}

// Skip implements delivery.Store.
func (s deliveryStore) Skip(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	ctx, span := s.calls.begin(ctx, "skip")
	err := s.Store.Skip(ctx, id, subscriber, now)
	ended(span, err)
	return err
}
