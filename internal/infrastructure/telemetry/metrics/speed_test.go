//go:build !race

// The race detector makes pools forget at random, so that allocations cannot be counted under it.

package metrics_test

import (
	"net/http"
	"testing"
	"time"

	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
)

func TestARequestAllocatesNothing(t *testing.T) {
	m, err := metrics.New(t.Context(), metrics.Config{Scraped: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, h := t.Context(), m.HTTP()
	n := testing.AllocsPerRun(200, func() {
		h.Begun(http.MethodPost, "https")
		h.Ended(ctx, http.MethodPost, "https", "/orders", http.StatusCreated, time.Millisecond)
	})
	if n += allocations(h, m.Orders()); n != 0 {
		t.Errorf("measuring a request costs %v allocations", n)
	}
}

// allocations counts those of what has no context.
func allocations(h *metrics.HTTP, o *metrics.Orders) float64 {
	return testing.AllocsPerRun(200, func() {
		o.Placed(false)
		o.Moved(order.StatusPaid)
		h.Refused("queue_full")
	})
}

func BenchmarkRequest(b *testing.B) {
	m, err := metrics.New(b.Context(), metrics.Config{Scraped: true})
	if err != nil {
		b.Fatal(err)
	}
	ctx, h := b.Context(), m.HTTP()
	b.ReportAllocs()
	for b.Loop() {
		h.Begun(http.MethodGet, "https")
		h.Ended(ctx, http.MethodGet, "https", "/orders/{order_id}", http.StatusOK, time.Millisecond)
	}
}
