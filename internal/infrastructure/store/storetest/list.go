package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

func testList(t *testing.T, h Harness) {
	// tied returns n orders, of which some were made in the same millisecond, in no order.
	tied := func(t *testing.T, n int) []*order.Order {
		t.Helper()
		orders := make([]*order.Order, n)
		for i := range orders {
			orders[i] = sampleAt(t, i*7%n, time.Duration(i/4)*time.Millisecond)
		}
		return orders
	}

	t.Run("newest first and then by id, in pages of any size", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 31
		orders := tied(t, n)
		r.fill(t, orders...)
		want := newestFirst(orders)
		for _, size := range []int{1, 2, 3, 4, 5, 30, 31, 32, ordering.MaxLimit + 1} {
			wantIDs(t, fmt.Sprintf("pages of %d", size), everything(t, r, ordering.Query{}, size), want)
		}
		for i, o := range r.list(t, ordering.Query{Limit: n}) {
			wantOrder(t, "a listed order", o, want[i])
		}
	})

	t.Run("ends with the order with which it is heavy enough", func(t *testing.T) {
		r := newRoom(t, h)
		orders := newestFirst(tied(t, 12))
		r.fill(t, orders...)
		weight := 0
		for i, o := range orders[:5] {
			weight += o.View().Weight()
			wantIDs(t, fmt.Sprintf("one that may weigh as much as %d orders", i+1), r.list(t, ordering.Query{Weight: weight, Limit: 100}), orders[:i+1])
			wantIDs(t, "and one that may weigh a little more", r.list(t, ordering.Query{Weight: weight + 1, Limit: 100}), orders[:i+2])
		}
		wantIDs(t, "the limit still holds", r.list(t, ordering.Query{Weight: weight, Limit: 3}), orders[:3])
		rest := ordering.Query{Weight: 1, After: placeOf(orders[3]), Limit: 100}
		wantIDs(t, "it goes on", r.list(t, rest), orders[4:5])
	})

	t.Run("goes on from any place, an order's or not", func(t *testing.T) {
		r := newRoom(t, h)
		orders := newestFirst(tied(t, 12))
		r.fill(t, orders...)
		for i, o := range orders {
			wantIDs(t, fmt.Sprintf("after order %d", i), r.list(t, ordering.Query{After: placeOf(o), Limit: 100}), orders[i+1:])
		}
		v := orders[5].View()
		for _, edge := range []order.ID{{1}, {0xff, 0xff}} { // before and after every id of that moment
			place := ordering.Cursor{CreatedAt: v.CreatedAt, ID: edge}
			var want []*order.Order
			for _, o := range orders {
				created := o.View().CreatedAt
				if created.Before(v.CreatedAt) || created.Equal(v.CreatedAt) && o.ID().Compare(edge) < 0 {
					want = append(want, o)
				}
			}
			wantIDs(t, "after a place that no order has", r.list(t, ordering.Query{After: place, Limit: 100}), want)
		}
	})

	t.Run("a change leaves an order in its place", func(t *testing.T) {
		r := newRoom(t, h)
		orders := newestFirst(tied(t, 9))
		r.fill(t, orders...)
		r.change(t, orders[4].ID(), nobody(), at(time.Hour), moveTo(order.StatusPaid, 1, time.Hour))
		wantIDs(t, "List", r.list(t, ordering.Query{Limit: 100}), orders)
	})

	t.Run("grows from page to page", func(t *testing.T) {
		r := newRoom(t, h)
		orders := newestFirst(tied(t, 40))
		r.fill(t, orders...)
		grown := 0
		var got []*order.Order
		q := ordering.Query{Limit: 3}
		for {
			page := r.list(t, q)
			got = append(got, page...)
			if len(page) < q.Limit {
				break
			}
			q.After = placeOf(page[len(page)-1])
			for range 4 {
				r.create(t, sampleAt(t, 1_000+grown, time.Hour+time.Duration(grown/2)*time.Millisecond), nobody())
				grown++
			}
		}
		wantIDs(t, "List", got, orders)
		if n := len(everything(t, r, ordering.Query{}, 7)); n != len(orders)+grown {
			t.Errorf("%d orders are listed at last, want %d", n, len(orders)+grown)
		}
	})

	t.Run("grows meanwhile", func(t *testing.T) {
		r := newRoom(t, h)
		orders := newestFirst(tied(t, 60))
		r.fill(t, orders...)
		done := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 300 {
				select {
				case <-done:
					return
				default:
				}
				o := sampleAt(t, 1_000+i, time.Hour+time.Duration(i)*time.Millisecond)
				if c := r.Create(t.Context(), []ordering.NewOrder{{Order: o}})[0]; c.Err != nil {
					t.Errorf("Create while reading: %v", c.Err)
					return
				}
			}
		})
		for range 10 {
			var old []*order.Order
			seen := make(map[order.ID]bool)
			for _, o := range everything(t, r, ordering.Query{}, 7) {
				if seen[o.ID()] {
					t.Errorf("order %s is listed twice", o.ID())
				}
				seen[o.ID()] = true
				if o.View().CreatedAt.Before(at(time.Hour)) {
					old = append(old, o)
				}
			}
			wantIDs(t, "the orders that were there", old, orders)
		}
		close(done)
		wg.Wait()
	})
}
