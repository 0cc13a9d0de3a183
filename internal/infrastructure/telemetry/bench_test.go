package telemetry_test

import (
	"io"
	"log/slog"
	"testing"

	"order-processing-service/internal/infrastructure/telemetry"
)

// BenchmarkRequest is the line that each request gets.
func BenchmarkRequest(b *testing.B) {
	log := telemetry.NewLogger(io.Discard, slog.LevelInfo, "order-processing-service", "1.2.3")
	ctx := traced()
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("method", "POST"), slog.String("route", "/orders"),
			slog.Int("status", 201), slog.Float64("duration_ms", 1.234), slog.Int64("bytes", 842))
	}
}
