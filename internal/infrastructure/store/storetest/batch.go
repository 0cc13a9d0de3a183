package storetest

import (
	"fmt"
	"testing"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

func testBatch(t *testing.T, h Harness) {
	t.Run("answers each in the order given", func(t *testing.T) {
		r := newRoom(t, h)
		there := samples(t, 0, 3)
		r.fill(t, there...)

		customer := func(c string) func(*order.Draft) { return func(d *order.Draft) { d.CustomerID = c } }
		type want struct {
			order    *order.Order
			existing *order.Order
		}
		fresh, twice := sample(t, 10), sample(t, 11, customer("first"))
		wants := []want{
			{order: sample(t, 1, customer("other")), existing: there[1]},
			{order: fresh},
			{order: twice},
			{order: sample(t, 11, customer("second")), existing: twice},
			{order: sample(t, 0), existing: there[0]},
			{order: sample(t, 12)},
			{order: sample(t, 11, customer("third")), existing: twice},
		}
		batch := make([]ordering.NewOrder, len(wants))
		for i, w := range wants {
			batch[i] = ordering.NewOrder{Order: w.order, Handover: told("mail")}
		}
		answers := r.Create(t.Context(), batch)
		if len(answers) != len(wants) {
			t.Fatalf("Create of %d orders gave %d answers", len(wants), len(answers))
		}
		for i, w := range wants {
			what := fmt.Sprintf("answer %d", i)
			switch a := answers[i]; {
			case a.Err != nil:
				t.Errorf("%s: %v", what, a.Err)
			case (a.Existing == nil) != (w.existing == nil):
				t.Errorf("%s: existing is %v, want %v", what, a.Existing, w.existing)
			case w.existing != nil:
				wantOrder(t, what, a.Existing, w.existing)
			default:
				wantOrder(t, what, r.get(t, w.order.ID()), w.order)
			}
		}
		wantDeliveries(t, r, "only new orders are handed over",
			fresh.ID().String()+" mail 1", twice.ID().String()+" mail 1", idOf(12).String()+" mail 1")
	})

	t.Run("each handover is its own", func(t *testing.T) {
		r := newRoom(t, h)
		until := at(time.Minute)
		held, open, history := told("mail"), told("mail"), told("mail")
		held.Owner, held.Until = "me", until
		history.AsTold = true
		orders := samples(t, 0, 3)
		answers := r.Create(t.Context(), []ordering.NewOrder{
			{Order: orders[0], Handover: held}, {Order: orders[1], Handover: open}, {Order: orders[2], Handover: history},
		})
		if len(answers[0].Leased) != 1 || len(answers[1].Leased) != 0 || len(answers[2].Leased) != 0 {
			t.Errorf("Create = %+v, want a lease of the first order alone", answers)
		}
		wantDeliveries(t, r, "handovers", orders[0].ID().String()+" mail 1", orders[1].ID().String()+" mail 1")
	})

	t.Run("takes the largest batch", func(t *testing.T) {
		r := newRoom(t, h)
		orders := samples(t, 0, ordering.MaxBatch)
		r.fill(t, orders...)
		wantIDs(t, "List", everything(t, r, ordering.Query{}, ordering.MaxLimit), newestFirst(orders))
	})
}
