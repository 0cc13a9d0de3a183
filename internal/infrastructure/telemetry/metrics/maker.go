package metrics

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maker makes instruments as the table has them. What goes wrong, which is a mistake in this package, is kept for err. What is to be
// observed may be added while others are read.
type maker struct {
	meter metric.Meter
	table map[string]Instrument

	mu       sync.RWMutex                 // guards what follows
	observed map[string]metric.Observable // what callbacks observe, by name
	errs     []error
}

func newMaker(meter metric.Meter) *maker {
	m := &maker{meter: meter, table: make(map[string]Instrument), observed: make(map[string]metric.Observable)}
	for _, i := range Instruments() {
		m.table[i.Name] = i
	}
	return m
}

func (m *maker) err() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return errors.Join(m.errs...)
}

// note keeps what went wrong, if err is not nil.
func (m *maker) note(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errs = append(m.errs, err)
}

// row is the row of an instrument that must be of a kind.
func (m *maker) row(name string, kinds ...Kind) Instrument {
	i, ok := m.table[name]
	for _, k := range kinds {
		if ok && i.Kind == k {
			return i
		}
	}
	m.note(fmt.Errorf("%s is no %s of the table", name, kinds))
	return Instrument{Name: name}
}

func (m *maker) histogram(name string) metric.Float64Histogram {
	i := m.row(name, Histogram)
	h, err := m.meter.Float64Histogram(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description),
		metric.WithExplicitBucketBoundaries(i.buckets...))
	m.note(err)
	return h
}

func (m *maker) sizes(name string) metric.Int64Histogram {
	i := m.row(name, Histogram)
	h, err := m.meter.Int64Histogram(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description),
		metric.WithExplicitBucketBoundaries(i.buckets...))
	m.note(err)
	return h
}

func (m *maker) counter(name string) metric.Int64Counter {
	i := m.row(name, Counter)
	c, err := m.meter.Int64Counter(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description))
	m.note(err)
	return c
}

// observe has a callback say what some instruments are whenever somebody reads.
func (m *maker) observe(callback func(metric.Observer), names ...string) {
	m.observeWith(func(_ context.Context, o metric.Observer) error {
		callback(o)
		return nil
	}, names...)
}

func (m *maker) observeWith(callback metric.Callback, names ...string) {
	all := make([]metric.Observable, 0, len(names))
	for _, name := range names {
		o := m.observable(name)
		all = append(all, o)
		m.mu.Lock()
		m.observed[name] = o
		m.mu.Unlock()
	}
	_, err := m.meter.RegisterCallback(callback, all...)
	m.note(err)
}

func (m *maker) observable(name string) metric.Observable {
	i := m.row(name, Counter, UpDown, Gauge)
	unit, description := metric.WithUnit(i.Unit), metric.WithDescription(i.Description)
	var o metric.Observable
	var err error
	switch {
	case i.Kind == Counter:
		o, err = m.meter.Int64ObservableCounter(i.Name, unit, description)
	case i.Kind == UpDown:
		o, err = m.meter.Int64ObservableUpDownCounter(i.Name, unit, description)
	case i.Unit == "s":
		o, err = m.meter.Float64ObservableGauge(i.Name, unit, description)
	default:
		o, err = m.meter.Int64ObservableGauge(i.Name, unit, description)
	}
	m.note(err)
	return o
}

// observableOf is what observe has made.
func (m *maker) observableOf(name string) metric.Observable {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.observed[name]
}

// int is the present value of an instrument that is observed.
func (m *maker) int(o metric.Observer, name string, value int64, set attribute.Set) {
	if i, ok := m.observableOf(name).(metric.Int64Observable); ok {
		o.ObserveInt64(i, value, metric.WithAttributeSet(set))
	}
}

// float is int for an instrument in seconds.
func (m *maker) float(o metric.Observer, name string, value float64, set attribute.Set) {
	if f, ok := m.observableOf(name).(metric.Float64Observable); ok {
		o.ObserveFloat64(f, value, metric.WithAttributeSet(set))
	}
}

// one is a set of one attribute.
func one(key, value string) attribute.Set { return attribute.NewSet(attribute.String(key, value)) }
