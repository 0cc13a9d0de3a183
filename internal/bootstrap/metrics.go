package bootstrap

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/telemetry"
	"order-processing-service/internal/infrastructure/telemetry/emf"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
	"order-processing-service/internal/infrastructure/telemetry/otlp"
	"order-processing-service/internal/interfaces/cli"
)

// Instruments is the table of everything that the program measures, but for the runtime of Go and the process.
func Instruments() []metrics.Instrument { return metrics.Instruments() }

// openMetrics makes what measures, for whoever reads it: the admin address, a collector, or the log of a process that may be
// frozen.
func openMetrics(ctx context.Context, c *config.Config, log *slog.Logger, frozen bool, lines *emf.Writer) (*metrics.Metrics, error) {
	settings, err := metricsConfig(ctx, c, log)
	if err != nil {
		return nil, err
	}
	admin, _ := c.AdminAddress()
	settings.Frozen, settings.Runtime, settings.Scraped = frozen, !frozen, !frozen && admin != ""
	if lines != nil {
		settings.Readers = append(settings.Readers, lines.Reader())
	}
	return metrics.New(ctx, settings)
}

// newEMF makes what writes metrics for CloudWatch to where the log goes.
func newEMF(c *config.Config, out io.Writer) *emf.Writer {
	return emf.New(emf.Config{
		Out: out, Namespace: c.MetricsEMFNamespace, Service: cmp.Or(c.ResourceAttributes()["service.name"], ServiceName),
		Dimensions: metrics.Dimensions(), Skip: metrics.IsProbe, Now: time.Now,
	})
}

// lambdaFlush bounds how long the end of an invocation waits for a collector in all.
const lambdaFlush = time.Second

// after is what an invocation does before its answer: nothing of it may be left for later. What it did is written, and sent to the
// collector if there is one: its metrics, when it is time, and its spans at the same time.
func (f *function) after(ctx context.Context) {
	if err := f.emf.Write(ctx); err != nil {
		f.log.WarnContext(ctx, "metrics can't be written", "error", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lambdaFlush)
	defer cancel()
	var sending sync.WaitGroup
	sending.Go(func() { f.metrics.Flush(ctx) })
	f.tracer.Flush(ctx)
	sending.Wait()
}

// metricsConfig is who is measured, and where it is sent.
func metricsConfig(ctx context.Context, c *config.Config, log *slog.Logger) (metrics.Config, error) {
	build := Build()
	who, err := otlp.Resource(ctx, otlp.Service{Name: ServiceName, Version: build.Version, Attributes: c.ResourceAttributes()})
	if err != nil {
		return metrics.Config{}, err
	}
	settings := metrics.Config{
		Resource: who, Log: log, Interval: c.MetricInterval(),
		Version: build.Version, Revision: cmp.Or(build.Commit, "unknown"), GoVersion: build.GoVersion,
	}
	if c.PushesMetrics() {
		to, err := collector(c)
		if err != nil {
			return metrics.Config{}, err
		}
		settings.Push = &to
	}
	return settings, nil
}

// collector is where telemetry is sent.
func collector(c *config.Config) (otlp.Target, error) {
	to := otlp.Target{Endpoint: c.OTelEndpoint, GRPC: c.OTelProtocol == "grpc", Headers: c.OTLPHeaders()}
	if c.OTelCertificate != "" {
		var err error
		if to.TLS, err = otlp.TrustFile(c.OTelCertificate); err != nil {
			return otlp.Target{}, cli.UsageError{Err: err}
		}
	}
	return to, nil
}

// flushPart is the part of a stop's time that is kept for sending what was measured: one in so many.
const flushPart = 8

// allBut is a context that ends a part of the time that is left before ctx does.
func allBut(ctx context.Context, part time.Duration) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-time.Until(end)/part))
}

// importFlush is how long the end of an import waits for the collector.
const importFlush = 5 * time.Second

// watchImport has an import measured, and sent to the collector until end is called, which does so once more.
func watchImport(
	ctx context.Context, o *cli.ImportOptions, c *config.Config, errs io.Writer,
) (m *metrics.Metrics, end func(), err error) {
	settings, err := metricsConfig(ctx, c, telemetry.NewLogger(errs, slog.LevelWarn, ServiceName, Build().Version))
	if err != nil {
		return nil, nil, err
	}
	if m, err = metrics.New(ctx, settings); err != nil {
		return nil, nil, err
	}
	var mu sync.Mutex
	var soFar importing.Progress
	o.Watch = func(p importing.Progress) {
		mu.Lock()
		defer mu.Unlock()
		soFar = p
	}
	m.ObserveImport(func() importing.Progress {
		mu.Lock()
		defer mu.Unlock()
		return soFar
	})
	return m, func() {
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), importFlush)
		defer done()
		_ = m.Shutdown(ctx) // the log has heard of what went wrong
	}, nil
}

// inTurn writes one after the other what several have to write: the log, and metrics beside it.
type inTurn struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (o *inTurn) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(line) //nolint:wrapcheck // it is the caller's own
}
