package metrics

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maker makes instruments as the table has them. What goes wrong, which is a mistake in this package, is kept for err.
type maker struct {
	meter    metric.Meter
	table    map[string]Instrument
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

func (m *maker) err() error { return errors.Join(m.errs...) }

// row is the row of an instrument that must be of a kind.
func (m *maker) row(name string, kinds ...Kind) Instrument {
	i, ok := m.table[name]
	for _, k := range kinds {
		if ok && i.Kind == k {
			return i
		}
	}
	m.errs = append(m.errs, fmt.Errorf("%s is no %s of the table", name, kinds))
	return Instrument{Name: name}
}

func (m *maker) histogram(name string) metric.Float64Histogram {
	i := m.row(name, Histogram)
	h, err := m.meter.Float64Histogram(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description),
		metric.WithExplicitBucketBoundaries(i.buckets...))
	m.errs = append(m.errs, err)
	return h
}

func (m *maker) sizes(name string) metric.Int64Histogram {
	i := m.row(name, Histogram)
	h, err := m.meter.Int64Histogram(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description),
		metric.WithExplicitBucketBoundaries(i.buckets...))
	m.errs = append(m.errs, err)
	return h
}

func (m *maker) counter(name string) metric.Int64Counter {
	i := m.row(name, Counter)
	c, err := m.meter.Int64Counter(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description))
	m.errs = append(m.errs, err)
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
		m.observed[name] = o
		all = append(all, o)
	}
	_, err := m.meter.RegisterCallback(callback, all...)
	m.errs = append(m.errs, err)
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
	m.errs = append(m.errs, err)
	return o
}

// int is the present value of an instrument that is observed.
func (m *maker) int(o metric.Observer, name string, value int64, set attribute.Set) {
	if i, ok := m.observed[name].(metric.Int64Observable); ok {
		o.ObserveInt64(i, value, metric.WithAttributeSet(set))
	}
}

// float is int for an instrument in seconds.
func (m *maker) float(o metric.Observer, name string, value float64, set attribute.Set) {
	if f, ok := m.observed[name].(metric.Float64Observable); ok {
		o.ObserveFloat64(f, value, metric.WithAttributeSet(set))
	}
}

// one is a set of one attribute.
func one(key, value string) attribute.Set { return attribute.NewSet(attribute.String(key, value)) }
