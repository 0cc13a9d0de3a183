package delivery_test

import (
	"context"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// instant is a store that has nothing due and takes no time to settle.
type instant struct{ delivery.Store }

func (instant) Claim(context.Context, delivery.Claim) ([]delivery.Task, error) { return nil, nil }

func (instant) Settle(_ context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
	return make([]delivery.Settled, len(settlements)), nil
}

// BenchmarkHandover measures an order's way from its commit to two subscribers and back to the
// store, without what the store and the subscribers do.
func BenchmarkHandover(b *testing.B) {
	d := delivery.New(delivery.Config{
		Store:       instant{},
		Subscribers: []delivery.Subscriber{subscriber{"events", allTold}, subscriber{"manifests", allTold}},
	})
	d.Start(b.Context())
	at := order.Stamp{Time: time.Now()}
	wanted := draft()
	wanted.Currency = "USD"
	o, err := order.New(order.ID{1}, wanted, "", at)
	if err != nil {
		b.Fatalf("New: %v", err)
	}
	kept := make([]*order.Order, 8_192) // more than can be in hand at a time
	for i := range kept {
		s := o.Snapshot()
		binary.BigEndian.PutUint64(s.ID[4:], uint64(i))
		if kept[i], err = order.Restore(s); err != nil {
			b.Fatalf("Restore: %v", err)
		}
	}
	events := o.Events()
	leased := []delivery.Track{{Subscriber: "events"}, {Subscriber: "manifests"}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h := d.Offer(at.Time.Add(time.Hour))
		for h.Owner == "" { // only what is told counts
			runtime.Gosched()
			h = d.Offer(at.Time.Add(time.Hour))
		}
		d.Accept(h, kept[i%len(kept)], events, leased)
	}
	if err := d.Stop(context.Background()); err != nil {
		b.Fatalf("Stop: %v", err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}

func BenchmarkTracks(b *testing.B) {
	h := delivery.Handover{Subscribers: []string{"events", "manifests"}, Owner: "me", Until: later}
	b.ReportAllocs()
	for b.Loop() {
		var ts delivery.Tracks
		for _, t := range ts.Changed(0, 1, h, noon) {
			ts.Settle(1, delivery.Settlement{Subscriber: t.Subscriber, Owner: "me", Told: 1, Until: later})
		}
	}
}
