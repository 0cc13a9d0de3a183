package storetest

import (
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// testPark is about deliveries that were given up, and what an operator can do with them.
func testPark(t *testing.T, h Harness) {
	// parked returns a room with an order of two events, of which mail was told none and given up.
	parked := func(t *testing.T) (*room, order.ID) {
		t.Helper()
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, held(at(time.Minute), "mail", "ship"))
		r.change(t, o.ID(), told("mail", "ship"), at(time.Second), set("n", "1", time.Second))
		r.settle(t,
			delivery.Settlement{Order: o.ID(), Subscriber: "mail", Owner: "me", Error: "gone", Attempts: 5},
			delivery.Settlement{Order: o.ID(), Subscriber: "ship", Owner: "me", Told: 2},
		)
		return r, o.ID()
	}
	later := at(24 * time.Hour)

	t.Run("a parked delivery is left alone", func(t *testing.T) {
		r, id := parked(t)
		r.wantNoClaim(t, "parked", later, "mail", "ship")
		wantDeliveries(t, r, "parked")
		if got := r.deliveries(t, delivery.StateParked, 10); len(got) != 1 || got[0].Order != id || got[0].Sequence != 1 {
			t.Errorf("parked are %+v, want mail's of event 1", got)
		}
	})

	t.Run("a change leaves it parked", func(t *testing.T) {
		r, id := parked(t)
		c := r.change(t, id, held(at(2*time.Hour), "mail", "ship"), at(time.Hour), set("m", "1", time.Hour))
		if len(c.Leased) != 1 || c.Leased[0].Subscriber != "ship" {
			t.Errorf("the change leases %v, want ship alone", c.Leased)
		}
		r.settle(t, delivery.Settlement{Order: id, Subscriber: "ship", Owner: "me", Told: 3})
		r.wantNoClaim(t, "still parked", later, "mail", "ship")
	})

	t.Run("redrive tells everything again from there", func(t *testing.T) {
		r, id := parked(t)
		if err := r.Redrive(t.Context(), id, "mail", at(time.Hour)); err != nil {
			t.Fatalf("Redrive: %v", err)
		}
		if got := r.deliveries(t, delivery.StateParked, 10); len(got) != 0 {
			t.Errorf("still parked: %+v", got)
		}
		r.wantNoClaim(t, "before it was sent again", at(time.Hour-time.Millisecond), "mail")
		tasks := r.claim(t, at(time.Hour), "mail")
		wantTask(t, "redriven", tasks, r.get(t, id), r.events(t, id))
		if tasks[0].Attempts != 0 {
			t.Errorf("%d attempts are counted, want a new beginning", tasks[0].Attempts)
		}
	})

	t.Run("skip passes over one event", func(t *testing.T) {
		r, id := parked(t)
		if err := r.Skip(t.Context(), id, "mail", at(time.Hour)); err != nil {
			t.Fatalf("Skip: %v", err)
		}
		wantDeliveries(t, r, "skipped", waiting(id, "mail", 2))
		if err := r.Skip(t.Context(), id, "mail", at(time.Hour)); err != nil {
			t.Fatalf("Skip: %v", err)
		}
		wantDeliveries(t, r, "skipped all")
		r.wantNoClaim(t, "skipped all", later, "mail")
		wantKind(t, "Skip of nothing", r.Skip(t.Context(), id, "mail", later), fault.NotAllowed)
	})

	t.Run("a delivery that waits can be hastened", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, held(at(time.Minute), "mail"))
		r.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "mail", Owner: "me", Error: "busy", Attempts: 1, RetryAt: later})
		if err := r.Redrive(t.Context(), o.ID(), "mail", at(time.Hour)); err != nil {
			t.Fatalf("Redrive: %v", err)
		}
		wantTask(t, "hastened", r.claim(t, at(time.Hour), "mail"), o, o.Events())
	})

	t.Run("what does not wait can't be acted on", func(t *testing.T) {
		r, id := parked(t)
		o := sample(t, 2)
		r.create(t, o, held(at(time.Hour), "mail"))
		for name, act := range map[string]func(order.ID, string, time.Time) error{
			"Redrive": func(id order.ID, s string, now time.Time) error { return r.Redrive(t.Context(), id, s, now) },
			"Skip":    func(id order.ID, s string, now time.Time) error { return r.Skip(t.Context(), id, s, now) },
		} {
			wantKind(t, name+" of a subscriber that is told everything", act(id, "ship", at(time.Minute)), fault.NotAllowed)
			wantKind(t, name+" of one that is told right now", act(o.ID(), "mail", at(time.Minute)), fault.NotAllowed)
			wantKind(t, name+" of an unknown subscriber", act(id, "nobody", at(time.Minute)), fault.NotFound)
		}
		if got := r.deliveries(t, delivery.StateParked, 10); len(got) != 1 {
			t.Errorf("parked are %+v, want mail's still", got)
		}
	})
}
