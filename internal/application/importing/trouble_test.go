package importing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
)

// many is a file of n orders of two lines, which stand far from each other.
func many(n int) string {
	var b strings.Builder
	b.WriteString(header)
	for range 2 {
		for i := range n {
			fmt.Fprintf(&b, "R%d,c,TEA,1,1\n", i)
		}
	}
	return b.String()
}

// flaky is a destination that may fail before it passes orders on.
type flaky struct {
	importing.Destination
	before func(ctx context.Context, orders []ordering.Place) error
}

func (f flaky) Place(ctx context.Context, orders []ordering.Place) ([]importing.Outcome, error) {
	if err := f.before(ctx, orders); err != nil {
		return nil, err
	}
	return f.Destination.Place(ctx, orders)
}

// An import that was stopped anywhere is run again, and every order is there once.
func TestRunAgainAfterInterruption(t *testing.T) {
	const orders = 2_000
	for _, stopAfter := range []int64{0, 1, 3, 6} {
		shop := newShop(t)
		ctx, cancel := context.WithCancel(t.Context())
		var batches atomic.Int64
		stopping := flaky{shop, func(ctx context.Context, _ []ordering.Place) error {
			if batches.Add(1) > stopAfter {
				cancel()
			}
			return ctx.Err()
		}}
		part, err := importing.Run(ctx, plain(), stopping, strings.NewReader(many(orders)), io.Discard)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("the import ended with %v", err)
		}
		placed := int64(len(shop.orders()))
		if part.OrdersCreated > placed {
			t.Errorf("%d orders are said to be created, %d are there", part.OrdersCreated, placed)
		}
		got, _ := run(t, plain(), shop, many(orders))
		check(t, "created by both runs", int64(orders), placed+got.Created)
		check(t, "there already", placed, got.Existing)
		check(t, "orders", orders, len(shop.orders()))
		cancel()
	}
}

// A destination that is away for a while is waited for, as long as it asks, and no order is made twice.
func TestDestinationAwayForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := newShop(t)
		started := time.Now()
		busy := fault.New(fault.Unavailable, "store_busy", "the store is busy")
		busy.RetryAfter = 7 * time.Second
		away := flaky{shop, func(context.Context, []ordering.Place) error {
			if time.Since(started) < 20*time.Second {
				return busy
			}
			return nil
		}}
		options := plain()
		var troubles []time.Duration
		options.Progress = func(at importing.Progress) {
			if at.Trouble != nil && (len(troubles) == 0 || troubles[len(troubles)-1] != time.Since(started)) {
				if !errors.Is(at.Trouble, busy) {
					t.Errorf("the progress is told of %v, want %v", at.Trouble, busy)
				}
				troubles = append(troubles, time.Since(started))
			}
		}
		summary, err := importing.Run(t.Context(), options, away, strings.NewReader(many(600)), nil)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "created", int64(600), summary.OrdersCreated)
		check(t, "waited", 21*time.Second, time.Since(started))
		if want := []time.Duration{0, 7 * time.Second, 14 * time.Second}; !slices.Equal(troubles, want) {
			t.Errorf("the progress is told of trouble after %v, want %v", troubles, want)
		}
	})
}

// Orders of a batch that were placed are not sent again.
func TestOnlyWhatFailedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := newShop(t)
		sent := 0
		partly := half{shop.Direct, &sent}
		summary, err := importing.Run(t.Context(), plain(), partly, strings.NewReader(many(64)), nil)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "created", int64(64), summary.OrdersCreated)
		check(t, "sent", 64+32+16+8+4+2+1, sent)
	})
}

// half is a destination that has no room for the second half of a batch.
type half struct {
	importing.Direct
	sent *int
}

func (h half) Place(ctx context.Context, orders []ordering.Place) ([]importing.Outcome, error) {
	*h.sent += len(orders)
	room := (len(orders) + 1) / 2
	outcomes, err := h.Direct.Place(ctx, orders[:room])
	for range orders[room:] {
		outcomes = append(outcomes, importing.Outcome{Err: fault.New(fault.Unavailable, "busy", "busy")})
	}
	return outcomes, err
}

// A destination that stays away ends the import, after a bounded time.
func TestDestinationStaysAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		away := fault.New(fault.Unavailable, "store_away", "the store is away")
		summary, err := importing.Run(t.Context(), plain(), flaky{newShop(t), func(context.Context, []ordering.Place) error {
			return away
		}}, strings.NewReader(many(10)), nil)
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("got %v", err)
		}
		check(t, "created", int64(0), summary.OrdersCreated)
		if waited := time.Since(started); waited < 20*time.Second || waited > time.Minute {
			t.Errorf("gave up after %s", waited)
		}
	})
}

// What is neither about an order nor passing ends the import at once.
func TestDestinationFails(t *testing.T) {
	broken := errors.New("broken")
	_, err := importing.Run(t.Context(), plain(), flaky{newShop(t), func(context.Context, []ordering.Place) error {
		return broken
	}}, strings.NewReader(many(1_000)), nil)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// Rejects that can't be written end the import: no reason is lost silently.
func TestRejectsFail(t *testing.T) {
	_, err := importing.Run(t.Context(), plain(), newShop(t), strings.NewReader(header+"A,,TEA,1,1\n"), full{})
	if !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// Progress never goes back and ends with everything done.
func TestProgress(t *testing.T) {
	text := many(5_000)
	for _, memory := range []int{0, 50_000} {
		var last importing.Progress
		reports := 0
		options := plain()
		options.Memory, options.TempDir = memory, t.TempDir()
		options.Progress = func(p importing.Progress) {
			if p.BytesRead < last.BytesRead || p.LinesRead < last.LinesRead || p.LinesDone < last.LinesDone || p.LinesDone > p.LinesRead {
				t.Errorf("%+v comes after %+v", p, last)
			}
			last = p
			reports++
		}
		got, _ := run(t, options, newShop(t), text)
		check(t, "created", int64(5_000), got.Created)
		check(t, "last report", importing.Progress{
			Placing: true, BytesRead: int64(len(text)), LinesRead: 10_000, LinesDone: 10_000, OrdersDone: 5_000, OrdersCreated: 5_000,
		}, last)
		if reports < 10 {
			t.Errorf("only %d reports", reports)
		}
	}
}

// As history, no subscriber is told.
func TestAsHistory(t *testing.T) {
	options := plain()
	options.AsHistory = true
	_, err := importing.Run(t.Context(), options, flaky{newShop(t), func(_ context.Context, orders []ordering.Place) error {
		for i := range orders {
			if !orders[i].AsHistory {
				return errors.New("an order is to be told")
			}
		}
		return nil
	}}, bytes.NewReader([]byte(header+"A,c,TEA,1,1\n")), nil)
	if err != nil {
		t.Error(err)
	}
}
