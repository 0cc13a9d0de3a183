package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// maxTries bounds how often a change begins again.
const maxTries = 100

// Create implements ordering.Store.
func (s *Store) Create(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
	answers := make([]ordering.Created, len(orders))
	for i := range orders {
		answers[i] = s.create(ctx, &orders[i])
	}
	return answers
}

func (s *Store) create(ctx context.Context, n *ordering.NewOrder) ordering.Created {
	records, release, err := s.enter(ctx, "create order")
	if err != nil {
		return ordering.Created{Err: err}
	}
	defer release()
	if r, ok := records[n.Order.ID()]; ok {
		return ordering.Created{Existing: copied(r.order)}
	}
	r := &record{order: copied(n.Order), events: slices.Clone(n.Order.Events())}
	records[n.Order.ID()] = r
	after := n.Order.Sequence()
	leased := r.tracks.Changed(after-len(r.events), after, n.Handover, n.Order.View().CreatedAt)
	return ordering.Created{Leased: leased}
}

// Get implements ordering.Store.
func (s *Store) Get(ctx context.Context, id order.ID) (*order.Order, error) {
	records, release, err := s.enter(ctx, "get order")
	if err != nil {
		return nil, err
	}
	defer release()
	r, ok := records[id]
	if !ok {
		return nil, order.ErrNotFound
	}
	return copied(r.order), nil
}

// Change implements ordering.Store. The change runs outside the lock, on a copy.
func (s *Store) Change(
	ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
) (ordering.Changed, error) {
	for range maxTries {
		o, err := s.Get(ctx, id)
		if err != nil {
			return ordering.Changed{}, fmt.Errorf("change order: %w", err)
		}
		seen := stateOf(o)
		if err := change(o); err != nil {
			return ordering.Changed{}, err
		}
		if !o.Unsaved() {
			return ordering.Changed{Order: o}, nil
		}
		leased, ok, err := s.replace(ctx, o, seen, h, now)
		if err != nil {
			return ordering.Changed{}, err
		}
		if ok {
			return ordering.Changed{Order: o, Leased: leased}, nil
		}
	}
	return ordering.Changed{}, fault.New(fault.Unavailable, "order_busy",
		"too many others are changing this order; try again")
}

// replace keeps a changed order, unless it is not any more as it was seen.
func (s *Store) replace(
	ctx context.Context, o *order.Order, seen state, h delivery.Handover, now time.Time,
) (leased []delivery.Track, ok bool, err error) {
	records, release, err := s.enter(ctx, "change order")
	if err != nil {
		return nil, false, err
	}
	defer release()
	r := records[o.ID()]
	if r == nil || stateOf(r.order) != seen {
		return nil, false, nil
	}
	before := r.order.Sequence()
	r.order = copied(o)
	r.events = append(r.events, o.Events()...)
	if !o.Changed() {
		return nil, true, nil
	}
	return r.tracks.Changed(before, o.Sequence(), h, now), true, nil
}

// state is what differs after each write of an order.
type state struct {
	version int
	request order.ID // the key remembered last
}

func stateOf(o *order.Order) state {
	s := state{version: o.Version()}
	if requests := o.View().Requests; len(requests) > 0 {
		s.request = requests[len(requests)-1].Key
	}
	return s
}

// Events implements ordering.Store.
func (s *Store) Events(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
	records, release, err := s.enter(ctx, "read events")
	if err != nil {
		return nil, err
	}
	defer release()
	r, ok := records[id]
	if !ok {
		return nil, order.ErrNotFound
	}
	return r.eventsAfter(after, limit), nil
}

// eventsAfter returns at most limit events with a sequence above after.
func (r *record) eventsAfter(after, limit int) []order.Event {
	from := 0
	for from < len(r.events) && r.events[from].Sequence <= after {
		from++
	}
	to := min(from+max(limit, 0), len(r.events))
	return slices.Clone(r.events[from:to])
}
