package importing

import (
	"fmt"
	"strings"
	"time"

	"order-processing-service/internal/domain/order"
)

// csvForm is CSV with a header line: a record is one line of an order.
type csvForm struct {
	csvReader
	columns
	options *Options
}

func (c *csvForm) header() []string { return c.columns.header[c.first:] }

func (c *csvForm) firstColumn() int { return c.first }

func (c *csvForm) assembler() assembler {
	return &csvAssembler{columns: &c.columns, currency: c.options.Currency.Code(), dates: newDates(c.options), now: c.options.Now}
}

// csvAssembler makes orders of lines.
type csvAssembler struct {
	*columns
	currency string // of lines that name none
	dates    dates
	now      func() time.Time
}

// assemble implements assembler. It is the short way for orders without faults; refuse goes the long
// one and must find what this does not accept.
func (a *csvAssembler) assemble(entries []entry) (d order.Draft, merged, ok bool) {
	d.Reference = a.text(entries[0].key)
	d.Items = make([]order.DraftItem, len(entries))
	for i := range entries {
		e := &entries[i]
		if e.defect != "" || e.key == "" {
			return d, false, false
		}
		placedAt, err := a.dates.parse(get(e, a.placedAt))
		if err != nil {
			return d, false, false
		}
		customer, currency := a.text(get(e, a.customerID)), a.currencyOf(e)
		switch {
		case i == 0:
			d.CustomerID, d.Currency, d.PlacedAt = customer, currency, placedAt
		case customer != d.CustomerID || currency != d.Currency:
			return d, false, false
		case !placedAt.Equal(d.PlacedAt):
			merged = true
			d.PlacedAt = earlier(d.PlacedAt, placedAt)
		}
		merged = a.mergeMetadata(&d, e) || merged
		d.Items[i] = a.item(e)
	}
	return d, merged, true
}

// refuse implements assembler. Each line is held against the rules as if it were an order of its own,
// so that every line has all of its reasons, however many lines there are.
func (a *csvAssembler) refuse(entries []entry) *reasons {
	why := newReasons(entries)
	for i := range entries {
		e := &entries[i]
		if e.defect != "" {
			why.line(i, e.defect)
			continue
		}
		if e.key == "" {
			why.line(i, referenceMissing)
		}
		d := order.Draft{
			CustomerID: a.text(get(e, a.customerID)), Reference: a.text(e.key), Currency: a.currencyOf(e),
			Items: []order.DraftItem{a.item(e)},
		}
		placedAt, err := a.dates.parse(get(e, a.placedAt))
		if err != nil {
			why.line(i, err.Error())
		}
		d.PlacedAt = placedAt
		a.mergeMetadata(&d, e)
		_, err = rules(d, a.now())
		why.faults(i, err, "items[0].") // the only one
	}
	a.compare(entries, why, "customer_id", func(e *entry) string { return get(e, a.customerID) })
	a.compare(entries, why, "currency", a.currencyOf)
	if !why.any() {
		// The lines are right by themselves, so it is the whole that is not.
		if d, _, ok := a.assemble(entries); ok {
			_, err := rules(d, a.now())
			why.faults(wholeOrder, err, "")
		}
	}
	return why
}

// compare notes when lines that name a value name different ones.
func (a *csvAssembler) compare(entries []entry, why *reasons, field string, value func(*entry) string) {
	first := -1
	for i := range entries {
		if entries[i].defect != "" || value(&entries[i]) == "" {
			continue
		}
		if first < 0 {
			first = i
			continue
		}
		if was, is := value(&entries[first]), value(&entries[i]); was != is {
			why.order(fmt.Sprintf("%s must be the same on every line of an order: it is %.140q on line %d and %.140q on line %d",
				field, was, entries[first].line, is, entries[i].line))
			return
		}
	}
}

// item takes the item of a line. A quantity that is no whole number becomes 0, which the rules refuse
// with the right words.
func (a *csvAssembler) item(e *entry) order.DraftItem {
	quantity, _ := parseQuantity(get(e, a.quantity))
	return order.DraftItem{
		SKU: a.text(get(e, a.sku)), Name: a.text(get(e, a.name)), Quantity: quantity, UnitPrice: trimBlanks(get(e, a.unitPrice)),
	}
}

func (a *csvAssembler) currencyOf(e *entry) string {
	if currency := get(e, a.columns.currency); currency != "" {
		return currency
	}
	return a.currency
}

// mergeMetadata adds a line's metadata to the order's. It reports whether a value differs from an
// earlier one.
func (a *csvAssembler) mergeMetadata(d *order.Draft, e *entry) (differs bool) {
	for _, m := range a.metadata {
		value := get(e, m.index)
		if value == "" {
			continue
		}
		if d.Metadata == nil {
			d.Metadata = make(map[string]string, len(a.metadata))
		}
		if was, has := d.Metadata[m.key]; has {
			differs = differs || was != value
			continue
		}
		d.Metadata[m.key] = value
	}
	return differs
}

// get returns a field of a record, or "" when there is no column for it.
func get(e *entry, index int) string {
	if index < 0 {
		return ""
	}
	return e.fields[index]
}

// earlier returns the earlier of two dates; no date is later than any.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// trimBlanks takes blanks off around a number or a date. Texts are kept as they are.
func trimBlanks(s string) string { return strings.Trim(s, " ") }
