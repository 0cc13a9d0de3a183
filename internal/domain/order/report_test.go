package order_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Reports at random, each through storage, keep what must always be true of an order; one that was followed changes nothing
// when it comes again.
func TestReportsKeepTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, err := order.New(id(1), drawDraft(t), "", stamp(0))
		if err != nil {
			t.Fatal(err)
		}
		history := append([]order.Event(nil), o.Events()...)
		for step := range rapid.IntRange(0, 12).Draw(t, "steps") {
			o = restore(t, o)
			r := &order.Report{Type: rapid.SampledFrom(order.ReportTypes()).Draw(t, "type"), Record: id(100 + rapid.IntRange(0, 5).Draw(t, "record"))}
			before, version := o.Status(), o.Version()
			err := o.Follow(r, stamp(step))
			if err != nil && (o.Changed() || o.Status() != before || fault.KindOf(err) != fault.NotAllowed) {
				t.Fatalf("%s was refused, and the order is %s in version %d: %v", r.Type, o.Status(), o.Version(), err)
			}
			if o.Version() > version+1 {
				t.Fatalf("version %d after %d", o.Version(), version)
			}
			history = append(history, o.Events()...)
			checkOrder(t, o, history)
			if err == nil {
				o = restore(t, o)
				if err := o.Follow(r, stamp(step)); err != nil || o.Changed() {
					t.Fatalf("%s comes again: %v, changed %t", r.Type, err, o.Changed())
				}
			}
		}
	})
}

func TestWhatAReportMaySay(t *testing.T) {
	paid := func(o *order.Order) *order.Order { return move(t, o, order.StatusPaid, 1) }
	for _, tt := range []struct {
		report order.Report
		is     func(*order.Order) *order.Order // what the order is before; nil for PENDING
		want   string                          // of the error; "" for none
	}{
		{report: order.Report{Type: order.ReportPaymentSucceeded, Amount: "2.5e1"}, want: ""},
		{report: order.Report{Type: order.ReportPaymentSucceeded, Amount: "25.00", Currency: "EUR"}, want: ""},
		{report: order.Report{Type: order.ReportPaymentSucceeded, Amount: "24.99"}, want: "the payment is of 24.99 EUR, but 25.00 is due"},
		{report: order.Report{Type: order.ReportPaymentSucceeded, Amount: "25.001"}, want: "amount must have at most 2 decimals in EUR"},
		{report: order.Report{Type: order.ReportPaymentSucceeded, Amount: "-25"}, want: "amount must be zero or more"},
		{report: order.Report{Type: order.ReportPaymentSucceeded, Currency: "USD"}, want: "currency must be EUR, the order's"},
		{report: order.Report{Type: order.ReportPaymentFailed, Amount: "99"}, want: ""},
		{report: order.Report{Type: order.ReportShipmentDispatched}, want: "the order is PENDING, and must be PAID first"},
		{report: order.Report{Type: order.ReportShipmentDelivered}, is: paid, want: "the order is PAID, and must be SHIPPED first"},
		{report: order.Report{Type: order.ReportShipmentDispatched, Carrier: strings.Repeat("x", order.MaxCarrier+1)}, is: paid, want: "carrier must have at most 64 characters"},
		{report: order.Report{Type: order.ReportShipmentDispatched, Tracking: "a\nb"}, is: paid, want: "tracking must not contain control characters"},
		{report: order.Report{Type: "PaymentMade"}, want: "there is no such report"},
	} {
		o := newOrder(t)
		if tt.is != nil {
			o = tt.is(o)
		}
		tt.report.Record = id(7)
		err := o.Follow(&tt.report, stamp(2))
		if (err == nil) != (tt.want == "") || err != nil && fault.Of(err).Message != tt.want {
			t.Errorf("%+v: %v, want %q", tt.report, err, tt.want)
		}
		if early := strings.Contains(tt.want, "first"); errors.Is(err, order.ErrNotYet) != early {
			t.Errorf("%+v: early is not %t", tt.report, early)
		}
	}
}
