package metrics

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/infrastructure/telemetry/failure"
)

// Subscriber returns a subscriber whose calls are measured.
func (m *Metrics) Subscriber(s delivery.Subscriber) delivery.Subscriber {
	if m == nil || m.tries == nil {
		return s
	}
	return &subscriber{Subscriber: s, duration: m.tries, options: make(map[string][]metric.RecordOption)}
}

type subscriber struct {
	delivery.Subscriber

	duration metric.Float64Histogram
	mu       sync.Mutex                       // guards options
	options  map[string][]metric.RecordOption // by the kind of failure
}

func (s *subscriber) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	begun := time.Now()
	results := s.Subscriber.Deliver(ctx, messages)
	took := time.Since(begun)
	s.duration.Record(ctx, took.Seconds(), s.optionsOf(failure.OfDelivery(results))...)
	return results
}

func (s *subscriber) optionsOf(kind string) []metric.RecordOption {
	s.mu.Lock()
	defer s.mu.Unlock()
	options, ok := s.options[kind]
	if !ok {
		set := []attribute.KeyValue{attribute.String(attrSubscriber, s.Name())}
		if kind != "" {
			set = append(set, attribute.String(attrError, kind))
		}
		options = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(set...))}
		s.options[kind] = options
	}
	return options
}

// ObserveDeliveries measures what a dispatcher counts.
func (m *Metrics) ObserveDeliveries(stats func() []delivery.Stats) {
	if m == nil || m.make == nil {
		return
	}
	m.make.observe(func(o metric.Observer) {
		for _, s := range stats() {
			set := one(attrSubscriber, s.Subscriber)
			m.make.int(o, deliveryTold, int64(s.Told), set)       //nolint:gosec // nobody tells so many
			m.make.int(o, deliveryRetries, int64(s.Retried), set) //nolint:gosec // as above
			m.make.int(o, deliveryParks, int64(s.Parked), set)    //nolint:gosec // as above
			m.make.int(o, deliveryInHand, int64(s.InHand), set)
			m.make.int(o, deliverySize, int64(s.Bytes), set)
			away := int64(0)
			if s.Rests {
				away = 1
			}
			m.make.int(o, deliveryAway, away, set)
		}
	}, deliveryTold, deliveryRetries, deliveryParks, deliveryInHand, deliverySize, deliveryAway)
}

// ObserveCommands measures what became of commands. The codes of the reasons are constants of the program.
func (m *Metrics) ObserveCommands(counts func() receiving.Counts) {
	if m == nil || m.make == nil {
		return
	}
	const deadLettered = "dead_lettered"
	m.make.observe(func(o metric.Observer) {
		c := counts()
		for _, outcome := range [...]struct {
			name  string
			count int
		}{{"applied", c.Applied}, {"repeated", c.Repeated}, {"early", c.Early}, {"failed", c.Failed}} {
			m.make.int(o, commandsReceived, int64(outcome.count), one(attrOutcome, outcome.name))
		}
		for code, count := range c.DeadLettered {
			m.make.int(o, commandsReceived, int64(count),
				attribute.NewSet(attribute.String(attrOutcome, deadLettered), attribute.String(attrError, code)))
		}
	}, commandsReceived)
}

// ObserveImport measures how far an import is.
func (m *Metrics) ObserveImport(soFar func() importing.Progress) {
	if m == nil || m.make == nil {
		return
	}
	m.make.observe(func(o metric.Observer) {
		p := soFar()
		m.make.int(o, importRecords, p.OrdersCreated, one(attrOutcome, "placed"))
		m.make.int(o, importRecords, p.OrdersExisting, one(attrOutcome, "repeated"))
		m.make.int(o, importRecords, p.OrdersRejected, one(attrOutcome, "refused"))
	}, importRecords)
}
