package order

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
)

// Draft is what a caller asks for: an order that has yet to be held against the rules.
type Draft struct {
	CustomerID string
	Reference  string // the caller's own order number; "" for none
	Currency   string // ISO 4217 code
	Items      []DraftItem
	Metadata   map[string]string
	PlacedAt   time.Time // when the customer ordered; zero for the time of creation
}

// DraftItem is one line of a Draft.
type DraftItem struct {
	SKU       string
	Name      string
	Quantity  int64
	UnitPrice string // a decimal number, as money.ParsePrice reads it
}

// minPlacedAt keeps dates within what every store and every reader of JSON dates can hold.
var minPlacedAt = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// New makes an order by the rules. It is the door for callers; storage uses Restore. Origin is the
// fingerprint of the request when an idempotency key decided id, else "". The error is one fault of
// kind Invalid that names every field at fault; locations are relative to the draft's JSON form.
func New(id ID, d Draft, origin Fingerprint, at Stamp) (*Order, error) {
	var faults fieldFaults
	at.Time = Moment(at.Time)

	faults.text("customer_id", d.CustomerID, 1, MaxCustomerID)
	faults.text("reference", d.Reference, 0, MaxReference)
	placedAt := at.Time
	if !d.PlacedAt.IsZero() {
		placedAt = Moment(d.PlacedAt)
		switch {
		case placedAt.After(at.Time):
			faults.add("placed_at", "must not be in the future")
		case placedAt.Before(minPlacedAt):
			faults.add("placed_at", "must not be before the year 1900")
		}
	}
	checkMetadata(&faults, d.Metadata)
	currency, err := money.CurrencyOf(d.Currency)
	if err != nil {
		faults.add("currency", fault.Of(err).Message)
	}
	lines, total := checkItems(&faults, d.Items, currency)
	if err := faults.err(); err != nil {
		return nil, err
	}

	o := &Order{s: Snapshot{
		ID: id, CustomerID: d.CustomerID, Reference: d.Reference, Currency: currency, Total: total,
		Lines: lines, Metadata: maps.Clone(d.Metadata), Origin: origin,
		PlacedAt: placedAt, CreatedAt: at.Time, UpdatedAt: at.Time,
	}}
	o.begin(at)
	created := &CreatedFact{Reference: d.Reference, Currency: currency, Total: total, PlacedAt: placedAt}
	created.Items = make([]Item, len(lines))
	for i := range lines {
		created.Items[i] = lines[i].Item
	}
	o.record(Event{Type: EventOrderCreated, Created: created}, at)
	return o, nil
}

func checkItems(faults *fieldFaults, items []DraftItem, currency money.Currency) ([]Line, money.Amount) {
	if len(items) == 0 || len(items) > MaxLines {
		faults.add("items", fmt.Sprintf("must have 1 to %d lines, not %d", MaxLines, len(items)))
		return nil, 0
	}
	lines := make([]Line, len(items))
	var total money.Amount
	for i := range items {
		before := len(faults.fields)
		lines[i] = checkItem(faults, i, &items[i], currency)
		if len(faults.fields) > before {
			continue
		}
		sum, err := total.Add(lines[i].Total)
		if err != nil {
			faults.add("items", "add up to too much: the order's total "+fault.Of(err).Message)
			return nil, 0
		}
		total = sum
	}
	return lines, total
}

func checkItem(faults *fieldFaults, i int, item *DraftItem, currency money.Currency) Line {
	at := func(field string) string { return fmt.Sprintf("items[%d].%s", i, field) }
	if m := textFault(item.SKU, 1, MaxSKU); m != "" {
		faults.add(at("sku"), m)
	}
	if m := textFault(item.Name, 0, MaxName); m != "" {
		faults.add(at("name"), m)
	}
	quantityOK := item.Quantity >= 1 && item.Quantity <= MaxQuantity
	if !quantityOK {
		faults.add(at("quantity"), "must be a whole number from 1 to 1,000,000")
	}
	line := Line{Item: Item{SKU: item.SKU, Name: item.Name, Quantity: item.Quantity}}
	if item.UnitPrice == "" {
		faults.add(at("unit_price"), "is required: a decimal number such as 12.50")
		return line
	}
	if currency.IsZero() {
		return line // without a currency a price can't be judged
	}
	price, err := money.ParsePrice(item.UnitPrice, currency)
	if err != nil {
		faults.add(at("unit_price"), fault.Of(err).Message)
		return line
	}
	line.UnitPrice = price
	if quantityOK {
		if line.Total, err = price.Times(item.Quantity, currency); err != nil {
			faults.add(at("unit_price"), "times quantity "+fault.Of(err).Message)
		}
	}
	return line
}

func checkMetadata(faults *fieldFaults, metadata map[string]string) {
	if len(metadata) > MaxMetadata {
		faults.add("metadata", fmt.Sprintf("must have at most %d keys, not %d", MaxMetadata, len(metadata)))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if !checkMetadataKey(faults, key) {
			continue
		}
		if m := textFault(metadata[key], 0, MaxMetadataValue); m != "" {
			faults.add("metadata."+key, m)
		}
	}
}

func checkMetadataKey(faults *fieldFaults, key string) bool {
	m := textFault(key, 1, MaxMetadataKey)
	if m != "" {
		faults.add("metadata", "each key "+m)
	}
	return m == ""
}

// Moment returns t as the service keeps times: UTC, to the millisecond, which is what every store
// holds.
func Moment(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
