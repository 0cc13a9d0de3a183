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
	"order-processing-service/internal/domain/fault"
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
	took, failure := time.Since(begun), ""
	for i := range results {
		if failure = kindOf(results[i].Err); failure != "" {
			break
		}
	}
	s.duration.Record(ctx, took.Seconds(), s.optionsOf(failure)...)
	return results
}

func (s *subscriber) optionsOf(failure string) []metric.RecordOption {
	s.mu.Lock()
	defer s.mu.Unlock()
	options, ok := s.options[failure]
	if !ok {
		attributes := []attribute.KeyValue{attribute.String(attrSubscriber, s.Name())}
		if failure != "" {
			attributes = append(attributes, attribute.String(attrError, failure))
		}
		options = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attributes...))}
		s.options[failure] = options
	}
	return options
}

// kindOf says what kind of failure an error is, "" for none.
func kindOf(err error) string {
	if err == nil {
		return ""
	}
	switch fault.KindOf(err) {
	case fault.Unavailable:
		return "unavailable" // the subscriber is away as a whole
	case fault.Internal:
		return "internal"
	case fault.TooLarge:
		return "too_large"
	case fault.Unauthenticated, fault.Forbidden:
		return "forbidden"
	case fault.Malformed, fault.NotFound, fault.NotAllowed, fault.Stale, fault.Unsupported, fault.Invalid, fault.TooMany:
	}
	return "refused" // by the subscriber, for a reason of the order's own
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
