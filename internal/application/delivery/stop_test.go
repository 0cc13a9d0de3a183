package delivery_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// gated returns a subscriber that tells when the gate opens or, with an error, when it is cut off.
func gated(t *testing.T) (r *recorder, gate chan struct{}) {
	t.Helper()
	r, gate = newRecorder(t, "events"), make(chan struct{})
	r.deliver = func(ctx context.Context, messages []delivery.Message) []delivery.Result {
		select {
		case <-gate:
			return allTold(messages)
		case <-ctx.Done():
			return allFailed(messages, ctx.Err())
		}
	}
	return r, gate
}

func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		r, gate := gated(t)
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}, Workers: 1, Batch: 1})
		var ids []order.ID
		for range 3 {
			ids = append(ids, p.place())
		}
		synctest.Wait() // the first is being told, the others wait
		p.note(ids[0], "more to tell than the drain waits for")
		stopped := make(chan error)
		for range 2 {
			go func() { stopped <- p.dispatcher.Stop(context.Background()) }()
		}
		synctest.Wait()
		if h := p.dispatcher.Offer(time.Now()); h.Owner != "" || len(h.Subscribers) != 1 {
			t.Errorf("an offer while stopping = %+v; want the subscriber named and nothing taken on", h)
		}
		select {
		case err := <-stopped:
			t.Fatalf("Stop returned %v before the delivery ended", err)
		default:
		}
		close(gate)
		for range 2 {
			if err := <-stopped; err != nil {
				t.Errorf("Stop: %v", err)
			}
		}
		r.wantTold(ids[0], 1)
		for _, d := range p.deliveries(delivery.StateWaiting) {
			if d.Track.Owner != "" || d.Track.DueAt.After(time.Now()) || d.Track.Attempts != 0 {
				t.Errorf("left behind: %+v, want it due and nobody's", d.Track)
			}
		}
		next := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}})
		start := time.Now()
		synctest.Wait()
		r.wantTold(ids[0], 2)
		r.wantTold(ids[1], 1)
		r.wantTold(ids[2], 1)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the next start told the rest after %v, want at once", waited)
		}
		next.toldAll()
	})
}

func TestStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		r, gate := gated(t)
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}})
		id := p.place()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		start := time.Now()
		if err := p.dispatcher.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v, want that it took too long", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("Stop took %v, want 3s", took)
		}
		synctest.Wait()
		if waiting := p.deliveries(delivery.StateWaiting); len(waiting) != 1 || waiting[0].Track.Attempts != 0 {
			t.Errorf("waiting = %+v, want no try counted: the subscriber did not fail", waiting)
		}
		close(gate)
		next := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}})
		pass(time.Minute)
		r.wantTold(id, 1)
		next.toldAll()
	})
}

func TestStopWithoutStart(t *testing.T) {
	d := delivery.New(delivery.Config{Store: memory.New().Open()})
	for range 2 {
		if err := d.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
	d.Start(t.Context()) // does nothing: goleak would see it
}

// A process that dies loses nothing: another one takes over when its leases end.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		before, gate := gated(t)
		dying := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{before}, Workers: 1, Batch: 2})
		var ids []order.ID
		for range 50 {
			ids = append(ids, dying.place())
		}
		synctest.Wait()
		dying.note(ids[0], "changed while it was being told")
		dying.crash()
		synctest.Wait()
		close(gate)
		after := newRecorder(t, "events")
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{after}})
		pass(29 * time.Second)
		if n := len(after.callTimes()); n > 0 {
			t.Errorf("%d deliveries while the leases of another process went on", n)
		}
		pass(3 * time.Second)
		after.wantTold(ids[0], 2)
		for _, id := range ids[1:] {
			after.wantTold(id, 1)
		}
		p.toldAll()
	})
}

// A process that stalled past its lease finds that another one has gone on, and does no harm.
func TestLostLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		stalled, gate := newRecorder(t, "events"), make(chan struct{})
		stalled.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate
			return allFailed(messages, errAway)
		}
		first := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{stalled}, PollInterval: time.Hour})
		id := first.place()
		synctest.Wait()
		quick := newRecorder(t, "events")
		second := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{quick}})
		pass(32 * time.Second)
		quick.wantTold(id, 1)
		close(gate)
		pass(time.Minute)
		second.toldAll()
		quick.wantTold(id, 1)
		if s := first.dispatcher.Stats()[0]; s.InHand != 0 || s.Retried != 0 || s.Parked != 0 {
			t.Errorf("stats of the first = %+v, want the lost delivery let go and not counted", s)
		}
	})
}

// What comes to be noted after its lease does not give away the lease that the same process has meanwhile
// taken anew: nobody else begins to tell what is being told.
func TestLateNoteLeavesTheNewLeaseAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		store := &watched{Store: m.Open()}
		var busy atomic.Bool
		settle, tell := make(chan struct{}), make(chan struct{})
		store.before = func([]delivery.Settlement) error {
			if busy.Load() {
				<-settle
			}
			return nil
		}
		r := newRecorder(t, "events")
		var tries atomic.Int64 // to tell the late customer's order
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			if messages[0].Order.View().CustomerID != "late" {
				return allTold(messages)
			}
			if tries.Add(1) == 1 {
				return allFailed(messages, errAway)
			}
			<-tell
			return allTold(messages)
		}
		p := newProcess(t, m, delivery.Config{Store: store, Subscribers: []delivery.Subscriber{r}, Workers: 1, Batch: 1})
		busy.Store(true)
		p.place()
		synctest.Wait() // the store is busy with noting how that went
		wanted := draft()
		wanted.CustomerID = "late"
		late := p.placed(wanted)
		synctest.Wait() // this has failed too, and is to be noted
		pass(32 * time.Second)
		busy.Store(false)
		close(settle)
		newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}})
		pass(5 * time.Second)
		for _, d := range p.deliveries(delivery.StateWaiting) {
			if d.Track.Owner == "" {
				t.Errorf("order %s is being told, and its track is %+v", d.Order, d.Track)
			}
		}
		close(tell)
		pass(time.Minute)
		r.wantNoGaps(late, 1)
		p.toldAll()
	})
}

// Processes on one store share the work; each order is told in sequence.
func TestSharedWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		r := newRecorder(t, "events")
		subscribers := []delivery.Subscriber{r}
		writer := newProcess(t, m, delivery.Config{Subscribers: subscribers, Queue: 16})
		for range 3 {
			newProcess(t, m, delivery.Config{Subscribers: subscribers})
		}
		var ids []order.ID
		for range 200 {
			ids = append(ids, writer.place())
		}
		for range 4 {
			for _, id := range ids {
				writer.note(id, time.Now().String())
			}
			<-time.After(100 * time.Millisecond)
		}
		pass(time.Minute)
		for _, id := range ids {
			r.wantTold(id, 5)
		}
		writer.toldAll()
	})
}
