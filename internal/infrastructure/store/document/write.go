package document

import (
	"maps"
	"slices"
	"time"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// encoder writes one of the formats in which the stored form is kept.
type encoder interface { //nolint:interfacebloat // one method for each kind of value
	open(bracket byte) // an object or a list
	close(bracket byte)
	key(name string)
	string(s string)
	integer(n int64)
	identity(id order.ID)
	moment(t time.Time)
	yes()
	decimal(p money.Price, c money.Currency)
	// openMap, entry and closeMap write what callers name: any key may be there. A nil value is null.
	openMap()
	entry(key string, value *string)
	closeMap()
}

// writer writes the stored form. Members that are zero or empty are left out.
type writer struct{ encoder }

// order writes the members of an order, without its id and events. It is written by hand because
// every durable write pays for it.
func (w writer) order(s *order.Snapshot) {
	w.number("form", Version)
	w.number("version", int64(s.Version))
	w.number("sequence", int64(s.Sequence))
	w.number("event_bytes", int64(s.EventBytes))
	w.text("customer_id", s.CustomerID)
	w.text("reference", s.Reference)
	w.text("currency", s.Currency.Code())
	w.number("total", int64(s.Total))
	w.key("lines")
	w.open('[')
	for i := range s.Lines {
		l := &s.Lines[i]
		w.open('{')
		w.item(&l.Item, s.Currency)
		w.number("canceled", l.Canceled)
		w.number("shipped", l.Shipped)
		w.number("delivered", l.Delivered)
		w.number("returned", l.Returned)
		w.close('}')
	}
	w.close(']')
	w.payments(s.Payments)
	w.goods(s.Fulfillments, s.Returns)
	if len(s.Metadata) > 0 {
		w.key("metadata")
		w.openMap()
		for _, k := range slices.Sorted(maps.Keys(s.Metadata)) {
			v := s.Metadata[k]
			w.entry(k, &v)
		}
		w.closeMap()
	}
	if len(s.Requests) > 0 {
		w.key("requests")
		w.open('[')
		for _, r := range s.Requests {
			w.open('{')
			w.id("key", r.Key)
			w.text("fingerprint", string(r.Fingerprint))
			w.number("version", int64(r.Version))
			w.close('}')
		}
		w.close(']')
	}
	w.text("origin", string(s.Origin))
	w.time("placed_at", s.PlacedAt)
	w.time("created_at", s.CreatedAt)
	w.time("updated_at", s.UpdatedAt)
}

func (w writer) payments(payments []order.Payment) {
	if len(payments) == 0 {
		return
	}
	w.key("payments")
	w.open('[')
	for i := range payments {
		p := &payments[i]
		w.open('{')
		w.id("id", p.ID)
		w.text("state", string(p.State))
		w.text("provider", p.Provider)
		w.number("amount", int64(p.Amount))
		w.time("created_at", p.CreatedAt)
		w.time("updated_at", p.UpdatedAt)
		if len(p.Refunds) > 0 {
			w.key("refunds")
			w.open('[')
			for _, r := range p.Refunds {
				w.open('{')
				w.id("id", r.ID)
				w.text("state", string(r.State))
				w.number("amount", int64(r.Amount))
				w.time("created_at", r.CreatedAt)
				w.time("updated_at", r.UpdatedAt)
				w.close('}')
			}
			w.close(']')
		}
		w.close('}')
	}
	w.close(']')
}

func (w writer) goods(fulfillments []order.Fulfillment, returns []order.Return) {
	if len(fulfillments) > 0 {
		w.key("fulfillments")
		w.open('[')
		for i := range fulfillments {
			f := &fulfillments[i]
			w.open('{')
			w.id("id", f.ID)
			w.text("state", string(f.State))
			w.parts("lines", f.Lines)
			w.text("carrier", f.Carrier)
			w.text("tracking", f.Tracking)
			w.time("created_at", f.CreatedAt)
			w.time("updated_at", f.UpdatedAt)
			w.close('}')
		}
		w.close(']')
	}
	if len(returns) > 0 {
		w.key("returns")
		w.open('[')
		for i := range returns {
			r := &returns[i]
			w.open('{')
			w.id("id", r.ID)
			w.text("state", string(r.State))
			w.parts("lines", r.Lines)
			w.text("reason", r.Reason)
			w.time("created_at", r.CreatedAt)
			w.time("updated_at", r.UpdatedAt)
			w.close('}')
		}
		w.close(']')
	}
}

func (w writer) item(item *order.Item, c money.Currency) {
	w.text("sku", item.SKU)
	w.text("name", item.Name)
	w.number("quantity", item.Quantity)
	w.key("unit_price")
	w.decimal(item.UnitPrice, c)
	w.number("total", int64(item.Total))
}

func (w writer) parts(name string, parts []order.LineQuantity) {
	w.key(name)
	w.open('[')
	for _, p := range parts {
		w.open('{')
		w.number("line", int64(p.Line))
		w.number("quantity", p.Quantity)
		w.close('}')
	}
	w.close(']')
}

func (w writer) text(name, s string) {
	if s != "" {
		w.key(name)
		w.string(s)
	}
}

func (w writer) number(name string, n int64) {
	if n != 0 {
		w.key(name)
		w.integer(n)
	}
}

func (w writer) id(name string, id order.ID) {
	w.key(name)
	w.identity(id)
}

func (w writer) time(name string, t time.Time) {
	if !t.IsZero() {
		w.key(name)
		w.moment(t)
	}
}

func (w writer) flag(name string, set bool) {
	if set {
		w.key(name)
		w.yes()
	}
}
