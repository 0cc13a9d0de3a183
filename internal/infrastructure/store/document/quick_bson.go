package document

import (
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// bsonScanner reads what BSON.Order wrote, several times as fast as a decoder that works by reflection. Members may
// come in any order, as servers put those that are new behind the others, and what is not of an order is passed over.
// A member of another type than the one written fails it, and is left to that decoder.
type bsonScanner struct{ failed bool }

// bsonValue is a value as it stands in a document.
type bsonValue struct {
	kind bson.Type
	data string
}

// quickOrderBSON reads an order as BSON.Order writes it. The document's text is kept as long as one of its strings is.
func quickOrderBSON(id order.ID, document string) (order.Snapshot, bool) {
	var r bsonScanner
	var form int64
	var currency string
	var lines bsonValue
	none := instant(0).time()
	s := order.Snapshot{ID: id, PlacedAt: none, CreatedAt: none, UpdatedAt: none}
	r.members(document, func(name string, v bsonValue) {
		switch name {
		case "form":
			form = r.number(v)
		case "version":
			s.Version = int(r.number(v))
		case "sequence":
			s.Sequence = int(r.number(v))
		case "event_bytes":
			s.EventBytes = int(r.number(v))
		case "customer_id":
			s.CustomerID = r.text(v)
		case "reference":
			s.Reference = r.text(v)
		case "currency":
			currency = r.text(v)
		case "total":
			s.Total = r.amount(v)
		case "lines":
			lines = v
		case "payments":
			s.Payments = listOf(&r, v, r.payment)
		case "fulfillments":
			s.Fulfillments = listOf(&r, v, r.fulfillment)
		case "returns":
			s.Returns = listOf(&r, v, r.goodsReturn)
		case "metadata":
			s.Metadata = r.metadata(v)
		case "requests":
			s.Requests = listOf(&r, v, r.request)
		case "origin":
			s.Origin = order.Fingerprint(r.text(v))
		case "placed_at":
			s.PlacedAt = r.time(v)
		case "created_at":
			s.CreatedAt = r.time(v)
		case "updated_at":
			s.UpdatedAt = r.time(v)
		default:
			r.passOver(name)
		}
	})
	var err error
	if s.Currency, err = money.CurrencyOf(currency); r.failed || err != nil || form != Version || lines.kind == 0 {
		return s, false
	}
	s.Lines = listOf(&r, lines, func(document string) order.Line { return r.line(document, s.Currency) })
	return s, !r.failed
}

func (r *bsonScanner) line(document string, currency money.Currency) (l order.Line) {
	price := ""
	r.members(document, func(name string, v bsonValue) {
		switch name {
		case "sku":
			l.SKU = r.text(v)
		case "name":
			l.Name = r.text(v)
		case "quantity":
			l.Quantity = r.number(v)
		case "unit_price":
			price = r.text(v)
		case "total":
			l.Total = r.amount(v)
		case "canceled":
			l.Canceled = r.number(v)
		case "shipped":
			l.Shipped = r.number(v)
		case "delivered":
			l.Delivered = r.number(v)
		case "returned":
			l.Returned = r.number(v)
		default:
			r.passOver(name)
		}
	})
	if r.failed {
		return l
	}
	var err error
	l.UnitPrice, err = money.ParsePrice(price, currency)
	r.failed = err != nil
	return l
}

func (r *bsonScanner) payment(document string) (p order.Payment) {
	p.CreatedAt, p.UpdatedAt = instant(0).time(), instant(0).time()
	r.members(document, func(name string, v bsonValue) {
		switch name {
		case "id":
			p.ID = r.id(v)
		case "state":
			p.State = order.PaymentState(r.text(v))
		case "provider":
			p.Provider = r.text(v)
		case "amount":
			p.Amount = r.amount(v)
		case "created_at":
			p.CreatedAt = r.time(v)
		case "updated_at":
			p.UpdatedAt = r.time(v)
		case "refunds":
			p.Refunds = listOf(r, v, r.refund)
		default:
			r.passOver(name)
		}
	})
	r.want(!p.ID.IsZero())
	return p
}

func (r *bsonScanner) refund(document string) (f order.Refund) {
	f.CreatedAt, f.UpdatedAt = instant(0).time(), instant(0).time()
	r.members(document, func(name string, v bsonValue) {
		switch name {
		case "id":
			f.ID = r.id(v)
		case "state":
			f.State = order.RefundState(r.text(v))
		case "amount":
			f.Amount = r.amount(v)
		case "created_at":
			f.CreatedAt = r.time(v)
		case "updated_at":
			f.UpdatedAt = r.time(v)
		default:
			r.passOver(name)
		}
	})
	r.want(!f.ID.IsZero())
	return f
}

func (r *bsonScanner) fulfillment(document string) (f order.Fulfillment) {
	f.CreatedAt, f.UpdatedAt = instant(0).time(), instant(0).time()
	r.members(document, func(name string, v bsonValue) {
		switch name {
		case "id":
			f.ID = r.id(v)
		case "state":
			f.State = order.FulfillmentState(r.text(v))
		case "lines":
			f.Lines = listOf(r, v, r.part)
		case "carrier":
			f.Carrier = r.text(v)
		case "tracking":
			f.Tracking = r.text(v)
		case "created_at":
			f.CreatedAt = r.time(v)
		case "updated_at":
			f.UpdatedAt = r.time(v)
		default:
			r.passOver(name)
		}
	})
	r.want(!f.ID.IsZero())
	return f
}

func (r *bsonScanner) goodsReturn(document string) (g order.Return) {
	g.CreatedAt, g.UpdatedAt = instant(0).time(), instant(0).time()
	r.members(document, func(name string, v bsonValue) {
		switch name {
		case "id":
			g.ID = r.id(v)
		case "state":
			g.State = order.ReturnState(r.text(v))
		case "lines":
			g.Lines = listOf(r, v, r.part)
		case "reason":
			g.Reason = r.text(v)
		case "created_at":
			g.CreatedAt = r.time(v)
		case "updated_at":
			g.UpdatedAt = r.time(v)
		default:
			r.passOver(name)
		}
	})
	r.want(!g.ID.IsZero())
	return g
}

func (r *bsonScanner) part(document string) (q order.LineQuantity) {
	r.members(document, func(name string, v bsonValue) {
		switch name {
		case "line":
			q.Line = int(r.number(v))
		case "quantity":
			q.Quantity = r.number(v)
		default:
			r.passOver(name)
		}
	})
	return q
}

func (r *bsonScanner) request(document string) (q order.Request) {
	r.members(document, func(name string, v bsonValue) {
		switch name {
		case "key":
			q.Key = r.id(v)
		case "fingerprint":
			q.Fingerprint = order.Fingerprint(r.text(v))
		case "version":
			q.Version = int(r.number(v))
		default:
			r.passOver(name)
		}
	})
	r.want(!q.Key.IsZero())
	return q
}

// metadata reads a list of {k, v}.
func (r *bsonScanner) metadata(v bsonValue) map[string]string {
	metadata := make(map[string]string)
	r.want(v.kind == bson.TypeArray)
	r.members(v.data, func(_ string, entry bsonValue) {
		var key, value bsonValue
		r.want(entry.kind == bson.TypeEmbeddedDocument)
		r.members(entry.data, func(name string, v bsonValue) {
			switch {
			case name == "k" && key.kind == 0:
				key = v
			case name == "v" && value.kind == 0:
				value = v
			}
		})
		metadata[r.text(key)] = r.text(value)
	})
	return metadata
}

// listOf reads an array of documents; nil when it is empty.
func listOf[T any](r *bsonScanner, v bsonValue, document func(string) T) []T {
	r.want(v.kind == bson.TypeArray)
	var all []T
	r.members(v.data, func(_ string, element bsonValue) {
		if all == nil {
			all = make([]T, 0, 4)
		}
		r.want(element.kind == bson.TypeEmbeddedDocument)
		all = append(all, document(element.data))
	})
	return all
}

// members calls member with each element of a document or an array, until one fails.
func (r *bsonScanner) members(document string, member func(name string, v bsonValue)) {
	const frame = 5 // the length before and the zero behind
	if r.failed || len(document) < frame || int(length(document)) != len(document) || document[len(document)-1] != 0 {
		r.failed = true
		return
	}
	for text := document[4 : len(document)-1]; text != ""; {
		kind := bson.Type(text[0])
		end := strings.IndexByte(text, 0)
		if end < 1 {
			r.failed = true
			return
		}
		name := text[1:end]
		text = text[end+1:]
		size := sizeBSON(kind, text)
		if size < 0 || size > len(text) {
			r.failed = true
			return
		}
		member(name, bsonValue{kind, text[:size]})
		if r.failed {
			return
		}
		text = text[size:]
	}
}

// sizeBSON is how many bytes the value at the beginning of text has; negative if it can't be told, and perhaps more than
// there are.
func sizeBSON(kind bson.Type, text string) int {
	switch kind {
	case bson.TypeNull:
		return 0
	case bson.TypeBoolean:
		return 1
	case bson.TypeInt32:
		return 4
	case bson.TypeDouble, bson.TypeInt64, bson.TypeDateTime:
		return 8
	case bson.TypeObjectID:
		return len(order.ID{})
	case bson.TypeString:
		if n := length(text); n >= 1 {
			return 4 + int(n)
		}
	case bson.TypeEmbeddedDocument, bson.TypeArray:
		if n := length(text); n >= 5 {
			return int(n)
		}
	default: // nothing that an order's document has
	}
	return -1
}

// length is the 32 bits at the beginning of text; negative if it is shorter.
func length(text string) int32 {
	if len(text) < 4 {
		return -1
	}
	return int32(text[0]) | int32(text[1])<<8 | int32(text[2])<<16 | int32(text[3])<<24
}

// passOver is for a member that is not the order's. The other decoder knows its members by their names in capitals, too.
func (r *bsonScanner) passOver(name string) {
	for i := range len(name) {
		r.want(name[i] < 'A' || name[i] > 'Z' && name[i] < 0x80)
	}
}

func (r *bsonScanner) want(ok bool) { r.failed = r.failed || !ok }

func (r *bsonScanner) text(v bsonValue) string {
	if v.kind != bson.TypeString || v.data[len(v.data)-1] != 0 {
		r.failed = true
		return ""
	}
	return v.data[4 : len(v.data)-1]
}

func (r *bsonScanner) number(v bsonValue) int64 {
	switch v.kind {
	case bson.TypeInt32:
		return int64(length(v.data))
	case bson.TypeInt64:
		return long(v.data)
	default: // a shell may have written a double
		r.failed = true
		return 0
	}
}

// long is the 64 bits at the beginning of data.
func long(data string) int64 {
	return int64(uint32(length(data))) | int64(length(data[4:]))<<32 //nolint:gosec // bits only
}

func (r *bsonScanner) amount(v bsonValue) money.Amount { return money.Amount(r.number(v)) }

func (r *bsonScanner) time(v bsonValue) time.Time {
	if v.kind != bson.TypeDateTime {
		r.failed = true
		return time.Time{}
	}
	return instant(long(v.data)).time()
}

func (r *bsonScanner) id(v bsonValue) (id order.ID) {
	if v.kind != bson.TypeObjectID {
		r.failed = true
		return id
	}
	copy(id[:], v.data)
	return id
}
