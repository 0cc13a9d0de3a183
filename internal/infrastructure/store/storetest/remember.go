package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// testRemember is about changes that change nothing but were asked for under an idempotency key.
func testRemember(t *testing.T, h Harness) {
	const fingerprint = order.Fingerprint("00112233445566778899aabbccddeeff")
	remember := func(key order.ID) func(*order.Order) error {
		return func(o *order.Order) error {
			o.Remember(key, fingerprint)
			return nil
		}
	}

	t.Run("a request is kept without a new version", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		c := r.change(t, o.ID(), held(at(time.Hour), "mail"), at(time.Second), remember(idOf(7)))
		if c.Order.Changed() || len(c.Leased) != 0 {
			t.Errorf("Change = %+v, want nothing changed and nothing leased", c)
		}
		want := o.Snapshot()
		want.Requests = []order.Request{{Key: idOf(7), Fingerprint: fingerprint, Version: 1}}
		for _, reopen := range []bool{false, true} {
			if reopen {
				r.reopen(t)
			}
			wantSnapshot(t, "Get", r.get(t, o.ID()), want)
			wantEvents(t, "Events", r.events(t, o.ID()), o.Events())
			wantDeliveries(t, r, "nothing was handed over")
		}
	})

	t.Run("requests at the same time are all kept", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		const callers = 16
		stores := []Store{r.Store, r.second(t, h)}
		atOnce(callers, func(i int) {
			change := remember(idOf(100 + i))
			if i%4 == 0 { // beside some that do change something
				change = set(fmt.Sprint("writer-", i), "1", time.Second)
			}
			if err := persist(t, stores[i%2], o.ID(), change); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		})
		got := r.get(t, o.ID())
		for i := range callers {
			if _, ok := got.Request(idOf(100 + i)); ok == (i%4 == 0) {
				t.Errorf("request %d is remembered: %t", i, ok)
			}
		}
		if want := 1 + callers/4; got.Version() != want || got.Sequence() != want {
			t.Errorf("version %d and sequence %d, want %d", got.Version(), got.Sequence(), want)
		}
	})

	t.Run("a repeat is a repeat, whatever came between", func(t *testing.T) {
		r := newRoom(t, h)
		service, desk := newService(t, r)
		caller := ordering.Caller{Subject: "shop"}
		placed, err := service.Place(t.Context(), caller, ordering.Place{Draft: draft()})
		if err != nil {
			t.Fatal(err)
		}
		id, web, shop := placed.Order.ID(), "web", "shop"
		same := ordering.Change{ID: id, Metadata: map[string]*string{"channel": &web}, IdempotencyKey: "k"}
		first, err := service.Change(t.Context(), caller, same)
		if err != nil || first.Replayed || first.Order.Version() != 1 {
			t.Fatalf("Change to what is = %+v, %v; want version 1", first, err)
		}
		other := ordering.Change{ID: id, Metadata: map[string]*string{"channel": &shop}}
		if _, err := service.Change(t.Context(), caller, other); err != nil {
			t.Fatal(err)
		}
		r.reopen(t)
		service, _ = newService(t, r)
		again, err := service.Change(t.Context(), caller, same)
		if err != nil || !again.Replayed || again.Order.Version() != 2 || again.Order.View().Metadata["channel"] != shop {
			t.Errorf("the repeat = %+v, %v; want it replayed, without undoing what came between", again, err)
		}
		other.IdempotencyKey = same.IdempotencyKey
		if _, err := service.Change(t.Context(), caller, other); !errors.Is(err, ordering.ErrKeyReused) {
			t.Errorf("something else under the key: %v, want ErrKeyReused", err)
		}
		desk.wantBalance(t, 2)
	})
}
