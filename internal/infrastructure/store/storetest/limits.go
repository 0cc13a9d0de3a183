package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

func testLimits(t *testing.T, h Harness) {
	t.Run("a thousand lines", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1, func(d *order.Draft) {
			d.Items = make([]order.DraftItem, order.MaxLines)
			for i := range d.Items {
				d.Items[i] = order.DraftItem{
					SKU: fmt.Sprintf("%0*d", order.MaxSKU, i), Name: strings.Repeat("é", order.MaxName),
					Quantity: int64(i + 1), UnitPrice: fmt.Sprintf("0.%06d", i),
				}
			}
		})
		r.create(t, o, nobody())
		wantOrder(t, "Get", r.get(t, o.ID()), o)
		for i, status := range []order.Status{order.StatusPaid, order.StatusShipped, order.StatusDelivered} {
			r.change(t, o.ID(), nobody(), at(time.Hour), moveTo(status, i, time.Hour))
		}
		got := r.get(t, o.ID())
		if got.Status() != order.StatusDelivered || len(got.View().Fulfillments[0].Lines) != order.MaxLines {
			t.Errorf("the order is %s with %d lines delivered", got.Status(), len(got.View().Fulfillments[0].Lines))
		}
	})

	t.Run("as much metadata as there may be", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1, func(d *order.Draft) {
			d.Metadata = make(map[string]string, order.MaxMetadata)
			for i := range order.MaxMetadata {
				key := fmt.Sprintf("%0*d", order.MaxMetadataKey, i)
				d.Metadata[key] = strings.Repeat("\U0001F375", order.MaxMetadataValue)
			}
		})
		r.create(t, o, nobody())
		wantOrder(t, "Get", r.get(t, o.ID()), o)
		removeAll := make(map[string]*string)
		for key := range o.View().Metadata {
			removeAll[key] = nil
		}
		r.change(t, o.ID(), nobody(), at(time.Hour), func(o *order.Order) error {
			return o.PatchMetadata(removeAll, stamp(time.Hour))
		})
		if left := r.get(t, o.ID()).View().Metadata; len(left) != 0 {
			t.Errorf("%d keys are left after all were removed", len(left))
		}
	})

	t.Run("the largest and finest money", func(t *testing.T) {
		r := newRoom(t, h)
		largest := func(d *order.Draft) {
			d.Currency = "JPY"
			d.Items = []order.DraftItem{{SKU: "A", Quantity: 1, UnitPrice: "999999999999999"}}
		}
		finest := func(d *order.Draft) {
			d.Currency = "KWD"
			d.Items = []order.DraftItem{
				{SKU: "A", Quantity: order.MaxQuantity, UnitPrice: "123456.1234567"},
				{SKU: "B", Quantity: 1, UnitPrice: "0.0000001"},
			}
		}
		orders := []*order.Order{sample(t, 1, largest), sample(t, 2, finest)}
		r.fill(t, orders...)
		for _, o := range orders {
			wantOrder(t, "Get", r.get(t, o.ID()), o)
			wantEvents(t, "Events", r.events(t, o.ID()), o.Events())
		}
	})

	t.Run("dates from 1900", func(t *testing.T) {
		r := newRoom(t, h)
		for i, date := range []time.Time{
			time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(1969, 12, 31, 23, 59, 59, 999_000_000, time.UTC),
			time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
			base,
		} {
			o := sample(t, i, func(d *order.Draft) { d.PlacedAt = date })
			r.create(t, o, nobody())
			wantOrder(t, date.String(), r.get(t, o.ID()), o)
			wantEvents(t, date.String(), r.events(t, o.ID()), o.Events())
			got := r.list(t, ordering.Query{PlacedAfter: date, PlacedBefore: date.Add(time.Millisecond), Limit: 10})
			wantIDs(t, date.String(), got, []*order.Order{o})
		}
	})

	t.Run("every character", func(t *testing.T) {
		r := newRoom(t, h)
		orders := everyCharacter(t)
		r.fill(t, orders...)
		for _, o := range orders {
			wantOrder(t, "Get", r.get(t, o.ID()), o)
		}
	})

	t.Run("text that means something elsewhere", func(t *testing.T) {
		r := newRoom(t, h)
		var orders []*order.Order
		for i, text := range trickyTexts {
			orders = append(orders, sample(t, i, func(d *order.Draft) {
				d.CustomerID, d.Reference = text, text
				d.Items[0].SKU, d.Items[0].Name = text, text
				d.Metadata = map[string]string{text: text, "x" + text + "x": ""}
			}))
		}
		r.fill(t, orders...)
		for i, o := range orders {
			wantOrder(t, trickyTexts[i], r.get(t, o.ID()), o)
			wantEvents(t, trickyTexts[i], r.events(t, o.ID()), o.Events())
			r.change(t, o.ID(), nobody(), at(time.Hour), set(trickyTexts[i], "new", time.Hour))
			if got := r.get(t, o.ID()).View().Metadata[trickyTexts[i]]; got != "new" {
				t.Errorf("metadata %q is %q after its change, want \"new\"", trickyTexts[i], got)
			}
		}
	})
}

// trickyTexts mean something to a query language, a format or a comparison. Each is another customer.
var trickyTexts = []string{
	".", "a.b", "$", "$set", "_id", "__proto__", "null", "0", "-1", "1e3", "true", "{}", "[]", "%", "_", "c_1", "c%",
	`"`, `\`, `'; DROP TABLE orders; --`, "<b>&amp;</b>", " ", " lead", "trail ", "Case", "case", "CASE",
	"stra\u00dfe", "strasse", "\u00e9", "e\u0301", "\ufeff", "\ufffd", "\u2028", "\u200b", "\u0130", "\u0131",
	"\U0001F468\u200D\U0001F469", "\U0010FFFF",
}

// everyCharacter returns orders whose metadata has every character that a caller may send.
func everyCharacter(t *testing.T) []*order.Order {
	t.Helper()
	var orders []*order.Order
	metadata := make(map[string]string, order.MaxMetadata)
	flush := func() {
		m := metadata
		orders = append(orders, sample(t, len(orders), func(d *order.Draft) { d.Metadata = m }))
		metadata = make(map[string]string, order.MaxMetadata)
	}
	var value strings.Builder
	length := 0
	for c := ' '; c <= unicode.MaxRune; c++ {
		if unicode.IsControl(c) || unicode.Is(unicode.Cs, c) {
			continue
		}
		value.WriteRune(c)
		length++
		if length == order.MaxMetadataValue || c == unicode.MaxRune {
			metadata[fmt.Sprintf("%06x", c)] = value.String()
			value.Reset()
			length = 0
		}
		if len(metadata) == order.MaxMetadata {
			flush()
		}
	}
	flush()
	return orders
}
