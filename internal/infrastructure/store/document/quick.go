package document

import (
	"strings"
	"time"
	"unicode/utf8"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// scanner reads what writer wrote, a few times as fast as a decoder that must expect anything: members
// in the order of AppendOrder, no white space, no escapes. Whatever else it meets fails it, and is left to
// that decoder.
type scanner struct {
	text   string // what is left
	behind bool   // a member or an element: a comma must come before the next
	failed bool
}

// quickOrder reads an order as AppendOrder writes most of them. The order's text is kept as long as one of
// its strings is.
func quickOrder(id order.ID, text string) (order.Snapshot, bool) {
	r := scanner{text: text}
	s := order.Snapshot{ID: id}
	r.open('{')
	if r.number("form") != Version {
		return s, false
	}
	s.Version = int(r.number("version"))
	s.Sequence = int(r.number("sequence"))
	s.EventBytes = int(r.number("event_bytes"))
	s.CustomerID = r.string("customer_id")
	s.Reference = r.string("reference")
	var err error
	if s.Currency, err = money.CurrencyOf(r.string("currency")); err != nil {
		return s, false
	}
	s.Total = r.amount("total")
	s.Lines = list(&r, "lines", func() (l order.Line) {
		l.SKU = r.string("sku")
		l.Name = r.string("name")
		l.Quantity = r.number("quantity")
		price, err := money.ParsePrice(r.string("unit_price"), s.Currency)
		r.failed = r.failed || err != nil
		l.UnitPrice = price
		l.Total = r.amount("total")
		l.Canceled = r.number("canceled")
		l.Shipped = r.number("shipped")
		l.Delivered = r.number("delivered")
		l.Returned = r.number("returned")
		return l
	})
	s.Payments = list(&r, "payments", r.payment)
	s.Fulfillments = list(&r, "fulfillments", r.fulfillment)
	s.Returns = list(&r, "returns", r.goodsReturn)
	s.Metadata = r.metadata()
	s.Requests = list(&r, "requests", func() order.Request {
		return order.Request{
			Key: r.id("key"), Fingerprint: order.Fingerprint(r.string("fingerprint")), Version: int(r.number("version")),
		}
	})
	s.Origin = order.Fingerprint(r.string("origin"))
	s.PlacedAt = r.time("placed_at")
	s.CreatedAt = r.time("created_at")
	s.UpdatedAt = r.time("updated_at")
	r.close('}')
	return s, !r.failed && r.text == ""
}

func (r *scanner) payment() (p order.Payment) {
	p.ID = r.id("id")
	p.State = order.PaymentState(r.string("state"))
	p.Provider = r.string("provider")
	p.Amount = r.amount("amount")
	p.CreatedAt = r.time("created_at")
	p.UpdatedAt = r.time("updated_at")
	p.Refunds = list(r, "refunds", func() (f order.Refund) {
		f.ID = r.id("id")
		f.State = order.RefundState(r.string("state"))
		f.Amount = r.amount("amount")
		f.CreatedAt = r.time("created_at")
		f.UpdatedAt = r.time("updated_at")
		return f
	})
	return p
}

func (r *scanner) fulfillment() (f order.Fulfillment) {
	f.ID = r.id("id")
	f.State = order.FulfillmentState(r.string("state"))
	f.Lines = r.parts()
	f.Carrier = r.string("carrier")
	f.Tracking = r.string("tracking")
	f.CreatedAt = r.time("created_at")
	f.UpdatedAt = r.time("updated_at")
	return f
}

func (r *scanner) goodsReturn() (g order.Return) {
	g.ID = r.id("id")
	g.State = order.ReturnState(r.string("state"))
	g.Lines = r.parts()
	g.Reason = r.string("reason")
	g.CreatedAt = r.time("created_at")
	g.UpdatedAt = r.time("updated_at")
	return g
}

func (r *scanner) parts() []order.LineQuantity {
	return list(r, "lines", func() order.LineQuantity {
		return order.LineQuantity{Line: int(r.number("line")), Quantity: r.number("quantity")}
	})
}

// metadata reads the keys in the order in which they are written, so that none stands there twice.
func (r *scanner) metadata() map[string]string {
	if !r.member("metadata") {
		return nil
	}
	metadata := make(map[string]string)
	last := ""
	r.open('{')
	for !r.failed && !strings.HasPrefix(r.text, "}") {
		r.comma()
		key := r.quoted()
		r.skip(':')
		r.failed = r.failed || key <= last
		last = key
		metadata[key] = r.quoted()
	}
	r.close('}')
	return metadata
}

// list reads a member that is an array of objects; nil when it is absent.
func list[T any](r *scanner, name string, object func() T) []T {
	if !r.member(name) {
		return nil
	}
	all := make([]T, 0, 4)
	r.open('[')
	for !r.failed && !strings.HasPrefix(r.text, "]") {
		r.comma()
		r.open('{')
		all = append(all, object())
		r.close('}')
	}
	r.close(']')
	return all
}

// member goes to the value of a member, if that comes next.
func (r *scanner) member(name string) bool {
	text := r.text
	if r.behind {
		if text == "" || text[0] != ',' {
			return false
		}
		text = text[1:]
	}
	n := len(name)
	if len(text) < n+3 || text[0] != '"' || text[1:n+1] != name || text[n+1] != '"' || text[n+2] != ':' {
		return false
	}
	r.text = text[n+3:]
	return true
}

// string reads a member; "" when it is absent.
func (r *scanner) string(name string) string {
	if !r.member(name) {
		return ""
	}
	return r.quoted()
}

// quoted reads a string.
func (r *scanner) quoted() string {
	r.skip('"')
	ascii := true
	for i := range len(r.text) {
		switch c := r.text[i]; {
		case c == '"':
			s := r.text[:i]
			r.text, r.behind = r.text[i+1:], true
			r.failed = r.failed || !ascii && !utf8.ValidString(s)
			return s
		case c == '\\' || c < ' ':
			r.failed = true
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.failed = true
	return ""
}

// number reads a member; 0 when it is absent.
func (r *scanner) number(name string) int64 {
	if !r.member(name) {
		return 0
	}
	const most = 18 // digits that can't overflow
	var n int64
	i := 0
	for ; i < len(r.text) && r.text[i] >= '0' && r.text[i] <= '9'; i++ {
		n = n*10 + int64(r.text[i]-'0')
	}
	if i == 0 || i > most || r.text[0] == '0' { // zero is not written, and less than that hardly ever
		r.failed = true
		return 0
	}
	r.text, r.behind = r.text[i:], true
	return n
}

func (r *scanner) amount(name string) money.Amount { return money.Amount(r.number(name)) }

func (r *scanner) time(name string) time.Time { return instant(r.number(name)).time() }

func (r *scanner) id(name string) order.ID {
	id, err := order.ParseID(r.string(name))
	r.failed = r.failed || err != nil
	return id
}

func (r *scanner) open(bracket byte) {
	r.skip(bracket)
	r.behind = false
}

func (r *scanner) close(bracket byte) {
	r.skip(bracket)
	r.behind = true
}

// comma goes to the next element, which must be parted from one before it.
func (r *scanner) comma() {
	if r.behind {
		r.skip(',')
	}
}

func (r *scanner) skip(c byte) {
	if r.failed || r.text == "" || r.text[0] != c {
		r.failed = true
		return
	}
	r.text = r.text[1:]
}
