package sqlite

import (
	"order-processing-service/internal/domain/order"
)

// The digits of the state column are stored: a status keeps its digit for ever.
var (
	statusDigits = map[order.Status]int{
		order.StatusPending: 1, order.StatusPaid: 2, order.StatusShipped: 3,
		order.StatusDelivered: 4, order.StatusCanceled: 5,
	}
	paymentDigits = map[order.PaymentStatus]int{
		order.PaymentStatusUnpaid: 1, order.PaymentStatusAuthorized: 2, order.PaymentStatusPartiallyPaid: 3,
		order.PaymentStatusPaid: 4, order.PaymentStatusPartiallyRefunded: 5, order.PaymentStatusRefunded: 6,
		order.PaymentStatusVoided: 7,
	}
	fulfillmentDigits = map[order.FulfillmentStatus]int{
		order.FulfillmentStatusUnfulfilled: 1, order.FulfillmentStatusPartiallyShipped: 2,
		order.FulfillmentStatusShipped: 3, order.FulfillmentStatusPartiallyDelivered: 4,
		order.FulfillmentStatusDelivered: 5, order.FulfillmentStatusPartiallyReturned: 6,
		order.FulfillmentStatusReturned: 7,
	}
)

// stateOf returns the three digits by which an order is listed.
func stateOf(o *order.Order) int {
	return statusDigits[o.Status()]*100 + paymentDigits[o.PaymentStatus()]*10 + fulfillmentDigits[o.FulfillmentStatus()]
}

// stateFilter is the wanted digits; 0 wants any.
type stateFilter struct{ status, payment, fulfillment int }

func (f stateFilter) matches(state int) bool {
	return (f.status == 0 || state/100 == f.status) &&
		(f.payment == 0 || state/10%10 == f.payment) &&
		(f.fulfillment == 0 || state%10 == f.fulfillment)
}
