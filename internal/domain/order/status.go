package order

import "slices"

// Status says how far an order has come. It is derived from the stored quantities and amounts.
type Status string

// The statuses of an order.
const (
	StatusPending   Status = "PENDING"
	StatusPaid      Status = "PAID"
	StatusShipped   Status = "SHIPPED"
	StatusDelivered Status = "DELIVERED"
	StatusCanceled  Status = "CANCELED"
)

// PaymentStatus says what has become of the money. It is derived from the payments and refunds.
type PaymentStatus string

// The payment statuses of an order.
const (
	PaymentStatusUnpaid            PaymentStatus = "UNPAID"
	PaymentStatusAuthorized        PaymentStatus = "AUTHORIZED"
	PaymentStatusPartiallyPaid     PaymentStatus = "PARTIALLY_PAID"
	PaymentStatusPaid              PaymentStatus = "PAID"
	PaymentStatusPartiallyRefunded PaymentStatus = "PARTIALLY_REFUNDED"
	PaymentStatusRefunded          PaymentStatus = "REFUNDED"
	PaymentStatusVoided            PaymentStatus = "VOIDED"
)

// FulfillmentStatus says what has become of the goods. It is derived from the line counters.
type FulfillmentStatus string

// The fulfillment statuses of an order.
const (
	FulfillmentStatusUnfulfilled        FulfillmentStatus = "UNFULFILLED"
	FulfillmentStatusPartiallyShipped   FulfillmentStatus = "PARTIALLY_SHIPPED"
	FulfillmentStatusShipped            FulfillmentStatus = "SHIPPED"
	FulfillmentStatusPartiallyDelivered FulfillmentStatus = "PARTIALLY_DELIVERED"
	FulfillmentStatusDelivered          FulfillmentStatus = "DELIVERED"
	FulfillmentStatusPartiallyReturned  FulfillmentStatus = "PARTIALLY_RETURNED"
	FulfillmentStatusReturned           FulfillmentStatus = "RETURNED"
)

// Statuses returns every status, in the order in which an order goes through them.
func Statuses() []Status {
	return []Status{StatusPending, StatusPaid, StatusShipped, StatusDelivered, StatusCanceled}
}

// PaymentStatuses returns every payment status.
func PaymentStatuses() []PaymentStatus {
	return []PaymentStatus{
		PaymentStatusUnpaid, PaymentStatusAuthorized, PaymentStatusPartiallyPaid, PaymentStatusPaid,
		PaymentStatusPartiallyRefunded, PaymentStatusRefunded, PaymentStatusVoided,
	}
}

// FulfillmentStatuses returns every fulfillment status.
func FulfillmentStatuses() []FulfillmentStatus {
	return []FulfillmentStatus{
		FulfillmentStatusUnfulfilled, FulfillmentStatusPartiallyShipped, FulfillmentStatusShipped,
		FulfillmentStatusPartiallyDelivered, FulfillmentStatusDelivered,
		FulfillmentStatusPartiallyReturned, FulfillmentStatusReturned,
	}
}

// Valid reports whether s is one of Statuses.
func (s Status) Valid() bool { return slices.Contains(Statuses(), s) }

// Valid reports whether s is one of PaymentStatuses.
func (s PaymentStatus) Valid() bool { return slices.Contains(PaymentStatuses(), s) }

// Valid reports whether s is one of FulfillmentStatuses.
func (s FulfillmentStatus) Valid() bool { return slices.Contains(FulfillmentStatuses(), s) }

// Next lists what an order of status s may become by itself; nothing for the end statuses.
func (s Status) Next() []Status {
	switch s {
	case StatusPending:
		return []Status{StatusPaid, StatusCanceled}
	case StatusPaid:
		return []Status{StatusShipped, StatusCanceled}
	case StatusShipped:
		return []Status{StatusDelivered}
	default:
		return nil
	}
}

// Status returns the order's status.
func (o *Order) Status() Status {
	n := o.counts()
	switch {
	case n.active == 0:
		return StatusCanceled
	case n.delivered == n.active:
		return StatusDelivered
	case n.shipped == n.active:
		return StatusShipped
	case o.balance().settled:
		return StatusPaid
	default:
		return StatusPending
	}
}

// FulfillmentStatus returns what has become of the goods.
func (o *Order) FulfillmentStatus() FulfillmentStatus {
	n := o.counts()
	switch {
	case n.returned > 0 && n.returned == n.active:
		return FulfillmentStatusReturned
	case n.returned > 0:
		return FulfillmentStatusPartiallyReturned
	case n.delivered > 0 && n.delivered == n.active:
		return FulfillmentStatusDelivered
	case n.delivered > 0:
		return FulfillmentStatusPartiallyDelivered
	case n.shipped > 0 && n.shipped == n.active:
		return FulfillmentStatusShipped
	case n.shipped > 0:
		return FulfillmentStatusPartiallyShipped
	default:
		return FulfillmentStatusUnfulfilled
	}
}

// PaymentStatus returns what has become of the money.
func (o *Order) PaymentStatus() PaymentStatus {
	b := o.balance()
	switch {
	case b.anyRefund && b.refunded >= b.captured:
		return PaymentStatusRefunded
	case b.anyRefund:
		return PaymentStatusPartiallyRefunded
	case b.settled:
		return PaymentStatusPaid
	case b.anyCaptured:
		return PaymentStatusPartiallyPaid
	case b.anyAuthorized:
		return PaymentStatusAuthorized
	case b.anyVoided:
		return PaymentStatusVoided
	default:
		return PaymentStatusUnpaid
	}
}

// counts are the sums of the line counters; active is what was ordered and not canceled.
type counts struct{ active, shipped, delivered, returned int64 }

func (o *Order) counts() counts {
	var n counts
	for i := range o.s.Lines {
		l := &o.s.Lines[i]
		n.active += l.Quantity - l.Canceled
		n.shipped += l.Shipped
		n.delivered += l.Delivered
		n.returned += l.Returned
	}
	return n
}
