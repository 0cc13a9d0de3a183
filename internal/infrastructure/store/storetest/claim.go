package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// lease is how long a claim of the kit lasts.
const lease = 10 * time.Minute

func testClaim(t *testing.T, h Harness) {
	t.Run("leases what is due to one", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, told("mail", "ship"))
		now := at(time.Minute)
		tasks := r.claim(t, now, "mail", "ship")
		if len(tasks) != 2 || tasks[0].Subscriber == tasks[1].Subscriber {
			t.Fatalf("Claim = %v, want a task for each of two subscribers", tasks)
		}
		for _, task := range tasks {
			wantOrder(t, task.Subscriber, task.Order, o)
			wantEvents(t, task.Subscriber, task.Events, o.Events())
		}
		r.wantNoClaim(t, "while leased", now.Add(lease-time.Millisecond), "mail", "ship")
		if again := r.claim(t, now.Add(lease), "mail", "ship"); len(again) != 2 {
			t.Errorf("%d tasks are due when the lease has ended, want 2", len(again))
		}
	})

	t.Run("not before it is due", func(t *testing.T) {
		r := newRoom(t, h)
		r.create(t, sample(t, 1), held(at(time.Minute), "mail"))
		r.settle(t, delivery.Settlement{Order: idOf(1), Subscriber: "mail", Owner: "me", Error: "no", Attempts: 2, RetryAt: at(time.Hour)})
		r.wantNoClaim(t, "before the next try", at(time.Hour-time.Millisecond), "mail")
		tasks := r.claim(t, at(time.Hour), "mail")
		if len(tasks) != 1 || tasks[0].Attempts != 2 {
			t.Errorf("Claim = %+v, want one task with 2 attempts", tasks)
		}
	})

	t.Run("returns at most the orders asked for", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 25
		for i := range n {
			r.create(t, sample(t, i), told("mail", "ship"))
		}
		seen := make(map[string]int)
		for calls := 0; len(seen) < 2*n && calls < 10*n; calls++ {
			tasks := r.claimUpTo(t, "me", at(time.Minute), 4, "mail", "ship")
			orders := make(map[order.ID]bool)
			for _, task := range tasks {
				orders[task.Order.ID()] = true
				seen[waiting(task.Order.ID(), task.Subscriber, task.Events[0].Sequence)]++
			}
			if len(orders) > 4 {
				t.Errorf("Claim of 4 orders returned %d", len(orders))
			}
		}
		wantOnce(t, seen, 2*n)
	})

	t.Run("a long history is handed out in parts", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, told("mail"))
		r.change(t, o.ID(), told("mail"), at(time.Second), setMany(2*delivery.MaxEvents+20, "n", time.Second))
		all := r.events(t, o.ID())
		task := r.claim(t, at(time.Minute), "mail")[0]
		var got []order.Event
		for {
			if len(task.Events) == 0 || len(task.Events) > delivery.MaxEvents {
				t.Fatalf("a task has %d events, want 1 to %d", len(task.Events), delivery.MaxEvents)
			}
			got = append(got, task.Events...)
			settled := r.settle(t, delivery.Settlement{
				Order: o.ID(), Subscriber: "mail", Owner: "claimer", Told: got[len(got)-1].Sequence, Until: at(time.Hour),
			})
			if !settled[0].More {
				break
			}
			task = r.next(t, o.ID())
		}
		wantEvents(t, "in parts", got, all)
		if task := r.next(t, o.ID()); len(task.Events) != 0 {
			t.Errorf("Next has %d events when all is told", len(task.Events))
		}
	})

	t.Run("others' subscribers are put off and not lost", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 12
		for i := range n {
			r.create(t, sample(t, i), told("mail", "gone"))
		}
		now := at(time.Minute)
		seen := make(map[string]int)
		for range 10 * n { // small claims must get past what they can't tell
			for _, task := range r.claimUpTo(t, "me", now, 3, "mail") {
				if task.Subscriber != "mail" {
					t.Fatalf("a task for %q, who was not asked for", task.Subscriber)
				}
				seen[task.Order.ID().String()]++
			}
		}
		wantOnce(t, seen, n)
		r.wantNoClaim(t, "so soon", now, "gone")
		if tasks := r.claim(t, now.Add(5*time.Minute), "gone"); len(tasks) != n {
			t.Errorf("%d tasks for the subscriber that was put off, want %d", len(tasks), n)
		}
	})

	t.Run("each task goes to one of many", func(t *testing.T) {
		r := newRoom(t, h)
		const orders, claimers = 200, 8
		batch := make([]ordering.NewOrder, orders)
		for i := range batch {
			batch[i] = ordering.NewOrder{Order: sample(t, i), Handover: told("mail", "ship")}
		}
		r.Create(t.Context(), batch)
		stores := []Store{r.Store, r.second(t, h)}
		var mu sync.Mutex
		seen := make(map[string]int)
		var wg sync.WaitGroup
		for c := range claimers {
			wg.Go(func() {
				idle := 0
				for calls := 0; idle < 3 && calls < 2*orders; calls++ {
					tasks, err := stores[c%2].Claim(t.Context(), claimFor(fmt.Sprint("owner ", c), at(time.Minute), 7, "mail", "ship"))
					if err != nil {
						t.Errorf("Claim: %v", err)
						return
					}
					idle++
					mu.Lock()
					for _, task := range tasks {
						seen[task.Order.ID().String()+" "+task.Subscriber]++
						idle = 0
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		wantOnce(t, seen, 2*orders)
	})
}

func claimFor(owner string, now time.Time, limit int, subscribers ...string) delivery.Claim {
	return delivery.Claim{Owner: owner, Subscribers: subscribers, Now: now, Until: now.Add(lease), Limit: limit}
}

// claimUpTo claims once.
func (r *room) claimUpTo(t *testing.T, owner string, now time.Time, limit int, subscribers ...string) []delivery.Task {
	t.Helper()
	tasks, err := r.Claim(t.Context(), claimFor(owner, now, limit, subscribers...))
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return tasks
}

// claim claims, for an owner called claimer, until nothing more comes.
func (r *room) claim(t *testing.T, now time.Time, subscribers ...string) []delivery.Task {
	t.Helper()
	var all []delivery.Task
	for {
		tasks := r.claimUpTo(t, "claimer", now, 100, subscribers...)
		if len(tasks) == 0 {
			return all
		}
		all = append(all, tasks...)
		if len(all) > 10_000 {
			t.Fatal("Claim leases the same over and over")
		}
	}
}

func (r *room) wantNoClaim(t *testing.T, what string, now time.Time, subscribers ...string) {
	t.Helper()
	if tasks := r.claim(t, now, subscribers...); len(tasks) != 0 {
		t.Errorf("%s: %d tasks are leased, want none", what, len(tasks))
	}
}

// wantTask checks that there is one task, for mail, with this order and these events.
func wantTask(t *testing.T, what string, got []delivery.Task, o *order.Order, events []order.Event) {
	t.Helper()
	if len(got) != 1 || got[0].Subscriber != "mail" {
		t.Fatalf("%s: the tasks are %+v, want one for mail", what, got)
	}
	wantOrder(t, what, got[0].Order, o)
	wantEvents(t, what, got[0].Events, events)
}

func (r *room) settle(t *testing.T, settlements ...delivery.Settlement) []delivery.Settled {
	t.Helper()
	settled, err := r.Settle(t.Context(), settlements)
	if err != nil || len(settled) != len(settlements) {
		t.Fatalf("Settle of %d deliveries = %v, %v", len(settlements), settled, err)
	}
	return settled
}

// next asks what mail is to be told next.
func (r *room) next(t *testing.T, id order.ID) delivery.Task {
	t.Helper()
	task, err := r.Next(context.WithoutCancel(t.Context()), id, "mail")
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return task
}

// wantOnce checks that there are n keys, each counted once.
func wantOnce(t *testing.T, seen map[string]int, n int) {
	t.Helper()
	if len(seen) != n {
		t.Errorf("%d were seen, want %d", len(seen), n)
	}
	for key, times := range seen {
		if times != 1 {
			t.Errorf("%q was seen %d times", key, times)
		}
	}
}
