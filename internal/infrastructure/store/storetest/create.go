package storetest

import (
	"testing"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

func testCreate(t *testing.T, h Harness) {
	t.Run("is there once answered", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		wantOrder(t, "Get", r.get(t, o.ID()), o)
		wantEvents(t, "Events", r.events(t, o.ID()), o.Events())
	})

	t.Run("answers a taken id with the order that has it", func(t *testing.T) {
		r := newRoom(t, h)
		first := sample(t, 1)
		r.create(t, first, nobody())
		r.change(t, first.ID(), nobody(), at(time.Second), moveTo(order.StatusPaid, 1, time.Second))
		stored := r.get(t, first.ID())

		other := sample(t, 1, func(d *order.Draft) { d.CustomerID = "somebody else" })
		c := r.Create(t.Context(), []ordering.NewOrder{{Order: other, Handover: told("mail")}})[0]
		if c.Err != nil || len(c.Leased) > 0 {
			t.Errorf("Create of a taken id = %+v, want no error and no leases", c)
		}
		wantOrder(t, "Existing", c.Existing, stored)
		wantOrder(t, "Get", r.get(t, first.ID()), stored)
		wantDeliveries(t, r, "nothing was handed over")
	})

	t.Run("shares nothing with the caller", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		want := sample(t, 1)
		spoil(t, o)
		wantOrder(t, "after a change of the order given", r.get(t, o.ID()), want)
		spoil(t, r.get(t, o.ID()))
		wantOrder(t, "after a change of the order read", r.get(t, o.ID()), want)
		spoil(t, r.list(t, ordering.Query{Limit: 1})[0])
		wantOrder(t, "after a change of the order listed", r.get(t, o.ID()), want)
		changed := r.change(t, o.ID(), nobody(), at(time.Second), set("color", "green", time.Second))
		want = r.get(t, o.ID())
		spoil(t, changed.Order)
		wantOrder(t, "after a change of the order changed", r.get(t, o.ID()), want)
	})

	t.Run("keeps no order of none", func(t *testing.T) {
		r := newRoom(t, h)
		if c := r.Create(t.Context(), nil); len(c) != 0 {
			t.Errorf("Create of nothing = %+v, want nothing", c)
		}
		if got := r.list(t, ordering.Query{Limit: 10}); len(got) != 0 {
			t.Errorf("an empty store lists %d orders", len(got))
		}
	})
}

// spoil changes all that can be changed of an order in the caller's hands.
func spoil(t *testing.T, o *order.Order) {
	t.Helper()
	if err := set("spoiled", "yes", time.Hour)(o); err != nil {
		t.Fatal(err)
	}
	if err := moveTo(order.StatusCanceled, 1, time.Hour)(o); err != nil {
		t.Fatal(err)
	}
	v := o.View()
	v.CustomerID, v.Lines[0].SKU, v.Metadata["channel"] = "spoiled", "spoiled", "spoiled"
}
