package order

import "time"

// FulfillmentState is how far one fulfillment has come.
type FulfillmentState string

// The states of a fulfillment.
const (
	FulfillmentStatePending   FulfillmentState = "PENDING"
	FulfillmentStateShipped   FulfillmentState = "SHIPPED"
	FulfillmentStateDelivered FulfillmentState = "DELIVERED"
	FulfillmentStateCanceled  FulfillmentState = "CANCELED"
)

// ReturnState is how far one return has come.
type ReturnState string

// The states of a return.
const (
	ReturnStateRequested ReturnState = "REQUESTED"
	ReturnStateReceived  ReturnState = "RECEIVED"
	ReturnStateDeclined  ReturnState = "DECLINED"
)

// LineQuantity is a part of one order line.
type LineQuantity struct {
	Line     int // the line's number, from 1
	Quantity int64
}

// Fulfillment is goods on their way to the customer.
type Fulfillment struct {
	ID        ID
	State     FulfillmentState
	Lines     []LineQuantity
	Carrier   string
	Tracking  string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Return is goods on their way back.
type Return struct {
	ID        ID
	State     ReturnState
	Lines     []LineQuantity
	Reason    string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ship records a fulfillment of all that is left, as shipped.
func (o *Order) ship(id ID, at Stamp) {
	f := Fulfillment{ID: id, State: FulfillmentStateShipped, CreatedAt: at.Time, UpdatedAt: at.Time}
	for i := range o.s.Lines {
		l := &o.s.Lines[i]
		if left := l.Quantity - l.Canceled - l.Shipped; left > 0 {
			l.Shipped += left
			f.Lines = append(f.Lines, LineQuantity{Line: i + 1, Quantity: left})
		}
	}
	o.s.Fulfillments = append(o.s.Fulfillments, f)
	fact := &FulfillmentFact{FulfillmentID: id, Lines: f.Lines}
	o.record(Event{Type: EventFulfillmentCreated, Fulfillment: fact}, at)
	o.record(Event{Type: EventFulfillmentShipped, Fulfillment: fact}, at)
}

// deliver records that everything shipped has arrived.
func (o *Order) deliver(at Stamp) {
	for i := range o.s.Fulfillments {
		f := &o.s.Fulfillments[i]
		if f.State != FulfillmentStateShipped {
			continue
		}
		f.State, f.UpdatedAt = FulfillmentStateDelivered, at.Time
		for _, part := range f.Lines {
			o.s.Lines[part.Line-1].Delivered += part.Quantity
		}
		o.record(Event{Type: EventFulfillmentDelivered, Fulfillment: &FulfillmentFact{FulfillmentID: f.ID, Lines: f.Lines}}, at)
	}
}

// cancelLines cancels everything that has not been shipped, and the fulfillments that wait for it.
func (o *Order) cancelLines(at Stamp) {
	for i := range o.s.Lines {
		l := &o.s.Lines[i]
		l.Canceled = l.Quantity - l.Shipped
	}
	for i := range o.s.Fulfillments {
		f := &o.s.Fulfillments[i]
		if f.State == FulfillmentStatePending {
			f.State, f.UpdatedAt = FulfillmentStateCanceled, at.Time
			o.record(Event{Type: EventFulfillmentCanceled, Fulfillment: &FulfillmentFact{FulfillmentID: f.ID, Lines: f.Lines}}, at)
		}
	}
}
