package wire

import "order-processing-service/internal/domain/order"

// NewOrder is an order as a caller asks for it.
type NewOrder struct {
	CustomerID string    `json:"customer_id" minLength:"1" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f]*$" example:"c-1" doc:"Who orders, as the caller names customers."`
	Items      []NewItem `json:"items" nullable:"false" minItems:"1" maxItems:"1000" doc:"The lines. The same SKU may stand on several."`
	Currency   *Currency `json:"currency,omitempty" nullable:"true" example:"EUR" doc:"ISO 4217 code of the currency of every price; the service's default when absent or null."`
	Reference  *string   `json:"reference,omitempty" nullable:"true" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f]*$" example:"A-17" doc:"The caller's own order number, by which orders can be listed."`
	PlacedAt   *Moment   `json:"placed_at,omitempty" nullable:"true" example:"2026-01-15T09:30:00Z" doc:"When the customer ordered (RFC 3339), not in the future and not before 1900; when absent or null, now."`
	Metadata   Metadata  `json:"metadata,omitempty" nullable:"true" maxProperties:"50" example:"{\"channel\":\"web\"}" doc:"The caller's own notes: keys of 1 to 40 characters, values of up to 500."`
}

// NewItem is one line of a NewOrder.
type NewItem struct {
	SKU       string  `json:"sku" minLength:"1" maxLength:"64" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f]*$" example:"TEA" doc:"What is ordered, as the caller names goods."`
	Quantity  int64   `json:"quantity" minimum:"1" maximum:"1000000" example:"2" doc:"How many."`
	UnitPrice Price   `json:"unit_price" example:"12.50" doc:"The price of one: zero or more, at most 15 significant digits, and at most four decimals more than the currency has. A string that holds the number does as well."`
	Name      *string `json:"name,omitempty" nullable:"true" maxLength:"255" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f]*$" example:"Green tea" doc:"What people call it."`
}

// Price is a Decimal that a caller sends; its schema says what is accepted.
type Price string

// MarshalJSON writes the number, as Decimal does.
func (p Price) MarshalJSON() ([]byte, error) { return Decimal(p).MarshalJSON() }

// UnmarshalJSON keeps the text of a number or of a string.
func (p *Price) UnmarshalJSON(b []byte) error { return (*Decimal)(p).UnmarshalJSON(b) }

// Currency is an ISO 4217 code that a caller sends.
type Currency string

// Metadata is the metadata that a caller sends.
type Metadata map[string]string

// Moment is a time that a caller sends, kept as its text.
type Moment string

// BatchOrder is one order of a Batch.
type BatchOrder struct {
	NewOrder
	IdempotencyKey *string `json:"idempotency_key,omitempty" nullable:"true" minLength:"1" maxLength:"255" pattern:"^[ -~]+$" example:"order-4711" doc:"Makes a repeat harmless, as the header Idempotency-Key does for one order."`
}

// Batch is several orders at once.
type Batch struct {
	Orders []BatchOrder `json:"orders" nullable:"false" minItems:"1" maxItems:"1000" doc:"The orders. Each is accepted or refused on its own."`
}

// Patch is a change of an order. At least one of the two is needed.
type Patch struct {
	Status   order.Status  `json:"status,omitempty" example:"PAID" doc:"The status to move to. The one that the order has already changes nothing."`
	Metadata MetadataPatch `json:"metadata,omitempty" example:"{\"channel\":\"shop\",\"note\":null}" doc:"Keys to set; null removes a key. Keys that are absent stay as they are."`
}

// MetadataPatch is a change of metadata: null removes a key.
type MetadataPatch map[string]*string
