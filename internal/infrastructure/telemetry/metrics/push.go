package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/credentials"

	"order-processing-service/internal/infrastructure/telemetry/otlp"
)

const (
	// pushTimeout is how long one send may take, with all that is tried again within it.
	pushTimeout = 10 * time.Second
	// never is an interval that does not come to its end.
	never = time.Duration(math.MaxInt64)
)

// pushed sends metrics. That a send failed is said once, and once that they arrive again: what failed is not lost, as the next
// send has the sums of everything.
type pushed struct {
	sdk.Exporter

	to  string
	log *slog.Logger

	mu      sync.Mutex // guards what follows
	failing bool
	flushed time.Time
}

// push makes what sends metrics to a target. It does not look whether anybody is there.
func push(ctx context.Context, to otlp.Target, log *slog.Logger) (*pushed, error) {
	exporter, err := exporterOf(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("send metrics to OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	return &pushed{Exporter: exporter, to: to.Endpoint, log: log}, nil
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

// Export implements sdk.Exporter. It has no errors but in the log.
func (p *pushed) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	err := p.Exporter.Export(ctx, data)
	p.mu.Lock()
	was := p.failing
	p.failing = err != nil
	p.mu.Unlock()
	switch {
	case err != nil && !was:
		p.log.WarnContext(ctx, "metrics can't be sent; trying on. Look at OTEL_EXPORTER_OTLP_ENDPOINT", "endpoint", p.to, "error", err)
	case err == nil && was:
		p.log.InfoContext(ctx, "metrics can be sent again", "endpoint", p.to)
	}
	return nil
}

// due tells whether the last flush is so long ago, and takes this one for the last.
func (p *pushed) due(now time.Time, interval time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.flushed) < interval {
		return false
	}
	p.flushed = now
	return true
}
