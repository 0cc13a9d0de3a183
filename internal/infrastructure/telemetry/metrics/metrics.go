// Package metrics measures what the service does. Everything is measured once, through the metric API of OpenTelemetry, and read
// by whoever is to have it: Prometheus from /metrics, a collector by OTLP, CloudWatch from lines of the log.
//
// The table in instruments.go lists everything that is measured, and nothing is measured that is not in it.
package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"order-processing-service/internal/infrastructure/telemetry/otlp"
)

// Config says who reads. With nobody nothing is measured.
type Config struct {
	// Resource is who is measured; nil for what the SDK finds.
	Resource *resource.Resource
	// Version, Revision and GoVersion are what orders.build.info says; with an empty Version there is none.
	Version, Revision, GoVersion string
	// Scraped has a Handler made, which Prometheus reads, and the process measured.
	Scraped bool
	// Runtime has the runtime of Go measured.
	Runtime bool
	// Push says where metrics are sent; nil for nowhere.
	Push *otlp.Target
	// Interval is the pause between two sends. Default: 1 minute.
	Interval time.Duration
	// Frozen says that the process may be halted whenever it is not at work. Then nothing is sent but by Flush.
	Frozen bool
	// Readers read as well.
	Readers []sdk.Reader
	// Log is told when what is sent does not arrive; nil for nobody.
	Log *slog.Logger
}

// Metrics measures. Nil measures nothing, and so does the zero Metrics. It is safe for concurrent use.
type Metrics struct {
	provider *sdk.MeterProvider // nil when nobody reads
	make     *maker
	handler  http.Handler // nil unless Scraped
	pusher   *pusher      // nil unless something is sent; nil again after the last send
	interval time.Duration

	http   *HTTP
	orders *Orders
	stores metric.Float64Histogram
	batch  metric.Int64Histogram
	commit metric.Float64Histogram
	tries  metric.Float64Histogram

	backlog *backlog // nil until something is to be read
	ready   *ready   // as backlog
	frozen  bool
}

// maxPoints is how many combinations of attribute values an instrument may have; more are counted together. There are some
// hundred requests that differ in method, route and status.
const maxPoints = 2_000

// New returns a Metrics. What it started goes on until Shutdown. The error is that of a configuration that can't be used.
func New(ctx context.Context, c Config) (_ *Metrics, err error) {
	c.Interval = cmp.Or(c.Interval, time.Minute)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{interval: c.Interval, frozen: c.Frozen}
	options := []sdk.Option{sdk.WithCardinalityLimit(maxPoints)}
	if c.Resource != nil {
		options = append(options, sdk.WithResource(c.Resource))
	}
	readers := c.Readers
	if c.Scraped {
		registry := prometheus.NewRegistry()
		reader, err := scraped(registry)
		if err != nil {
			return nil, err
		}
		readers = append(readers, reader)
		m.handler = handlerOf(registry, c.Log)
	}
	if c.Push != nil {
		if m.pusher, err = push(ctx, *c.Push, c.Log); err != nil {
			return nil, err
		}
		readers = append(readers, m.pusher)
	}
	if len(readers) == 0 {
		return m, nil
	}
	for _, r := range readers {
		options = append(options, sdk.WithReader(r))
	}
	m.provider = sdk.NewMeterProvider(options...)
	if err := m.begin(ctx, c); err != nil {
		return nil, err
	}
	if m.pusher != nil && !c.Frozen {
		m.pusher.start(ctx, c.Interval)
	}
	return m, nil
}

// scope names the instruments' maker.
const scope = "order-processing-service"

// begin makes the instruments.
func (m *Metrics) begin(ctx context.Context, c Config) error {
	m.make = newMaker(m.provider.Meter(scope))
	m.http = newHTTP(ctx, m.make)
	m.orders = newOrders(ctx, m.make)
	m.stores = m.make.histogram(storeDuration)
	m.batch = m.make.sizes(storeBatch)
	m.commit = m.make.histogram(storeCommit)
	m.tries = m.make.histogram(deliveryDuration)
	if c.Version != "" {
		m.make.observe(func(o metric.Observer) {
			set := attribute.NewSet(
				attribute.String(attrVersion, c.Version), attribute.String(attrRevision, c.Revision), attribute.String(attrGoVersion, c.GoVersion))
			m.make.int(o, buildInfo, 1, set)
		}, buildInfo)
	}
	if c.Runtime {
		if err := runtime.Start(runtime.WithMeterProvider(m.provider)); err != nil {
			return fmt.Errorf("measure the runtime: %w", err)
		}
	}
	return m.make.err()
}

// Handler answers with what was measured, in the formats of Prometheus; nil unless the Config asked for it.
func (m *Metrics) Handler() http.Handler {
	if m == nil {
		return nil
	}
	return m.handler
}

// Flush sends what was measured, until ctx ends, to where it is sent. It does nothing until so much time has gone by since the
// last Flush as there is between two sends.
func (m *Metrics) Flush(ctx context.Context) {
	if m != nil && m.pusher != nil && m.pusher.due(time.Now(), m.interval) {
		m.pusher.send(ctx)
	}
}

// lastSend bounds how long the last send may take: a collector that is away must not hold up a stop.
const lastSend = 5 * time.Second

// Shutdown sends what was measured, until ctx ends and for 5 seconds at most, and measures no more. Calling it again does nothing.
// Nothing else may be called at the same time or after it.
func (m *Metrics) Shutdown(ctx context.Context) error {
	if m == nil || m.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lastSend)
	defer cancel()
	m.ready.close()
	if m.pusher != nil {
		m.pusher.close(ctx)
		m.pusher = nil
	}
	if err := m.provider.Shutdown(ctx); err != nil && !errors.Is(err, sdk.ErrReaderShutdown) && ctx.Err() == nil {
		return fmt.Errorf("end metrics: %w", err)
	}
	return nil
}
