package delivery_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// within returns a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// A flush ends when the last of what was in hand is told and noted, whoever waits for it.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		store := &watched{Store: m.Open()}
		store.before = func([]delivery.Settlement) error {
			<-time.After(50 * time.Millisecond)
			return nil
		}
		slow, quick := newRecorder(t, "slow"), newRecorder(t, "quick")
		slow.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-time.After(time.Second)
			return allTold(messages)
		}
		p := newProcess(t, m, delivery.Config{
			Store: store, Subscribers: []delivery.Subscriber{slow, quick}, Workers: 1, Batch: 1, PollInterval: time.Hour,
		})
		if left := p.dispatcher.Flush(t.Context()); left != 0 {
			t.Errorf("Flush of nothing leaves %d", left)
		}
		ids := []order.ID{p.place(), p.place()}
		flushed := make(chan int)
		for range 2 {
			go func() { flushed <- p.dispatcher.Flush(within(t, time.Minute)) }()
		}
		start := time.Now()
		for range 2 {
			if left := <-flushed; left != 0 {
				t.Errorf("Flush leaves %d", left)
			}
		}
		if took := time.Since(start); took < 2*time.Second+50*time.Millisecond || took > 2*time.Second+150*time.Millisecond {
			t.Errorf("the flush took %v, want the time of two calls and of noting them", took)
		}
		for _, id := range ids {
			slow.wantTold(id, 1)
			quick.wantTold(id, 1)
		}
		p.toldAll()
	})
}

func TestFlushIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, gate := gated(t)
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, Workers: 1, Batch: 1})
		for range 3 {
			p.place()
		}
		start := time.Now()
		if left := p.dispatcher.Flush(within(t, 2*time.Second)); left != 3 || time.Since(start) != 2*time.Second {
			t.Errorf("Flush leaves %d after %v, want 3 after 2s", left, time.Since(start))
		}
		close(gate) // it goes on by itself
		synctest.Wait()
		p.toldAll()
	})
}

// A flush does not wait for an outside system that is away, nor for the next try of what failed.
func TestFlushDoesNotWaitForWhatCannotBeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away, back := outage(t)
		refusing, quick := newRecorder(t, "refusing"), newRecorder(t, "quick")
		refusing.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			return allFailed(messages, errAway)
		}
		p := newProcess(t, memory.New(), delivery.Config{
			Subscribers: []delivery.Subscriber{away, refusing, quick}, BackoffMin: time.Minute,
		})
		p.place()
		start := time.Now()
		if left := p.dispatcher.Flush(within(t, time.Hour)); left != 0 {
			t.Errorf("Flush leaves %d in hand, want that it waits in the store", left)
		}
		second := p.place()
		if left := p.dispatcher.Flush(within(t, time.Hour)); left != 1 {
			t.Errorf("Flush leaves %d, want the second order, which waits for the subscriber that is away", left)
		}
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("the flushes took %v", took)
		}
		quick.wantTold(second, 1)
		back()
		pass(time.Hour)
	})
}

// leftOver returns a memory with so many orders that a process has left to others.
func leftOver(t *testing.T, orders int) (*memory.Memory, []order.ID) {
	t.Helper()
	m := memory.New()
	writer := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{newRecorder(t, "events")}})
	writer.stop()
	var ids []order.ID
	for range orders {
		ids = append(ids, writer.place())
	}
	return m, ids
}

// A drain tells everything that is due, also far more than there is room for at a time.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := leftOver(t, 1)
		r := newRecorder(t, "events")
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}, Queue: 4, PollInterval: time.Hour})
		synctest.Wait() // its poller has looked, and will not for an hour
		other := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{newRecorder(t, "events")}})
		other.stop()
		var ids []order.ID
		for range 50 {
			ids = append(ids, other.place())
		}
		start := time.Now()
		if left, err := p.dispatcher.Drain(within(t, time.Minute)); left != 0 || err != nil {
			t.Errorf("Drain = %d, %v", left, err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the drain took %v", took)
		}
		for _, id := range ids {
			r.wantTold(id, 1)
		}
		p.toldAll()
	})
}

func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := leftOver(t, 50)
		r := newRecorder(t, "events")
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-time.After(time.Second)
			return allTold(messages)
		}
		p := newProcess(t, m, delivery.Config{
			Subscribers: []delivery.Subscriber{r}, Queue: 4, Workers: 1, Batch: 1, PollInterval: time.Hour,
		})
		synctest.Wait() // it has begun to tell
		start := time.Now()
		left, err := p.dispatcher.Drain(within(t, 5500*time.Millisecond))
		if left < 1 || left > 4 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain = %d, %v; want what is in hand, and that it took too long", left, err)
		}
		if took := time.Since(start); took != 5500*time.Millisecond {
			t.Errorf("the drain took %v", took)
		}
		m.SetAway(true)
		pass(time.Minute)
		if _, err := p.dispatcher.Drain(within(t, time.Second)); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("Drain of a store that is away = %v, want its fault", err)
		}
		m.SetAway(false)
	})
}

// During an outage a drain ends at once, with what is left.
func TestDrainDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ids := leftOver(t, 100)
		r, back := outage(t)
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}, Workers: 2})
		start := time.Now()
		if _, err := p.dispatcher.Drain(within(t, time.Hour)); err != nil || time.Since(start) > 10*time.Millisecond {
			t.Errorf("Drain = %v after %v", err, time.Since(start))
		}
		back()
		pass(time.Minute)
		if left, err := p.dispatcher.Drain(within(t, time.Hour)); left != 0 || err != nil {
			t.Errorf("Drain = %d, %v", left, err)
		}
		for _, id := range ids {
			r.wantTold(id, 1)
		}
		p.toldAll()
	})
}

// After a stop there is nothing to wait for.
func TestFlushAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := gated(t)
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}})
		p.place()
		flushed := make(chan int)
		go func() { flushed <- p.dispatcher.Flush(within(t, time.Hour)) }()
		synctest.Wait()
		p.crash()
		start := time.Now()
		if left := <-flushed; left != 1 || time.Since(start) != 0 {
			t.Errorf("Flush leaves %d after %v, want the one that was cut off, at once", left, time.Since(start))
		}
	})
}
