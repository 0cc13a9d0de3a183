package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// testHandover is about what a write says of who is to be told, and what it gives them.
func testHandover(t *testing.T, h Harness) {
	t.Run("an owner has the lease at once", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		got := r.create(t, o, held(at(time.Minute), "mail", "ship"))
		want := []delivery.Track{
			{Subscriber: "mail", DueAt: at(time.Minute), Owner: "me"},
			{Subscriber: "ship", DueAt: at(time.Minute), Owner: "me"},
		}
		if diff := cmp.Diff(want, got, same()); diff != "" {
			t.Errorf("the leases differ (-want +got):\n%s", diff)
		}
		r.wantNoClaim(t, "while another has it", at(time.Minute-time.Millisecond), "mail", "ship")
		if tasks := r.claim(t, at(time.Minute), "mail", "ship"); len(tasks) != 2 {
			t.Errorf("%d tasks are due when the lease has ended, want 2", len(tasks))
		}
	})

	t.Run("without an owner it is due at once", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		if leased := r.create(t, o, told("mail")); len(leased) != 0 {
			t.Errorf("nobody has a lease of %v", leased)
		}
		wantTask(t, "at once", r.claim(t, o.View().CreatedAt, "mail"), o, o.Events())
	})

	t.Run("a change is leased to its owner", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		c := r.change(t, o.ID(), held(at(time.Hour), "mail"), at(time.Minute), setMany(2, "n", time.Minute))
		want := []delivery.Track{{Subscriber: "mail", Told: 1, DueAt: at(time.Hour), Owner: "me"}}
		if diff := cmp.Diff(want, c.Leased, same()); diff != "" {
			t.Errorf("the leases differ (-want +got):\n%s", diff)
		}
		wantDeliveries(t, r, "a new subscriber begins with the change", waiting(o.ID(), "mail", 2))
	})

	t.Run("whoever is at work keeps the lease", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, held(at(time.Hour), "mail"))
		other := delivery.Handover{Subscribers: []string{"mail", "ship"}, Owner: "other", Until: at(2 * time.Hour)}
		c := r.change(t, o.ID(), other, at(time.Minute), set("a", "1", time.Minute))
		if len(c.Leased) != 1 || c.Leased[0].Subscriber != "ship" {
			t.Errorf("the change leases %v, want ship alone", c.Leased)
		}
		settled := r.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "mail", Owner: "me", Told: 1, Until: at(time.Hour)})
		if want := (delivery.Settled{More: true}); settled[0] != want {
			t.Errorf("Settle = %+v, want %+v", settled[0], want)
		}
		task := r.next(t, o.ID())
		wantOrder(t, "Next", task.Order, c.Order)
		wantEvents(t, "Next", task.Events, c.Order.Events())
	})

	t.Run("what is told already is not told", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		history := told("mail")
		history.AsTold = true
		if leased := r.create(t, o, history); len(leased) != 0 {
			t.Errorf("history is leased: %v", leased)
		}
		r.wantNoClaim(t, "history", at(time.Hour), "mail")
		wantDeliveries(t, r, "history")

		c := r.change(t, o.ID(), told("mail"), at(time.Hour), moveTo(order.StatusPaid, 1, time.Hour))
		wantTask(t, "what comes after", r.claim(t, at(time.Hour), "mail"), c.Order, c.Order.Events())
	})

	t.Run("every event is handed over with its change", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, told("mail"))
		for i, status := range []order.Status{order.StatusPaid, order.StatusShipped, order.StatusDelivered} {
			r.change(t, o.ID(), told("mail"), at(time.Second), moveTo(status, i, time.Second))
		}
		wantTask(t, "all of it", r.claim(t, at(time.Minute), "mail"), r.get(t, o.ID()), r.events(t, o.ID()))
	})
}

// held is a handover to a dispatcher called me.
func held(until time.Time, subscribers ...string) delivery.Handover {
	return delivery.Handover{Subscribers: subscribers, Owner: "me", Until: until}
}
