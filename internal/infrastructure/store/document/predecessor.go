package document

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// Adopted is an order out of a document of the FastAPI service, which wrote
//
//	{_id, customer_id, items: [{sku, quantity, unit_price: double}], status, created_at, updated_at}
//
// and changed nothing in it but status and updated_at.
type Adopted struct {
	Order   *order.Order
	Created order.Event // the one event that the order has
	Rounded []Rounded
	extra   bson.Raw // the document, if there is more in it than the order has room for
}

// Rounded is a price that was finer than the currency allows.
type Rounded struct {
	Line int // from 1
	Was  string
	Is   string
	was  bson.RawValue
}

// Adopt reads a document of the FastAPI service. Its orders are in the given currency. The error says
// in one line what keeps the document from being an order; it names no order.
func Adopt(id order.ID, raw bson.Raw, currency money.Currency) (*Adopted, error) {
	l := order.Legacy{ID: id, Currency: currency}
	var status string
	err := cmp.Or(
		readText(raw, "customer_id", &l.CustomerID), readText(raw, "status", &status), readDate(raw, "created_at", &l.CreatedAt),
	)
	if err != nil {
		return nil, err
	}
	l.Status = order.Status(status)
	l.UpdatedAt = l.CreatedAt
	if !isMissing(raw.Lookup("updated_at")) {
		if err := readDate(raw, "updated_at", &l.UpdatedAt); err != nil {
			return nil, err
		}
	}
	var a Adopted
	complete := hasOnly(raw, "_id", "customer_id", "items", "status", "created_at", "updated_at")
	list, ok := raw.Lookup("items").ArrayOK()
	if !ok {
		return nil, wrongType(raw, "items", "a list")
	}
	values, err := list.Values()
	if err != nil {
		return nil, fmt.Errorf("items can't be read: %w", err)
	}
	for i, value := range values {
		item, ok := value.DocumentOK()
		if !ok {
			return nil, fmt.Errorf("items[%d] is of type %s, not a document", i, value.Type)
		}
		line, err := a.item(item, i+1, currency)
		if err != nil {
			return nil, fmt.Errorf("items[%d].%w", i, err)
		}
		l.Items = append(l.Items, line)
		complete = complete && hasOnly(item, "sku", "quantity", "unit_price")
	}
	if !complete {
		a.extra = slices.Clone(raw)
	}
	a.Order, a.Created, err = order.Adopt(l)
	return &a, err
}

// item reads one of the items.
func (a *Adopted) item(raw bson.Raw, line int, currency money.Currency) (item order.Item, err error) {
	if err := readText(raw, "sku", &item.SKU); err != nil {
		return item, err
	}
	quantity := raw.Lookup("quantity")
	var ok bool
	if item.Quantity, ok = wholeNumber(quantity); !ok {
		return item, wrongType(raw, "quantity", "a whole number")
	}
	value := raw.Lookup("unit_price")
	text, ok := decimalOf(value)
	if !ok {
		return item, wrongType(raw, "unit_price", "a number")
	}
	price, rounded, err := money.RoundPrice(text, currency)
	if err != nil {
		return item, fmt.Errorf("unit_price is %s; it %s", text, fault.Of(err).Message)
	}
	if rounded {
		was := bson.RawValue{Type: value.Type, Value: slices.Clone(value.Value)}
		a.Rounded = append(a.Rounded, Rounded{Line: line, Was: text, Is: price.Decimal(currency), was: was})
	}
	item.UnitPrice = price
	return item, nil
}

// Adopted adds what an order that was adopted keeps for ever of the document that it was: the prices
// before they were rounded and, if there was more in it than an order has room for, all of it.
func (d *BSON) Adopted(a *Adopted) {
	if len(a.Rounded) > 0 {
		d.w.key("rounded")
		d.w.open('[')
		for _, r := range a.Rounded {
			d.w.open('{')
			d.w.number("line", int64(r.Line))
			d.w.key("unit_price")
			d.e.value(r.was)
			d.w.close('}')
		}
		d.w.close(']')
	}
	if a.extra != nil {
		d.w.key("predecessor")
		d.e.value(bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: a.extra})
	}
}

// IsPredecessors reports whether a document is one of the FastAPI service, given at least the members
// form and revision of those that have them.
func IsPredecessors(raw bson.Raw) bool {
	return isMissing(raw.Lookup("form")) && isMissing(raw.Lookup("revision"))
}

// decimalOf is the shortest decimal that stands for a number, and no other of its type.
func decimalOf(v bson.RawValue) (text string, ok bool) {
	if f, ok := v.DoubleOK(); ok {
		return strconv.FormatFloat(f, 'g', -1, 64), true
	}
	if d, ok := v.Decimal128OK(); ok {
		return d.String(), true
	}
	n, ok := v.AsInt64OK()
	return strconv.FormatInt(n, 10), ok
}

// wholeNumber reads a number that is whole; a shell writes those as doubles too.
func wholeNumber(v bson.RawValue) (int64, bool) {
	if f, ok := v.DoubleOK(); ok {
		const exact = 1 << 53
		return int64(f), f == math.Trunc(f) && math.Abs(f) <= exact
	}
	switch v.Type {
	case bson.TypeInt32, bson.TypeInt64:
		return v.AsInt64(), true
	default:
		return 0, false
	}
}

func readText(raw bson.Raw, name string, to *string) error {
	text, ok := raw.Lookup(name).StringValueOK()
	if !ok {
		return wrongType(raw, name, "text")
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("%s is not valid UTF-8", name)
	}
	*to = text
	return nil
}

// readDate reads a date that a list can go on from and that JSON can carry.
func readDate(raw bson.Raw, name string, to *time.Time) error {
	ms, ok := raw.Lookup(name).DateTimeOK()
	if !ok {
		return wrongType(raw, name, "a date")
	}
	*to = time.UnixMilli(ms).UTC()
	if to.IsZero() {
		return fmt.Errorf("%s is 0001-01-01T00:00:00Z, which stands for no date", name)
	}
	if y := to.Year(); y < 1 || y > 9999 {
		return fmt.Errorf("%s is in the year %d", name, y)
	}
	return nil
}

func wrongType(raw bson.Raw, name, want string) error {
	v := raw.Lookup(name)
	switch {
	case v.IsZero():
		return fmt.Errorf("%s is missing", name)
	case v.Type == bson.TypeDouble:
		return fmt.Errorf("%s is %v, not %s", name, v.Double(), want)
	default:
		return fmt.Errorf("%s is of type %s, not %s", name, v.Type, want)
	}
}

func isMissing(v bson.RawValue) bool { return v.IsZero() || v.Type == bson.TypeNull }

func hasOnly(raw bson.Raw, names ...string) bool {
	elements, err := raw.Elements()
	return err == nil && !slices.ContainsFunc(elements, func(e bson.RawElement) bool { return !slices.Contains(names, e.Key()) })
}
