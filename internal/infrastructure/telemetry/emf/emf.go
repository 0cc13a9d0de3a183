// Package emf writes what was measured as lines of CloudWatch's Embedded Metric Format: CloudWatch makes metrics of them when they
// come into the log, so that a function that is frozen when it has answered needs nobody to ask it, and no call of its own.
//
// It keeps to the specification: at most 100 metrics of a directive, 30 dimensions of a set and 100 values of a metric in a line.
// CloudWatch is known to read counts beside values too, of which the specification does not speak.
package emf

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// The limits of the specification.
const (
	maxMetrics    = 100 // of a directive
	maxDimensions = 30  // of a set
	maxValues     = 100 // of a metric in a line
)

// Config says what to write. All fields but Skip are needed.
type Config struct {
	// Out gets the lines, one a call.
	Out io.Writer
	// Namespace is where CloudWatch keeps the metrics, and Service the value of the dimension service.name that all of them have.
	Namespace, Service string
	// Dimensions are the sets of attributes by which each metric is added up besides, by its name. What is not named is not
	// written, and a set of which a point lacks an attribute does not count for it.
	Dimensions map[string][][]string
	// Skip says which points are not written; nil for none.
	Skip func(attribute.Set) bool
	// Now is the clock.
	Now func() time.Time
}

// Writer writes what has been measured since it last did so. It is safe for concurrent use.
type Writer struct {
	config Config
	reader *sdk.ManualReader

	mu   sync.Mutex // one writes
	data metricdata.ResourceMetrics
}

// maxBuckets is how many different values a histogram keeps apart: they differ by a few parts in a hundred then at most.
const maxBuckets = 80

// New returns a Writer.
func New(c Config) *Writer {
	return &Writer{config: c, reader: sdk.NewManualReader(
		sdk.WithTemporalitySelector(func(sdk.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }),
		sdk.WithAggregationSelector(func(kind sdk.InstrumentKind) sdk.Aggregation {
			if kind == sdk.InstrumentKindHistogram {
				return sdk.AggregationBase2ExponentialHistogram{MaxSize: maxBuckets, MaxScale: 20}
			}
			return sdk.DefaultAggregationSelector(kind)
		}),
	)}
}

// Reader is what a meter provider must be given for the Writer to have something to write.
func (w *Writer) Reader() sdk.Reader { return w.reader }

// Write writes what has been measured since the last call. Without anything there is no line. Nil writes nothing. Ctx is for what
// is observed; its end ends nothing.
func (w *Writer) Write(ctx context.Context) error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reader.Collect(context.WithoutCancel(ctx), &w.data); err != nil {
		return fmt.Errorf("read what was measured: %w", err)
	}
	at := w.config.Now().UnixMilli()
	for _, line := range w.gather() {
		text, err := json.Marshal(line.members(at, w.config), json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("write what was measured: %w", err)
		}
		if _, err := w.config.Out.Write(append(text, '\n')); err != nil {
			return fmt.Errorf("write what was measured: %w", err)
		}
	}
	return nil
}

// gather puts points of the same attributes together, each with as many of its values as a line may have.
func (w *Writer) gather() []*line {
	lines := &lines{at: make(map[attribute.Distinct][]*line)}
	for _, scope := range w.data.ScopeMetrics {
		for i := range scope.Metrics {
			m := &scope.Metrics[i]
			sets, ok := w.config.Dimensions[m.Name]
			if !ok {
				continue
			}
			each(m, func(attributes attribute.Set, values []float64) {
				if w.config.Skip != nil && w.config.Skip(attributes) {
					return
				}
				known := present(sets, attributes)
				for part := range slices.Chunk(values, maxValues) {
					lines.add(attributes, metric{name: m.Name, unit: unitOf(m), sets: known, values: part})
				}
			})
		}
	}
	return lines.all
}

// present are the sets of which a point has all attributes.
func present(sets [][]string, attributes attribute.Set) [][]string {
	return slices.DeleteFunc(slices.Clone(sets), func(set []string) bool {
		return len(set) >= maxDimensions || slices.ContainsFunc(set, func(key string) bool { return !attributes.HasValue(attribute.Key(key)) })
	})
}

// metric is some values of one metric.
type metric struct {
	name, unit string
	sets       [][]string
	values     []float64
}

// line is metrics of the same attributes, each of which is in it once.
type line struct {
	attributes attribute.Set
	metrics    []metric
}

// lines are lines in the making, in the order in which they are to be written.
type lines struct {
	all []*line
	at  map[attribute.Distinct][]*line
}

func (l *lines) add(attributes attribute.Set, m metric) {
	if len(m.sets) == 0 {
		return
	}
	key := attributes.Equivalent()
	for _, has := range l.at[key] {
		if len(has.metrics) < maxMetrics && !slices.ContainsFunc(has.metrics, func(other metric) bool { return other.name == m.name }) {
			has.metrics = append(has.metrics, m)
			return
		}
	}
	added := &line{attributes: attributes, metrics: []metric{m}}
	l.at[key], l.all = append(l.at[key], added), append(l.all, added)
}

// serviceName is the dimension that every metric has.
const serviceName = "service.name"

// members are those of the line's JSON object: the metadata, the dimensions and the values.
func (l *line) members(at int64, c Config) map[string]any {
	type definition struct {
		Name string `json:"Name"`
		Unit string `json:"Unit"`
	}
	type directive struct {
		Namespace  string       `json:"Namespace"`
		Dimensions [][]string   `json:"Dimensions"`
		Metrics    []definition `json:"Metrics"`
	}
	type metadata struct {
		Timestamp         int64       `json:"Timestamp"`
		CloudWatchMetrics []directive `json:"CloudWatchMetrics"`
	}
	var directives []directive
	root := map[string]any{serviceName: c.Service}
	for _, pair := range l.attributes.ToSlice() {
		root[string(pair.Key)] = pair.Value.String()
	}
	for _, m := range l.metrics {
		dimensions := make([][]string, len(m.sets))
		for i, set := range m.sets {
			dimensions[i] = append([]string{serviceName}, set...)
		}
		i := slices.IndexFunc(directives, func(d directive) bool {
			return slices.EqualFunc(d.Dimensions, dimensions, slices.Equal[[]string])
		})
		if i < 0 {
			i = len(directives)
			directives = append(directives, directive{Namespace: c.Namespace, Dimensions: dimensions})
		}
		directives[i].Metrics = append(directives[i].Metrics, definition{Name: m.name, Unit: m.unit})
		if root[m.name] = m.values; len(m.values) == 1 {
			root[m.name] = m.values[0]
		}
	}
	root["_aws"] = metadata{Timestamp: at, CloudWatchMetrics: directives}
	return root
}

// each calls use with every point that says something: the values of a histogram, else one.
func each(m *metricdata.Metrics, use func(attribute.Set, []float64)) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			if p.Value != 0 {
				use(p.Attributes, []float64{float64(p.Value)})
			}
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			use(p.Attributes, []float64{float64(p.Value)})
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			use(p.Attributes, []float64{p.Value})
		}
	case metricdata.ExponentialHistogram[float64]:
		for i := range data.DataPoints {
			use(data.DataPoints[i].Attributes, valuesOf(&data.DataPoints[i]))
		}
	}
}

// valuesOf are the values that a histogram of durations counted, each as the middle of its bucket.
func valuesOf(p *metricdata.ExponentialHistogramDataPoint[float64]) []float64 {
	if p.Count == 1 {
		return []float64{p.Sum}
	}
	least, _ := p.Min.Value()
	most, _ := p.Max.Value()
	values := make([]float64, 0, p.Count)
	for range p.ZeroCount {
		values = append(values, 0)
	}
	for i, count := range p.PositiveBucket.Counts {
		width := math.Exp2(-float64(p.Scale)) // of a bucket, as an exponent of 2
		at := float64(p.PositiveBucket.Offset) + float64(i)
		middle := (math.Exp2(at*width) + math.Exp2((at+1)*width)) / 2
		for range count {
			values = append(values, min(max(middle, least), most))
		}
	}
	return values
}

// unitOf is what CloudWatch calls a unit.
func unitOf(m *metricdata.Metrics) string {
	switch {
	case m.Unit == "s":
		return "Seconds"
	case m.Unit == "By":
		return "Bytes"
	case strings.HasPrefix(m.Unit, "{"):
		return "Count"
	}
	return "None"
}
