package wire

import (
	"time"

	"order-processing-service/internal/domain/order"
)

// Order is an order in full.
type Order struct {
	ID                string                  `json:"id" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234567" doc:"The order's id: 24 hexadecimal digits."`
	CustomerID        string                  `json:"customer_id" minLength:"1" maxLength:"128" example:"c-1" doc:"Who ordered, as the caller names customers."`
	Reference         *string                 `json:"reference" maxLength:"128" example:"A-17" doc:"The caller's own order number; null when it gave none."`
	Status            order.Status            `json:"status" example:"PENDING" doc:"How far the order has come. It follows from the quantities and amounts."`
	PaymentStatus     order.PaymentStatus     `json:"payment_status" example:"UNPAID" doc:"What has become of the money."`
	FulfillmentStatus order.FulfillmentStatus `json:"fulfillment_status" example:"UNFULFILLED" doc:"What has become of the goods."`
	Currency          string                  `json:"currency" pattern:"^[A-Z]{3}$" example:"EUR" doc:"ISO 4217 code of the currency of every amount in the order."`
	Total             Decimal                 `json:"total" example:"25.00" doc:"The sum of the line totals."`
	Items             []Item                  `json:"items" nullable:"false" minItems:"1" maxItems:"1000" doc:"The lines, as they were ordered, and what has become of them."`
	Payments          []Payment               `json:"payments" nullable:"false" doc:"Money taken for the order, oldest first."`
	Fulfillments      []Fulfillment           `json:"fulfillments" nullable:"false" doc:"Goods on their way to the customer, oldest first."`
	Returns           []Return                `json:"returns" nullable:"false" doc:"Goods on their way back, oldest first."`
	Metadata          map[string]string       `json:"metadata" maxProperties:"50" example:"{\"channel\":\"web\"}" doc:"The caller's own notes."`
	PlacedAt          time.Time               `json:"placed_at" example:"2026-01-15T09:30:00.000Z" doc:"When the customer ordered."`
	CreatedAt         time.Time               `json:"created_at" example:"2026-01-15T09:30:00.000Z" doc:"When the service took the order."`
	UpdatedAt         time.Time               `json:"updated_at" example:"2026-01-15T09:30:00.000Z" doc:"When the order was last changed."`
	Version           int                     `json:"version" minimum:"1" example:"1" doc:"Counts the changes of the order from 1, without gaps. It is the ETag."`
	Actions           Actions                 `json:"actions" doc:"What may be done to the order now."`
}

// Item is one line of an Order.
type Item struct {
	Line      int     `json:"line" minimum:"1" example:"1" doc:"The line's number, from 1."`
	SKU       string  `json:"sku" minLength:"1" maxLength:"64" example:"TEA" doc:"What was ordered, as the caller names goods."`
	Name      *string `json:"name" maxLength:"255" example:"Green tea" doc:"What people call it; null when none was given."`
	Quantity  int64   `json:"quantity" minimum:"1" maximum:"1000000" example:"2" doc:"How many were ordered."`
	UnitPrice Decimal `json:"unit_price" example:"12.50" doc:"The price of one; it may have up to four decimals more than the currency."`
	LineTotal Decimal `json:"line_total" example:"25.00" doc:"The unit price times the quantity, rounded once, half to even."`
	Canceled  int64   `json:"canceled" minimum:"0" example:"0" doc:"How many of them were canceled."`
	Shipped   int64   `json:"shipped" minimum:"0" example:"0" doc:"How many of them left."`
	Delivered int64   `json:"delivered" minimum:"0" example:"0" doc:"How many of them arrived."`
	Returned  int64   `json:"returned" minimum:"0" example:"0" doc:"How many of them came back."`
}

// Payment is money taken for an order.
type Payment struct {
	ID        string             `json:"id" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234568" doc:"The payment's id."`
	Status    order.PaymentState `json:"status" example:"CAPTURED" doc:"How far the payment has come."`
	Provider  string             `json:"provider" example:"external" doc:"Who moves the money; external when the caller does and the service only keeps account."`
	Amount    Decimal            `json:"amount" example:"25.00" doc:"How much."`
	CreatedAt time.Time          `json:"created_at" example:"2026-01-15T09:31:00.000Z" doc:"When the payment came into being."`
	UpdatedAt time.Time          `json:"updated_at" example:"2026-01-15T09:31:00.000Z" doc:"When the payment was last changed."`
	Refunds   []Refund           `json:"refunds" nullable:"false" doc:"Money given back from the payment, oldest first."`
}

// Refund is money given back from a Payment.
type Refund struct {
	ID        string            `json:"id" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234569" doc:"The refund's id."`
	Status    order.RefundState `json:"status" example:"SUCCEEDED" doc:"How far the refund has come."`
	Amount    Decimal           `json:"amount" example:"25.00" doc:"How much."`
	CreatedAt time.Time         `json:"created_at" example:"2026-01-15T09:32:00.000Z" doc:"When the refund came into being."`
	UpdatedAt time.Time         `json:"updated_at" example:"2026-01-15T09:32:00.000Z" doc:"When the refund was last changed."`
}

// Fulfillment is goods on their way to the customer.
type Fulfillment struct {
	ID        string                 `json:"id" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f80123456a" doc:"The fulfillment's id."`
	Status    order.FulfillmentState `json:"status" example:"SHIPPED" doc:"How far the goods have come."`
	Items     []Part                 `json:"items" nullable:"false" doc:"What is on its way."`
	Carrier   *string                `json:"carrier" example:"Correos" doc:"Who carries the goods; null when that is not known."`
	Tracking  *string                `json:"tracking" example:"PK123456" doc:"The carrier's own number; null when that is not known."`
	CreatedAt time.Time              `json:"created_at" example:"2026-01-15T10:00:00.000Z" doc:"When the fulfillment came into being."`
	UpdatedAt time.Time              `json:"updated_at" example:"2026-01-15T10:00:00.000Z" doc:"When the fulfillment was last changed."`
}

// Return is goods on their way back.
type Return struct {
	ID        string            `json:"id" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f80123456b" doc:"The return's id."`
	Status    order.ReturnState `json:"status" example:"REQUESTED" doc:"How far the goods have come."`
	Items     []Part            `json:"items" nullable:"false" doc:"What comes back."`
	Reason    *string           `json:"reason" example:"Wrong size" doc:"Why; null when no reason was given."`
	CreatedAt time.Time         `json:"created_at" example:"2026-01-20T10:00:00.000Z" doc:"When the return came into being."`
	UpdatedAt time.Time         `json:"updated_at" example:"2026-01-20T10:00:00.000Z" doc:"When the return was last changed."`
}

// Part is some of one line.
type Part struct {
	Line     int   `json:"line" minimum:"1" example:"1" doc:"The line's number, from 1."`
	Quantity int64 `json:"quantity" minimum:"1" example:"2" doc:"How many of it."`
}

// Actions says what may be done to an order now.
type Actions struct {
	Pay     Action `json:"pay" doc:"Whether the order may become PAID."`
	Ship    Action `json:"ship" doc:"Whether the order may become SHIPPED."`
	Deliver Action `json:"deliver" doc:"Whether the order may become DELIVERED."`
	Cancel  Action `json:"cancel" doc:"Whether the order may become CANCELED."`
}

// Action says whether something may be done now and, if not, why.
type Action struct {
	Allowed bool   `json:"allowed" example:"false" doc:"Whether it may be done now."`
	Reason  string `json:"reason,omitempty" example:"the order must be PAID first" doc:"Why it may not; absent when it may."`
}

// Decimal is an exact decimal number, kept as its text. It is a number in JSON; when read, a string
// that holds a number does as well.
type Decimal string

// MarshalJSON writes the number; the empty text is 0.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("0"), nil
	}
	return []byte(d), nil
}

// UnmarshalJSON keeps the text of a number or of a string.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	if len(b) >= 2 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	*d = Decimal(b)
	return nil
}
