// Package document is the stored form of an order: JSON objects that every store keeps alike, and
// that a reader of the database understands. It has a version number; whatever form was ever
// written can be read for ever.
//
// Times are milliseconds since 1970 in UTC. Amounts are whole minor units of the order's currency.
// Unit prices, which may be finer, are decimals in a string. Absent members mean zero, empty or none.
package document

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// Version is the version of the form that is written.
const Version = 1

type orderDoc struct {
	Form         int               `json:"form"`
	Version      int               `json:"version"`
	Sequence     int               `json:"sequence"`
	EventBytes   int               `json:"event_bytes"`
	CustomerID   string            `json:"customer_id"`
	Reference    string            `json:"reference"`
	Currency     string            `json:"currency"`
	Total        int64             `json:"total"`
	Lines        []lineDoc         `json:"lines"`
	Payments     []paymentDoc      `json:"payments"`
	Fulfillments []fulfillmentDoc  `json:"fulfillments"`
	Returns      []returnDoc       `json:"returns"`
	Metadata     map[string]string `json:"metadata"`
	Requests     []requestDoc      `json:"requests"`
	Origin       string            `json:"origin"`
	PlacedAt     int64             `json:"placed_at"`
	CreatedAt    int64             `json:"created_at"`
	UpdatedAt    int64             `json:"updated_at"`
}

type itemDoc struct {
	SKU       string `json:"sku"`
	Name      string `json:"name"`
	Quantity  int64  `json:"quantity"`
	UnitPrice string `json:"unit_price"`
	Total     int64  `json:"total"`
}

type lineDoc struct {
	itemDoc   `json:",inline"`
	Canceled  int64 `json:"canceled"`
	Shipped   int64 `json:"shipped"`
	Delivered int64 `json:"delivered"`
	Returned  int64 `json:"returned"`
}

type paymentDoc struct {
	ID        string      `json:"id"`
	State     string      `json:"state"`
	Provider  string      `json:"provider"`
	Amount    int64       `json:"amount"`
	CreatedAt int64       `json:"created_at"`
	UpdatedAt int64       `json:"updated_at"`
	Refunds   []refundDoc `json:"refunds"`
}

type refundDoc struct {
	ID        string `json:"id"`
	State     string `json:"state"`
	Amount    int64  `json:"amount"`
	CreatedAt int64  `json:"created_at"`
	UpdatedAt int64  `json:"updated_at"`
}

type partDoc struct {
	Line     int   `json:"line"`
	Quantity int64 `json:"quantity"`
}

type fulfillmentDoc struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	Lines     []partDoc `json:"lines"`
	Carrier   string    `json:"carrier"`
	Tracking  string    `json:"tracking"`
	CreatedAt int64     `json:"created_at"`
	UpdatedAt int64     `json:"updated_at"`
}

type returnDoc struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	Lines     []partDoc `json:"lines"`
	Reason    string    `json:"reason"`
	CreatedAt int64     `json:"created_at"`
	UpdatedAt int64     `json:"updated_at"`
}

type requestDoc struct {
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
	Version     int    `json:"version"`
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
		return order.Snapshot{}, err //nolint:wrapcheck // decodeOrder does
	}
	if d.Form != Version {
		return order.Snapshot{}, fmt.Errorf("the stored form is of version %d, this program reads up to %d", d.Form, Version)
	}
	return d.snapshot(id)
}

func (d *orderDoc) snapshot(id order.ID) (order.Snapshot, error) {
	currency, err := money.CurrencyOf(d.Currency)
	if err != nil {
		return order.Snapshot{}, err
	}
	s := order.Snapshot{
		ID: id, Version: d.Version, Sequence: d.Sequence, EventBytes: d.EventBytes, CustomerID: d.CustomerID, Reference: d.Reference,
		Currency: currency, Total: money.Amount(d.Total), Metadata: d.Metadata, Origin: order.Fingerprint(d.Origin),
		PlacedAt: moment(d.PlacedAt), CreatedAt: moment(d.CreatedAt), UpdatedAt: moment(d.UpdatedAt),
	}
	s.Lines = make([]order.Line, len(d.Lines))
	for i := range d.Lines {
		l := &d.Lines[i]
		item, err := l.item(currency)
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
	id, err := order.ParseID(d.ID)
	if err != nil {
		return order.Payment{}, err
	}
	refunds, err := convert(d.Refunds, refundDoc.refund)
	return order.Payment{
		ID: id, State: order.PaymentState(d.State), Provider: d.Provider, Amount: money.Amount(d.Amount),
		CreatedAt: moment(d.CreatedAt), UpdatedAt: moment(d.UpdatedAt), Refunds: refunds,
	}, err
}

func (d refundDoc) refund() (order.Refund, error) {
	id, err := order.ParseID(d.ID)
	return order.Refund{
		ID: id, State: order.RefundState(d.State), Amount: money.Amount(d.Amount),
		CreatedAt: moment(d.CreatedAt), UpdatedAt: moment(d.UpdatedAt),
	}, err
}

func (d partDoc) part() (order.LineQuantity, error) {
	return order.LineQuantity{Line: d.Line, Quantity: d.Quantity}, nil
}

func (d fulfillmentDoc) fulfillment() (order.Fulfillment, error) {
	id, err := order.ParseID(d.ID)
	if err != nil {
		return order.Fulfillment{}, err
	}
	lines, err := convert(d.Lines, partDoc.part)
	return order.Fulfillment{
		ID: id, State: order.FulfillmentState(d.State), Lines: lines, Carrier: d.Carrier, Tracking: d.Tracking,
		CreatedAt: moment(d.CreatedAt), UpdatedAt: moment(d.UpdatedAt),
	}, err
}

func (d returnDoc) goodsReturn() (order.Return, error) {
	id, err := order.ParseID(d.ID)
	if err != nil {
		return order.Return{}, err
	}
	lines, err := convert(d.Lines, partDoc.part)
	return order.Return{
		ID: id, State: order.ReturnState(d.State), Lines: lines, Reason: d.Reason,
		CreatedAt: moment(d.CreatedAt), UpdatedAt: moment(d.UpdatedAt),
	}, err
}

func (d requestDoc) request() (order.Request, error) {
	key, err := order.ParseID(d.Key)
	return order.Request{Key: key, Fingerprint: order.Fingerprint(d.Fingerprint), Version: d.Version}, err
}

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
