// Package document is the stored form of an order: objects that every store keeps alike, and that a
// reader of the database understands. It has a version number; whatever form was ever written can be
// read for ever. It is written as JSON or as BSON; only what has a type of its own in BSON differs.
//
// Times are milliseconds since 1970 in UTC; in BSON, dates. Ids are hexadecimal text; in BSON,
// ObjectIDs. What callers name, metadata, is an object; in BSON, where a name may not hold everything,
// a list of {k, v}. Amounts are whole minor units of the order's currency. Unit prices, which may be
// finer, are decimals in a string. Absent members mean zero, empty or none.
package document

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// Version is the version of the form that is written.
const Version = 1

type orderDoc struct {
	Form         int              `json:"form"`
	Version      int              `json:"version"`
	Sequence     int              `json:"sequence"`
	EventBytes   int              `json:"event_bytes"`
	CustomerID   string           `json:"customer_id"`
	Reference    string           `json:"reference"`
	Currency     string           `json:"currency"`
	Total        int64            `json:"total"`
	Lines        []lineDoc        `json:"lines"`
	Payments     []paymentDoc     `json:"payments"`
	Fulfillments []fulfillmentDoc `json:"fulfillments"`
	Returns      []returnDoc      `json:"returns"`
	Metadata     metadata         `json:"metadata"`
	Requests     []requestDoc     `json:"requests"`
	Origin       string           `json:"origin"`
	PlacedAt     instant          `json:"placed_at"`
	CreatedAt    instant          `json:"created_at"`
	UpdatedAt    instant          `json:"updated_at"`
}

type itemDoc struct {
	SKU       string `json:"sku"`
	Name      string `json:"name"`
	Quantity  int64  `json:"quantity"`
	UnitPrice string `json:"unit_price"`
	Total     int64  `json:"total"`
}

type lineDoc struct {
	Item      itemDoc `json:",embed" bson:",inline"` //nolint:revive // embed is of github.com/go-json-experiment/json
	Canceled  int64   `json:"canceled"`
	Shipped   int64   `json:"shipped"`
	Delivered int64   `json:"delivered"`
	Returned  int64   `json:"returned"`
}

type paymentDoc struct {
	ID        identity    `json:"id"`
	State     string      `json:"state"`
	Provider  string      `json:"provider"`
	Amount    int64       `json:"amount"`
	CreatedAt instant     `json:"created_at"`
	UpdatedAt instant     `json:"updated_at"`
	Refunds   []refundDoc `json:"refunds"`
}

type refundDoc struct {
	ID        identity `json:"id"`
	State     string   `json:"state"`
	Amount    int64    `json:"amount"`
	CreatedAt instant  `json:"created_at"`
	UpdatedAt instant  `json:"updated_at"`
}

type partDoc struct {
	Line     int   `json:"line"`
	Quantity int64 `json:"quantity"`
}

type fulfillmentDoc struct {
	ID        identity  `json:"id"`
	State     string    `json:"state"`
	Lines     []partDoc `json:"lines"`
	Carrier   string    `json:"carrier"`
	Tracking  string    `json:"tracking"`
	CreatedAt instant   `json:"created_at"`
	UpdatedAt instant   `json:"updated_at"`
}

type returnDoc struct {
	ID        identity  `json:"id"`
	State     string    `json:"state"`
	Lines     []partDoc `json:"lines"`
	Reason    string    `json:"reason"`
	CreatedAt instant   `json:"created_at"`
	UpdatedAt instant   `json:"updated_at"`
}

type requestDoc struct {
	Key         identity `json:"key"`
	Fingerprint string   `json:"fingerprint"`
	Version     int      `json:"version"`
}

// damaged is the fault for a record that can't be read. Trying again does not help.
func damaged(err error) error {
	return fault.Wrap(err, fault.Internal, "order_damaged",
		"this order can't be read, because its record in the store is damaged; an operator must restore it from a backup")
}

// DecodeOrder reads what AppendOrder wrote, in any of its versions, of the order with the given id.
// The error is a fault of kind Internal.
func DecodeOrder(id order.ID, data []byte) (*order.Order, error) {
	o, err := decodeOrder(id, data)
	if err != nil {
		return nil, damaged(err)
	}
	return o, nil
}

func decodeOrder(id order.ID, data []byte) (*order.Order, error) {
	s, ok := quickOrder(id, string(data))
	if !ok {
		var err error
		if s, err = anyOrder(id, data); err != nil {
			return nil, fmt.Errorf("decode order %s: %w", id, err)
		}
	}
	return order.Restore(s)
}

// anyOrder reads whatever quickOrder does not.
func anyOrder(id order.ID, data []byte) (order.Snapshot, error) {
	var d orderDoc
	if err := json.Unmarshal(data, &d); err != nil {
		return order.Snapshot{}, err
	}
	return d.snapshot(id)
}

func (d *orderDoc) snapshot(id order.ID) (order.Snapshot, error) {
	if d.Form != Version {
		return order.Snapshot{}, fmt.Errorf("the stored form is of version %d, this program reads up to %d", d.Form, Version)
	}
	currency, err := money.CurrencyOf(d.Currency)
	if err != nil {
		return order.Snapshot{}, err
	}
	s := order.Snapshot{
		ID: id, Version: d.Version, Sequence: d.Sequence, EventBytes: d.EventBytes, CustomerID: d.CustomerID, Reference: d.Reference,
		Currency: currency, Total: money.Amount(d.Total), Metadata: d.Metadata, Origin: order.Fingerprint(d.Origin),
		PlacedAt: d.PlacedAt.time(), CreatedAt: d.CreatedAt.time(), UpdatedAt: d.UpdatedAt.time(),
	}
	s.Lines = make([]order.Line, len(d.Lines))
	for i := range d.Lines {
		l := &d.Lines[i]
		item, err := l.Item.item(currency)
		if err != nil {
			return s, fmt.Errorf("line %d: %w", i+1, err)
		}
		s.Lines[i] = order.Line{Item: item, Canceled: l.Canceled, Shipped: l.Shipped, Delivered: l.Delivered, Returned: l.Returned}
	}
	if s.Payments, err = convert(d.Payments, paymentDoc.payment); err != nil {
		return s, err
	}
	if s.Fulfillments, err = convert(d.Fulfillments, fulfillmentDoc.fulfillment); err != nil {
		return s, err
	}
	if s.Returns, err = convert(d.Returns, returnDoc.goodsReturn); err != nil {
		return s, err
	}
	s.Requests, err = convert(d.Requests, requestDoc.request)
	return s, err
}

// convert maps a list; the list of nothing stays nil.
func convert[D, R any](docs []D, one func(D) (R, error)) ([]R, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	records := make([]R, len(docs))
	for i, d := range docs {
		r, err := one(d)
		if err != nil {
			return nil, err
		}
		records[i] = r
	}
	return records, nil
}

func (d itemDoc) item(currency money.Currency) (order.Item, error) {
	price, err := money.ParsePrice(d.UnitPrice, currency)
	return order.Item{SKU: d.SKU, Name: d.Name, Quantity: d.Quantity, UnitPrice: price, Total: money.Amount(d.Total)}, err
}

func (d paymentDoc) payment() (order.Payment, error) {
	id, err := d.ID.parse()
	if err != nil {
		return order.Payment{}, err
	}
	refunds, err := convert(d.Refunds, refundDoc.refund)
	return order.Payment{
		ID: id, State: order.PaymentState(d.State), Provider: d.Provider, Amount: money.Amount(d.Amount),
		CreatedAt: d.CreatedAt.time(), UpdatedAt: d.UpdatedAt.time(), Refunds: refunds,
	}, err
}

func (d refundDoc) refund() (order.Refund, error) {
	id, err := d.ID.parse()
	return order.Refund{
		ID: id, State: order.RefundState(d.State), Amount: money.Amount(d.Amount),
		CreatedAt: d.CreatedAt.time(), UpdatedAt: d.UpdatedAt.time(),
	}, err
}

func (d partDoc) part() (order.LineQuantity, error) {
	return order.LineQuantity{Line: d.Line, Quantity: d.Quantity}, nil
}

func (d fulfillmentDoc) fulfillment() (order.Fulfillment, error) {
	id, err := d.ID.parse()
	if err != nil {
		return order.Fulfillment{}, err
	}
	lines, err := convert(d.Lines, partDoc.part)
	return order.Fulfillment{
		ID: id, State: order.FulfillmentState(d.State), Lines: lines, Carrier: d.Carrier, Tracking: d.Tracking,
		CreatedAt: d.CreatedAt.time(), UpdatedAt: d.UpdatedAt.time(),
	}, err
}

func (d returnDoc) goodsReturn() (order.Return, error) {
	id, err := d.ID.parse()
	if err != nil {
		return order.Return{}, err
	}
	lines, err := convert(d.Lines, partDoc.part)
	return order.Return{
		ID: id, State: order.ReturnState(d.State), Lines: lines, Reason: d.Reason,
		CreatedAt: d.CreatedAt.time(), UpdatedAt: d.UpdatedAt.time(),
	}, err
}

func (d requestDoc) request() (order.Request, error) {
	key, err := d.Key.parse()
	return order.Request{Key: key, Fingerprint: order.Fingerprint(d.Fingerprint), Version: d.Version}, err
}
