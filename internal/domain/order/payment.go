package order

import (
	"time"

	"order-processing-service/internal/domain/money"
)

// PaymentState is how far one payment has come.
type PaymentState string

// The states of a payment.
const (
	PaymentStatePending    PaymentState = "PENDING"
	PaymentStateAuthorized PaymentState = "AUTHORIZED"
	PaymentStateCaptured   PaymentState = "CAPTURED"
	PaymentStateFailed     PaymentState = "FAILED"
	PaymentStateVoided     PaymentState = "VOIDED"
)

// RefundState is how far one refund has come. A refund that is not SUCCEEDED changes no balance.
type RefundState string

// The states of a refund.
const (
	RefundStatePending   RefundState = "PENDING"
	RefundStateSucceeded RefundState = "SUCCEEDED"
	RefundStateFailed    RefundState = "FAILED"
)

// ProviderExternal marks a payment that was taken outside this service and is only recorded here.
const ProviderExternal = "external"

// Payment is money asked for or taken for an order.
type Payment struct {
	ID        ID
	State     PaymentState
	Provider  string // who moves the money; ProviderExternal when the caller does
	Amount    money.Amount
	CreatedAt time.Time
	UpdatedAt time.Time
	Refunds   []Refund
}

// Refund is money given back from one payment.
type Refund struct {
	ID        ID
	State     RefundState
	Amount    money.Amount
	CreatedAt time.Time
	UpdatedAt time.Time
}

// refundable is what is left of a captured payment.
func (p *Payment) refundable() money.Amount {
	if p.State != PaymentStateCaptured {
		return 0
	}
	left := p.Amount
	for _, r := range p.Refunds {
		if r.State == RefundStateSucceeded {
			left -= r.Amount
		}
	}
	return left
}

// balance sums what the payments and refunds came to.
type balance struct {
	captured, refunded money.Amount
	anyCaptured        bool
	anyAuthorized      bool
	anyVoided          bool
	anyRefund          bool
	// settled: something was captured, and it covers what is due. An order that costs nothing is
	// settled by a captured payment of zero, so that being paid is always a recorded fact.
	settled bool
}

func (o *Order) balance() balance {
	var b balance
	for i := range o.s.Payments {
		p := &o.s.Payments[i]
		switch p.State {
		case PaymentStateCaptured:
			b.anyCaptured = true
			b.captured += p.Amount
		case PaymentStateAuthorized:
			b.anyAuthorized = true
		case PaymentStateVoided:
			b.anyVoided = true
		case PaymentStatePending, PaymentStateFailed:
		}
		for _, r := range p.Refunds {
			if r.State == RefundStateSucceeded {
				b.anyRefund = true
				b.refunded += r.Amount
			}
		}
	}
	b.settled = b.anyCaptured && b.captured >= o.due()
	return b
}

// due is what the lines that are not canceled cost. A line that is canceled in part is charged for
// what is left of it, rounded once like a line total.
func (o *Order) due() money.Amount {
	var due money.Amount
	for i := range o.s.Lines {
		l := &o.s.Lines[i]
		switch l.Canceled {
		case 0:
			due += l.Total
		case l.Quantity:
		default:
			// It can't be too large: it is less than the line's total, which is not.
			left, _ := l.UnitPrice.Times(l.Quantity-l.Canceled, o.s.Currency)
			due += left
		}
	}
	return due
}

// capture records a payment of what is still due, taken outside this service.
func (o *Order) capture(id ID, at Stamp) {
	amount := max(o.due()-o.balance().captured, 0)
	o.s.Payments = append(o.s.Payments, Payment{
		ID: id, State: PaymentStateCaptured, Provider: ProviderExternal, Amount: amount,
		CreatedAt: at.Time, UpdatedAt: at.Time,
	})
	o.record(Event{Type: EventPaymentCaptured, Payment: &PaymentFact{PaymentID: id, Amount: amount}}, at)
}

// giveBack voids what was authorized and refunds what was captured, outside this service. Ids are
// derived from the payment's, which has at most one refund that empties it.
func (o *Order) giveBack(at Stamp) {
	for i := range o.s.Payments {
		p := &o.s.Payments[i]
		switch p.State {
		case PaymentStateAuthorized, PaymentStatePending:
			p.State, p.UpdatedAt = PaymentStateVoided, at.Time
			o.record(Event{Type: EventPaymentVoided, Payment: &PaymentFact{PaymentID: p.ID, Amount: p.Amount}}, at)
		case PaymentStateCaptured:
			left := p.refundable()
			if left == 0 {
				continue
			}
			id := KeyedID(p.ID.String(), "refund", "rest")
			p.Refunds = append(p.Refunds, Refund{
				ID: id, State: RefundStateSucceeded, Amount: left, CreatedAt: at.Time, UpdatedAt: at.Time,
			})
			p.UpdatedAt = at.Time
			o.record(Event{Type: EventRefundSucceeded, Refund: &RefundFact{RefundID: id, PaymentID: p.ID, Amount: left}}, at)
		case PaymentStateFailed, PaymentStateVoided:
		}
	}
}
