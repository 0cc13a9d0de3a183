package simulated

import (
	"context"
	"log/slog"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

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
type Events struct {
	c     EventsConfig
	calls sync.Pool // calls to be used again
}

// NewEvents returns an event bus.
func NewEvents(c EventsConfig) *Events { return &Events{c: c} }

// Name implements delivery.Subscriber.
func (*Events) Name() string { return "events" }

// call is one PutEvents call under way. It is written as it grows, because entries are large and many.
type call struct {
	ids     jsonArray // of the events, for ever the same
	entries jsonArray
	count   int
	bytes   int // of details
	detail  []byte
}

// Deliver implements delivery.Subscriber. As the real one would, it sends up to ten events a call,
// across orders but in sequence within one.
func (s *Events) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	c, _ := s.calls.Get().(*call)
	if c == nil {
		c = new(call)
	}
	results := make([]delivery.Result, len(messages))
	for i, m := range messages {
		v := m.Order.View()
		for j := range m.Events {
			e := &m.Events[j]
			c.detail = s.c.Encode(c.detail[:0], v.ID, v.CustomerID, e, v.Currency)
			if c.count == maxEntries || c.count > 0 && c.bytes+len(c.detail) > maxCallBytes {
				s.put(ctx, c)
			}
			c.add(v.ID, e, s.c.BusName)
		}
		results[i].Told = len(m.Events)
	}
	s.put(ctx, c)
	if cap(c.entries) <= 2*maxCallBytes { // one huge event shall not hold its memory for ever
		s.calls.Put(c)
	}
	return results
}

// add adds the entry that PutEvents would be given of an event, under the names that it has there.
// Its Detail is JSON, as text.
func (c *call) add(id order.ID, e *order.Event, bus string) {
	c.count++
	c.bytes += len(c.detail)
	c.ids = appendText(c.ids.next(), order.EventID(id, e.Sequence))
	b := append(c.entries.next(), `{"Source":"`+eventSource+`","DetailType":`...)
	b = appendText(b, string(e.Type))
	b = append(b, `,"Detail":`...)
	b = appendText(b, c.detail)
	b = append(b, `,"Time":"`...)
	b = e.Time.UTC().AppendFormat(b, timeLayout)
	b = append(b, `","EventBusName":`...)
	b = appendText(b, bus)
	b = append(b, `,"Resources":["orders/`...)
	b, _ = id.AppendText(b) // the error is always nil
	b = append(b, `"]}`...)
	c.entries = b
}

// put writes the line of a call and empties it.
func (s *Events) put(ctx context.Context, c *call) {
	if c.count > 0 {
		// In a group, because every line says already which service wrote it.
		s.c.Logger.LogAttrs(ctx, slog.LevelInfo, logMessage, slog.Group("aws",
			slog.String("service", "events"), slog.String("operation", "PutEvents"),
			slog.Any("event_ids", c.ids), slog.Any("entries", c.entries)))
	}
	c.entries, c.ids, c.count, c.bytes = c.entries[:0], c.ids[:0], 0, 0
}

// jsonArray is the text of a JSON array without its end.
type jsonArray []byte

// next makes room for one more element.
func (a jsonArray) next() jsonArray {
	if len(a) == 0 {
		return append(a, '[')
	}
	return append(a, ',')
}

// AppendJSON appends the array; log handlers that know it need not read what is JSON already.
func (a jsonArray) AppendJSON(dst []byte) []byte { return append(append(dst, a...), ']') }

// MarshalJSON implements json.Marshaler, for all other handlers.
func (a jsonArray) MarshalJSON() ([]byte, error) { return a.AppendJSON(nil), nil }

// appendText appends s as a JSON string. The domain refuses invalid UTF-8, the only error there is.
func appendText[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}
