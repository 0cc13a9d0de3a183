package storetest

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

func testFilter(t *testing.T, h Harness) {
	t.Run("each status alone", func(t *testing.T) {
		r, orders := filterRoom(t, h)
		for _, status := range order.Statuses() {
			wantFound(t, r, orders, string(status), ordering.Query{Status: status},
				func(o *order.Order) bool { return o.Status() == status })
		}
		for _, status := range order.PaymentStatuses() {
			wantFound(t, r, orders, string(status), ordering.Query{PaymentStatus: status},
				func(o *order.Order) bool { return o.PaymentStatus() == status })
		}
		for _, status := range order.FulfillmentStatuses() {
			wantFound(t, r, orders, string(status), ordering.Query{FulfillmentStatus: status},
				func(o *order.Order) bool { return o.FulfillmentStatus() == status })
		}
	})

	t.Run("every combination", func(t *testing.T) {
		r, orders := filterRoom(t, h)
		for _, n := range []int{0, 7, 20} {
			everyCombination(t, r, orders, orders[n])
		}
	})

	t.Run("times after are inclusive and times before exclusive", func(t *testing.T) {
		r, orders := filterRoom(t, h)
		for i := 0; i < len(orders); i += 5 {
			pick := orders[i]
			created, placed := pick.View().CreatedAt, pick.View().PlacedAt
			for _, off := range []time.Duration{-time.Millisecond, 0, time.Millisecond} {
				edge := created.Add(off)
				from := func(o *order.Order) bool { return !o.View().CreatedAt.Before(edge) }
				wantSome(t, r, orders, "created after", ordering.Query{CreatedAfter: edge}, from)
				wantSome(t, r, orders, "created before", ordering.Query{CreatedBefore: edge}, not(from))
				edge = placed.Add(off)
				from = func(o *order.Order) bool { return !o.View().PlacedAt.Before(edge) }
				wantSome(t, r, orders, "placed after", ordering.Query{PlacedAfter: edge}, from)
				wantSome(t, r, orders, "placed before", ordering.Query{PlacedBefore: edge}, not(from))
			}
		}
	})

	t.Run("text is matched as it is", func(t *testing.T) {
		r := newRoom(t, h)
		var orders []*order.Order
		for i, text := range trickyTexts {
			orders = append(orders, sample(t, i, func(d *order.Draft) { d.CustomerID, d.Reference = text, "r"+text }))
		}
		r.fill(t, orders...)
		for i, text := range trickyTexts {
			wantIDs(t, fmt.Sprintf("customer %q", text), r.list(t, ordering.Query{CustomerID: text, Limit: 100}), orders[i:i+1])
			wantIDs(t, fmt.Sprintf("reference %q", text), r.list(t, ordering.Query{Reference: "r" + text, Limit: 100}), orders[i:i+1])
		}
		for _, text := range []string{"nobody", "c", strings.Repeat("x", 10_000)} {
			wantIDs(t, "nobody", r.list(t, ordering.Query{CustomerID: text, Limit: 100}), nil)
		}
	})

	t.Run("follows the changes", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		one, none := []*order.Order{o}, []*order.Order(nil)
		for i, status := range []order.Status{order.StatusPaid, order.StatusShipped, order.StatusDelivered} {
			before := r.get(t, o.ID())
			r.change(t, o.ID(), nobody(), at(time.Second), moveTo(status, i, time.Second))
			wantIDs(t, "by its status", r.list(t, ordering.Query{Status: status, Limit: 9}), one)
			wantIDs(t, "by the status it had", r.list(t, ordering.Query{Status: before.Status(), Limit: 9}), none)
		}
	})
}

// filterRoom returns a room with orders in every status there is, and those orders, newest first.
func filterRoom(t *testing.T, h Harness) (*room, []*order.Order) {
	t.Helper()
	r := newRoom(t, h)
	states := stateEdits()
	var orders []*order.Order
	for i := range 3 * len(states) {
		o := sampleAt(t, i, time.Duration(i/2)*time.Millisecond, func(d *order.Draft) {
			d.CustomerID, d.Reference = fmt.Sprint("c-", i%3), fmt.Sprint("r-", i%4)
			d.PlacedAt = base.Add(-time.Duration(i*5%7) * time.Hour)
		})
		r.create(t, o, nobody())
		if edit := states[i%len(states)]; edit != nil {
			s := o.Snapshot()
			edit(&s)
			r.change(t, o.ID(), nobody(), at(time.Hour), become(s, time.Hour))
		}
		orders = append(orders, r.get(t, o.ID()))
	}
	return r, newestFirst(orders)
}

// wantFound is wantSome for a filter that some orders must match.
func wantFound(t *testing.T, r *room, orders []*order.Order, what string, q ordering.Query, matches func(*order.Order) bool) {
	t.Helper()
	if wantSome(t, r, orders, what, q, matches) == 0 {
		t.Errorf("%s: the kit has no such order", what)
	}
}

// wantSome checks that a list has the orders that match, and returns how many they are.
func wantSome(t *testing.T, r *room, orders []*order.Order, what string, q ordering.Query, matches func(*order.Order) bool) int {
	t.Helper()
	var want []*order.Order
	for _, o := range orders {
		if matches(o) {
			want = append(want, o)
		}
	}
	wantIDs(t, what, everything(t, r, q, 7), want)
	return len(want)
}

// filter is one field of a Query, set to match one order, and what it means.
type filter struct {
	name    string
	set     func(*ordering.Query)
	matches func(*order.Order) bool
}

// filtersFor returns every filter of a Query, each of which matches the order picked.
func filtersFor(pick *order.Order) []filter {
	p := pick.View()
	status, payment, fulfillment := pick.Status(), pick.PaymentStatus(), pick.FulfillmentStatus()
	createdFrom, createdTo := p.CreatedAt.Add(-time.Millisecond), p.CreatedAt.Add(2*time.Millisecond)
	placedFrom, placedTo := p.PlacedAt.Add(-time.Millisecond), p.PlacedAt.Add(2*time.Millisecond)
	return []filter{
		{
			"status", func(q *ordering.Query) { q.Status = status },
			func(o *order.Order) bool { return o.Status() == status },
		}, {
			"payment", func(q *ordering.Query) { q.PaymentStatus = payment },
			func(o *order.Order) bool { return o.PaymentStatus() == payment },
		}, {
			"fulfillment", func(q *ordering.Query) { q.FulfillmentStatus = fulfillment },
			func(o *order.Order) bool { return o.FulfillmentStatus() == fulfillment },
		}, {
			"customer", func(q *ordering.Query) { q.CustomerID = p.CustomerID },
			func(o *order.Order) bool { return o.View().CustomerID == p.CustomerID },
		}, {
			"reference", func(q *ordering.Query) { q.Reference = p.Reference },
			func(o *order.Order) bool { return o.View().Reference == p.Reference },
		}, {
			"created after", func(q *ordering.Query) { q.CreatedAfter = createdFrom },
			func(o *order.Order) bool { return !o.View().CreatedAt.Before(createdFrom) },
		}, {
			"created before", func(q *ordering.Query) { q.CreatedBefore = createdTo },
			func(o *order.Order) bool { return o.View().CreatedAt.Before(createdTo) },
		}, {
			"placed after", func(q *ordering.Query) { q.PlacedAfter = placedFrom },
			func(o *order.Order) bool { return !o.View().PlacedAt.Before(placedFrom) },
		}, {
			"placed before", func(q *ordering.Query) { q.PlacedBefore = placedTo },
			func(o *order.Order) bool { return o.View().PlacedAt.Before(placedTo) },
		},
	}
}

func not(matches func(*order.Order) bool) func(*order.Order) bool {
	return func(o *order.Order) bool { return !matches(o) }
}

// everyCombination lists by every subset of the filters that match the order picked.
func everyCombination(t *testing.T, r *room, orders []*order.Order, pick *order.Order) {
	t.Helper()
	filters := filtersFor(pick)
	for subset := range 1 << len(filters) {
		var q ordering.Query
		var names []string
		chosen := make([]filter, 0, bits.OnesCount(uint(subset)))
		for i, f := range filters {
			if subset&(1<<i) != 0 {
				f.set(&q)
				names, chosen = append(names, f.name), append(chosen, f)
			}
		}
		wantFound(t, r, orders, strings.Join(names, ", "), q, func(o *order.Order) bool {
			for _, f := range chosen {
				if !f.matches(o) {
					return false
				}
			}
			return true
		})
	}
}
