package wire

import (
	"time"

	"order-processing-service/internal/domain/order"
)

// EventSource is the source of every event.
const EventSource = "order-processing-service"

// CloudEvent is the envelope of an event: CloudEvents 1.0 in its JSON form. Data is one of the data
// types below, by the event's type.
type CloudEvent struct {
	SpecVersion     string          `json:"specversion" enum:"1.0" example:"1.0" doc:"The version of CloudEvents."`
	ID              string          `json:"id" pattern:"^[0-9a-f]{24}-[1-9][0-9]*$" example:"6743f1a0c2d4e6f801234567-1" doc:"The event's id: the same however often the event is told."`
	Source          string          `json:"source" enum:"order-processing-service" example:"order-processing-service" doc:"Who tells."`
	Type            order.EventType `json:"type" example:"OrderCreated" doc:"What happened."`
	Subject         string          `json:"subject" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234567" doc:"The order's id."`
	Time            time.Time       `json:"time" example:"2026-01-15T09:30:00.000Z" doc:"When it happened."`
	DataContentType string          `json:"datacontenttype" enum:"application/json" example:"application/json" doc:"The form of data."`
	TraceParent     string          `json:"traceparent,omitempty" pattern:"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" example:"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" doc:"The span that made the change, as W3C Trace Context has it; only there if its trace is recorded."`
	Data            any             `json:"data" doc:"What happened, in full."`
}

// TimelineEntry is an event in an order's timeline. Data is as in CloudEvent.
type TimelineEntry struct {
	ID       string          `json:"id" pattern:"^[0-9a-f]{24}-[1-9][0-9]*$" example:"6743f1a0c2d4e6f801234567-1" doc:"The event's id."`
	Type     order.EventType `json:"type" example:"OrderCreated" doc:"What happened."`
	Sequence int             `json:"sequence" minimum:"1" example:"1" doc:"Counts the order's events from 1, without gaps."`
	Version  int             `json:"version" minimum:"1" example:"1" doc:"The order's version that the event came with; one change may be several events."`
	Time     time.Time       `json:"time" example:"2026-01-15T09:30:00.000Z" doc:"When it happened."`
	Actor    *string         `json:"actor" example:"anonymous" doc:"Who did it; null when nobody is known."`
	Data     EventDetail     `json:"data" doc:"What happened: the data of the event as subscribers get it."`
}

// EventDetail is the data of an event of any type.
type EventDetail map[string]any

// EventData is what the data of every event holds.
type EventData struct {
	EventID    string       `json:"eventId" pattern:"^[0-9a-f]{24}-[1-9][0-9]*$" example:"6743f1a0c2d4e6f801234567-1" doc:"The event's id: the same however often the event is told."`
	OrderID    string       `json:"orderId" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234567" doc:"The order's id."`
	CustomerID string       `json:"customerId" minLength:"1" maxLength:"128" example:"c-1" doc:"Who ordered."`
	Status     order.Status `json:"status" example:"PENDING" doc:"The order's status after the event."`
	Version    int          `json:"version" minimum:"1" example:"1" doc:"The order's version that the event came with."`
	Sequence   int          `json:"sequence" minimum:"1" example:"1" doc:"Counts the order's events from 1, without gaps."`
	Actor      *string      `json:"actor" example:"anonymous" doc:"Who made the change; null when nobody is known."`
}

// OrderCreatedData is the data of OrderCreated.
type OrderCreatedData struct {
	EventData
	Reference *string     `json:"reference" maxLength:"128" example:"A-17" doc:"The caller's own order number; null when it gave none."`
	Currency  string      `json:"currency" pattern:"^[A-Z]{3}$" example:"EUR" doc:"ISO 4217 code of the currency of every amount."`
	Total     Decimal     `json:"total" example:"25.00" doc:"The sum of the line totals."`
	PlacedAt  time.Time   `json:"placedAt" example:"2026-01-15T09:30:00.000Z" doc:"When the customer ordered."`
	Items     []EventItem `json:"items" nullable:"false" minItems:"1" maxItems:"1000" doc:"The lines."`
}

// EventItem is a line in OrderCreatedData.
type EventItem struct {
	Line      int     `json:"line" minimum:"1" example:"1" doc:"The line's number, from 1."`
	SKU       string  `json:"sku" minLength:"1" maxLength:"64" example:"TEA" doc:"What was ordered."`
	Name      *string `json:"name" maxLength:"255" example:"Green tea" doc:"What people call it; null when none was given."`
	Quantity  int64   `json:"quantity" minimum:"1" maximum:"1000000" example:"2" doc:"How many."`
	UnitPrice Decimal `json:"unitPrice" example:"12.50" doc:"The price of one."`
	LineTotal Decimal `json:"lineTotal" example:"25.00" doc:"The unit price times the quantity, rounded once."`
}

// EventReferenceData is the data of an event that would be too large for where it is told.
type EventReferenceData struct {
	EventData
	DataRef string `json:"dataref" format:"uri-reference" example:"s3://orders-manifest/6743f1a0c2d4e6f801234567.json" doc:"Where the order is found: its manifest, or else its path in the API. The manifest may come a little later than the event."`
}

// StatusChangedData is the data of OrderStatusChanged.
type StatusChangedData struct {
	EventData
	PreviousStatus order.Status `json:"previousStatus" example:"PENDING" doc:"The order's status before."`
}

// MetadataChangedData is the data of OrderMetadataChanged.
type MetadataChangedData struct {
	EventData
	Metadata MetadataPatch `json:"metadata" doc:"The keys that changed, with their new values; null where a key was removed."`
}

// PaymentData is the data of PaymentAuthorized, PaymentCaptured, PaymentFailed and PaymentVoided.
type PaymentData struct {
	EventData
	PaymentID string  `json:"paymentId" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234568" doc:"The payment's id."`
	Amount    Decimal `json:"amount" example:"25.00" doc:"How much."`
	Currency  string  `json:"currency" pattern:"^[A-Z]{3}$" example:"EUR" doc:"ISO 4217 code of the currency."`
}

// RefundData is the data of RefundSucceeded and RefundFailed.
type RefundData struct {
	EventData
	RefundID  string  `json:"refundId" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234569" doc:"The refund's id."`
	PaymentID string  `json:"paymentId" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234568" doc:"The id of the payment that is given back."`
	Amount    Decimal `json:"amount" example:"25.00" doc:"How much."`
	Currency  string  `json:"currency" pattern:"^[A-Z]{3}$" example:"EUR" doc:"ISO 4217 code of the currency."`
}

// FulfillmentData is the data of FulfillmentCreated, FulfillmentShipped, FulfillmentDelivered and
// FulfillmentCanceled.
type FulfillmentData struct {
	EventData
	FulfillmentID string `json:"fulfillmentId" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f80123456a" doc:"The fulfillment's id."`
	Items         []Part `json:"items" nullable:"false" minItems:"1" maxItems:"1000" doc:"What it holds."`
}

// EventForm is the form of one type of event.
type EventForm struct {
	Type order.EventType
	// Data is the zero value of the data's type.
	Data any
	// Doc says in one sentence what happened.
	Doc string
}

// EventForms lists every type of event that the service tells, with its form.
func EventForms() []EventForm {
	return []EventForm{
		{order.EventOrderCreated, OrderCreatedData{}, "An order was taken."},
		{order.EventOrderStatusChanged, StatusChangedData{}, "The order's status became another one."},
		{order.EventOrderMetadataChanged, MetadataChangedData{}, "Metadata keys were set or removed."},
		{order.EventPaymentAuthorized, PaymentData{}, "A payment was promised by its provider."},
		{order.EventPaymentCaptured, PaymentData{}, "A payment was taken."},
		{order.EventPaymentFailed, PaymentData{}, "A payment could not be taken."},
		{order.EventPaymentVoided, PaymentData{}, "A payment was given up before it was taken."},
		{order.EventRefundSucceeded, RefundData{}, "Money was given back."},
		{order.EventRefundFailed, RefundData{}, "Money could not be given back."},
		{order.EventFulfillmentCreated, FulfillmentData{}, "Goods were set aside for delivery."},
		{order.EventFulfillmentShipped, FulfillmentData{}, "Goods left."},
		{order.EventFulfillmentDelivered, FulfillmentData{}, "Goods arrived."},
		{order.EventFulfillmentCanceled, FulfillmentData{}, "Goods will not leave."},
	}
}
