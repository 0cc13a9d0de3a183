package metrics

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

const (
	// maxScrapes is how many may be answered at once; more are answered 503.
	maxScrapes = 4
	// scrapeTimeout is how long one may take, as long as Prometheus waits by default; after that it is answered 503.
	scrapeTimeout = 10 * time.Second
)

// scraped returns a reader that shows everything in the registry, with the process beside it.
func scraped(registry *prometheus.Registry) (sdk.Reader, error) {
	reader, err := exporter.New(
		exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(),
		exporter.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		return nil, fmt.Errorf("show metrics to Prometheus: %w", err)
	}
	if err := registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})); err != nil {
		return nil, fmt.Errorf("measure the process: %w", err)
	}
	return reader, nil
}

// handlerOf answers with what is in the registry: as OpenMetrics to who asks for that, and compressed to who can read it.
func handlerOf(registry *prometheus.Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
	})
}

// PrometheusNames returns the names under which Prometheus has an instrument: three of a histogram, one of all others.
func (i Instrument) PrometheusNames() ([]string, error) {
	kinds := map[Kind]otlptranslator.MetricType{
		Counter: otlptranslator.MetricTypeMonotonicCounter, UpDown: otlptranslator.MetricTypeNonMonotonicCounter,
		Gauge: otlptranslator.MetricTypeGauge, Histogram: otlptranslator.MetricTypeHistogram,
	}
	names := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := names.Build(otlptranslator.Metric{Name: i.Name, Unit: i.Unit, Type: kinds[i.Kind]})
	if err != nil {
		return nil, fmt.Errorf("name %s: %w", i.Name, err)
	}
	if i.Kind == Histogram {
		return []string{name + "_bucket", name + "_count", name + "_sum"}, nil
	}
	return []string{name}, nil
}
