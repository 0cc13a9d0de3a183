package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// testCancel ends contexts early: a write is then wholly there or not at all, and there if the answer
// said so. That each order is whole is checked once more when the test ends.
func testCancel(t *testing.T, h Harness) {
	// patience is how long calls are given, from nothing to more than enough.
	patience := func(try int) time.Duration { return time.Duration(try) * 20 * time.Microsecond }
	const tries = 60

	t.Run("an insert is wholly there or not at all", func(t *testing.T) {
		r := newRoom(t, h)
		for try := range tries {
			batch := make([]ordering.NewOrder, 5)
			for i := range batch {
				batch[i] = ordering.NewOrder{Order: sample(t, 10*try+i), Handover: told("mail")}
			}
			answers := make([]ordering.Created, 0, len(batch))
			inTime(t, patience(try), func(ctx context.Context) { answers = r.Create(ctx, batch) })
			for i, a := range answers {
				o := batch[i].Order
				there := wantEnded(t, "Create", a.Err)
				got, err := r.Get(t.Context(), o.ID())
				switch {
				case there && err != nil:
					t.Errorf("order %d was answered and is not there: %v", i, err)
				case err == nil:
					wantOrder(t, "Get", got, o)
					wantEvents(t, "Events", r.events(t, o.ID()), o.Events())
				case !errors.Is(err, order.ErrNotFound):
					t.Errorf("Get: %v", err)
				}
			}
		}
		wantHandedOver(t, r)
	})

	t.Run("a change is wholly there or not at all", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, told("mail"))
		answered := make(map[string]bool)
		for try := range tries {
			value := strconv.Itoa(try)
			var err error
			inTime(t, patience(try), func(ctx context.Context) {
				_, err = r.Change(ctx, o.ID(), told("mail"), at(time.Second), set("n", value, time.Second))
			})
			if wantEnded(t, "Change", err) {
				answered[value] = true
			}
		}
		// What a change that was given up has asked for may be under way still, and is of a version that is past after this one.
		r.change(t, o.ID(), told("mail"), at(time.Second), set("n", "last", time.Second))
		for _, e := range r.events(t, o.ID())[1:] {
			delete(answered, *e.Metadata["n"])
		}
		for value := range answered {
			t.Errorf("change %s was answered and is not there", value)
		}
		wantHandedOver(t, r)
	})

	t.Run("a context that has ended already does no harm", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, told("mail"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, a := range r.Create(ctx, []ordering.NewOrder{{Order: sample(t, 2)}, {Order: sample(t, 3)}}) {
			wantEnded(t, "Create", a.Err)
		}
		_, err := r.Change(ctx, o.ID(), told("mail"), at(time.Second), set("n", "1", time.Second))
		wantEnded(t, "Change", err)
		_, err = r.Claim(ctx, claimFor("me", at(time.Minute), 10, "mail"))
		wantEnded(t, "Claim", err)
		_, err = r.Settle(ctx, []delivery.Settlement{{Order: o.ID(), Subscriber: "mail", Owner: "me", Told: 1}})
		wantEnded(t, "Settle", err)
		if err := r.Ping(t.Context()); err != nil {
			t.Errorf("Ping afterwards: %v", err)
		}
		r.create(t, sample(t, 4), nobody())
	})
}

// inTime calls do with a context that ends after patience.
func inTime(t *testing.T, patience time.Duration, do func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	do(ctx)
}

// wantEnded reports whether a call was answered without an error, and checks that its error says
// otherwise that the context ended, or that the store was full.
func wantEnded(t *testing.T, what string, err error) bool {
	t.Helper()
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if err != nil && !ended && fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%s with a context that ended: %v", what, err)
	}
	return err == nil
}

// wantHandedOver checks that every order there waits to be told to mail, of its first event.
func wantHandedOver(t *testing.T, r *room) {
	t.Helper()
	ids := func() []order.ID {
		var ids []order.ID
		for _, o := range everything(t, r, ordering.Query{}, ordering.MaxLimit) {
			ids = append(ids, o.ID())
		}
		return ids
	}
	const tries = 100
	for range tries {
		before := ids()
		got := r.waiting(t)
		if !slices.Equal(before, ids()) {
			continue // an insert that was given up was made meanwhile
		}
		var want []string
		for _, id := range before {
			want = append(want, waiting(id, "mail", 1))
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, got, same()); diff != "" {
			t.Errorf("all that is there is handed over: what waits to be told differs (-want +got):\n%s", diff)
		}
		return
	}
	t.Errorf("the orders that are there differ from one list to the next, %d times", tries)
}
