//go:build !race

// The race detector makes pools forget at random, so that allocations cannot be counted under it.

package telemetry_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"order-processing-service/internal/infrastructure/telemetry"
)

func TestNoAllocationWithoutCorrelation(t *testing.T) {
	ctx := context.Background()
	allocations := func(level slog.Level, ctx context.Context) float64 {
		log := telemetry.NewLogger(io.Discard, slog.LevelInfo, "orders", "dev")
		return testing.AllocsPerRun(200, func() { log.Log(ctx, level, "x") })
	}
	if n := allocations(slog.LevelDebug, ctx); n != 0 {
		t.Errorf("a line left out costs %v allocations", n)
	}
	if n := allocations(slog.LevelInfo, ctx); n != 0 {
		t.Errorf("a line without correlation costs %v allocations", n)
	}
	if n := allocations(slog.LevelInfo, traced()); n != 0 {
		t.Errorf("a line with correlation costs %v allocations", n)
	}
}
