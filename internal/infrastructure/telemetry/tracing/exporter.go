package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/credentials"

	"order-processing-service/internal/infrastructure/telemetry/otlp"
)

// How long an export may take in all, and how it is tried again when the collector asks for that.
const (
	exportTimeout = 10 * time.Second
	tryTimeout    = 5 * time.Second
	firstRetry    = 500 * time.Millisecond
	lastRetry     = 2 * time.Second
)

// newExporter returns what sends spans to a collector.
func newExporter(ctx context.Context, target otlp.Target) (sdk.SpanExporter, error) {
	var exporter sdk.SpanExporter
	var err error
	if target.GRPC {
		options := []otlptracegrpc.Option{
			otlptracegrpc.WithEndpointURL(target.Endpoint), otlptracegrpc.WithHeaders(target.Headers), otlptracegrpc.WithTimeout(tryTimeout),
			otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
				Enabled: true, InitialInterval: firstRetry, MaxInterval: lastRetry, MaxElapsedTime: exportTimeout,
			}),
		}
		if target.TLS != nil {
			options = append(options, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(target.TLS)))
		}
		exporter, err = otlptracegrpc.New(ctx, options...)
	} else {
		options := []otlptracehttp.Option{
			otlptracehttp.WithEndpointURL(target.URL("traces")), otlptracehttp.WithHeaders(target.Headers), otlptracehttp.WithTimeout(tryTimeout),
			otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
				Enabled: true, InitialInterval: firstRetry, MaxInterval: lastRetry, MaxElapsedTime: exportTimeout,
			}),
		}
		if target.TLS != nil {
			options = append(options, otlptracehttp.WithTLSClientConfig(target.TLS))
		}
		exporter, err = otlptracehttp.New(ctx, options...)
	}
	if err != nil {
		return nil, fmt.Errorf("export traces to OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	return exporter, nil
}

// The rests of an exporter whose collector is away.
const (
	firstRest = 5 * time.Second
	lastRest  = time.Minute
)

// newPatient returns a patient exporter around another one. Exports end with life at the latest.
func newPatient(life context.Context, exporter sdk.SpanExporter, log *slog.Logger, now func() time.Time) *patient {
	return &patient{SpanExporter: exporter, life: life, log: log, now: now, heard: otlp.Complaints{What: "spans", Log: log, Now: now}}
}

// patient is an exporter that leaves a collector alone which is away, and drops the spans meanwhile: a flush then costs nothing. It
// says once that the collector is away, and once that it is back.
type patient struct {
	sdk.SpanExporter

	life context.Context //nolint:containedctx // no export outlives it
	log  *slog.Logger
	now  func() time.Time

	mu     sync.Mutex
	heard  otlp.Complaints
	misses int       // exports that failed since the last one that did not
	rested time.Time // when to try again
	lost   int       // spans dropped since then
}

// ExportSpans implements sdk.SpanExporter. It returns no errors, which the library would tell each time.
func (p *patient) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if p.rests(len(spans)) {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(p.life, cancel) //nolint:contextcheck // it ends the one, and so is not its child
	defer stop()
	p.answered(ctx, p.SpanExporter.ExportSpans(ctx, spans), len(spans))
	return nil
}

func (p *patient) rests(spans int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.now().Before(p.rested) {
		return false
	}
	p.lost += spans
	return true
}

// answered takes note of how an export ended.
func (p *patient) answered(ctx context.Context, err error, spans int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err = p.heard.Heard(ctx, err); err == nil {
		if p.misses > 0 {
			p.log.InfoContext(ctx, "Traces are exported again", "dropped_spans", p.lost)
		}
		p.misses, p.lost = 0, 0
		return
	}
	rest := lastRest
	if p.misses < 10 { // far more than it takes
		rest = min(firstRest<<p.misses, lastRest)
	}
	p.misses, p.lost, p.rested = p.misses+1, p.lost+spans, p.now().Add(rest)
	if p.misses == 1 {
		p.log.WarnContext(ctx, "Traces can't be exported and are dropped; check OTEL_EXPORTER_OTLP_ENDPOINT and the collector", "error", otlp.Brief(err))
	}
}
