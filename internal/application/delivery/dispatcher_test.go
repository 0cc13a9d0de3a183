package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

var errAway = errors.New("the other side is away")

func TestToldAtCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, manifests := newRecorder(t, "events"), newRecorder(t, "manifests")
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{events, manifests}})
		synctest.Wait()
		start := time.Now()
		id := p.place()
		synctest.Wait()
		p.notes(id, 3)
		synctest.Wait()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("telling took %v, want none of the poller's time", waited)
		}
		for _, r := range []*recorder{events, manifests} {
			r.wantTold(id, 4)
		}
		p.toldAll()
	})
}

// Changes that come faster than they are told are told in sequence, each once.
func TestSequenceUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newRecorder(t, "slow")
		slow.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-time.After(7 * time.Millisecond)
			return allTold(messages)
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{slow}})
		var ids []order.ID
		for range 20 {
			ids = append(ids, p.place())
		}
		for i := range 150 {
			for _, id := range ids {
				p.note(id, strconv.Itoa(i))
			}
			<-time.After(time.Millisecond)
		}
		pass(time.Second)
		for _, id := range ids {
			slow.wantTold(id, 151)
		}
		p.toldAll()
	})
}

// More events than fit in one message are told in several, by way of the store.
func TestManyEventsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		writer := newProcess(t, m, delivery.Config{})
		id := writer.place()
		r := newRecorder(t, "events")
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}})
		gate := make(chan struct{})
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate
			return allTold(messages)
		}
		p.notes(id, 2*delivery.MaxEvents+10)
		close(gate)
		synctest.Wait()
		r.mu.Lock()
		told := r.told[id]
		r.mu.Unlock()
		if len(told) != 2*delivery.MaxEvents+10 || told[0] != 2 {
			t.Errorf("told %d events beginning with %v; want 210 from the subscriber's first change on", len(told), told[:1])
		}
		p.toldAll()
	})
}

// What a subscriber that hangs has no place for waits in the store; everybody else is told at once.
func TestStuckSubscriberHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, quick := newRecorder(t, "stuck"), newRecorder(t, "quick")
		gate := make(chan struct{})
		stuck.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate // it does not even look at its context
			return allTold(messages)
		}
		p := newProcess(t, memory.New(), delivery.Config{
			Subscribers: []delivery.Subscriber{stuck, quick}, Queue: 8, Workers: 2, Batch: 2,
		})
		start := time.Now()
		var ids []order.ID
		for range 100 {
			ids = append(ids, p.place())
			synctest.Wait()
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("telling took %v", waited)
		}
		for _, id := range ids {
			quick.wantTold(id, 1)
		}
		for _, id := range ids {
			p.note(id, "later")
			synctest.Wait()
			quick.wantTold(id, 2)
		}
		<-time.After(2 * time.Minute) // leases end meanwhile
		close(gate)
		pass(2 * time.Minute)
		for _, id := range ids {
			stuck.wantNoGaps(id, 2)
			quick.wantTold(id, 2)
		}
		p.toldAll()
	})
}

func TestFailingSubscriberHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing, quick := newRecorder(t, "failing"), newRecorder(t, "quick")
		var first sync.Once
		var bad order.ID
		failing.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			first.Do(func() { bad = messages[0].Order.ID() })
			results := allTold(messages)
			for i, m := range messages {
				if m.Order.ID() == bad {
					results[i] = delivery.Result{Err: errAway}
				}
			}
			return results
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{failing, quick}})
		refused := p.place()
		synctest.Wait()
		for range 50 {
			good := p.place()
			synctest.Wait()
			failing.wantTold(good, 1)
			quick.wantTold(good, 1)
		}
		quick.wantTold(refused, 1)
		failing.wantTold(refused, 0)
	})
}

// Without any place a change is left to the store, and picked up as soon as there is room.
func TestNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		gate := make(chan struct{})
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate
			return allTold(messages)
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, Queue: 4, Workers: 1})
		synctest.Wait() // its poller has looked
		h := p.dispatcher.Offer(time.Now())
		if h.Owner == "" {
			t.Fatal("an empty queue has no place")
		}
		p.dispatcher.Decline(h)
		var ids []order.ID
		for range 40 {
			ids = append(ids, p.place())
		}
		if h := p.dispatcher.Offer(time.Now()); h.Owner != "" {
			t.Error("a full queue offers a place")
		}
		start := time.Now()
		close(gate)
		synctest.Wait()
		for _, id := range ids {
			r.wantTold(id, 1)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the rest waited %v for the poller", waited)
		}
		p.toldAll()
	})
}

func TestBatchesTakeWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		gate := make(chan struct{})
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate
			return allTold(messages)
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, Workers: 1, Batch: 10})
		p.place()
		synctest.Wait() // the worker has it
		for range 25 {
			p.place()
		}
		close(gate)
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		if got, want := fmt.Sprint(r.sizes), "[1 10 10 5]"; got != want {
			t.Errorf("calls had %s messages, want %s", got, want)
		}
	})
}

// A place is kept for each offer until it is answered.
func TestOffersKeepPlaces(t *testing.T) {
	d := delivery.New(delivery.Config{Subscribers: []delivery.Subscriber{newRecorder(t, "events")}, Queue: 2})
	now := time.Now()
	first, second := d.Offer(now), d.Offer(now)
	if first.Owner == "" || second.Owner != first.Owner || !first.Until.After(now) {
		t.Errorf("offers = %+v, %+v; want both taken on", first, second)
	}
	if third := d.Offer(now); third.Owner != "" || len(third.Subscribers) != 1 {
		t.Errorf("a third offer = %+v; want the subscriber named and nothing taken on", third)
	}
	d.Decline(second)
	if again := d.Offer(now); again.Owner == "" {
		t.Error("a place that was given back is not offered again")
	}
}

func TestPollIsOnePass(t *testing.T) {
	ctx := t.Context()
	m := memory.New()
	r := newRecorder(t, "events")
	writer := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}, Queue: 1})
	writer.stop()
	for range 3 {
		writer.place()
	}
	d := delivery.New(delivery.Config{Store: m.Open(), Subscribers: []delivery.Subscriber{r}, Queue: 2})
	m.SetAway(true)
	if _, err := d.Poll(ctx); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Poll of a store that is away = %v, want its fault", err)
	}
	m.SetAway(false)
	if more, err := d.Poll(ctx); err != nil || !more {
		t.Errorf("Poll = %v, %v; want more to come", more, err)
	}
	if stats := d.Stats(); stats[0].InHand != 2 {
		t.Errorf("in hand are %d, want as many as there is room for", stats[0].InHand)
	}
	if more, err := d.Poll(ctx); err != nil || more {
		t.Errorf("Poll without room = %v, %v; want nothing done", more, err)
	}
}
