package order

import (
	"strconv"
	"time"

	"order-processing-service/internal/domain/money"
)

// EventType names a fact in the past tense.
type EventType string

// The event types.
const (
	EventOrderCreated         EventType = "OrderCreated"
	EventOrderStatusChanged   EventType = "OrderStatusChanged"
	EventOrderItemsChanged    EventType = "OrderItemsChanged"
	EventOrderMetadataChanged EventType = "OrderMetadataChanged"
	EventPaymentAuthorized    EventType = "PaymentAuthorized"
	EventPaymentCaptured      EventType = "PaymentCaptured"
	EventPaymentFailed        EventType = "PaymentFailed"
	EventPaymentVoided        EventType = "PaymentVoided"
	EventRefundSucceeded      EventType = "RefundSucceeded"
	EventRefundFailed         EventType = "RefundFailed"
	EventFulfillmentCreated   EventType = "FulfillmentCreated"
	EventFulfillmentShipped   EventType = "FulfillmentShipped"
	EventFulfillmentDelivered EventType = "FulfillmentDelivered"
	EventFulfillmentCanceled  EventType = "FulfillmentCanceled"
	EventReturnRequested      EventType = "ReturnRequested"
	EventReturnReceived       EventType = "ReturnReceived"
	EventReturnDeclined       EventType = "ReturnDeclined"
)

// EventTypes returns every event type.
func EventTypes() []EventType {
	return []EventType{
		EventOrderCreated, EventOrderStatusChanged, EventOrderItemsChanged, EventOrderMetadataChanged,
		EventPaymentAuthorized, EventPaymentCaptured, EventPaymentFailed, EventPaymentVoided,
		EventRefundSucceeded, EventRefundFailed,
		EventFulfillmentCreated, EventFulfillmentShipped, EventFulfillmentDelivered, EventFulfillmentCanceled,
		EventReturnRequested, EventReturnReceived, EventReturnDeclined,
	}
}

// Event is one fact about one order, for ever. Of the pointers, the one that belongs to Type is set;
// an event and what it points to are never changed.
type Event struct {
	Type     EventType
	Sequence int       // counts the order's events from 1, without gaps
	Version  int       // the order's version that the fact came with
	Time     time.Time // UTC, to the millisecond
	Actor    string    // who made the change; "" when nobody is known
	Trace    string    // the W3C traceparent of the work that it came from; "" when nobody records that
	Status   Status    // the order's status after the fact

	PreviousStatus Status // OrderStatusChanged
	Created        *CreatedFact
	Metadata       map[string]*string // OrderMetadataChanged: the keys changed; nil removes one
	Payment        *PaymentFact
	Refund         *RefundFact
	Fulfillment    *FulfillmentFact
}

// CreatedFact is what an order was when it was made.
type CreatedFact struct {
	Reference string
	Currency  money.Currency
	Total     money.Amount
	Items     []Item
	PlacedAt  time.Time
}

// PaymentFact is what happened to a payment.
type PaymentFact struct {
	PaymentID ID
	Amount    money.Amount
}

// RefundFact is what happened to a refund.
type RefundFact struct {
	RefundID, PaymentID ID
	Amount              money.Amount
}

// FulfillmentFact is what happened to a fulfillment.
type FulfillmentFact struct {
	FulfillmentID ID
	Lines         []LineQuantity
}

// Size is about how many bytes the event takes where it is stored. It bounds an order's record, which
// some stores limit to 16 MiB.
func (e *Event) Size() int {
	const fixed, perItem = 256, 96
	n := fixed + len(e.Actor) + len(e.Trace)
	if e.Created != nil {
		n += len(e.Created.Reference)
		for i := range e.Created.Items {
			n += perItem + len(e.Created.Items[i].SKU) + len(e.Created.Items[i].Name)
		}
	}
	for key, value := range e.Metadata {
		n += perItem + len(key)
		if value != nil {
			n += len(*value)
		}
	}
	if e.Fulfillment != nil {
		n += perItem * len(e.Fulfillment.Lines)
	}
	return n
}

// EventID returns the id that an order's event has for ever, by which a subscriber can tell a repeat.
func EventID(order ID, sequence int) string {
	return order.String() + "-" + strconv.Itoa(sequence)
}
