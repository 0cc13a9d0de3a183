package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// testIdempotency holds the whole promise, so it goes through the use cases.
func testIdempotency(t *testing.T, h Harness) {
	caller := ordering.Caller{Subject: "shop"}
	place := func(key, customer string) ordering.Place {
		d := draft()
		d.CustomerID = customer
		return ordering.Place{Draft: d, IdempotencyKey: key}
	}

	t.Run("a repeat gets the same order", func(t *testing.T) {
		r := newRoom(t, h)
		service, _ := newService(t, r)
		first, err := service.Place(t.Context(), caller, place("k", "c-1"))
		if err != nil || first.Replayed {
			t.Fatalf("Place = %+v, %v", first, err)
		}
		r.change(t, first.Order.ID(), nobody(), at(time.Hour), moveTo(order.StatusPaid, 1, time.Hour))
		now := r.get(t, first.Order.ID())
		for _, reopen := range []bool{false, true} {
			if reopen {
				r.reopen(t)
				service, _ = newService(t, r)
			}
			again, err := service.Place(t.Context(), caller, place("k", "c-1"))
			if err != nil || !again.Replayed {
				t.Fatalf("Place again = %+v, %v; want it replayed", again, err)
			}
			wantOrder(t, "replayed", again.Order, now)
			if _, err := service.Place(t.Context(), caller, place("k", "c-2")); !errors.Is(err, ordering.ErrKeyReused) {
				t.Errorf("Place of something else: %v, want ErrKeyReused", err)
			}
		}
		if other, err := service.Place(t.Context(), ordering.Caller{Subject: "other"}, place("k", "c-1")); err != nil || other.Replayed {
			t.Errorf("another caller's key = %+v, %v; want an order of its own", other, err)
		}
		if n := len(everything(t, r, ordering.Query{}, 10)); n != 2 {
			t.Errorf("%d orders were made, want 2", n)
		}
	})

	t.Run("in one batch", func(t *testing.T) {
		r := newRoom(t, h)
		service, _ := newService(t, r)
		got := service.PlaceBatch(t.Context(), caller, []ordering.Place{
			place("a", "c-1"), place("", "c-1"), place("a", "c-1"), place("a", "c-2"), place("b", ""), place("", "c-1"),
		})
		wantOrder(t, "the repeat", got[2].Order, got[0].Order)
		if got[0].Replayed || !got[2].Replayed {
			t.Errorf("replayed are %v and %v, want the second alone", got[0].Replayed, got[2].Replayed)
		}
		if !errors.Is(got[3].Err, ordering.ErrKeyReused) || got[4].Err == nil || got[1].Err != nil || got[5].Err != nil {
			t.Errorf("errors are %v, %v, %v, %v", got[1].Err, got[3].Err, got[4].Err, got[5].Err)
		}
		if n := len(everything(t, r, ordering.Query{}, 10)); n != 3 {
			t.Errorf("%d orders were made, want 3", n)
		}
	})

	t.Run("at the same time", func(t *testing.T) {
		r := newRoom(t, h)
		service, desk := newService(t, r)
		const callers = 16
		placed, changed := make([]ordering.Placed, callers), make([]ordering.Revised, callers)
		atOnce(callers, func(i int) {
			placed[i], _ = service.Place(t.Context(), caller, place("k", "c-1"))
		})
		first := wantOneMade(t, "Place", callers, func(i int) (*order.Order, bool, error) {
			return placed[i].Order, placed[i].Replayed, placed[i].Err
		})
		if first == nil {
			return
		}
		errs := make([]error, callers)
		atOnce(callers, func(i int) {
			pay := ordering.Change{ID: first.ID(), Status: order.StatusPaid, IdempotencyKey: "c"}
			changed[i], errs[i] = service.Change(t.Context(), caller, pay)
		})
		wantOneMade(t, "Change", callers, func(i int) (*order.Order, bool, error) {
			return changed[i].Order, changed[i].Replayed, errs[i]
		})
		if got := r.get(t, first.ID()); got.Version() != 2 || len(got.View().Payments) != 1 {
			t.Errorf("version %d with %d payments, want one change", got.Version(), len(got.View().Payments))
		}
		desk.wantBalance(t, 2)
	})

	t.Run("a change is made once", func(t *testing.T) {
		r := newRoom(t, h)
		service, desk := newService(t, r)
		placed, err := service.Place(t.Context(), caller, place("", "c-1"))
		if err != nil {
			t.Fatal(err)
		}
		value := "1"
		change := ordering.Change{ID: placed.Order.ID(), Metadata: map[string]*string{"n": &value}, IdempotencyKey: "k"}
		first, err := service.Change(t.Context(), caller, change)
		if err != nil || first.Replayed || first.Order.Version() != 2 {
			t.Fatalf("Change = %+v, %v; want version 2", first, err)
		}
		r.reopen(t)
		service, _ = newService(t, r)
		again, err := service.Change(t.Context(), caller, change)
		if err != nil || !again.Replayed || again.Order.Version() != 2 {
			t.Errorf("Change again = %+v, %v; want version 2, replayed", again, err)
		}
		change.Status = order.StatusPaid
		if _, err := service.Change(t.Context(), caller, change); !errors.Is(err, ordering.ErrKeyReused) {
			t.Errorf("Change to something else: %v, want ErrKeyReused", err)
		}
		desk.wantBalance(t, 2)
	})
}

// atOnce runs do(0) to do(n-1) at the same time and waits for them.
func atOnce(n int, do func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}

// wantOneMade checks that of n answers one made the order and the others are repeats of the same.
func wantOneMade(t *testing.T, what string, n int, answer func(i int) (*order.Order, bool, error)) *order.Order {
	t.Helper()
	var first *order.Order
	made := 0
	for i := range n {
		o, replayed, err := answer(i)
		if err != nil {
			t.Errorf("%s %d: %v", what, i, err)
			return nil
		}
		if first == nil {
			first = o
		}
		wantOrder(t, fmt.Sprintf("%s %d", what, i), o, first)
		if !replayed {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%s: %d were not repeats, want 1", what, made)
	}
	return first
}

// newService returns the use cases on top of the room's store, with a clock that steps on.
func newService(t *testing.T, r *room) (*ordering.Service, *desk) {
	t.Helper()
	d := new(desk)
	var ticks atomic.Int64
	return ordering.New(ordering.Config{
		Store: r.Store, Teller: d, DefaultCurrency: "EUR",
		Now: func() time.Time { return at(time.Duration(ticks.Add(1)) * time.Millisecond) },
	}), d
}

// desk is a Teller that counts.
type desk struct{ offered, accepted, declined atomic.Int64 }

// Offer implements ordering.Teller.
func (d *desk) Offer(time.Time) delivery.Handover {
	d.offered.Add(1)
	return told("mail")
}

// Accept implements ordering.Teller.
func (d *desk) Accept(delivery.Handover, *order.Order, []order.Event, []delivery.Track) {
	d.accepted.Add(1)
}

// Decline implements ordering.Teller.
func (d *desk) Decline(delivery.Handover) { d.declined.Add(1) }

func (d *desk) wantBalance(t *testing.T, accepted int64) {
	t.Helper()
	offered, taken, declined := d.offered.Load(), d.accepted.Load(), d.declined.Load()
	if taken != accepted || offered != taken+declined {
		t.Errorf("of %d offers %d were accepted and %d declined; want %d accepted", offered, taken, declined, accepted)
	}
}
