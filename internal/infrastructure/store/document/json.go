package document

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// AppendOrder appends the stored form of an order, without its id and events, as JSON.
func AppendOrder(dst []byte, s *order.Snapshot) []byte {
	e := jsonEncoder{dst, len(dst)}
	w := writer{&e}
	w.open('{')
	w.order(s)
	w.close('}')
	return e.b
}

// AppendEvents appends the stored form of events, a line each: JSON Lines, so that a store can add
// to what is there without reading it.
func AppendEvents(dst []byte, events []order.Event) []byte {
	e := jsonEncoder{dst, len(dst)}
	w := writer{&e}
	for i := range events {
		w.event(&events[i])
		e.b = append(e.b, '\n')
	}
	return e.b
}

// AppendTracks appends the stored form of an order's tracks, as JSON.
func AppendTracks(dst []byte, tracks delivery.Tracks) []byte {
	e := jsonEncoder{dst, len(dst)}
	writer{&e}.tracks(tracks)
	return e.b
}

// jsonEncoder writes compact JSON behind what is in b before start.
type jsonEncoder struct {
	b     []byte
	start int
}

// separate writes the comma between two members or elements.
func (e *jsonEncoder) separate() {
	if n := len(e.b); n > e.start {
		switch e.b[n-1] {
		case '{', '[', ':', '\n':
		default:
			e.b = append(e.b, ',')
		}
	}
}

func (e *jsonEncoder) open(bracket byte) {
	e.separate()
	e.b = append(e.b, bracket)
}

func (e *jsonEncoder) close(bracket byte) { e.b = append(e.b, bracket) }

func (e *jsonEncoder) key(name string) {
	e.separate()
	e.b = appendString(e.b, name)
	e.b = append(e.b, ':')
}

func (e *jsonEncoder) string(s string) { e.b = appendString(e.b, s) }

func (e *jsonEncoder) integer(n int64) { e.b = strconv.AppendInt(e.b, n, 10) }

func (e *jsonEncoder) identity(id order.ID) {
	e.b = append(e.b, '"')
	e.b, _ = id.AppendText(e.b) // the error is always nil
	e.b = append(e.b, '"')
}

func (e *jsonEncoder) moment(t time.Time) { e.integer(t.UnixMilli()) }

func (e *jsonEncoder) yes() { e.b = append(e.b, "true"...) }

func (e *jsonEncoder) decimal(p money.Price, c money.Currency) {
	e.b = append(e.b, '"')
	e.b = p.AppendDecimal(e.b, c)
	e.b = append(e.b, '"')
}

func (e *jsonEncoder) openMap() { e.open('{') }

func (e *jsonEncoder) entry(key string, value *string) {
	e.key(key)
	if value != nil {
		e.string(*value)
	} else {
		e.b = append(e.b, "null"...)
	}
}

func (e *jsonEncoder) closeMap() { e.close('}') }

// appendString appends s as a JSON string. Most strings need no escaping, which is quickly seen.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			dst, _ = jsontext.AppendQuote(dst, s) // its only error is invalid UTF-8, which the domain refuses
			return dst
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
