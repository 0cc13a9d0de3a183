package wire

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

const (
	newOrderFields   = "customer_id, items, currency, reference, placed_at, metadata"
	batchOrderFields = newOrderFields + ", idempotency_key"
	newItemFields    = "sku, quantity, unit_price, name"
	patchFields      = "status, metadata"
)

const (
	mustBeQuantity = "must be a whole number from 1 to 1,000,000"
	mustBePrice    = "must be a decimal number such as 12.50, or a string that holds one"
	mustBeMoment   = "must be a date and time with a zone (RFC 3339), such as 2026-01-15T09:30:00Z"
)

// DecodeNewOrder reads the form of NewOrder. The draft is not yet held against the rules, but for
// what its Go types can't hold. Errors are faults: Malformed when the text is no JSON (duplicate
// names and invalid UTF-8 included), Invalid with every field at fault when it is no order. The
// locations are relative to the text.
func DecodeNewOrder(text []byte) (order.Draft, error) {
	r := newReader(text)
	defer r.close()
	d := draftReader{reader: r}
	err := r.whole(d.read)
	return d.draft, err
}

// BatchEntry is one order of a batch as it was read. When Err is set, a fault like those of
// DecodeNewOrder, the rest is of no use.
type BatchEntry struct {
	Draft          order.Draft
	IdempotencyKey string // "" for none
	Err            error
}

// DecodeBatch reads the form of Batch: 1 to most orders. What is wrong with one order is said in its
// entry, with locations relative to the order, and does no harm to the others. Errors are faults
// like those of DecodeNewOrder.
func DecodeBatch(text []byte, most int) ([]BatchEntry, error) {
	// The orders' own texts are held against the strict rules one by one.
	r := newReader(text, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	defer r.close()
	var entries []BatchEntry
	seen, count := false, 0
	entry := func(int) error {
		raw, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		count++
		if count <= most {
			entries = append(entries, decodeEntry(raw))
		}
		return nil
	}
	err := r.whole(func() error {
		return r.object("must be an object with the field orders", func(name string) error {
			switch {
			case name != "orders":
				return r.unknown("orders")
			case seen:
				return errOrdersTwice
			}
			seen = true
			return r.array("must be an array of orders", entry)
		})
	})
	if err == nil && (count < 1 || count > most) {
		err = fault.OfFields([]fault.Field{{
			Location: "orders", Message: fmt.Sprintf("must have 1 to %d orders, not %d", most, count),
		}})
	}
	return entries, err
}

var errOrdersTwice = fmt.Errorf("the member orders: %w", jsontext.ErrDuplicateName)

func decodeEntry(text []byte) BatchEntry {
	r := newReader(text)
	defer r.close()
	d := draftReader{reader: r, keyed: true}
	err := r.whole(d.read)
	return BatchEntry{Draft: d.draft, IdempotencyKey: d.key, Err: err}
}

// DecodePatch reads the form of Patch. Errors are faults like those of DecodeNewOrder; a status that
// does not exist is Invalid.
func DecodePatch(text []byte) (order.Status, map[string]*string, error) {
	r := newReader(text)
	defer r.close()
	var status string
	var metadata map[string]*string
	empty := true
	err := r.whole(func() error {
		err := r.object("must be an object with status, metadata or both", func(name string) error {
			empty = false
			switch name {
			case "status":
				return r.status(&status)
			case "metadata":
				metadata = make(map[string]*string)
				return r.metadataPatch(metadata)
			}
			return r.unknown(patchFields)
		})
		if err == nil && empty && len(r.faults) == 0 {
			r.fault("must have status, metadata or both")
		}
		return err
	})
	return order.Status(status), metadata, err
}

func (r *reader) status(into *string) error {
	before := len(r.faults)
	err := r.text(into)
	if err == nil && len(r.faults) == before && !order.Status(*into).Valid() {
		r.fault("must be one of " + list(order.Statuses()))
	}
	return err
}

func (r *reader) metadataPatch(patch map[string]*string) error {
	return r.object("must be an object of strings, with null for a key to remove", func(key string) error {
		if r.null() {
			patch[key] = nil
			return r.dec.SkipValue()
		}
		value := new(string)
		patch[key] = value
		return r.text(value)
	})
}

// draftReader reads one order.
type draftReader struct {
	*reader
	draft order.Draft
	keyed bool // whether the order may carry an idempotency key
	key   string
}

func (d *draftReader) read() error {
	return d.object("must be an object: an order", d.member)
}

func (d *draftReader) member(name string) error {
	switch name {
	case "customer_id":
		return d.text(&d.draft.CustomerID)
	case "items":
		return d.items()
	case "currency":
		return d.optionalText(&d.draft.Currency)
	case "reference":
		return d.optionalText(&d.draft.Reference)
	case "placed_at":
		return d.placedAt()
	case "metadata":
		return d.metadata()
	case "idempotency_key":
		if d.keyed {
			return d.optionalText(&d.key)
		}
		return d.wrong("is not a field here; send the header Idempotency-Key")
	}
	if d.keyed {
		return d.unknown(batchOrderFields)
	}
	return d.unknown(newOrderFields)
}

func (d *draftReader) items() error {
	count := 0
	d.draft.Items = make([]order.DraftItem, 0, 4)
	err := d.array("must be an array of lines", func(int) error {
		count++
		if count > order.MaxLines {
			return d.dec.SkipValue()
		}
		d.draft.Items = append(d.draft.Items, order.DraftItem{})
		return d.item(&d.draft.Items[len(d.draft.Items)-1])
	})
	if err == nil && count > order.MaxLines {
		d.fault(fmt.Sprintf("must have 1 to %d lines, not %d", order.MaxLines, count))
	}
	return err
}

func (d *draftReader) item(item *order.DraftItem) error {
	return d.object("must be an object: a line", func(name string) error {
		switch name {
		case "sku":
			return d.text(&item.SKU)
		case "quantity":
			return d.integer(mustBeQuantity, &item.Quantity)
		case "unit_price":
			return d.price(&item.UnitPrice)
		case "name":
			return d.optionalText(&item.Name)
		}
		return d.unknown(newItemFields)
	})
}

// price keeps the text of a number or of a string; what it must be depends on the currency, which
// may come later.
func (r *reader) price(into *string) error {
	switch r.dec.PeekKind() {
	case '"':
		return r.text(into)
	case '0':
		raw, err := r.dec.ReadValue()
		*into = string(raw)
		return err
	default:
		return r.wrong(mustBePrice)
	}
}

func (d *draftReader) placedAt() error {
	if d.null() {
		return d.dec.SkipValue()
	}
	if d.dec.PeekKind() != '"' {
		return d.wrong(mustBeMoment)
	}
	var text string
	if err := d.text(&text); err != nil {
		return err
	}
	if err := d.draft.PlacedAt.UnmarshalText([]byte(text)); err != nil || d.draft.PlacedAt.IsZero() {
		d.draft.PlacedAt = time.Time{}
		d.fault(mustBeMoment)
	}
	return nil
}

func (d *draftReader) metadata() error {
	if d.null() {
		return d.dec.SkipValue()
	}
	count := 0
	d.draft.Metadata = make(map[string]string)
	err := d.object("must be an object of strings", func(key string) error {
		count++
		if count > order.MaxMetadata {
			return d.dec.SkipValue()
		}
		var value string
		err := d.text(&value)
		d.draft.Metadata[key] = value
		return err
	})
	if err == nil && count > order.MaxMetadata {
		d.fault(fmt.Sprintf("must have at most %d keys, not %d", order.MaxMetadata, count))
	}
	return err
}

// list names values in a sentence.
func list[T ~string](values []T) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}
