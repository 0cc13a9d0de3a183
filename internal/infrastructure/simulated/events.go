package simulated

import (
	"context"
	"log/slog"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// Limits of one PutEvents call.
const (
	maxEntries   = 10
	maxCallBytes = 256 << 10
)

// eventSource is the Source of every entry.
const eventSource = "order-processing-service"

// timeLayout is RFC 3339 with milliseconds, of one width.
const timeLayout = "2006-01-02T15:04:05.000Z"

// EventsConfig says what an event bus is made of. All fields are needed.
type EventsConfig struct {
	// Logger gets the lines, at level INFO; below that nothing is simulated.
	Logger *slog.Logger
	// BusName is the EventBusName of every entry.
	BusName string
	// Encode makes the Detail of an entry.
	Encode EncodeEvent
}

// Events is the simulated EventBridge, the subscriber called "events". A line is written before its
// events count as told. It is safe for concurrent use.
type Events struct{ c EventsConfig }

// NewEvents returns an event bus.
func NewEvents(c EventsConfig) *Events { return &Events{c: c} }

// Name implements delivery.Subscriber.
func (*Events) Name() string { return "events" }

// entry is what PutEvents would be given of one event, under the names that it has there.
type entry struct {
	Source       string
	DetailType   string
	Detail       string // JSON, as text
	Time         string
	EventBusName string
	Resources    []string
}

// call is one PutEvents call under way.
type call struct {
	entries []entry
	ids     []string // of the events, for ever the same
	bytes   int
}

// Deliver implements delivery.Subscriber. As the real one would, it sends up to ten events a call,
// across orders but in sequence within one.
func (s *Events) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	var c call
	var detail []byte
	results := make([]delivery.Result, len(messages))
	for i, m := range messages {
		v := m.Order.View()
		resources := []string{"orders/" + v.ID.String()}
		for j := range m.Events {
			e := &m.Events[j]
			detail = s.c.Encode(detail[:0], v.ID, v.CustomerID, e, v.Currency)
			if len(c.entries) == maxEntries || len(c.entries) > 0 && c.bytes+len(detail) > maxCallBytes {
				s.put(ctx, &c)
			}
			c.bytes += len(detail)
			c.ids = append(c.ids, order.EventID(v.ID, e.Sequence))
			c.entries = append(c.entries, entry{
				Source: eventSource, DetailType: string(e.Type), Detail: string(detail), Time: e.Time.UTC().Format(timeLayout),
				EventBusName: s.c.BusName, Resources: resources,
			})
		}
		results[i].Told = len(m.Events)
	}
	s.put(ctx, &c)
	return results
}

// put writes the line of a call and empties it.
func (s *Events) put(ctx context.Context, c *call) {
	if len(c.entries) > 0 {
		// In a group, because every line says already which service wrote it.
		s.c.Logger.LogAttrs(ctx, slog.LevelInfo, logMessage, slog.Group("aws",
			slog.String("service", "events"), slog.String("operation", "PutEvents"),
			slog.Any("event_ids", c.ids), slog.Any("entries", c.entries)))
	}
	c.entries, c.ids, c.bytes = c.entries[:0], c.ids[:0], 0
}
