package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
)

// testBacklog is about how much the subscribers have yet to be told.
func testBacklog(t *testing.T, h Harness) {
	const many = 100

	t.Run("counts by subscriber, however it waits", func(t *testing.T) {
		r := newRoom(t, h)
		r.create(t, sample(t, 1), told("mail"))                          // due
		r.create(t, sample(t, 2), held(at(time.Hour), "mail", "ship"))   // being told
		r.create(t, sample(t, 3), held(at(time.Hour), "mail", "report")) // rests
		r.create(t, sample(t, 4), held(at(time.Hour), "mail", "ship"))   // parked, and told
		r.create(t, sample(t, 5), nobody())
		history := told("mail", "ship")
		history.AsTold = true
		r.create(t, sample(t, 6), history)
		r.settle(t,
			delivery.Settlement{Order: idOf(3), Subscriber: "mail", Owner: "me", Error: "busy", Attempts: 3, RetryAt: at(24 * time.Hour)},
			delivery.Settlement{Order: idOf(4), Subscriber: "mail", Owner: "me", Error: "gone", Attempts: 9},
			delivery.Settlement{Order: idOf(4), Subscriber: "ship", Owner: "me", Told: 1},
		)
		wantBacklog(t, "all that there is", r, many,
			delivery.Backlog{Subscriber: "ship", Waiting: 1, Oldest: at(2 * time.Millisecond)},
			delivery.Backlog{Subscriber: "nobody"},
			delivery.Backlog{Subscriber: "mail", Waiting: 3, Parked: 1, Oldest: at(time.Millisecond)},
		)
	})

	t.Run("the oldest is by the event to be told next", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, held(at(24*time.Hour), "mail", "ship"))
		oldest := func(what string, after time.Duration) {
			t.Helper()
			got := r.backlog(t, many, "mail")[0]
			if !got.Oldest.Equal(at(after)) {
				t.Errorf("%s: the oldest is of %v, want %v", what, got.Oldest, at(after))
			}
		}
		r.change(t, o.ID(), told("mail", "ship"), at(time.Hour), setMany(2, "n", time.Hour))     // 2 and 3
		r.change(t, o.ID(), told("mail", "ship"), at(3*time.Hour), setMany(2, "n", 3*time.Hour)) // 4 and 5
		r.create(t, sampleAt(t, 2, 2*time.Hour), held(at(24*time.Hour), "mail"))                 // between them
		r.create(t, sampleAt(t, 3, 4*time.Hour), told("mail"))                                   // due before all others
		until := at(24 * time.Hour)
		oldest("told nothing, though its newest event is new", time.Millisecond)
		r.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "mail", Owner: "me", Told: 1, Until: until})
		oldest("told the first", time.Hour)
		r.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "mail", Owner: "me", Told: 2, Error: "busy", Attempts: 1, RetryAt: at(48 * time.Hour)})
		oldest("told one of two facts of a change, and resting", time.Hour)
		r.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "mail", Told: 3})
		oldest("told what is older than another order", 2*time.Hour)
		r.settle(t, delivery.Settlement{Order: idOf(2), Subscriber: "mail", Owner: "me", Error: "gone", Attempts: 9})
		oldest("what is parked does not count", 3*time.Hour)
		wantBacklog(t, "the other subscriber", r, many, delivery.Backlog{Subscriber: "ship", Waiting: 1, Oldest: at(time.Millisecond)})
	})

	t.Run("is told over and over", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, held(at(time.Hour), "mail"))
		r.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "mail", Owner: "me", Error: "gone", Attempts: 9})
		wantBacklog(t, "parked", r, many, delivery.Backlog{Subscriber: "mail", Parked: 1})
		if err := r.Redrive(t.Context(), o.ID(), "mail", at(time.Hour)); err != nil {
			t.Fatalf("Redrive: %v", err)
		}
		wantBacklog(t, "redriven", r, many, delivery.Backlog{Subscriber: "mail", Waiting: 1, Oldest: at(time.Millisecond)})
		r.reopen(t)
		wantBacklog(t, "opened again", r, many, delivery.Backlog{Subscriber: "mail", Waiting: 1, Oldest: at(time.Millisecond)})
		if err := r.Skip(t.Context(), o.ID(), "mail", at(time.Hour)); err != nil {
			t.Fatalf("Skip: %v", err)
		}
		wantBacklog(t, "skipped", r, many, delivery.Backlog{Subscriber: "mail"})
	})

	t.Run("counts up to a bound, and says when there is more", func(t *testing.T) {
		r := newRoom(t, h)
		const waiting, parked = 7, 5
		for i := range waiting + parked {
			r.create(t, sample(t, i), held(at(time.Hour), "mail"))
		}
		for i := range parked {
			r.settle(t, delivery.Settlement{Order: idOf(i), Subscriber: "mail", Owner: "me", Error: "gone", Attempts: 9})
		}
		for _, c := range []struct {
			limit, waiting, parked int
			more                   bool
		}{
			{1, 1, 1, true},
			{parked - 1, parked - 1, parked - 1, true},
			{parked, parked, parked, true},
			{waiting - 1, waiting - 1, parked, true},
			{waiting, waiting, parked, false},
			{waiting + 1, waiting, parked, false},
		} {
			for _, got := range r.backlog(t, c.limit, "mail", "ship") {
				want := delivery.Backlog{Subscriber: got.Subscriber, More: c.more}
				if got.Subscriber == "mail" {
					want.Waiting, want.Parked, want.Oldest = c.waiting, c.parked, got.Oldest
					if got.Oldest.IsZero() {
						t.Errorf("by %d: none is the oldest", c.limit)
					}
				}
				if got != want {
					t.Errorf("by %d: Backlog = %+v, want %+v", c.limit, got, want)
				}
			}
		}
		for i := range waiting {
			r.settle(t, delivery.Settlement{Order: idOf(parked + i), Subscriber: "mail", Owner: "me", Told: 1})
		}
		wantBacklog(t, "only more that are parked", r, parked-1, delivery.Backlog{Subscriber: "mail", Parked: parked - 1, More: true})
	})

	t.Run("nothing is counted too", func(t *testing.T) {
		r := newRoom(t, h)
		wantBacklog(t, "no order", r, many, delivery.Backlog{Subscriber: "mail"})
		r.create(t, sample(t, 1), told("mail"))
		wantBacklog(t, "nobody is asked for", r, many)
	})
}

// backlog counts what the subscribers have yet to be told.
func (r *room) backlog(t *testing.T, limit int, subscribers ...string) []delivery.Backlog {
	t.Helper()
	got, err := r.Backlog(t.Context(), subscribers, limit)
	if err != nil {
		t.Fatalf("Backlog: %v", err)
	}
	if len(got) != len(subscribers) {
		t.Fatalf("Backlog = %+v, want a row for each of %v", got, subscribers)
	}
	return got
}

// wantBacklog checks the backlogs of the subscribers that want names.
func wantBacklog(t *testing.T, what string, r *room, limit int, want ...delivery.Backlog) {
	t.Helper()
	subscribers := make([]string, len(want))
	for i := range want {
		subscribers[i] = want[i].Subscriber
	}
	if diff := cmp.Diff(want, r.backlog(t, limit, subscribers...), same()); diff != "" {
		t.Errorf("%s: the backlog differs (-want +got):\n%s", what, diff)
	}
}
