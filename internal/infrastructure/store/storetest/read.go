package storetest

import (
	"errors"
	"testing"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

func testRead(t *testing.T, h Harness) {
	t.Run("every field comes back", func(t *testing.T) {
		r := newRoom(t, h)
		made := goldenOrder(t, 1)
		r.create(t, made, nobody())
		c := r.change(t, made.ID(), nobody(), at(time.Hour), become(golden(made), time.Hour))
		if got := c.Order.View(); got.Version != 2 || len(got.Payments) != 5 {
			t.Fatalf("the order changed is %+v, want version 2 of the golden order", got)
		}
		wantOrder(t, "Get", r.get(t, made.ID()), c.Order)
		if !h.Exclusive {
			other, err := r.second(t, h).Get(t.Context(), made.ID())
			if err != nil {
				t.Fatal(err)
			}
			wantOrder(t, "Get from another store", other, c.Order)
		}
		r.reopen(t)
		wantOrder(t, "Get after reopening", r.get(t, made.ID()), c.Order)
		o := r.get(t, made.ID())
		if o.Changed() || len(o.Events()) != 0 {
			t.Errorf("an order just read has recorded %d events", len(o.Events()))
		}
	})

	t.Run("optional fields stay away", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1, func(d *order.Draft) {
			d.Reference, d.Metadata, d.Items = "", nil, d.Items[:1]
			d.Items[0].Name, d.Items[0].UnitPrice = "", "0"
		})
		r.create(t, o, nobody())
		wantOrder(t, "Get", r.get(t, o.ID()), o)
		wantEvents(t, "Events", r.events(t, o.ID()), o.Events())
	})

	t.Run("an unknown id is not found", func(t *testing.T) {
		r := newRoom(t, h)
		r.create(t, sample(t, 1), told("mail"))
		unknown := idOf(2)
		_, err := r.Get(t.Context(), unknown)
		wantNotFound(t, "Get", err)
		_, err = r.Events(t.Context(), unknown, 0, 10)
		wantNotFound(t, "Events", err)
		_, err = r.Change(t.Context(), unknown, told("mail"), base, func(*order.Order) error {
			t.Error("Change of an unknown order runs the change")
			return nil
		})
		wantNotFound(t, "Change", err)
		_, err = r.Next(t.Context(), unknown, "mail")
		wantNotFound(t, "Next", err)
		wantKind(t, "Redrive", r.Redrive(t.Context(), unknown, "mail", base), fault.NotFound)
		wantKind(t, "Skip", r.Skip(t.Context(), unknown, "mail", base), fault.NotFound)
	})

	t.Run("an open store can be written to", func(t *testing.T) {
		r := newRoom(t, h)
		if err := r.Ping(t.Context()); err != nil {
			t.Errorf("Ping: %v", err)
		}
	})
}

func wantNotFound(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, order.ErrNotFound) {
		t.Errorf("%s of an unknown id: the error is %v, want order.ErrNotFound", what, err)
	}
}
