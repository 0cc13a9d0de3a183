package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

func testDeliveries(t *testing.T, h Harness) {
	t.Run("says how each one stands", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, held(at(time.Minute), "mail", "ship", "bill"))
		retry := at(time.Hour)
		r.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "mail", Owner: "me", Error: "busy \u00e9", Attempts: 3, RetryAt: retry})
		r.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "ship", Owner: "me", Error: "gone", Attempts: 9})

		want := []delivery.Delivery{
			{
				Order: o.ID(), Sequence: 1, State: delivery.StateWaiting,
				Track: delivery.Track{Subscriber: "bill", DueAt: at(time.Minute), Owner: "me"},
			}, {
				Order: o.ID(), Sequence: 1, State: delivery.StateWaiting,
				Track: delivery.Track{Subscriber: "mail", Attempts: 3, DueAt: retry, LastError: "busy \u00e9"},
			},
		}
		if diff := cmp.Diff(want, bySubscriber(r.deliveries(t, delivery.StateWaiting, 10)), same()); diff != "" {
			t.Errorf("what waits differs (-want +got):\n%s", diff)
		}
		want = []delivery.Delivery{{
			Order: o.ID(), Sequence: 1, State: delivery.StateParked,
			Track: delivery.Track{Subscriber: "ship", Attempts: 9, Parked: true, LastError: "gone"},
		}}
		if diff := cmp.Diff(want, r.deliveries(t, delivery.StateParked, 10), same()); diff != "" {
			t.Errorf("what is parked differs (-want +got):\n%s", diff)
		}
	})

	t.Run("waiting ones come by the time they are due", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 23
		var batch []ordering.NewOrder
		for i := range n {
			// Due in an order unlike that of the ids, some at the same time.
			batch = append(batch, ordering.NewOrder{
				Order: sample(t, i), Handover: held(at(time.Minute+time.Duration(i*7%11)*time.Second), "mail", "ship"),
			})
		}
		r.Create(t.Context(), batch)
		r.create(t, sample(t, n), nobody())
		for _, limit := range []int{1, 2, 3, 7, 2 * n, 100} {
			got := r.deliveries(t, delivery.StateWaiting, limit)
			wantEachOnce(t, fmt.Sprintf("by %d", limit), got, n)
			if !slices.IsSortedFunc(got, func(a, b delivery.Delivery) int { return a.Track.DueAt.Compare(b.Track.DueAt) }) {
				t.Errorf("by %d: not in the order in which they are due", limit)
			}
		}
	})

	t.Run("parked ones come by order id", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 23
		var settlements []delivery.Settlement
		var batch []ordering.NewOrder
		for i := range n {
			o := sample(t, i*7%n)
			batch = append(batch, ordering.NewOrder{Order: o, Handover: held(at(time.Minute), "mail", "ship", "bill")})
			for _, s := range []string{"mail", "ship"} {
				settlements = append(settlements, delivery.Settlement{Order: o.ID(), Subscriber: s, Owner: "me", Error: "no", Attempts: 1})
			}
		}
		r.Create(t.Context(), batch)
		r.settle(t, settlements...)
		for _, limit := range []int{1, 2, 3, 7, 2 * n, 100} {
			got := r.deliveries(t, delivery.StateParked, limit)
			wantEachOnce(t, fmt.Sprintf("by %d", limit), got, n)
			if !slices.IsSortedFunc(got, func(a, b delivery.Delivery) int { return a.Order.Compare(b.Order) }) {
				t.Errorf("by %d: not in the order of the ids", limit)
			}
		}
	})

	t.Run("nothing is a page too", func(t *testing.T) {
		r := newRoom(t, h)
		r.create(t, sample(t, 1), nobody())
		for _, state := range []delivery.State{delivery.StateWaiting, delivery.StateParked} {
			page, err := r.Deliveries(t.Context(), delivery.Query{State: state, Limit: 10})
			if err != nil || len(page.Deliveries) != 0 || page.Next != "" {
				t.Errorf("Deliveries %s = %+v, %v; want none", state, page, err)
			}
		}
	})

	t.Run("a bad cursor is invalid", func(t *testing.T) {
		r := newRoom(t, h)
		r.create(t, sample(t, 1), told("mail"))
		r.create(t, sample(t, 2), told("mail"))
		page, err := r.Deliveries(t.Context(), delivery.Query{State: delivery.StateWaiting, Limit: 1})
		if err != nil || page.Next == "" {
			t.Fatalf("Deliveries = %+v, %v; want a cursor", page, err)
		}
		for _, state := range []delivery.State{delivery.StateWaiting, delivery.StateParked} {
			for _, after := range []string{page.Next + "\n", page.Next[:2] + "\r" + page.Next[2:], "x", "!", "AAAA", "\u00e9", placeOf(sample(t, 1)).String()} {
				_, err := r.Deliveries(t.Context(), delivery.Query{State: state, Limit: 10, After: after})
				wantKind(t, fmt.Sprintf("Deliveries %s after %q", state, after), err, fault.Invalid)
			}
		}
	})
}

// deliveries lists everything of a state, by pages of the given size.
func (r *room) deliveries(t *testing.T, state delivery.State, size int) []delivery.Delivery {
	t.Helper()
	var all []delivery.Delivery
	q := delivery.Query{State: state, Limit: size}
	for {
		page, err := r.Deliveries(t.Context(), q)
		if err != nil {
			t.Fatalf("Deliveries %+v: %v", q, err)
		}
		all = append(all, page.Deliveries...)
		if page.Next == "" {
			return all
		}
		if len(page.Deliveries) == 0 || page.Next == q.After {
			t.Fatalf("Deliveries %+v has a next page and does not come on", q)
		}
		q.After = page.Next
	}
}

// wantDeliveries checks what waits to be told: one "order subscriber sequence" each, in any order.
func wantDeliveries(t *testing.T, r *room, what string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, r.waiting(t), same()); diff != "" {
		t.Errorf("%s: what waits to be told differs (-want +got):\n%s", what, diff)
	}
}

// waiting is what waits to be told, written as wantDeliveries takes it, sorted.
func (r *room) waiting(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, d := range r.deliveries(t, delivery.StateWaiting, 1_000) {
		all = append(all, waiting(d.Order, d.Track.Subscriber, d.Sequence))
	}
	slices.Sort(all)
	return all
}

// waiting writes a delivery as wantDeliveries takes it.
func waiting(id order.ID, subscriber string, sequence int) string {
	return fmt.Sprintf("%s %s %d", id, subscriber, sequence)
}

// wantEachOnce checks that the deliveries are those of orders 0 to n-1 to mail and ship.
func wantEachOnce(t *testing.T, what string, got []delivery.Delivery, n int) {
	t.Helper()
	seen := make(map[string]int)
	for _, d := range got {
		seen[waiting(d.Order, d.Track.Subscriber, d.Sequence)]++
	}
	for i := range n {
		for _, s := range []string{"mail", "ship"} {
			if key := waiting(idOf(i), s, 1); seen[key] != 1 {
				t.Errorf("%s: delivery %q is listed %d times", what, key, seen[key])
			}
		}
	}
	if len(got) != 2*n {
		t.Errorf("%s: %d deliveries are listed, want %d", what, len(got), 2*n)
	}
}

func bySubscriber(deliveries []delivery.Delivery) []delivery.Delivery {
	return slices.SortedFunc(slices.Values(deliveries), func(a, b delivery.Delivery) int {
		if a.Track.Subscriber < b.Track.Subscriber {
			return -1
		}
		return 1
	})
}
