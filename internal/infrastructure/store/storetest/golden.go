package storetest

import (
	"maps"
	"testing"
	"time"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// goldenOrder returns the n-th order, of a line that is long enough for golden.
func goldenOrder(t testing.TB, n int) *order.Order {
	t.Helper()
	return sample(t, n, func(d *order.Draft) { d.Items[0].Quantity = 1_000 })
}

// golden returns the state of a goldenOrder that uses every stored field, no two with the same dates.
// What is fixed at creation is that order's.
func golden(made *order.Order) order.Snapshot {
	s := made.Snapshot()
	l := &s.Lines[0]
	l.Canceled, l.Shipped, l.Delivered, l.Returned = 1, 900, 80, 7
	s.Lines[1].Shipped, s.Lines[1].Delivered = 2, 1
	s.Payments = []order.Payment{
		payment(11, order.PaymentStateFailed, "card", 5),
		payment(12, order.PaymentStateCaptured, order.ProviderExternal, 1_300_000,
			refund(13, order.RefundStateSucceeded, 100),
			refund(14, order.RefundStateFailed, 3_400),
			refund(15, order.RefundStatePending, 1),
		),
		payment(16, order.PaymentStateAuthorized, "card", 0),
		payment(17, order.PaymentStatePending, "", 1),
		payment(18, order.PaymentStateVoided, "card", money.MaxAmount),
	}
	s.Fulfillments = []order.Fulfillment{
		fulfillment(21, order.FulfillmentStateDelivered, "Post", "JD 0001-\u00e9", 80, 1),
		fulfillment(22, order.FulfillmentStateShipped, "", "", 820, 1),
		fulfillment(23, order.FulfillmentStatePending, "", ""),
		fulfillment(24, order.FulfillmentStateCanceled, "Van", "", 1),
	}
	s.Returns = []order.Return{
		returned(31, order.ReturnStateReceived, "too green", 7),
		returned(32, order.ReturnStateRequested, "", 1, 1),
		returned(33, order.ReturnStateDeclined, "used"),
	}
	s.Requests = []order.Request{
		{Key: order.KeyedID("tester", "change", "k-1"), Fingerprint: "00112233445566778899aabbccddeeff", Version: 1},
		{Key: order.KeyedID("tester", "change", "k-2"), Fingerprint: "ffeeddccbbaa99887766554433221100", Version: 2},
	}
	s.Metadata = maps.Clone(s.Metadata)
	s.Metadata["a.b"], s.Metadata["$set"], s.Metadata["empty"] = "dotted", "dollar", ""
	return s
}

// dates are when the n-th record was made and last changed.
func dates(n int) (created, updated time.Time) {
	return at(time.Duration(n) * time.Minute), at(time.Duration(n)*time.Minute + time.Millisecond)
}

func payment(n int, state order.PaymentState, provider string, amount money.Amount, refunds ...order.Refund) order.Payment {
	created, updated := dates(n)
	return order.Payment{
		ID: idOf(n), State: state, Provider: provider, Amount: amount, CreatedAt: created, UpdatedAt: updated, Refunds: refunds,
	}
}

func refund(n int, state order.RefundState, amount money.Amount) order.Refund {
	created, updated := dates(n)
	return order.Refund{ID: idOf(n), State: state, Amount: amount, CreatedAt: created, UpdatedAt: updated}
}

func fulfillment(n int, state order.FulfillmentState, carrier, tracking string, quantities ...int64) order.Fulfillment {
	created, updated := dates(n)
	return order.Fulfillment{
		ID: idOf(n), State: state, Carrier: carrier, Tracking: tracking, Lines: parts(quantities), CreatedAt: created, UpdatedAt: updated,
	}
}

func returned(n int, state order.ReturnState, reason string, quantities ...int64) order.Return {
	created, updated := dates(n)
	return order.Return{ID: idOf(n), State: state, Reason: reason, Lines: parts(quantities), CreatedAt: created, UpdatedAt: updated}
}

// parts returns the quantities of the first lines.
func parts(quantities []int64) []order.LineQuantity {
	var lines []order.LineQuantity
	for i, q := range quantities {
		lines = append(lines, order.LineQuantity{Line: i + 1, Quantity: q})
	}
	return lines
}

// become returns a change that makes an order what the snapshot says, as one more version: the way to
// states that no operation leads to yet.
func become(s order.Snapshot, after time.Duration) func(*order.Order) error {
	return func(o *order.Order) error {
		s.Version, s.Sequence = o.Version(), o.Sequence()
		r, err := order.Restore(s)
		if err != nil {
			return err
		}
		*o = *r
		return set("became", "so", after)(o)
	}
}
