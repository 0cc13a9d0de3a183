package delivery_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// moody is a store whose Redrive answers what deny says, unless that is nil.
type moody struct {
	delivery.Store
	deny func() error
}

func (m *moody) Redrive(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	if err := m.deny(); err != nil {
		return err
	}
	return m.Store.Redrive(ctx, id, subscriber, now)
}

// allParked returns a process with so many orders, each parked for the subscribers events and manifests,
// which tell everything from now on.
func allParked(t *testing.T, orders int) (p *process, m *memory.Memory, events *recorder, ids []order.ID) {
	t.Helper()
	var mended atomic.Bool
	deliver := func(_ context.Context, messages []delivery.Message) []delivery.Result {
		if mended.Load() {
			return allTold(messages)
		}
		return allFailed(messages, errAway)
	}
	events, manifests := newRecorder(t, "events"), newRecorder(t, "manifests")
	events.deliver, manifests.deliver = deliver, deliver
	m = memory.New()
	p = newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{events, manifests}, MaxAttempts: 1, PollInterval: time.Hour})
	for range orders {
		ids = append(ids, p.place())
	}
	synctest.Wait()
	mended.Store(true)
	return p, m, events, ids
}

// countParked goes through all that is parked and counts it by subscriber.
func (p *process) countParked() map[string]int {
	p.t.Helper()
	count := make(map[string]int)
	for q := (delivery.Query{State: delivery.StateParked, Limit: delivery.MaxLimit}); ; {
		page, err := p.operations.List(context.Background(), q)
		if err != nil {
			p.t.Fatalf("List: %v", err)
		}
		for _, d := range page.Deliveries {
			count[d.Track.Subscriber]++
		}
		if q.After = page.Next; q.After == "" {
			return count
		}
	}
}

// What is parked of one subscriber is redriven in bounded parts, and nothing of the other's.
func TestRedriveParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const orders = delivery.MaxRedrive/2 + 100
		p, _, events, ids := allParked(t, orders)
		first, err := p.operations.RedriveParked(t.Context(), "events", "")
		if err != nil || first.Count != delivery.MaxRedrive/2 || first.Next == "" {
			t.Fatalf("RedriveParked = %+v, %v; want half of the deliveries that one call looks at, and more to come", first, err)
		}
		synctest.Wait()
		if got := p.countParked(); got["events"] != orders-first.Count || got["manifests"] != orders {
			t.Errorf("still parked are %v", got)
		}
		second, err := p.operations.RedriveParked(t.Context(), "events", first.Next)
		if err != nil || second.Count != orders-first.Count || second.Next != "" {
			t.Errorf("RedriveParked goes on with %+v, %v; want the rest, and the end", second, err)
		}
		synctest.Wait() // nobody waits for the poller
		for _, id := range ids {
			events.wantTold(id, 1)
		}
		if got := p.countParked(); got["events"] != 0 || got["manifests"] != orders {
			t.Errorf("still parked are %v, want all of the other subscriber", got)
		}
	})
}

func TestRedriveParkedOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _, _ := allParked(t, 30)
		if r, err := p.operations.RedriveParked(t.Context(), "", ""); err != nil || r.Count != 60 || r.Next != "" {
			t.Errorf("RedriveParked = %+v, %v; want all 60", r, err)
		}
		synctest.Wait()
		p.toldAll()
		if r, err := p.operations.RedriveParked(t.Context(), "", ""); err != nil || r != (delivery.Redriven{}) {
			t.Errorf("RedriveParked of nothing = %+v, %v", r, err)
		}
	})
}

// What somebody else acted on is passed over; a store that goes away ends the call, which can be repeated.
func TestRedriveParkedIsRepeatable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, m, _, _ := allParked(t, 100)
		var calls atomic.Int64
		faster := fault.New(fault.NotAllowed, "delivery_not_waiting", "told already")
		away := fault.New(fault.Unavailable, "store_unreachable", "no disk")
		answers := map[int64]error{3: faster, 50: away}
		store := &moody{Store: m.Open(), deny: func() error {
			n := calls.Add(1)
			if n > 50 {
				time.Sleep(time.Second) // until note is taken of what was answered before
			}
			return answers[n]
		}}
		operations := delivery.NewOperations(store, p.dispatcher.Wake, time.Now)
		if _, err := operations.RedriveParked(t.Context(), "", ""); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("RedriveParked = %v, want the fault of the store", err)
		}
		if n := calls.Load(); n > 50+32 {
			t.Errorf("%d were tried, want no more begun when the store has gone away", n)
		}
		synctest.Wait()
		got := p.countParked()
		rest := got["events"] + got["manifests"]
		if rest < 200-90 || rest > 200-47 {
			t.Errorf("%d are still parked", rest)
		}
		if r, err := operations.RedriveParked(t.Context(), "", ""); err != nil || r.Count != rest {
			t.Errorf("RedriveParked = %+v, %v; want the %d that were left", r, err, rest)
		}
		synctest.Wait()
		p.toldAll()
		if _, err := operations.RedriveParked(t.Context(), "", "?"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("RedriveParked from nowhere = %v, want invalid", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := operations.RedriveParked(ended, "", ""); err == nil {
			t.Error("RedriveParked for a caller that is gone says nothing of that")
		}
	})
}
