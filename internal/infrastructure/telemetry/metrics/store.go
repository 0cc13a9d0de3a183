package metrics

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/telemetry/failure"
)

// Store returns a store of orders whose calls are measured, under the name of its database system.
func (m *Metrics) Store(system string, of ordering.Store) ordering.Store {
	if m == nil || m.stores == nil {
		return of
	}
	return orderStore{Store: of, calls: &calls{system: system, duration: m.stores}}
}

// DeliveryStore is Store for the store of deliveries.
func (m *Metrics) DeliveryStore(system string, of delivery.Store) delivery.Store {
	if m == nil || m.stores == nil {
		return of
	}
	return deliveryStore{Store: of, calls: &calls{system: system, duration: m.stores}}
}

// calls measures the calls of a store.
type calls struct {
	system   string
	duration metric.Float64Histogram
	options  sync.Map // of *[]metric.RecordOption, by call
}

// call is what calls are told apart by.
type call struct{ operation, failure string }

// ended measures a call that began at a time.
func (c *calls) ended(ctx context.Context, operation string, begun time.Time, err error) {
	c.endedWith(ctx, operation, begun, failure.OfStore(err))
}

// endedWith is ended with why the call failed, "" for one that did not.
func (c *calls) endedWith(ctx context.Context, operation string, begun time.Time, kind string) {
	took, key := time.Since(begun), call{operation, kind}
	kept, ok := c.options.Load(key)
	if !ok {
		set := []attribute.KeyValue{attribute.String(attrSystem, c.system), attribute.String(attrOperation, operation)}
		if kind != "" {
			set = append(set, attribute.String(attrError, kind))
		}
		kept, _ = c.options.LoadOrStore(key, &[]metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(set...))})
	}
	if options, ok := kept.(*[]metric.RecordOption); ok { // nothing else is kept
		c.duration.Record(ctx, took.Seconds(), *options...)
	}
}

// Writes returns what a store is to tell of its writes: the operation, a constant of the store, how many went together and how
// long they took. It is safe for concurrent use, and goes on after the end of ctx; nil when nobody reads.
func (m *Metrics) Writes(ctx context.Context, system string) func(operation string, writes int, took time.Duration) {
	if m == nil || m.batch == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	var known sync.Map // of *[]metric.RecordOption, by operation
	return func(operation string, writes int, took time.Duration) {
		kept, ok := known.Load(operation)
		if !ok {
			set := attribute.NewSet(attribute.String(attrSystem, system), attribute.String(attrOperation, operation))
			kept, _ = known.LoadOrStore(operation, &[]metric.RecordOption{metric.WithAttributeSet(set)})
		}
		if options, ok := kept.(*[]metric.RecordOption); ok { // nothing else is kept
			m.batch.Record(ctx, int64(writes), *options...)
			m.commit.Record(ctx, took.Seconds(), *options...)
		}
	}
}

// ObserveQueue measures how many writes wait in a store.
func (m *Metrics) ObserveQueue(system string, depth func() int) {
	if m == nil || m.make == nil {
		return
	}
	set := one(attrSystem, system)
	m.make.observe(func(o metric.Observer) { m.make.int(o, storeDepth, int64(depth()), set) }, storeDepth)
}

// operationPing is whether an order could be written now, which only health checks ask.
const operationPing = "ping"

type orderStore struct {
	ordering.Store

	calls *calls
}

func (s orderStore) Create(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
	begun := time.Now()
	created := s.Store.Create(ctx, orders)
	s.calls.endedWith(ctx, "create", begun, failure.OfCreated(created))
	return created
}

func (s orderStore) Get(ctx context.Context, id order.ID) (*order.Order, error) {
	begun := time.Now()
	o, err := s.Store.Get(ctx, id)
	s.calls.ended(ctx, "get", begun, err)
	return o, err
}

func (s orderStore) Change(
	ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
) (ordering.Changed, error) {
	begun := time.Now()
	changed, err := s.Store.Change(ctx, id, h, now, change)
	s.calls.ended(ctx, "change", begun, err)
	return changed, err
}

func (s orderStore) Events(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
	begun := time.Now()
	events, err := s.Store.Events(ctx, id, after, limit)
	s.calls.ended(ctx, "events", begun, err)
	return events, err
}

func (s orderStore) List(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
	begun := time.Now()
	orders, err := s.Store.List(ctx, q)
	s.calls.ended(ctx, "list", begun, err)
	return orders, err
}

func (s orderStore) Ping(ctx context.Context) error {
	begun := time.Now()
	err := s.Store.Ping(ctx)
	s.calls.ended(ctx, operationPing, begun, err)
	return err
}

type deliveryStore struct {
	delivery.Store

	calls *calls
}

func (s deliveryStore) Claim(ctx context.Context, c delivery.Claim) ([]delivery.Task, error) {
	begun := time.Now()
	tasks, err := s.Store.Claim(ctx, c)
	s.calls.ended(ctx, "claim", begun, err)
	return tasks, err
}

func (s deliveryStore) Settle(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
	begun := time.Now()
	settled, err := s.Store.Settle(ctx, settlements)
	s.calls.ended(ctx, "settle", begun, err)
	return settled, err
}

func (s deliveryStore) Next(ctx context.Context, id order.ID, subscriber string) (delivery.Task, error) {
	begun := time.Now()
	task, err := s.Store.Next(ctx, id, subscriber)
	s.calls.ended(ctx, "next", begun, err)
	return task, err
}

func (s deliveryStore) Deliveries(ctx context.Context, q delivery.Query) (delivery.Page, error) {
	begun := time.Now()
	page, err := s.Store.Deliveries(ctx, q)
	s.calls.ended(ctx, "deliveries", begun, err)
	return page, err
}

func (s deliveryStore) Redrive(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	begun := time.Now()
	err := s.Store.Redrive(ctx, id, subscriber, now)
	s.calls.ended(ctx, "redrive", begun, err)
	return err
}

func (s deliveryStore) Skip(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	begun := time.Now()
	err := s.Store.Skip(ctx, id, subscriber, now)
	s.calls.ended(ctx, "skip", begun, err)
	return err
}

func (s deliveryStore) Backlog(ctx context.Context, subscribers []string, limit int) ([]delivery.Backlog, error) {
	begun := time.Now()
	backlogs, err := s.Store.Backlog(ctx, subscribers, limit)
	s.calls.ended(ctx, "backlog", begun, err)
	return backlogs, err
}
