package order

import (
	"fmt"
	"slices"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
)

// ReportType says what a report is about.
type ReportType string

// The types of reports.
const (
	ReportPaymentSucceeded      ReportType = "PaymentSucceeded"
	ReportPaymentFailed         ReportType = "PaymentFailed"
	ReportShipmentDispatched    ReportType = "ShipmentDispatched"
	ReportShipmentDelivered     ReportType = "ShipmentDelivered"
	ReportCancellationRequested ReportType = "OrderCancellationRequested"
)

// ReportTypes returns every type of report.
func ReportTypes() []ReportType {
	return []ReportType{
		ReportPaymentSucceeded, ReportPaymentFailed, ReportShipmentDispatched, ReportShipmentDelivered, ReportCancellationRequested,
	}
}

// Limits of what a report may say, in characters.
const (
	MaxCarrier  = 64
	MaxTracking = 128
)

// Report is what another system says of an order: that something has happened to it, or should. Reports come more than
// once and in any order.
type Report struct {
	Type ReportType
	// Record becomes the id of the payment or fulfillment that the report brings. It is the same whenever the report comes, so
	// that an order knows for ever what it has followed.
	Record ID
	// Amount of a payment, as a decimal number; "" if it is not said. Currency is its ISO 4217 code; "" for the order's.
	Amount, Currency string
	// Carrier and Tracking of a shipment; "" if they are not said.
	Carrier, Tracking string
}

// ErrNotYet is the fault for a report that is ahead of its order, such as a delivery before the shipment: it may be followed
// when the order has come further.
var ErrNotYet = fault.New(fault.NotAllowed, "not_yet", "the order has not come so far yet")

// Follow applies a report. One that the order has followed, or is already past, changes nothing. The error is ErrNotYet, a
// fault of kind NotAllowed for what the order can't do any more, or one of kind Invalid.
//
// A failed payment is recorded whatever the status, which it does not change. So reports that are followed come to the same
// in whatever order they come.
func (o *Order) Follow(r *Report, at Stamp) error {
	if o.hasRecord(r.Record) {
		return nil
	}
	switch r.Type {
	case ReportPaymentSucceeded:
		return o.followPayment(r, at)
	case ReportPaymentFailed:
		return o.failPayment(r, at)
	case ReportShipmentDispatched:
		return o.followShipment(r, at)
	case ReportShipmentDelivered:
		_, err := o.reach(StatusDelivered, r, at)
		return err
	case ReportCancellationRequested:
		return o.MoveTo(StatusCanceled, r.Record, at)
	default:
		return fault.New(fault.Invalid, "report_unknown", "there is no such report")
	}
}

func (o *Order) hasRecord(id ID) bool {
	return slices.ContainsFunc(o.s.Payments, func(p Payment) bool { return p.ID == id }) ||
		slices.ContainsFunc(o.s.Fulfillments, func(f Fulfillment) bool { return f.ID == id })
}

// reach moves the order to a status that lies on its way. It reports whether there was anything to do.
func (o *Order) reach(target Status, r *Report, at Stamp) (moved bool, err error) {
	way := Statuses()[:4] // all but CANCELED, from which MoveTo leads nowhere
	is, to := slices.Index(way, o.Status()), slices.Index(way, target)
	switch {
	case is >= to:
		return false, nil
	case is >= 0 && is < to-1:
		return false, fault.New(ErrNotYet.Kind, ErrNotYet.Code, fmt.Sprintf("the order is %s, and must be %s first", way[is], way[to-1]))
	}
	return true, o.MoveTo(target, r.Record, at)
}

func (o *Order) followPayment(r *Report, at Stamp) error {
	amount, given, err := o.amountOf(r)
	if err != nil {
		return err
	}
	if due := max(o.due()-o.balance().captured, 0); o.Status() == StatusPending && given && amount != due {
		return fault.New(fault.NotAllowed, "payment_amount_wrong", fmt.Sprintf("the payment is of %s %s, but %s is due",
			amount.Decimal(o.s.Currency), o.s.Currency, due.Decimal(o.s.Currency)))
	}
	_, err = o.reach(StatusPaid, r, at)
	return err
}

func (o *Order) failPayment(r *Report, at Stamp) error {
	amount, given, err := o.amountOf(r)
	if err != nil {
		return err
	}
	if !given {
		amount = o.s.Total
	}
	o.begin(at)
	o.s.Payments = append(o.s.Payments, Payment{
		ID: r.Record, State: PaymentStateFailed, Provider: ProviderExternal, Amount: amount, CreatedAt: at.Time, UpdatedAt: at.Time,
	})
	o.record(Event{Type: EventPaymentFailed, Payment: &PaymentFact{PaymentID: r.Record, Amount: amount}}, at)
	return o.checkEvents()
}

func (o *Order) followShipment(r *Report, at Stamp) error {
	var faults fieldFaults
	faults.text("carrier", r.Carrier, 0, MaxCarrier)
	faults.text("tracking", r.Tracking, 0, MaxTracking)
	if err := faults.err(); err != nil {
		return err
	}
	moved, err := o.reach(StatusShipped, r, at)
	if moved && err == nil {
		f := &o.s.Fulfillments[len(o.s.Fulfillments)-1]
		f.Carrier, f.Tracking = r.Carrier, r.Tracking
	}
	return err
}

// amountOf reads the amount of a payment, which must be in the order's currency and no finer than that is.
func (o *Order) amountOf(r *Report) (amount money.Amount, given bool, err error) {
	var faults fieldFaults
	if r.Currency != "" && r.Currency != o.s.Currency.Code() {
		faults.add("currency", "must be "+o.s.Currency.Code()+", the order's")
	}
	if r.Amount != "" {
		price, err := money.ParsePrice(r.Amount, o.s.Currency)
		if err == nil {
			amount, err = price.Times(1, o.s.Currency)
		}
		switch {
		case err != nil:
			faults.add("amount", fault.Of(err).Message)
		case amount.Decimal(o.s.Currency) != price.Decimal(o.s.Currency):
			faults.add("amount", fmt.Sprintf("must have at most %d decimals in %s", o.s.Currency.Digits(), o.s.Currency))
		}
	}
	return amount, r.Amount != "", faults.err()
}
