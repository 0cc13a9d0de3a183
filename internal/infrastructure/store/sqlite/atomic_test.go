package sqlite_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// TestWriteThatFailsLateLeavesNothing inserts orders in one write that then fails or panics, while it
// shares its transaction with writes that succeed: of the first nothing is there, the others are.
func TestWriteThatFailsLateLeavesNothing(t *testing.T) {
	for name, end := range map[string]func() error{
		"fails":  func() error { return errors.New("too late") },
		"panics": func() error { panic("too late") },
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			lost := make([]ordering.NewOrder, 3)
			for i := range lost {
				lost[i] = ordering.NewOrder{Order: newOrder(t, time.Now()), Handover: told}
			}
			kept := []*order.Order{newOrder(t, time.Now()), newOrder(t, time.Now()), newOrder(t, time.Now())}
			release := s.Hold() // what follows waits together
			var wg sync.WaitGroup
			for _, o := range kept {
				wg.Go(func() {
					if err := create(s, o); err != nil {
						t.Errorf("a write beside it: %v", err)
					}
				})
			}
			wg.Go(func() {
				if err := s.CreateThen(lost, end); fault.KindOf(err) != fault.Internal {
					t.Errorf("the write answers %v, want an internal error", err)
				}
			})
			release()
			wg.Wait()
			for _, o := range kept {
				if _, err := s.Get(t.Context(), o.ID()); err != nil {
					t.Errorf("a write beside it is gone: %v", err)
				}
			}
			for _, n := range lost {
				if _, err := s.Get(t.Context(), n.Order.ID()); !errors.Is(err, order.ErrNotFound) {
					t.Errorf("a part of the write is there: %v", err)
				}
			}
			orders, err := s.List(t.Context(), ordering.Query{Limit: 10})
			if err != nil || len(orders) != len(kept) {
				t.Errorf("%d orders are listed, %v, want %d", len(orders), err, len(kept))
			}
		})
	}
}
