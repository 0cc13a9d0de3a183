package storetest_test

import (
	"context"
	"time"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/storetest"
)

// broken is a store of which the methods that are not nil are replaced.
type broken struct {
	storetest.Store
	ping       func(context.Context) error
	create     func(context.Context, []ordering.NewOrder) []ordering.Created
	get        func(context.Context, order.ID) (*order.Order, error)
	change     func(context.Context, order.ID, delivery.Handover, time.Time, func(*order.Order) error) (ordering.Changed, error)
	events     func(context.Context, order.ID, int, int) ([]order.Event, error)
	list       func(context.Context, ordering.Query) ([]*order.Order, error)
	claim      func(context.Context, delivery.Claim) ([]delivery.Task, error)
	settle     func(context.Context, []delivery.Settlement) ([]delivery.Settled, error)
	skip       func(context.Context, order.ID, string, time.Time) error
	deliveries func(context.Context, delivery.Query) (delivery.Page, error)
	backlog    func(context.Context, []string, int) ([]delivery.Backlog, error)
	records    func(context.Context, copying.Range) (copying.Page, error)
	insert     func(context.Context, []copying.Record) []copying.Inserted
}

func (b broken) Create(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
	if b.create != nil {
		return b.create(ctx, orders)
	}
	return b.Store.Create(ctx, orders)
}

func (b broken) Get(ctx context.Context, id order.ID) (*order.Order, error) {
	if b.get != nil {
		return b.get(ctx, id)
	}
	return b.Store.Get(ctx, id)
}

func (b broken) Change(
	ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
) (ordering.Changed, error) {
	if b.change != nil {
		return b.change(ctx, id, h, now, change)
	}
	return b.Store.Change(ctx, id, h, now, change)
}

func (b broken) Events(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
	if b.events != nil {
		return b.events(ctx, id, after, limit)
	}
	return b.Store.Events(ctx, id, after, limit)
}

func (b broken) List(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
	if b.list != nil {
		return b.list(ctx, q)
	}
	return b.Store.List(ctx, q)
}

func (b broken) Claim(ctx context.Context, c delivery.Claim) ([]delivery.Task, error) {
	if b.claim != nil {
		return b.claim(ctx, c)
	}
	return b.Store.Claim(ctx, c)
}

func (b broken) Settle(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
	if b.settle != nil {
		return b.settle(ctx, settlements)
	}
	return b.Store.Settle(ctx, settlements)
}

func (b broken) Skip(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	if b.skip != nil {
		return b.skip(ctx, id, subscriber, now)
	}
	return b.Store.Skip(ctx, id, subscriber, now)
}

func (b broken) Deliveries(ctx context.Context, q delivery.Query) (delivery.Page, error) {
	if b.deliveries != nil {
		return b.deliveries(ctx, q)
	}
	return b.Store.Deliveries(ctx, q)
}

func (b broken) Backlog(ctx context.Context, subscribers []string, limit int) ([]delivery.Backlog, error) {
	if b.backlog != nil {
		return b.backlog(ctx, subscribers, limit)
	}
	return b.Store.Backlog(ctx, subscribers, limit)
}

func (b broken) Records(ctx context.Context, r copying.Range) (copying.Page, error) {
	if b.records != nil {
		return b.records(ctx, r)
	}
	return b.Store.Records(ctx, r)
}

func (b broken) InsertRecords(ctx context.Context, records []copying.Record) []copying.Inserted {
	if b.insert != nil {
		return b.insert(ctx, records)
	}
	return b.Store.InsertRecords(ctx, records)
}

func (b broken) Ping(ctx context.Context) error {
	if b.ping != nil {
		return b.ping(ctx)
	}
	return b.Store.Ping(ctx)
}
