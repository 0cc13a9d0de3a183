package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

func testLifecycle(t *testing.T, h Harness) {
	t.Run("everything is there after reopening", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 30
		for i := range n {
			r.create(t, sample(t, i), held(at(time.Minute), "mail", "ship"))
			if i%3 == 0 {
				r.change(t, idOf(i), told("mail"), at(time.Second), moveTo(order.StatusPaid, i, time.Second))
				r.settle(t, delivery.Settlement{Order: idOf(i), Subscriber: "ship", Owner: "me", Error: "gone", Attempts: 3})
			}
			if i%5 == 0 {
				r.settle(t, delivery.Settlement{
					Order: idOf(i), Subscriber: "mail", Owner: "me", Error: "busy", Attempts: 1, RetryAt: at(time.Hour),
				})
			}
		}
		orders := everything(t, r, ordering.Query{}, ordering.MaxLimit)
		waits, parked := r.deliveries(t, delivery.StateWaiting, 7), r.deliveries(t, delivery.StateParked, 7)
		events := make([][]order.Event, len(orders))
		for i, o := range orders {
			events[i] = r.events(t, o.ID())
		}

		r.reopen(t)
		again := everything(t, r, ordering.Query{}, ordering.MaxLimit)
		wantIDs(t, "List", again, orders)
		for i, o := range again {
			wantOrder(t, "List", o, orders[i])
			wantEvents(t, "Events", r.events(t, o.ID()), events[i])
		}
		if diff := cmp.Diff(waits, r.deliveries(t, delivery.StateWaiting, 7), same()); diff != "" {
			t.Errorf("what waits differs (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(parked, r.deliveries(t, delivery.StateParked, 7), same()); diff != "" {
			t.Errorf("what is parked differs (-before +after):\n%s", diff)
		}
		if h.Exclusive { // whoever held a lease before is gone
			leased := slices.DeleteFunc(waits, func(d delivery.Delivery) bool { return d.Track.Owner == "" })
			if tasks := r.claim(t, at(2*time.Second), "mail", "ship"); len(tasks) != len(leased) {
				t.Errorf("%d tasks of the owner that is gone are claimed, want %d", len(tasks), len(leased))
			}
			return
		}
		r.wantNoClaim(t, "the leases go on", at(time.Minute-time.Millisecond), "mail", "ship")
		if tasks := r.claim(t, at(time.Hour), "mail", "ship"); len(tasks) != len(waits) {
			t.Errorf("%d tasks are due at last, want %d", len(tasks), len(waits))
		}
	})

	t.Run("a closed store answers that it is away", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, told("mail"))
		s := r.Store
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
		}
		r.Store = r.open(t)
		wantAllUnavailable(t, s, o.ID())
		wantOrder(t, "Get", r.get(t, o.ID()), o)
	})

	t.Run("closing with work under way loses nothing", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 0)
		r.create(t, o, nobody())
		const writers, most = 8, 5_000
		answered := make([][]order.ID, writers)
		changed := make([]int, writers)
		under := make(chan struct{}, writers*most)
		s := r.Store
		atOnce(writers+1, func(w int) {
			if w == writers {
				for range 5 * writers { // let some work be done first
					<-under
				}
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
				return
			}
			for i := range most {
				id := 1 + w*most + i
				c := s.Create(t.Context(), []ordering.NewOrder{{Order: sample(t, id), Handover: told("mail")}})[0]
				_, err := s.Change(t.Context(), o.ID(), nobody(), base, set(strconv.Itoa(w), strconv.Itoa(i), 0))
				if c.Err == nil {
					answered[w] = append(answered[w], idOf(id))
				}
				if err == nil {
					changed[w]++
				}
				under <- struct{}{}
				if c.Err != nil {
					wantKind(t, "Create while closing", c.Err, fault.Unavailable)
					return
				}
			}
		})
		r.Store = r.open(t)
		for w := range writers {
			for _, id := range answered[w] {
				if _, err := r.Get(t.Context(), id); err != nil {
					t.Errorf("order %s was answered and is not there: %v", id, err)
				}
			}
		}
		changes := 0
		for _, n := range changed {
			changes += n
		}
		if got := r.get(t, o.ID()).Version(); got < 1+changes {
			t.Errorf("version %d, but %d changes were answered", got, changes)
		}
	})

	if h.Exclusive {
		t.Run("a second store is refused", func(t *testing.T) {
			r := newRoom(t, h)
			if s, err := r.place.Open(t.Context()); err == nil {
				t.Errorf("a second store opens; Close: %v", s.Close())
			}
			r.create(t, sample(t, 1), nobody())
			r.reopen(t)
			r.get(t, idOf(1))
		})
	} else {
		t.Run("a second store sees the same", func(t *testing.T) {
			r := newRoom(t, h)
			second := &room{place: r.place, Store: r.second(t, h)}
			o := sample(t, 1)
			r.create(t, o, told("mail"))
			wantOrder(t, "Get", second.get(t, o.ID()), o)
			c := second.change(t, o.ID(), told("mail"), at(time.Second), set("n", "1", time.Second))
			wantOrder(t, "Get after the other's change", r.get(t, o.ID()), c.Order)
			if tasks := second.claim(t, at(time.Minute), "mail"); len(tasks) != 1 {
				t.Errorf("%d tasks, want 1", len(tasks))
			}
			r.wantNoClaim(t, "the other has it", at(time.Minute), "mail")
		})
	}
}

// wantAllUnavailable checks that every method answers with a fault of kind Unavailable.
func wantAllUnavailable(t *testing.T, s Store, id order.ID) {
	t.Helper()
	for name, call := range callsOf(t, s, id) {
		wantKind(t, name, call(t.Context()), fault.Unavailable)
	}
}

// callsOf returns a call of every method of the store.
func callsOf(t *testing.T, s Store, id order.ID) map[string]func(context.Context) error {
	t.Helper()
	fresh := sample(t, 1_000)
	return map[string]func(context.Context) error{
		"Ping": s.Ping,
		"Create": func(ctx context.Context) error {
			var errs []error
			for _, c := range s.Create(ctx, []ordering.NewOrder{{Order: fresh}}) {
				errs = append(errs, c.Err)
			}
			return errors.Join(errs...)
		},
		"Get": func(ctx context.Context) error { _, err := s.Get(ctx, id); return err },
		"Change": func(ctx context.Context) error {
			_, err := s.Change(ctx, id, nobody(), base, set("away", "yes", 0))
			return err
		},
		"Events": func(ctx context.Context) error { _, err := s.Events(ctx, id, 0, 10); return err },
		"List":   func(ctx context.Context) error { _, err := s.List(ctx, ordering.Query{Limit: 10}); return err },
		"Claim": func(ctx context.Context) error {
			_, err := s.Claim(ctx, claimFor("me", at(time.Minute), 10, "mail"))
			return err
		},
		"Settle": func(ctx context.Context) error {
			_, err := s.Settle(ctx, []delivery.Settlement{{Order: id, Subscriber: "mail", Owner: "me", Told: 1}})
			return err
		},
		"Next": func(ctx context.Context) error { _, err := s.Next(ctx, id, "mail"); return err },
		"Deliveries": func(ctx context.Context) error {
			_, err := s.Deliveries(ctx, delivery.Query{State: delivery.StateWaiting, Limit: 10})
			return err
		},
		"Backlog":      func(ctx context.Context) error { _, err := s.Backlog(ctx, []string{"mail"}, 10); return err },
		"CountRecords": func(ctx context.Context) error { _, err := s.CountRecords(ctx); return err },
		"Records": func(ctx context.Context) error {
			_, err := s.Records(ctx, copying.Range{Limit: 1, Bytes: 1})
			return err
		},
		"InsertRecords": func(ctx context.Context) error {
			return s.InsertRecords(ctx, []copying.Record{{Order: fresh, Events: fresh.Events()}})[0].Err
		},
		"Redrive": func(ctx context.Context) error { return s.Redrive(ctx, id, "mail", base) },
		"Skip":    func(ctx context.Context) error { return s.Skip(ctx, id, "mail", base) },
	}
}
