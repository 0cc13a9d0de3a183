package delivery_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// reads is a store that counts how often it is asked for the next task.
type reads struct {
	delivery.Store
	next atomic.Int64
}

func (r *reads) Next(ctx context.Context, id order.ID, subscriber string) (delivery.Task, error) {
	r.next.Add(1)
	return r.Store.Next(ctx, id, subscriber)
}

// What is in hand beyond the bytes allowed keeps its place, and its content is read from the store.
func TestQueueIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		store := &reads{Store: m.Open()}
		r, gate := gated(t)
		p := newProcess(t, m, delivery.Config{
			Store: store, Subscribers: []delivery.Subscriber{r}, Workers: 1, Batch: 1, QueueBytes: 6_000,
		})
		var ids []order.ID
		for range 30 { // of which each weighs a little less than 2,000 bytes
			ids = append(ids, p.place())
		}
		synctest.Wait()
		if s := p.dispatcher.Stats()[0]; s.InHand != 30 || s.Bytes > 6_000 || s.Bytes < 3_000 {
			t.Errorf("stats = %+v, want all orders in hand and at most 6,000 bytes of them", s)
		}
		close(gate)
		synctest.Wait()
		for _, id := range ids {
			r.wantTold(id, 1)
		}
		if n := store.next.Load(); n < 25 || n > 28 {
			t.Errorf("%d orders were read again, want those that there were no bytes for", n)
		}
		p.toldAll()
		if s := p.dispatcher.Stats()[0]; s.Bytes != 0 {
			t.Errorf("%d bytes are held when all is told", s.Bytes)
		}
	})
}

// Orders that are changed while they are told, or leased anew, are not counted twice or forgotten.
func TestBytesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		r, gate := gated(t)
		p := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{r}, Workers: 2, Batch: 2})
		var ids []order.ID
		for range 10 {
			ids = append(ids, p.place())
		}
		synctest.Wait()
		for range 3 { // leases end and are taken again, and calls are cut off
			pass(31 * time.Second)
			for _, id := range ids {
				p.note(id, "later")
				p.note(id, "and later still")
			}
		}
		close(gate)
		pass(time.Minute)
		for _, id := range ids {
			r.wantNoGaps(id, 7)
		}
		p.toldAll()
		if s := p.dispatcher.Stats()[0]; s.Bytes != 0 || s.InHand != 0 {
			t.Errorf("stats = %+v, want nothing held", s)
		}
	})
}

// Large orders go out in several calls, in the order in which they came.
func TestCallsAreBoundedInBytes(t *testing.T) {
	for name, queueBytes := range map[string]int{"in hand": 0, "fetched": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, gate := gated(t)
				p := newProcess(t, memory.New(), delivery.Config{
					Subscribers: []delivery.Subscriber{r}, Workers: 1, QueueBytes: queueBytes,
				})
				ids := []order.ID{p.place()}
				synctest.Wait()
				for range 8 { // about 800 KB each
					ids = append(ids, p.placed(large()))
				}
				close(gate)
				synctest.Wait()
				r.mu.Lock()
				sizes, told := r.sizes, r.order
				r.mu.Unlock()
				if len(sizes) < 3 || len(sizes) > 4 {
					t.Errorf("calls had %v messages, want some at a time", sizes)
				}
				if diff := cmp.Diff(ids, told); diff != "" {
					t.Errorf("orders were told out of turn (-want +got):\n%s", diff)
				}
				p.toldAll()
			})
		})
	}
}

// large returns an order of as many lines as there may be.
func large() order.Draft {
	d := draft()
	d.Items[0].Name = strings.Repeat("x", order.MaxName)
	for range order.MaxLines - 1 {
		d.Items = append(d.Items, d.Items[0])
	}
	return d
}

// sparing is a store that returns fewer orders than it is asked for.
type sparing struct{ delivery.Store }

func (s sparing) Claim(ctx context.Context, c delivery.Claim) ([]delivery.Task, error) {
	c.Limit = min(c.Limit, 12)
	return s.Store.Claim(ctx, c)
}

// A store may return fewer orders than it is asked for when they are large: the rest need not wait for
// the next look.
func TestLargeClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		writer := newProcess(t, m, delivery.Config{Subscribers: []delivery.Subscriber{newRecorder(t, "events")}})
		writer.stop()
		for range 30 {
			writer.placed(large())
		}
		r := newRecorder(t, "events")
		p := newProcess(t, m, delivery.Config{
			Store: sparing{m.Open()}, Subscribers: []delivery.Subscriber{r}, PollInterval: time.Hour,
		})
		synctest.Wait()
		p.toldAll()
	})
}
