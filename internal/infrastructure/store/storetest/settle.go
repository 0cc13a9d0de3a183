package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

func testSettle(t *testing.T, h Harness) {
	// begun returns a room with an order of three events that the claimer holds for mail and ship.
	begun := func(t *testing.T) (*room, order.ID) {
		t.Helper()
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, told("mail", "ship"))
		r.change(t, o.ID(), told("mail", "ship"), at(time.Second), setMany(2, "n", time.Second))
		if tasks := r.claim(t, at(time.Minute), "mail", "ship"); len(tasks) != 2 {
			t.Fatalf("%d tasks, want 2", len(tasks))
		}
		return r, o.ID()
	}
	by := func(id order.ID, subscriber string, toldUpTo int) delivery.Settlement {
		return delivery.Settlement{Order: id, Subscriber: subscriber, Owner: "claimer", Told: toldUpTo}
	}
	ended := at(time.Minute + lease)

	t.Run("what is told is done", func(t *testing.T) {
		r, id := begun(t)
		if got := r.settle(t, by(id, "mail", 3))[0]; got != (delivery.Settled{}) {
			t.Errorf("Settle = %+v, want neither more nor lost", got)
		}
		wantDeliveries(t, r, "the other subscriber's is left", waiting(id, "ship", 1))
		r.settle(t, by(id, "ship", 3))
		wantDeliveries(t, r, "all is told")
		r.wantNoClaim(t, "all is told", ended, "mail", "ship")
	})

	t.Run("a failure waits for its next try", func(t *testing.T) {
		r, id := begun(t)
		s := by(id, "mail", 1)
		s.Error, s.Attempts, s.RetryAt = "busy", 1, at(2*time.Minute)
		if got := r.settle(t, s)[0]; got != (delivery.Settled{}) {
			t.Errorf("Settle = %+v, want neither more nor lost", got)
		}
		r.wantNoClaim(t, "before the next try", at(2*time.Minute-time.Millisecond), "mail")
		events := r.events(t, id)
		tasks := r.claim(t, at(2*time.Minute), "mail")
		wantTask(t, "the next try", tasks, r.get(t, id), events[1:])
		if tasks[0].Attempts != 1 {
			t.Errorf("the next try knows of %d attempts, want 1", tasks[0].Attempts)
		}
		s = by(id, "mail", 2)
		s.Error, s.Attempts, s.RetryAt = "busy", 1, at(3*time.Minute)
		r.settle(t, s)
		wantTask(t, "after some progress", r.claim(t, at(3*time.Minute), "mail"), r.get(t, id), events[2:])
	})

	t.Run("a failure may leave the tries as they were", func(t *testing.T) {
		r, id := begun(t)
		s := by(id, "mail", 0)
		for attempts := range 2 { // none at first: nothing but the error says that it failed
			s.Error, s.Attempts, s.RetryAt = "away", attempts, at(2*time.Minute)
			r.settle(t, s)
			got := r.deliveries(t, delivery.StateWaiting, 10)
			i := slices.IndexFunc(got, func(d delivery.Delivery) bool { return d.Track.Subscriber == "mail" })
			if i < 0 || got[i].Track.Attempts != attempts || got[i].Track.LastError != "away" || !got[i].Track.DueAt.Equal(s.RetryAt) {
				t.Errorf("waiting are %+v, want mail's with %d attempts and the error", got, attempts)
			}
			if tasks := r.claim(t, s.RetryAt, "mail"); len(tasks) != 1 || tasks[0].Attempts != attempts {
				t.Errorf("the next try is %+v, want %d attempts known", tasks, attempts)
			}
			s.RetryAt = at(30 * time.Minute)
		}
	})

	t.Run("a note without an owner leaves the lease alone", func(t *testing.T) {
		r, id := begun(t)
		s := by(id, "mail", 1)
		s.Owner, s.Error, s.RetryAt = "", "too late", at(2*time.Minute)
		if got := r.settle(t, s)[0]; got != (delivery.Settled{Lost: true}) {
			t.Errorf("Settle = %+v, want that the lease is lost", got)
		}
		got := r.deliveries(t, delivery.StateWaiting, 10)
		i := slices.IndexFunc(got, func(d delivery.Delivery) bool { return d.Track.Subscriber == "mail" })
		if i < 0 || got[i].Sequence != 2 || got[i].Track.Owner != "claimer" || got[i].Track.LastError != "" {
			t.Errorf("waiting are %+v, want that event 1 was told and the lease goes on", got)
		}
	})

	t.Run("a change does not hasten the next try", func(t *testing.T) {
		r, id := begun(t)
		s := by(id, "mail", 0)
		s.Error, s.Attempts, s.RetryAt = "busy", 1, at(time.Hour)
		r.settle(t, s)
		c := r.change(t, id, held(at(2*time.Hour), "mail"), at(2*time.Minute), set("m", "1", time.Minute))
		if len(c.Leased) != 0 {
			t.Errorf("the change leases %v, want nothing: the subscriber rests", c.Leased)
		}
		wantTask(t, "the next try", r.claim(t, at(time.Hour), "mail"), c.Order, r.events(t, id))
	})

	t.Run("a lease goes on while there is more", func(t *testing.T) {
		r, id := begun(t)
		s := by(id, "mail", 2)
		s.Until = at(time.Hour)
		if got := r.settle(t, s)[0]; got != (delivery.Settled{More: true}) {
			t.Fatalf("Settle = %+v, want more", got)
		}
		wantEvents(t, "Next", r.next(t, id).Events, r.events(t, id)[2:])
		r.wantNoClaim(t, "the lease goes on", at(time.Hour-time.Millisecond), "mail")
		s.Told = 3
		if got := r.settle(t, s)[0]; got != (delivery.Settled{}) {
			t.Errorf("Settle = %+v, want no more", got)
		}
	})

	t.Run("a lease can be given back", func(t *testing.T) {
		r, id := begun(t)
		s := by(id, "mail", 1)
		s.RetryAt = at(2 * time.Minute)
		if got := r.settle(t, s)[0]; got != (delivery.Settled{}) {
			t.Errorf("Settle = %+v, want neither more nor lost", got)
		}
		wantTask(t, "what is left", r.claim(t, at(2*time.Minute), "mail"), r.get(t, id), r.events(t, id)[1:])
	})

	t.Run("a lost lease changes nothing but what was told", func(t *testing.T) {
		r, id := begun(t)
		if tasks := r.claimUpTo(t, "other", ended, 10, "mail"); len(tasks) != 1 {
			t.Fatalf("%d tasks when the lease has ended, want 1", len(tasks))
		}
		late := by(id, "mail", 2)
		late.Error, late.Attempts = "gone", 9 // it would park the track
		if got := r.settle(t, late)[0]; got != (delivery.Settled{Lost: true}) {
			t.Errorf("Settle of a lost lease = %+v, want lost", got)
		}
		wantDeliveries(t, r, "it was told, whoever has the lease", waiting(id, "mail", 3), waiting(id, "ship", 1))
		late.Told = 1
		r.settle(t, late)
		wantDeliveries(t, r, "told never goes back", waiting(id, "mail", 3), waiting(id, "ship", 1))
		s := by(id, "mail", 3)
		s.Owner = "other"
		if got := r.settle(t, s)[0]; got != (delivery.Settled{}) {
			t.Errorf("Settle by the lease's owner = %+v, want neither more nor lost", got)
		}
	})

	t.Run("what is not there is lost", func(t *testing.T) {
		r, id := begun(t)
		got := r.settle(t, by(idOf(99), "mail", 1), by(id, "nobody", 1), by(id, "ship", 3))
		if diff := cmp.Diff([]delivery.Settled{{Lost: true}, {Lost: true}, {}}, got); diff != "" {
			t.Errorf("Settle differs (-want +got):\n%s", diff)
		}
		wantDeliveries(t, r, "the rest is settled", waiting(id, "mail", 1))
	})

	t.Run("many at once, answered in their order", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 50
		batch := make([]ordering.NewOrder, n)
		for i := range batch {
			batch[i] = ordering.NewOrder{Order: sample(t, i), Handover: held(at(time.Minute), "mail", "ship")}
		}
		r.Create(t.Context(), batch)
		var settlements []delivery.Settlement
		var want []delivery.Settled
		var left []string
		for i := range n {
			s := delivery.Settlement{Order: idOf(i), Subscriber: "mail", Owner: "me", Told: 1}
			answer := delivery.Settled{}
			switch i % 3 {
			case 1:
				s.Told, s.Until, answer.More = 0, at(time.Minute), true
				left = append(left, waiting(idOf(i), "mail", 1))
			case 2:
				s.Owner, answer.Lost = "other", true
			}
			settlements, want = append(settlements, s), append(want, answer)
			s = delivery.Settlement{Order: idOf(i), Subscriber: "ship", Owner: "me", Told: 1}
			settlements, want = append(settlements, s), append(want, delivery.Settled{})
		}
		if diff := cmp.Diff(want, r.settle(t, settlements...)); diff != "" {
			t.Errorf("Settle differs (-want +got):\n%s", diff)
		}
		var got []string
		for _, d := range r.deliveries(t, delivery.StateWaiting, 7) {
			got = append(got, waiting(d.Order, d.Track.Subscriber, d.Sequence))
		}
		if len(got) != len(left) {
			t.Errorf("%v wait, want %v", got, left)
		}
	})
}
