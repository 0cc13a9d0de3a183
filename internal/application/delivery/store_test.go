package delivery_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// watched is a store that counts what is settled and can fail, or wait, before it settles.
type watched struct {
	delivery.Store
	before  func(settlements []delivery.Settlement) error
	after   func(id order.ID)
	calls   atomic.Int64
	settled atomic.Int64
}

func (w *watched) Settle(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
	w.calls.Add(1)
	if w.before != nil {
		if err := w.before(settlements); err != nil {
			return nil, err
		}
	}
	w.settled.Add(int64(len(settlements)))
	if w.after != nil {
		defer w.after(settlements[0].Order)
	}
	return w.Store.Settle(ctx, settlements)
}

// What ends while the store is busy is settled together, whoever was told.
func TestOutcomesShareAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		store := &watched{Store: m.Open()}
		store.before = func([]delivery.Settlement) error {
			<-time.After(10 * time.Millisecond)
			return nil
		}
		subscribers := []delivery.Subscriber{newRecorder(t, "events"), newRecorder(t, "manifests")}
		p := newProcess(t, m, delivery.Config{Store: store, Subscribers: subscribers})
		p.place()
		synctest.Wait()
		for range 100 {
			p.place()
		}
		pass(time.Second)
		p.toldAll()
		if calls, settled := store.calls.Load(), store.settled.Load(); settled != 202 || calls > 3 {
			t.Errorf("%d settlements in %d calls, want 202 in at most 3", settled, calls)
		}
	})
}

// While the store is away for a moment, what was told is kept and noted afterwards: nothing is told
// twice.
func TestStoreAwayForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		r, gate := gated(t)
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}})
		id := p.place()
		synctest.Wait()
		m.SetAway(true)
		close(gate)
		pass(10 * time.Second)
		m.SetAway(false)
		pass(2 * time.Second)
		p.toldAll()
		pass(time.Minute)
		r.wantTold(id, 1)
	})
}

// While the store is away for longer than the lease, the delivery is repeated afterwards.
func TestStoreAwayForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		r, gate := gated(t)
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}})
		id := p.place()
		synctest.Wait()
		m.SetAway(true)
		close(gate)
		pass(time.Minute)
		if s := p.dispatcher.Stats()[0]; s.InHand != 0 {
			t.Errorf("in hand are %d, want the delivery let go with its lease", s.InHand)
		}
		m.SetAway(false)
		pass(2 * time.Second)
		r.wantNoGaps(id, 1)
		p.toldAll()
	})
}

// The store can go away between a settlement and the question for what comes next.
func TestStoreAwayBeforeNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		store := &noNext{Store: m.Open()}
		r, gate := gated(t)
		p := newProcess(t, m, delivery.Config{Store: store, Subscribers: []delivery.Subscriber{r}})
		id := p.place()
		synctest.Wait()
		p.notes(id, 3)
		close(gate)
		synctest.Wait()
		r.wantTold(id, 1)
		pass(2 * time.Second)
		r.wantTold(id, 4)
		p.toldAll()
	})
}

// noNext is a store that is away when it is asked for the next task.
type noNext struct{ delivery.Store }

func (noNext) Next(context.Context, order.ID, string) (delivery.Task, error) {
	return delivery.Task{}, errAway
}

// An order that the store can't settle does not keep the others from being settled.
func TestDamagedOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		var damaged order.ID
		store := &watched{Store: m.Open()}
		store.before = func(settlements []delivery.Settlement) error {
			for _, s := range settlements {
				if s.Order == damaged {
					return errors.New("what is stored makes no sense")
				}
			}
			return nil
		}
		r, gate := gated(t)
		p := newProcess(t, m, delivery.Config{Store: store, Subscribers: []delivery.Subscriber{r}})
		var ids []order.ID
		for range 100 {
			ids = append(ids, p.place())
		}
		damaged = ids[37]
		synctest.Wait()
		close(gate)
		synctest.Wait()
		waiting := p.deliveries(delivery.StateWaiting)
		if len(waiting) != 1 || waiting[0].Order != damaged {
			t.Errorf("%d deliveries are left, want the damaged order's alone", len(waiting))
		}
		if s := p.dispatcher.Stats()[0]; s.InHand != 0 {
			t.Errorf("in hand are %d, want none", s.InHand)
		}
	})
}

// A change can be committed, and leased to the same process, between the write that settled what was
// told before and its answer. It is told at once, not when that lease ends.
func TestChangeBeforeSettleAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		store := &watched{Store: m.Open()}
		r := newRecorder(t, "events")
		p := newProcess(t, m, delivery.Config{Store: store, Subscribers: []delivery.Subscriber{r}})
		changes := 5
		store.after = func(id order.ID) {
			changes--
			if changes >= 0 {
				p.note(id, time.Now().String()+strconv.Itoa(changes))
			}
		}
		id := p.place()
		synctest.Wait()
		r.wantTold(id, 6)
		p.toldAll()
	})
}
