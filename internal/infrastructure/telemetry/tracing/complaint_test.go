package tracing_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/resource"

	"order-processing-service/internal/infrastructure/telemetry/otlp"
	"order-processing-service/internal/infrastructure/telemetry/tracing"
	"order-processing-service/test/authority"
	"order-processing-service/test/collector"
)

// A collector that rejects a part of what it gets, or gives advice, is there: it goes on getting spans, and the log is told once.
func TestACollectorThatComplains(t *testing.T) {
	trusted := authority.New(t)
	for name, start := range map[string]func() (*collector.Collector, otlp.Target){
		"http": func() (*collector.Collector, otlp.Target) {
			c := collector.Start(t)
			return c, otlp.Target{Endpoint: c.URL}
		},
		"grpc": func() (*collector.Collector, otlp.Target) {
			c := collector.StartGRPC(t, trusted.Server(t).TLS(t))
			return c, otlp.Target{Endpoint: c.URL, GRPC: true, TLS: &tls.Config{RootCAs: trusted.Pool(), MinVersion: tls.VersionTLS12}}
		},
	} {
		for _, tt := range []struct {
			rejected  int64
			complaint string
			want      string
		}{{0, "an attribute is deprecated", "rejected=0"}, {1, "", "rejected=1"}} {
			c, target := start()
			c.Complain(tt.rejected, tt.complaint)
			var log bytes.Buffer
			tracer, err := tracing.Open(t.Context(), tracing.Config{
				Target: target, Resource: resource.Empty(), Log: slog.New(slog.NewTextHandler(&log, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			const spans = 5
			for range spans {
				_, end := requested(t, tracer)
				end(http.StatusOK, false)
				tracer.Flush(t.Context())
			}
			tracer.Close(context.WithoutCancel(t.Context()))
			if got := len(c.Named("GET /orders")); got != spans {
				t.Errorf("%s, %+v: %d of %d spans came", name, tt, got, spans)
			}
			if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, tt.want) || !strings.Contains(text, tt.complaint) {
				t.Errorf("%s, %+v: the log has\n%s", name, tt, text)
			}
		}
	}
}
