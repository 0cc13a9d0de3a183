package telemetry_test

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"order-processing-service/internal/infrastructure/telemetry"
)

// BenchmarkRequest is the line that each request gets, in a file.
func BenchmarkRequest(b *testing.B) {
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	log := telemetry.NewLogger(file, slog.LevelInfo, "order-processing-service", "1.2.3")
	b.Run("at once", func(b *testing.B) { logRequests(b, log) })
	b.Run("patient", func(b *testing.B) { logRequests(b, telemetry.Patient(log)) })
}

func logRequests(b *testing.B, log *slog.Logger) {
	b.Helper()
	ctx := traced()
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("method", "POST"), slog.String("route", "/orders"),
			slog.Int("status", 201), slog.Float64("duration_ms", 1.234), slog.Int64("bytes", 842))
	}
}

// BenchmarkText is a line with a text: of ASCII, of other letters, and of signs that are escaped.
func BenchmarkText(b *testing.B) {
	for name, text := range map[string]string{"ascii": "auth0|4f2b9c7d11", "letters": "José Müller, 東京", "unseen": "ana\u202egro.elpmaxe"} {
		b.Run(name, func(b *testing.B) {
			log := telemetry.NewLogger(io.Discard, slog.LevelInfo, "order-processing-service", "1.2.3")
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(b.Context(), slog.LevelInfo, "request", slog.String("subject", text))
			}
		})
	}
}
