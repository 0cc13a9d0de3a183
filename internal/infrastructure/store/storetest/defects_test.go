package storetest_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/storetest"
)

// defect is one thing that a store does wrong.
type defect struct {
	concern string // of the kit, that must find it
	forgets bool   // loses everything when it is closed
	seed    func(s storetest.Store) broken
}

// defects returns the defects by name.
func defects() map[string]defect {
	all := map[string]defect{
		"a repeat overwrites nothing but is called new": {concern: "create", seed: func(s storetest.Store) broken {
			return broken{create: func(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
				answers := s.Create(ctx, orders)
				for i := range answers {
					answers[i].Existing = nil
				}
				return answers
			}}
		}},
		"answers of a batch in another order": {concern: "batch", seed: func(s storetest.Store) broken {
			return broken{create: func(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
				answers := s.Create(ctx, orders)
				slices.Reverse(answers)
				return answers
			}}
		}},
		"a write without its handover": {concern: "cancel", seed: func(s storetest.Store) broken {
			return broken{create: func(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
				if ctx.Err() == nil {
					return s.Create(ctx, orders)
				}
				for i := range orders {
					orders[i].Handover = delivery.Handover{}
				}
				return s.Create(context.WithoutCancel(ctx), orders)
			}}
		}},
		"an answer before the write": {concern: "cancel", seed: func(s storetest.Store) broken {
			return broken{create: func(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
				answers := s.Create(ctx, orders)
				for i := range answers {
					answers[i].Err = nil
				}
				return answers
			}}
		}},
		"a lost update": {concern: "concurrency", seed: losesUpdates},
		"a change is refused in other words": {concern: "change", seed: func(s storetest.Store) broken {
			return broken{change: func(
				ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
			) (ordering.Changed, error) {
				changed, err := s.Change(ctx, id, h, now, change)
				if err != nil {
					err = errors.New("change: " + err.Error())
				}
				return changed, err
			}}
		}},
		"a dropped event": {concern: "events", seed: func(s storetest.Store) broken {
			return broken{events: func(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
				events, err := s.Events(ctx, id, after, limit)
				return slices.DeleteFunc(events, func(e order.Event) bool { return e.Sequence == 3 }), err
			}}
		}},
		"a row on two pages": {concern: "list", seed: func(s storetest.Store) broken {
			return broken{list: func(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
				q.After.ID[11]++
				return s.List(ctx, q)
			}}
		}},
		"a list of any weight": {concern: "list", seed: func(s storetest.Store) broken {
			return broken{list: func(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
				q.Weight = 0
				return s.List(ctx, q)
			}}
		}},
		"a list that ends before it is heavy enough": {concern: "list", seed: func(s storetest.Store) broken {
			return broken{list: func(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
				q.Weight = max(0, q.Weight-1)
				return s.List(ctx, q)
			}}
		}},
		"rows of the same moment left out": {concern: "list", seed: func(s storetest.Store) broken {
			return broken{list: func(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
				if !q.After.IsZero() {
					q.After.ID = order.ID{11: 1}
				}
				return s.List(ctx, q)
			}}
		}},
		"a window with its end": {concern: "filter", seed: func(s storetest.Store) broken {
			return broken{list: func(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
				if !q.PlacedBefore.IsZero() {
					q.PlacedBefore = q.PlacedBefore.Add(time.Millisecond)
				}
				return s.List(ctx, q)
			}}
		}},
		"a double lease": {concern: "claim", seed: func(s storetest.Store) broken {
			return broken{claim: func(ctx context.Context, c delivery.Claim) ([]delivery.Task, error) {
				c.Until = c.Now
				return s.Claim(ctx, c)
			}}
		}},
		"a lost lease that is not told": {concern: "settle", seed: func(s storetest.Store) broken {
			return broken{settle: func(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
				settled, err := s.Settle(ctx, settlements)
				for i := range settled {
					settled[i].Lost = false
				}
				return settled, err
			}}
		}},
		"a failure that counts as a try whatever is said": {concern: "settle", seed: func(s storetest.Store) broken {
			return broken{settle: func(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
				for i := range settlements {
					if s := &settlements[i]; s.Error != "" {
						s.Attempts = max(s.Attempts, 1)
					}
				}
				return s.Settle(ctx, settlements)
			}}
		}},
		"a read out of time that says it was canceled": {concern: "cut", seed: func(s storetest.Store) broken {
			return broken{list: func(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
				orders, err := s.List(ctx, q)
				if errors.Is(err, context.DeadlineExceeded) {
					err = context.Canceled
				}
				return orders, err
			}}
		}},
		"parked and tried again": {concern: "park", seed: func(s storetest.Store) broken {
			return broken{settle: func(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
				for i := range settlements {
					if s := &settlements[i]; s.RetryAt.IsZero() {
						s.RetryAt = time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC)
					}
				}
				return s.Settle(ctx, settlements)
			}}
		}},
		"a skip that is a redrive": {concern: "model", seed: func(s storetest.Store) broken { return broken{skip: s.Redrive} }},
		"a page of deliveries too short": {concern: "deliveries", seed: func(s storetest.Store) broken {
			return broken{deliveries: func(ctx context.Context, q delivery.Query) (delivery.Page, error) {
				page, err := s.Deliveries(ctx, q)
				if page.Next != "" {
					page.Deliveries = page.Deliveries[1:]
				}
				return page, err
			}}
		}},
		"a stale read": {concern: "history", seed: readsLate},
		"ready although it is away": {concern: "away", seed: func(storetest.Store) broken {
			return broken{ping: func(context.Context) error { return nil }}
		}},
		"a copy without what is parked": {concern: "copy", seed: func(s storetest.Store) broken {
			return broken{insert: func(ctx context.Context, records []copying.Record) []copying.Inserted {
				for i := range records {
					records[i].Tracks = slices.Clone(records[i].Tracks)
					for j := range records[i].Tracks {
						records[i].Tracks[j].Parked = false
					}
				}
				return s.InsertRecords(ctx, records)
			}}
		}},
		"a copy without the end of a history": {concern: "copy", seed: func(s storetest.Store) broken {
			return broken{insert: func(ctx context.Context, records []copying.Record) []copying.Inserted {
				for i := range records {
					records[i].Events = records[i].Events[:1]
				}
				return s.InsertRecords(ctx, records)
			}}
		}},
		"a copy that is told at another time": {concern: "copy", seed: func(s storetest.Store) broken {
			return broken{insert: func(ctx context.Context, records []copying.Record) []copying.Inserted {
				for i := range records {
					records[i].Tracks = slices.Clone(records[i].Tracks)
					for j := range records[i].Tracks {
						records[i].Tracks[j].DueAt = time.Time{}
					}
				}
				return s.InsertRecords(ctx, records)
			}}
		}},
		"a copy that differs and does not say so": {concern: "copy", seed: func(s storetest.Store) broken {
			return broken{insert: func(ctx context.Context, records []copying.Record) []copying.Inserted {
				answers := s.InsertRecords(ctx, records)
				for i := range answers {
					answers[i].Differs = ""
				}
				return answers
			}}
		}},
		"a record on two pages": {concern: "copy", seed: func(s storetest.Store) broken {
			return broken{records: func(ctx context.Context, r copying.Range) (copying.Page, error) {
				if r.After[11] > 0 {
					r.After[11]--
				}
				return s.Records(ctx, r)
			}}
		}},
		"a page without end": {concern: "copy", seed: func(s storetest.Store) broken {
			return broken{records: func(ctx context.Context, r copying.Range) (copying.Page, error) {
				r.Bytes = math.MaxInt
				return s.Records(ctx, r)
			}}
		}},
		"nothing there after reopening":  {concern: "lifecycle", forgets: true},
		"an error that is not a refusal": {concern: "lifecycle", seed: plainErrors},
	}
	for name, wrong := range wrongBacklogs() {
		all[name] = defect{concern: "backlog", seed: wrong}
	}
	return all
}

// losesUpdates makes the store answer a change that came too late as if it had been written.
func losesUpdates(s storetest.Store) broken {
	return broken{change: func(
		ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
	) (ordering.Changed, error) {
		stale, err := s.Get(ctx, id)
		if err != nil {
			return ordering.Changed{}, err
		}
		changed, err := s.Change(ctx, id, h, now, func(o *order.Order) error {
			if o.Version() != stale.Version() {
				return nil
			}
			return change(o)
		})
		return changed, err
	}}
}

// readsLate makes the store answer every other read of an order with what the one before found.
func readsLate(s storetest.Store) broken {
	var mu sync.Mutex
	kept := make(map[order.ID]*order.Order)
	return broken{get: func(ctx context.Context, id order.ID) (*order.Order, error) {
		mu.Lock()
		defer mu.Unlock()
		if o := kept[id]; o != nil {
			delete(kept, id)
			return o, nil
		}
		o, err := s.Get(ctx, id)
		kept[id] = o
		return o, err
	}}
}

// plainErrors hides what kind the errors of reads are of.
func plainErrors(s storetest.Store) broken {
	return broken{get: func(ctx context.Context, id order.ID) (*order.Order, error) {
		o, err := s.Get(ctx, id)
		if err != nil {
			err = errors.New(err.Error())
		}
		return o, err
	}}
}
