package status

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	// maxSeries is how many series a service may tell; ours has some hundreds.
	maxSeries = 10_000
	// maxValues is how many values of a label are told apart.
	maxValues = 100
)

// metrics are the measurements of one moment by name. The zero value has none.
type metrics map[string][]series

// series is one measurement with its labels. What is no finite number is left out.
type series struct {
	key     string            // its labels, in one text
	labels  map[string]string // nobody changes it
	value   float64           // of a counter or gauge
	count   float64           // of a histogram
	buckets []bucket          // of a histogram, the lowest first
}

// bucket says how many observations were upTo at most.
type bucket struct{ upTo, count float64 }

// parse reads what a service says in Prometheus's text format.
func parse(text []byte) (_ metrics, err error) {
	defer func() {
		if p := recover(); p != nil { // the text is anybody's, and the parser another's
			err = fmt.Errorf("can't be read: %v", p)
		}
	}()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("can't be read: %w", err)
	}
	if len(families) == 0 {
		return nil, errors.New("has no metrics")
	}
	m := make(metrics, len(families))
	n := 0
	for name, family := range families {
		if n += len(family.GetMetric()); n > maxSeries {
			return nil, fmt.Errorf("has more than %d series", maxSeries)
		}
		for _, metric := range family.GetMetric() {
			if s, ok := seriesOf(metric); ok {
				m[name] = append(m[name], s)
			}
		}
	}
	return m, nil
}

func seriesOf(metric *dto.Metric) (series, bool) {
	s := series{labels: make(map[string]string, len(metric.GetLabel()))}
	for _, l := range metric.GetLabel() {
		s.labels[l.GetName()] = l.GetValue()
		s.key += l.GetName() + "\x00" + l.GetValue() + "\x00"
	}
	switch {
	case metric.GetCounter() != nil:
		s.value = metric.GetCounter().GetValue()
	case metric.GetGauge() != nil:
		s.value = metric.GetGauge().GetValue()
	case metric.GetUntyped() != nil:
		s.value = metric.GetUntyped().GetValue()
	case metric.GetHistogram() != nil:
		h := metric.GetHistogram()
		s.count = float64(h.GetSampleCount())
		for _, b := range h.GetBucket() {
			if upTo := b.GetUpperBound(); !math.IsNaN(upTo) {
				s.buckets = append(s.buckets, bucket{upTo, float64(b.GetCumulativeCount())})
			}
		}
		slices.SortFunc(s.buckets, func(a, b bucket) int { return cmp.Compare(a.upTo, b.upTo) })
	default:
		return s, false
	}
	return s, !math.IsNaN(s.value) && !math.IsInf(s.value, 0)
}

// is reports whether a series has labels, given as name and value by turns.
func (s *series) is(labels []string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		if s.labels[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

// sum adds up the series of a name that have the labels; nil if there is none.
func (m metrics) sum(name string, labels ...string) *float64 {
	var sum *float64
	for i := range m[name] {
		if s := &m[name][i]; s.is(labels) {
			if sum == nil {
				sum = new(float64)
			}
			*sum += s.value
		}
	}
	return sum
}

// values are the values of a label in all series whose names begin so, sorted, maxValues of them at most.
func (m metrics) values(prefix, label string) []string {
	var values []string
	for name, list := range m {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		for i := range list {
			if v, ok := list[i].labels[label]; ok {
				values = append(values, v)
			}
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	return values[:min(len(values), maxValues)]
}

// label is a label of the first series of a name; "" if there is none.
func (m metrics) label(name, label string) string {
	if len(m[name]) == 0 {
		return ""
	}
	return m[name][0].labels[label]
}

// window is what lies between two looks at the metrics of one service.
type window struct {
	before, after metrics
	took          time.Duration
}

// between returns the window from one look to the next. A service that was started anew in between has counted from nothing.
func between(before, after metrics, took time.Duration) window {
	const started = "process_start_time_seconds"
	was, is := before.sum(started), after.sum(started)
	if was != nil && is != nil && *was != *is {
		before = metrics{}
	}
	return window{before, after, took}
}

// increase is by how much counters have grown; nil if there are none. A counter that is less than before has begun anew.
func (w window) increase(name string, labels ...string) *float64 {
	if w.before == nil || w.took <= 0 {
		return nil
	}
	before := make(map[string]float64, len(w.before[name]))
	for i := range w.before[name] {
		before[w.before[name][i].key] = w.before[name][i].value
	}
	var sum *float64
	for i := range w.after[name] {
		s := &w.after[name][i]
		if !s.is(labels) {
			continue
		}
		if sum == nil {
			sum = new(float64)
		}
		*sum += grown(before[s.key], s.value)
	}
	return sum
}

// rate is by how much counters have grown a second; nil if there are none.
func (w window) rate(name string, labels ...string) *float64 {
	sum := w.increase(name, labels...)
	if sum != nil {
		*sum = rounded(*sum / w.took.Seconds())
	}
	return sum
}

// rounded has no more than six decimals.
func rounded(v float64) float64 {
	if math.Abs(v) > 1e9 {
		return v
	}
	return math.Round(v*1e6) / 1e6
}

func grown(before, after float64) float64 {
	if after < before {
		return max(after, 0)
	}
	return after - before
}

// histogram is what a histogram has counted in a window, in all series that have the labels; nil if there are none. Its buckets
// grow from the lowest to the highest.
func (w window) histogram(name string, labels ...string) *series {
	if w.before == nil || w.took <= 0 {
		return nil
	}
	before := make(map[string]*series, len(w.before[name]))
	for i := range w.before[name] {
		before[w.before[name][i].key] = &w.before[name][i]
	}
	var all *series
	sums := make(map[float64]float64)
	for i := range w.after[name] {
		s := &w.after[name][i]
		if !s.is(labels) {
			continue
		}
		if all == nil {
			all = new(series)
		}
		was := before[s.key]
		if was == nil || was.count > s.count {
			was = new(series)
		}
		all.count += s.count - was.count
		earlier := make(map[float64]float64, len(was.buckets))
		for _, b := range was.buckets {
			earlier[b.upTo] = b.count
		}
		for _, b := range s.buckets {
			sums[b.upTo] += grown(earlier[b.upTo], b.count)
		}
	}
	if all == nil {
		return nil
	}
	for upTo, count := range sums {
		all.buckets = append(all.buckets, bucket{upTo, count})
	}
	slices.SortFunc(all.buckets, func(a, b bucket) int { return cmp.Compare(a.upTo, b.upTo) })
	for i := 1; i < len(all.buckets); i++ {
		all.buckets[i].count = max(all.buckets[i].count, all.buckets[i-1].count)
	}
	return all
}

// quantile is the value that a part q of the observations does not exceed, taken to lie evenly in their bucket; nil without any. What is
// beyond the highest bound counts as that bound.
func (s *series) quantile(q float64) *float64 {
	if s == nil || len(s.buckets) == 0 {
		return nil
	}
	all := s.buckets[len(s.buckets)-1].count
	if all <= 0 {
		return nil
	}
	from, below := 0.0, 0.0
	for _, b := range s.buckets {
		switch {
		case math.IsInf(b.upTo, 1):
			return &from
		case b.count >= q*all:
			value := from + (b.upTo-from)*(q*all-below)/(b.count-below)
			if b.upTo <= 0 || b.count == below {
				value = b.upTo
			}
			return new(rounded(value))
		}
		from, below = b.upTo, b.count
	}
	return &from
}
