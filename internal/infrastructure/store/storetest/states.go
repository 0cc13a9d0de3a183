package storetest

import (
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// stateEdits returns edits of a stored order that together lead to every status, payment status and
// fulfillment status. Nil leaves the order as it was made.
func stateEdits() []func(*order.Snapshot) {
	// payment gives the order one payment of its total divided by part.
	payment := func(state order.PaymentState, part money.Amount, refunds ...order.Refund) func(*order.Snapshot) {
		return func(s *order.Snapshot) {
			s.Payments = []order.Payment{{
				ID: idOf(1), State: state, Provider: order.ProviderExternal, Amount: s.Total / part,
				CreatedAt: base, UpdatedAt: base, Refunds: refunds,
			}}
		}
	}
	refund := func(amount money.Amount) order.Refund {
		return order.Refund{ID: idOf(2), State: order.RefundStateSucceeded, Amount: amount, CreatedAt: base, UpdatedAt: base}
	}
	// goods sets the counters of every line to its quantity where they are wanted, and those of the
	// first line to one where only a part is.
	goods := func(shipped, delivered, returned share) func(*order.Snapshot) {
		return func(s *order.Snapshot) {
			for i := range s.Lines {
				l := &s.Lines[i]
				l.Shipped, l.Delivered, l.Returned = shipped.of(l, i), delivered.of(l, i), returned.of(l, i)
			}
		}
	}
	return []func(*order.Snapshot){
		nil,
		payment(order.PaymentStateAuthorized, 1),
		payment(order.PaymentStateCaptured, 2),
		payment(order.PaymentStateCaptured, 1),
		payment(order.PaymentStateCaptured, 1, refund(1)),
		payment(order.PaymentStateCaptured, 1, refund(1_000_000)),
		payment(order.PaymentStateVoided, 1),
		goods(sharePart, shareNone, shareNone),
		goods(shareAll, shareNone, shareNone),
		goods(shareAll, sharePart, shareNone),
		goods(shareAll, shareAll, shareNone),
		goods(shareAll, shareAll, sharePart),
		goods(shareAll, shareAll, shareAll),
		func(s *order.Snapshot) {
			for i := range s.Lines {
				s.Lines[i].Canceled = s.Lines[i].Quantity
			}
		},
	}
}

// share is how much of the goods something is said of.
type share int

const (
	shareNone share = iota
	sharePart       // one piece of the first line
	shareAll
)

func (s share) of(l *order.Line, i int) int64 {
	switch {
	case s == shareAll:
		return l.Quantity
	case s == sharePart && i == 0:
		return 1
	default:
		return 0
	}
}
