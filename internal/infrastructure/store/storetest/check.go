package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// same says how stored facts are compared: no list is as good as an empty one, and a time is the same
// moment, given in UTC.
func same() cmp.Option {
	return cmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.EquateComparable(money.Currency{}, money.Price{}),
		cmp.Transformer("ID", order.ID.String),
		cmp.Comparer(func(a, b time.Time) bool {
			return a.Equal(b) && a.Location().String() == b.Location().String()
		}),
	}
}

// wantOrder compares what is stored of two orders.
func wantOrder(t *testing.T, what string, got, want *order.Order) {
	t.Helper()
	if got == nil || want == nil {
		t.Errorf("%s: the order is %v, want %v", what, got, want)
		return
	}
	wantSnapshot(t, what, got, want.Snapshot())
}

// wantSnapshot compares what is stored of an order with what is wanted.
func wantSnapshot(t *testing.T, what string, got *order.Order, want order.Snapshot) {
	t.Helper()
	if diff := cmp.Diff(want, got.Snapshot(), same()); diff != "" {
		t.Errorf("%s: the order differs (-want +got):\n%s", what, diff)
	}
}

// wantEvents compares lists of events.
func wantEvents(t *testing.T, what string, got, want []order.Event) {
	t.Helper()
	if diff := cmp.Diff(want, got, same()); diff != "" {
		t.Errorf("%s: the events differ (-want +got):\n%s", what, diff)
	}
}

// wantIDs compares lists of orders by their ids.
func wantIDs(t *testing.T, what string, got, want []*order.Order) {
	t.Helper()
	if diff := cmp.Diff(idsOf(want), idsOf(got)); diff != "" {
		t.Errorf("%s: the orders differ (-want +got):\n%s", what, diff)
	}
}

func idsOf(orders []*order.Order) []string {
	ids := make([]string, len(orders))
	for i, o := range orders {
		ids[i] = o.ID().String()
	}
	return ids
}

// wantKind checks that err is a fault of the kind.
func wantKind(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("%s: the error is %v, want a fault of kind %d", what, err, kind)
	}
}

// checkAllWhole holds every order of the store against the invariants.
func checkAllWhole(t *testing.T, s Store) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	seen := make(map[order.ID]bool)
	for _, o := range everything(t, s, ordering.Query{}, ordering.MaxLimit) {
		if seen[o.ID()] {
			t.Errorf("order %s is listed twice", o.ID())
		}
		seen[o.ID()] = true
		events, err := s.Events(ctx, o.ID(), 0, order.MaxEvents)
		if err != nil {
			t.Errorf("Events %s: %v", o.ID(), err)
			continue
		}
		checkWhole(t, o, events)
	}
}

// checkWhole checks that an order and its events tell the same story, without gaps.
func checkWhole(t *testing.T, o *order.Order, events []order.Event) {
	t.Helper()
	sequence, version := 0, 0
	for _, e := range events {
		sequence++
		if e.Sequence != sequence {
			t.Errorf("order %s: event %d has sequence %d", o.ID(), sequence, e.Sequence)
			return
		}
		if e.Version != version && e.Version != version+1 {
			t.Errorf("order %s: event %d has version %d after version %d", o.ID(), sequence, e.Version, version)
			return
		}
		version = e.Version
	}
	if o.Sequence() != sequence || o.Version() != version {
		t.Errorf("order %s: sequence %d and version %d, its events end with %d and %d",
			o.ID(), o.Sequence(), o.Version(), sequence, version)
	}
	if n := len(events); n > 0 && events[n-1].Status != o.Status() {
		t.Errorf("order %s is %s, its last event says %s", o.ID(), o.Status(), events[n-1].Status)
	}
}

// newestFirst returns the orders in the order of a list.
func newestFirst(orders []*order.Order) []*order.Order {
	sorted := slices.Clone(orders)
	slices.SortFunc(sorted, func(a, b *order.Order) int {
		if c := b.View().CreatedAt.Compare(a.View().CreatedAt); c != 0 {
			return c
		}
		return b.ID().Compare(a.ID())
	})
	return sorted
}
