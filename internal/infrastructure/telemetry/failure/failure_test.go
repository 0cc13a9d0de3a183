package failure_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/telemetry/failure"
)

var errAway = fault.New(fault.Unavailable, "store_away", "the store is away")

func TestOfStore(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{order.ErrNotFound, ""}, // an answer
		{errAway, "store_away"},
		{fmt.Errorf("list: %w", fault.Wrap(context.DeadlineExceeded, fault.Unavailable, "store_slow", "the store is slow")), "timeout"},
		{fmt.Errorf("list: %w", context.Canceled), "canceled"},
		{errors.New("ana@example.com"), "internal"},
	} {
		if got := failure.OfStore(tt.err); got != tt.want {
			t.Errorf("%v: %q; want %q", tt.err, got, tt.want)
		}
	}
}

// A refusal before it does not hide a failure.
func TestOfCreated(t *testing.T) {
	if got := failure.OfCreated([]ordering.Created{{}, {Err: order.ErrNotFound}, {Err: errAway}, {Err: errors.New("other")}}); got != "store_away" {
		t.Errorf("%q", got)
	}
	if got := failure.OfCreated([]ordering.Created{{Err: order.ErrNotFound}}); got != "" {
		t.Errorf("%q", got)
	}
}

func TestOfDelivery(t *testing.T) {
	for want, err := range map[string]error{
		"":            nil,
		"unavailable": errAway,
		"internal":    errors.New("ana@example.com"),
		"too_large":   fault.New(fault.TooLarge, "event_too_large", ""),
		"forbidden":   fault.New(fault.Forbidden, "no_right", ""),
		"refused":     fault.New(fault.Invalid, "event_refused", ""),
	} {
		if got := failure.OfDelivery([]delivery.Result{{Told: 1}, {Err: err}}); got != want {
			t.Errorf("%v: %q; want %q", err, got, want)
		}
	}
}

// Every order that is placed goes through it.
func TestSuccessAllocatesNothing(t *testing.T) {
	created := make([]ordering.Created, 100)
	if n := testing.AllocsPerRun(100, func() { failure.OfCreated(created) }); n != 0 {
		t.Errorf("%v allocations for orders that were created", n)
	}
}

func BenchmarkOfCreated(b *testing.B) {
	created := make([]ordering.Created, 100)
	b.ReportAllocs()
	for b.Loop() {
		failure.OfCreated(created)
	}
}
