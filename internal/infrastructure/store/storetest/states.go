package storetest

import (
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// stateEdits returns edits of a stored order that together lead to every status, payment status and
// fulfillment status. Nil leaves the order as it was made.
func stateEdits() []func(*order.Snapshot) {
	// paid gives the order one payment of its total divided by share, with what was given back of it.
	paid := func(state order.PaymentState, share money.Amount, back ...money.Amount) func(*order.Snapshot) {
		return func(s *order.Snapshot) {
			p := payment(1, state, order.ProviderExternal, s.Total/share)
			for i, amount := range back {
				p.Refunds = append(p.Refunds, refund(2+i, order.RefundStateSucceeded, amount))
			}
			s.Payments = []order.Payment{p}
		}
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
		paid(order.PaymentStateAuthorized, 1),
		paid(order.PaymentStateCaptured, 2),
		paid(order.PaymentStateCaptured, 1),
		paid(order.PaymentStateCaptured, 1, 1),
		paid(order.PaymentStateCaptured, 1, 1_000_000),
		paid(order.PaymentStateVoided, 1),
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
