package wire

import "time"

// OrderPage is a page of a list of orders. It is also the form of an export in JSON, without the
// cursor.
type OrderPage struct {
	Orders     []Order `json:"orders" nullable:"false" maxItems:"200" doc:"The orders, newest first."`
	NextCursor *string `json:"next_cursor" example:"AQAAAZu9k2l4Z0PxoMLU5vgBI0Vn" doc:"Where the list goes on: the parameter cursor of the next request; null at the end."`
}

// OrderExport is an export in JSON.
type OrderExport struct {
	Orders []Order `json:"orders" nullable:"false" doc:"The orders, newest first."`
}

// BatchResults answers a Batch.
type BatchResults struct {
	Results []BatchResult `json:"results" nullable:"false" minItems:"1" maxItems:"1000" doc:"A result for each order, in the order sent."`
}

// BatchResult is what became of one order of a Batch.
type BatchResult struct {
	Status   int      `json:"status" minimum:"201" maximum:"599" example:"201" doc:"The HTTP status that the order alone would have been answered with."`
	Replayed bool     `json:"replayed,omitempty" example:"true" doc:"True when the order was there already, from the same request; else absent."`
	Order    *Order   `json:"order,omitempty" doc:"The order, when it was taken."`
	Problem  *Problem `json:"problem,omitempty" doc:"Why it was refused."`
}

// Timeline is all events of an order.
type Timeline struct {
	Events []TimelineEntry `json:"events" nullable:"false" doc:"The events, oldest first."`
}

// DeliveryPage is a page of deliveries.
type DeliveryPage struct {
	Deliveries []Delivery `json:"deliveries" nullable:"false" doc:"The deliveries."`
	NextCursor *string    `json:"next_cursor" example:"Njc0M2YxYTBjMmQ0ZTZmODAxMjM0NTY3" doc:"Where the list goes on: the parameter cursor of the next request; null at the end."`
}

// Delivery is what one subscriber has yet to be told of one order.
type Delivery struct {
	OrderID       string    `json:"order_id" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234567" doc:"The order."`
	Subscriber    string    `json:"subscriber" example:"eventbridge" doc:"Who is to be told."`
	State         string    `json:"state" enum:"waiting,parked" example:"parked" doc:"Whether it waits for its next try or is given up until somebody acts."`
	Sequence      int       `json:"sequence" minimum:"1" example:"3" doc:"The event that is to be told next."`
	Attempts      int       `json:"attempts" minimum:"0" example:"10" doc:"How many tries of it were refused. A subscriber that is away refuses nothing."`
	NextAttemptAt time.Time `json:"next_attempt_at" nullable:"true" example:"2026-01-15T09:30:00.000Z" doc:"When it is tried next; null while it is parked."`
	LastError     string    `json:"last_error" nullable:"true" example:"eventbridge: throttled" doc:"Why the last try failed, or why none can be made; null otherwise."`
}

// DeliveryAction answers what an operator asked to be done with a delivery.
type DeliveryAction struct {
	OrderID    string `json:"order_id" pattern:"^[0-9a-f]{24}$" example:"6743f1a0c2d4e6f801234567" doc:"The order."`
	Subscriber string `json:"subscriber" example:"eventbridge" doc:"The subscriber."`
	Action     string `json:"action" enum:"redrive,skip" example:"redrive" doc:"What is done."`
}

// Redriven answers what an operator asked to be done with parked deliveries.
type Redriven struct {
	Redriven   int     `json:"redriven" minimum:"0" example:"1000" doc:"How many deliveries are tried again."`
	NextCursor *string `json:"next_cursor" example:"Njc0M2YxYTBjMmQ0ZTZmODAxMjM0NTY3" doc:"Where to go on: the parameter cursor of the next request; null at the end."`
}

// Health says how the service is.
type Health struct {
	Status  string `json:"status" enum:"ok" example:"ok" doc:"That all is well."`
	Service string `json:"service" example:"order-processing-service" doc:"Which service it is."`
	Version string `json:"version" example:"v1.0.0" doc:"Which version of it runs."`
}

// AppendDelivery appends the delivery and returns the extended buffer. A zero time and an empty error
// are null.
func AppendDelivery(dst []byte, d *Delivery) []byte {
	dst = append(dst, `{"order_id":`...)
	dst = AppendString(dst, d.OrderID)
	dst = append(dst, `,"subscriber":`...)
	dst = AppendString(dst, d.Subscriber)
	dst = append(dst, `,"state":`...)
	dst = AppendString(dst, d.State)
	dst = append(dst, `,"sequence":`...)
	dst = appendNumber(dst, d.Sequence)
	dst = append(dst, `,"attempts":`...)
	dst = appendNumber(dst, d.Attempts)
	dst = append(dst, `,"next_attempt_at":`...)
	if d.NextAttemptAt.IsZero() {
		dst = append(dst, "null"...)
	} else {
		dst = AppendTime(dst, d.NextAttemptAt)
	}
	dst = append(dst, `,"last_error":`...)
	dst = appendOptional(dst, d.LastError)
	return append(dst, '}')
}

// AppendDeliveryAction appends the answer and returns the extended buffer.
func AppendDeliveryAction(dst []byte, a *DeliveryAction) []byte {
	dst = append(dst, `{"order_id":`...)
	dst = AppendString(dst, a.OrderID)
	dst = append(dst, `,"subscriber":`...)
	dst = AppendString(dst, a.Subscriber)
	dst = append(dst, `,"action":`...)
	dst = AppendString(dst, a.Action)
	return append(dst, '}')
}

// AppendRedriven appends the answer and returns the extended buffer.
func AppendRedriven(dst []byte, r *Redriven) []byte {
	dst = append(dst, `{"redriven":`...)
	dst = appendNumber(dst, r.Redriven)
	dst = append(dst, `,"next_cursor":`...)
	if r.NextCursor == nil {
		dst = append(dst, "null"...)
	} else {
		dst = AppendString(dst, *r.NextCursor)
	}
	return append(dst, '}')
}

// AppendHealth appends the answer and returns the extended buffer.
func AppendHealth(dst []byte, h *Health) []byte {
	dst = append(dst, `{"status":`...)
	dst = AppendString(dst, h.Status)
	dst = append(dst, `,"service":`...)
	dst = AppendString(dst, h.Service)
	dst = append(dst, `,"version":`...)
	dst = AppendString(dst, h.Version)
	return append(dst, '}')
}
