package storetest

import (
	"context"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// room is an empty place with one store open on it, and short ways to use that in a test.
type room struct {
	Store
	place Place
	// damaged: a test has spoilt an order, so they are not all whole when it ends.
	damaged bool
}

// newRoom opens a store on an empty place. When the test ends, every order in it must be whole.
func newRoom(t *testing.T, h Harness) *room {
	t.Helper()
	r := &room{place: h.New(t)}
	r.Store = r.open(t)
	t.Cleanup(func() {
		if !t.Failed() && !r.damaged {
			checkAllWhole(t, r.Store)
		}
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return r
}

// open opens one more store on the place.
func (r *room) open(t *testing.T) Store {
	t.Helper()
	s, err := r.place.Open(t.Context())
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	return s
}

// reopen closes the store and opens it again.
func (r *room) reopen(t *testing.T) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	r.Store = r.open(t)
}

// second opens a second store on the place of a harness that allows it, and closes it with the test.
// Of an Exclusive one it returns the store that is open.
func (r *room) second(t *testing.T, h Harness) Store {
	t.Helper()
	if h.Exclusive {
		return r.Store
	}
	s := r.open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the second store: %v", err)
		}
	})
	return s
}

// create inserts one order that must be new.
func (r *room) create(t *testing.T, o *order.Order, h delivery.Handover) []delivery.Track {
	t.Helper()
	c := r.Create(t.Context(), []ordering.NewOrder{{Order: o, Handover: h}})
	if len(c) != 1 || c[0].Err != nil || c[0].Existing != nil {
		t.Fatalf("Create = %+v, want one inserted order", c)
	}
	return c[0].Leased
}

// fill inserts orders that must be new, in batches, told to nobody.
func (r *room) fill(t *testing.T, orders ...*order.Order) {
	t.Helper()
	batch := make([]ordering.NewOrder, len(orders))
	for i, o := range orders {
		batch[i].Order = o
	}
	for len(batch) > 0 {
		n := min(len(batch), ordering.MaxBatch)
		for i, c := range r.Create(t.Context(), batch[:n]) {
			if c.Err != nil || c.Existing != nil {
				t.Fatalf("Create: order %d is answered with %+v, want it inserted", i, c)
			}
		}
		batch = batch[n:]
	}
}

// get reads an order that must be there.
func (r *room) get(t *testing.T, id order.ID) *order.Order {
	t.Helper()
	o, err := r.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get %s: %v", id, err)
	}
	return o
}

// change changes an order and must succeed.
func (r *room) change(t *testing.T, id order.ID, h delivery.Handover, at time.Time, change func(*order.Order) error) ordering.Changed {
	t.Helper()
	c, err := r.Change(t.Context(), id, h, at, change)
	if err != nil {
		t.Fatalf("Change %s: %v", id, err)
	}
	return c
}

// events reads all events of an order that must be there.
func (r *room) events(t *testing.T, id order.ID) []order.Event {
	t.Helper()
	events, err := r.Events(t.Context(), id, 0, order.MaxEvents)
	if err != nil {
		t.Fatalf("Events %s: %v", id, err)
	}
	return events
}

// list reads one page of orders.
func (r *room) list(t *testing.T, q ordering.Query) []*order.Order {
	t.Helper()
	orders, err := r.List(t.Context(), q)
	if err != nil {
		t.Fatalf("List %+v: %v", q, err)
	}
	return orders
}

// everything yields all orders that match, by pages of the given size.
func everything(t *testing.T, s Store, q ordering.Query, size int) []*order.Order {
	t.Helper()
	var all []*order.Order
	for q.Limit = size; ; {
		page, err := s.List(context.WithoutCancel(t.Context()), q)
		if err != nil {
			t.Fatalf("List %+v: %v", q, err)
		}
		if len(page) > size {
			t.Fatalf("List with limit %d returned %d orders", size, len(page))
		}
		all = append(all, page...)
		if len(page) < size {
			return all
		}
		q.After = placeOf(page[size-1])
	}
}

func placeOf(o *order.Order) ordering.Cursor {
	return ordering.Cursor{CreatedAt: o.View().CreatedAt, ID: o.ID()}
}
