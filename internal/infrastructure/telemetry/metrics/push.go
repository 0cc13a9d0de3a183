package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/credentials"

	"order-processing-service/internal/infrastructure/telemetry/otlp"
)

// pushTimeout is how long one send may take, with all that is tried again within it.
const pushTimeout = 10 * time.Second

// pusher reads what was measured and sends it. That a send failed is said once, and once that they arrive again: what failed is not
// lost, as the next send has the sums of everything. The SDK's own periodic reader tells of each failure anew, past the log.
type pusher struct {
	*sdk.ManualReader

	exporter sdk.Exporter
	to       string
	log      *slog.Logger
	stop     context.CancelFunc // nil unless it sends by itself
	ended    chan struct{}

	mu      sync.Mutex // one sends; guards what follows
	data    metricdata.ResourceMetrics
	heard   otlp.Complaints
	failing bool
	flushed time.Time
}

// push makes what sends metrics to a target. It does not look whether anybody is there.
func push(ctx context.Context, to otlp.Target, log *slog.Logger) (*pusher, error) {
	exporter, err := exporterOf(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("send metrics to OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	return &pusher{
		ManualReader: sdk.NewManualReader(
			sdk.WithTemporalitySelector(exporter.Temporality), sdk.WithAggregationSelector(exporter.Aggregation)),
		exporter: exporter, to: to.Endpoint, log: log, ended: make(chan struct{}),
		heard: otlp.Complaints{What: "points", Log: log, Now: time.Now},
	}, nil
}

// start sends at intervals, until close.
func (p *pusher) start(ctx context.Context, interval time.Duration) {
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(p.ended)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.send(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
}

// send sends what was measured, until ctx ends.
func (p *pusher) send(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sending, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	err := p.Collect(sending, &p.data)
	if err == nil {
		err = p.heard.Heard(ctx, p.exporter.Export(sending, &p.data))
	}
	was := p.failing
	switch p.failing = err != nil; {
	case errors.Is(ctx.Err(), context.Canceled): // by close, which sends once more
		p.failing = was
	case p.failing && !was:
		p.log.WarnContext(ctx, "metrics can't be sent; trying on. Look at OTEL_EXPORTER_OTLP_ENDPOINT", "endpoint", p.to, "error", otlp.Brief(err))
	case was && !p.failing:
		p.log.InfoContext(ctx, "metrics can be sent again", "endpoint", p.to)
	}
}

// due tells whether the last flush is so long ago, and takes this one for the last.
func (p *pusher) due(now time.Time, interval time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.flushed) < interval {
		return false
	}
	p.flushed = now
	return true
}

// close sends a last time, until ctx ends. What is being sent at the moment is given up for that.
func (p *pusher) close(ctx context.Context) {
	if p.stop != nil {
		p.stop()
		<-p.ended
	}
	p.send(ctx)
	_ = p.exporter.Shutdown(ctx) // it has nothing left to send
}

func exporterOf(ctx context.Context, to otlp.Target) (sdk.Exporter, error) {
	if to.GRPC {
		options := []otlpmetricgrpc.Option{
			otlpmetricgrpc.WithEndpointURL(to.Endpoint), otlpmetricgrpc.WithHeaders(to.Headers), otlpmetricgrpc.WithTimeout(pushTimeout),
		}
		if to.TLS != nil {
			options = append(options, otlpmetricgrpc.WithTLSCredentials(credentials.NewTLS(to.TLS)))
		}
		return otlpmetricgrpc.New(ctx, options...) //nolint:wrapcheck // push says what was being done
	}
	options := []otlpmetrichttp.Option{
		otlpmetrichttp.WithEndpointURL(to.URL("metrics")), otlpmetrichttp.WithHeaders(to.Headers), otlpmetrichttp.WithTimeout(pushTimeout),
		otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression),
	}
	if to.TLS != nil {
		options = append(options, otlpmetrichttp.WithTLSClientConfig(to.TLS))
	}
	return otlpmetrichttp.New(ctx, options...) //nolint:wrapcheck // push says what was being done
}
