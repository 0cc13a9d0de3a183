package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/sqlite"
)

// cutContext is canceled at the n-th look at it, so that a test can cut a call at each place in turn.
type cutContext struct {
	context.Context
	cancel context.CancelFunc
	looks  int
}

func cutAt(ctx context.Context, n int) *cutContext {
	ctx, cancel := context.WithCancel(ctx)
	return &cutContext{ctx, cancel, n}
}

func (c *cutContext) Err() error {
	c.looks--
	if c.looks <= 0 {
		c.cancel()
	}
	return c.Context.Err()
}

// TestCutReadLeavesNothingBehind cuts each read at each place where it looks at its context: the one
// connection for reads then sees the newest orders and has no transaction left open.
func TestCutReadLeavesNothingBehind(t *testing.T) {
	s, err := sqlite.Open(sqlite.Config{Path: filepath.Join(t.TempDir(), "orders.db"), Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	first := newOrder(t, time.Now())
	for _, o := range []*order.Order{first, newOrder(t, time.Now()), newOrder(t, time.Now())} {
		if err := create(s, o); err != nil {
			t.Fatal(err)
		}
	}
	reads := map[string]func(context.Context) error{
		"Get":    func(ctx context.Context) error { _, err := s.Get(ctx, first.ID()); return err },
		"Events": func(ctx context.Context) error { _, err := s.Events(ctx, first.ID(), 0, 10); return err },
		"Next":   func(ctx context.Context) error { _, err := s.Next(ctx, first.ID(), "events"); return err },
		"List":   func(ctx context.Context) error { _, err := s.List(ctx, ordering.Query{Limit: 50}); return err },
		"Deliveries": func(ctx context.Context) error {
			_, err := s.Deliveries(ctx, delivery.Query{State: delivery.StateWaiting, Limit: 50})
			return err
		},
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			const enough = 1_000
			for n := 1; ; n++ {
				if n == enough {
					t.Fatalf("it looks at its context %d times and is not done", enough)
				}
				err := read(cutAt(t.Context(), n))
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Fatalf("cut at %d: %v, want context.Canceled", n, err)
				}
				newest := newOrder(t, time.Now())
				if err := create(s, newest); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Get(t.Context(), newest.ID()); err != nil {
					t.Fatalf("cut at %d: an order that was acknowledged afterwards: %v", n, err)
				}
				for name, read := range reads {
					if err := read(t.Context()); err != nil {
						t.Fatalf("cut at %d: %s afterwards: %v", n, name, err)
					}
				}
				if err == nil {
					return // it was done before it was cut
				}
			}
		})
	}
}
