//go:build !race

// The race detector makes pools forget at random, so that allocations cannot be counted under it.

package metrics_test

import (
	"net/http"
	"testing"
	"time"

	"order-processing-service/internal/infrastructure/telemetry/metrics"
)

func TestARequestAllocatesNothing(t *testing.T) {
	m, err := metrics.New(t.Context(), metrics.Config{Scraped: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, h, o := t.Context(), m.HTTP(), m.Orders()
	n := testing.AllocsPerRun(200, func() {
		h.Begun(http.MethodPost)
		o.Placed(false)
		o.Moved("PAID")
		h.Refused("queue_full")
		h.Ended(ctx, http.MethodPost, "/orders", http.StatusCreated, time.Millisecond)
	})
	if n != 0 {
		t.Errorf("measuring a request costs %v allocations", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	m, err := metrics.New(b.Context(), metrics.Config{Scraped: true})
	if err != nil {
		b.Fatal(err)
	}
	ctx, h := b.Context(), m.HTTP()
	b.ReportAllocs()
	for b.Loop() {
		h.Begun(http.MethodGet)
		h.Ended(ctx, http.MethodGet, "/orders/{order_id}", http.StatusOK, time.Millisecond)
	}
}
