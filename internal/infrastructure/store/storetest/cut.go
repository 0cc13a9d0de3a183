package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
)

// testCut ends the contexts of reads at any moment, many at the same time. Whatever they left behind
// must not be seen by the reads that come after: those find what was acknowledged last.
func testCut(t *testing.T, h Harness) {
	const rounds, readers, there = 40, 16, 60
	r := newRoom(t, h)
	for i := range there {
		r.create(t, sample(t, i), told("mail"))
	}
	for round := range rounds {
		id := idOf(round)
		reads := []func(context.Context) error{
			func(ctx context.Context) error { _, err := r.List(ctx, ordering.Query{Limit: there}); return err },
			func(ctx context.Context) error { _, err := r.Get(ctx, id); return err },
			func(ctx context.Context) error { _, err := r.Events(ctx, id, 0, 10); return err },
			func(ctx context.Context) error { _, err := r.Next(ctx, id, "mail"); return err },
			func(ctx context.Context) error {
				_, err := r.Deliveries(ctx, delivery.Query{State: delivery.StateWaiting, Limit: there})
				return err
			},
			func(ctx context.Context) error { _, err := r.Backlog(ctx, []string{"mail"}, there); return err },
		}
		atOnce(readers, func(i int) {
			read := reads[i%len(reads)]
			if i%2 == 0 {
				read = reads[0] // the longest, so that it is cut in many places
			}
			patience := rand.N(2 * time.Millisecond) //nolint:gosec // any moment will do
			inTime(t, patience, func(ctx context.Context) { wantCut(t, read(ctx)) })
		})
		o := sample(t, there+round)
		r.create(t, o, told("mail"))
		atOnce(readers, func(int) { // as many as may each meet what a cut read left
			if got, err := r.Get(t.Context(), o.ID()); err != nil {
				t.Errorf("Get of an order acknowledged after the cuts: %v", err)
			} else {
				wantOrder(t, "Get after the cuts", got, o)
			}
			for _, read := range reads {
				if err := read(t.Context()); err != nil {
					t.Errorf("a read after the cuts: %v", err)
				}
			}
			if newest, err := r.List(t.Context(), ordering.Query{Limit: 1}); err != nil || len(newest) != 1 || newest[0].ID() != o.ID() {
				t.Errorf("List after the cuts begins with %v, %v, want the newest order", newest, err)
			}
		})
		if t.Failed() {
			return
		}
	}
}

// wantCut checks that a read was answered, or failed because its context had ended.
func wantCut(t *testing.T, err error) {
	t.Helper()
	if wantEnded(t, "a read", err) {
		return
	}
	switch {
	case fault.KindOf(err) == fault.Unavailable:
		t.Errorf("a read that was cut says that the store is away: %v", err)
	case !errors.Is(err, context.DeadlineExceeded): // by which a caller knows that it took too long
		t.Errorf("a read that was cut because its time was over does not say so: %v", err)
	}
}
