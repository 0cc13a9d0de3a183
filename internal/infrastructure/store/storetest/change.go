package storetest

import (
	"errors"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

func testChange(t *testing.T, h Harness) {
	t.Run("makes the next version", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		var events []order.Event
		events = append(events, o.Events()...)
		for i, status := range []order.Status{order.StatusPaid, order.StatusShipped, order.StatusDelivered} {
			before := r.get(t, o.ID())
			c := r.change(t, o.ID(), nobody(), at(time.Hour), moveTo(status, i, time.Hour))
			if c.Order.Version() != before.Version()+1 || c.Order.Status() != status || !c.Order.Changed() {
				t.Errorf("after version %d comes version %d, %s", before.Version(), c.Order.Version(), c.Order.Status())
			}
			wantOrder(t, "Get", r.get(t, o.ID()), c.Order)
			events = append(events, c.Order.Events()...)
		}
		wantEvents(t, "Events", r.events(t, o.ID()), events)
	})

	t.Run("sees the newest and nothing else", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		want := r.change(t, o.ID(), nobody(), at(time.Second), set("a", "1", time.Second)).Order
		r.change(t, o.ID(), nobody(), at(time.Second), func(o *order.Order) error {
			wantOrder(t, "inside Change", o, want)
			if o.Changed() || len(o.Events()) != 0 {
				t.Errorf("the change begins with %d events recorded", len(o.Events()))
			}
			return nil
		})
	})

	t.Run("an error of the change is passed on and nothing is written", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		for _, refusal := range []error{
			errors.New("no"),
			fault.New(fault.NotAllowed, "no", "no"),
			fault.New(fault.Unavailable, "no", "no"),
			fault.New(fault.Stale, "version_stale", "no"),
		} {
			_, err := r.Change(t.Context(), o.ID(), told("mail"), at(time.Second), func(o *order.Order) error {
				spoil(t, o)
				return refusal
			})
			if err != refusal { //nolint:errorlint // it must be the very same
				t.Errorf("Change = %v, want the change's own error %v", err, refusal)
			}
		}
		wantOrder(t, "Get", r.get(t, o.ID()), o)
		wantDeliveries(t, r, "nothing was handed over")
	})

	t.Run("what is unchanged is not written", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		held := delivery.Handover{Subscribers: []string{"mail"}, Owner: "me", Until: at(time.Hour)}
		for _, nothing := range []func(*order.Order) error{
			func(*order.Order) error { return nil },
			moveTo(order.StatusPending, 1, time.Minute),
			set("channel", "web", time.Minute),
		} {
			c := r.change(t, o.ID(), held, at(time.Minute), nothing)
			wantOrder(t, "Change", c.Order, o)
			if len(c.Leased) != 0 || c.Order.Changed() {
				t.Errorf("Change = %+v, want nothing changed and nothing leased", c)
			}
		}
		wantOrder(t, "Get", r.get(t, o.ID()), o)
		wantDeliveries(t, r, "nothing was handed over")
	})

	t.Run("two facts in one change have one version", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		c := r.change(t, o.ID(), nobody(), at(time.Second), func(o *order.Order) error {
			if err := set("a", "1", time.Second)(o); err != nil {
				return err
			}
			return moveTo(order.StatusCanceled, 1, time.Second)(o)
		})
		got := r.get(t, o.ID())
		if got.Version() != 2 || got.Sequence() != 3 || len(c.Order.Events()) != 2 {
			t.Errorf("version %d, sequence %d, %d new events; want 2, 3, 2", got.Version(), got.Sequence(), len(c.Order.Events()))
		}
	})

	t.Run("requests are remembered with the order", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		for i := range order.MaxRequests + 5 {
			r.change(t, o.ID(), nobody(), at(time.Second), func(o *order.Order) error {
				if err := set("n", idOf(i).String(), time.Second)(o); err != nil {
					return err
				}
				o.Remember(idOf(i), "00112233445566778899aabbccddeeff")
				return nil
			})
		}
		requests := r.get(t, o.ID()).View().Requests
		if n := len(requests); n != order.MaxRequests || requests[0].Key != idOf(5) || requests[n-1].Key != idOf(n+4) {
			t.Errorf("%d requests are remembered, %v to %v; want the newest %d", n, requests[0], requests[n-1], order.MaxRequests)
		}
	})
}
