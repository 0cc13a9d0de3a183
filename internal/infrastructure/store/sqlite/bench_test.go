package sqlite_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/sqlite"
)

var counter atomic.Uint64

// newOrder makes an order of three lines with an id of its own.
func newOrder(tb testing.TB, at time.Time) *order.Order {
	tb.Helper()
	n := counter.Add(1)
	var unique [8]byte
	binary.BigEndian.PutUint64(unique[:], n)
	o, err := order.New(order.TimedID(at, unique), order.Draft{
		CustomerID: fmt.Sprintf("customer-%d", n*7919%10_000), Currency: "EUR",
		Items: []order.DraftItem{
			{SKU: "85123A", Name: "White hanging heart T-light holder", Quantity: 6, UnitPrice: "2.55"},
			{SKU: "71053", Name: "White metal lantern", Quantity: 6, UnitPrice: "3.39"},
			{SKU: "84406B", Name: "Cream cupid hearts coat hanger", Quantity: 8, UnitPrice: "2.75"},
		},
	}, "", order.Stamp{Time: at, Actor: "anonymous"})
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

func openStore(tb testing.TB) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(sqlite.Config{Path: filepath.Join(tb.TempDir(), "orders.db")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

var told = delivery.Handover{Subscribers: []string{"events", "manifests"}, AsTold: true}

func BenchmarkCreate(b *testing.B) {
	for _, parallel := range []int{1, 32, 128} {
		b.Run(fmt.Sprintf("writers=%d", parallel*2), func(b *testing.B) {
			s := openStore(b)
			b.SetParallelism(parallel)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					created := s.Create(context.Background(), []ordering.NewOrder{{Order: newOrder(b, time.Now()), Handover: told}})
					if created[0].Err != nil {
						b.Error(created[0].Err)
					}
				}
			})
		})
	}
}

func BenchmarkChange(b *testing.B) {
	s := openStore(b)
	ids := fill(b, s, 10_000, told)
	b.SetParallelism(32)
	var next atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			now := time.Now()
			value := now.String()
			id := ids[next.Add(1)%uint64(len(ids))]
			_, err := s.Change(context.Background(), id, told, now, func(o *order.Order) error {
				return o.PatchMetadata(map[string]*string{"seen": &value}, order.Stamp{Time: now})
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	s := openStore(b)
	ids := fill(b, s, 10_000, told)
	b.SetParallelism(32)
	var next atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Get(context.Background(), ids[next.Add(7919)%uint64(len(ids))]); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkList(b *testing.B) {
	s := openStore(b)
	fill(b, s, 10_000, told)
	for b.Loop() {
		orders, err := s.List(context.Background(), ordering.Query{Limit: 50})
		if err != nil || len(orders) != 50 {
			b.Fatal(len(orders), err)
		}
	}
}

// BenchmarkBacklog counts what waits among more orders of which everything is told. The oldest event is found in the
// histories of all that wait, which is the most work that there can be.
func BenchmarkBacklog(b *testing.B) {
	for _, waiting := range []int{0, 1_000, delivery.MaxBacklog} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			s := openStore(b)
			fill(b, s, 10_000, told)
			untold := delivery.Handover{Subscribers: told.Subscribers}
			later := time.Now().Add(time.Hour)
			for i, id := range fill(b, s, waiting, told) {
				value := "yes"
				now := later.Add(-time.Duration(i) * time.Millisecond)
				_, err := s.Change(b.Context(), id, untold, now, func(o *order.Order) error {
					return o.PatchMetadata(map[string]*string{"seen": &value}, order.Stamp{Time: now})
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				got, err := s.Backlog(b.Context(), told.Subscribers, delivery.MaxBacklog)
				if err != nil || got[1].Waiting != waiting {
					b.Fatal(got, err)
				}
			}
		})
	}
}

func fill(b *testing.B, s *sqlite.Store, n int, h delivery.Handover) []order.ID {
	b.Helper()
	ids := make([]order.ID, 0, n)
	for len(ids) < n {
		batch := make([]ordering.NewOrder, 1_000)
		for i := range batch {
			batch[i] = ordering.NewOrder{Order: newOrder(b, time.Now()), Handover: h}
			ids = append(ids, batch[i].Order.ID())
		}
		for _, c := range s.Create(context.Background(), batch) {
			if c.Err != nil {
				b.Fatal(c.Err)
			}
		}
	}
	b.ResetTimer()
	return ids
}
