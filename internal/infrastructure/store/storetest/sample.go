package storetest

import (
	"encoding/binary"
	"maps"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// base is when the kit's time begins.
var base = time.Date(2026, time.March, 4, 5, 6, 7, 891_000_000, time.UTC)

// at returns a moment after base.
func at(d time.Duration) time.Time { return base.Add(d) }

// stamp returns the stamp of a change at a moment after base.
func stamp(d time.Duration) order.Stamp { return order.Stamp{Time: at(d), Actor: "tester"} }

// idOf returns the id of the n-th order: ids grow with n.
func idOf(n int) order.ID {
	return order.TimedID(base, [8]byte(binary.BigEndian.AppendUint64(nil, uint64(n)))) //nolint:gosec // n is small
}

// draft returns an ordinary draft: two lines, some metadata.
func draft() order.Draft {
	return order.Draft{
		CustomerID: "c-1",
		Reference:  "A-17",
		Currency:   "EUR",
		Items: []order.DraftItem{
			{SKU: "TEA", Name: "Green tea", Quantity: 2, UnitPrice: "12.50"},
			{SKU: "CUP", Quantity: 3, UnitPrice: "3.3333"},
		},
		Metadata: map[string]string{"channel": "web"},
	}
}

// sample returns the n-th order, made n milliseconds after base, with the edits to its draft.
func sample(t testing.TB, n int, edits ...func(*order.Draft)) *order.Order {
	t.Helper()
	return sampleAt(t, n, time.Duration(n)*time.Millisecond, edits...)
}

// sampleAt returns an order with the n-th id, made at a moment after base.
func sampleAt(t testing.TB, n int, after time.Duration, edits ...func(*order.Draft)) *order.Order {
	t.Helper()
	d := draft()
	for _, edit := range edits {
		edit(&d)
	}
	o, err := order.New(idOf(n), d, "", stamp(after))
	if err != nil {
		t.Fatalf("make sample order %d: %v", n, err)
	}
	return o
}

// samples returns orders first to first+n-1.
func samples(t testing.TB, first, n int) []*order.Order {
	t.Helper()
	orders := make([]*order.Order, n)
	for i := range orders {
		orders[i] = sample(t, first+i)
	}
	return orders
}

// moveTo returns a change that moves an order to a status.
func moveTo(status order.Status, record int, after time.Duration) func(*order.Order) error {
	return func(o *order.Order) error { return o.MoveTo(status, idOf(1_000_000+record), stamp(after)) }
}

// set returns a change that sets one metadata key.
func set(key, value string, after time.Duration) func(*order.Order) error {
	return func(o *order.Order) error {
		return o.PatchMetadata(map[string]*string{key: &value}, stamp(after))
	}
}

// setMany returns a change that records n events, one for each value of a key.
func setMany(n int, key string, after time.Duration) func(*order.Order) error {
	return func(o *order.Order) error {
		for i := range n {
			if err := set(key, idOf(i).String(), after)(o); err != nil {
				return err
			}
		}
		return nil
	}
}

// told returns a handover to subscribers whom no dispatcher has taken yet.
func told(subscribers ...string) delivery.Handover {
	return delivery.Handover{Subscribers: subscribers}
}

// nobody is a handover without subscribers.
var nobody delivery.Handover

// goldenOrder returns the n-th order, of a line that is long enough for golden.
func goldenOrder(t testing.TB, n int) *order.Order {
	t.Helper()
	return sample(t, n, func(d *order.Draft) { d.Items[0].Quantity = 1_000 })
}

// golden returns the state of a goldenOrder that uses every stored field. What is fixed at creation
// is that order's.
func golden(made *order.Order) order.Snapshot {
	s := made.Snapshot()
	l := &s.Lines[0]
	l.Canceled, l.Shipped, l.Delivered, l.Returned = 1, 900, 80, 7
	s.Lines[1].Shipped, s.Lines[1].Delivered = 2, 1
	s.Payments = []order.Payment{
		{ID: idOf(11), State: order.PaymentStateFailed, Provider: "card", Amount: 5, CreatedAt: at(0), UpdatedAt: at(2 * time.Second)},
		{
			ID: idOf(12), State: order.PaymentStateCaptured, Provider: order.ProviderExternal, Amount: 1_300_000,
			CreatedAt: at(3 * time.Second), UpdatedAt: at(4 * time.Second),
			Refunds: []order.Refund{
				{ID: idOf(13), State: order.RefundStateSucceeded, Amount: 100, CreatedAt: at(5 * time.Second), UpdatedAt: at(6 * time.Second)},
				{ID: idOf(14), State: order.RefundStateFailed, Amount: 3_400, CreatedAt: at(7 * time.Second), UpdatedAt: at(8 * time.Second)},
				{ID: idOf(15), State: order.RefundStatePending, Amount: 1, CreatedAt: at(9 * time.Second), UpdatedAt: at(10 * time.Second)},
			},
		},
		{ID: idOf(16), State: order.PaymentStateAuthorized, Provider: "card", Amount: 0, CreatedAt: at(time.Minute), UpdatedAt: at(time.Minute)},
		{ID: idOf(17), State: order.PaymentStatePending, Provider: "", Amount: 1, CreatedAt: at(time.Minute), UpdatedAt: at(time.Hour)},
		{ID: idOf(18), State: order.PaymentStateVoided, Provider: "card", Amount: 999_999_999_999_999, CreatedAt: at(0), UpdatedAt: at(0)},
	}
	s.Fulfillments = []order.Fulfillment{
		{
			ID: idOf(21), State: order.FulfillmentStateDelivered, Lines: []order.LineQuantity{{Line: 1, Quantity: 80}, {Line: 2, Quantity: 1}},
			Carrier: "Post", Tracking: "JD 0001-é", CreatedAt: at(time.Hour), UpdatedAt: at(2 * time.Hour),
		},
		{ID: idOf(22), State: order.FulfillmentStateShipped, Lines: []order.LineQuantity{{Line: 1, Quantity: 820}, {Line: 2, Quantity: 1}}, CreatedAt: at(time.Hour), UpdatedAt: at(time.Hour)},
		{ID: idOf(23), State: order.FulfillmentStatePending, CreatedAt: at(time.Hour), UpdatedAt: at(time.Hour)},
		{ID: idOf(24), State: order.FulfillmentStateCanceled, Lines: []order.LineQuantity{{Line: 2, Quantity: 1}}, Carrier: "Van", CreatedAt: at(time.Hour), UpdatedAt: at(time.Hour)},
	}
	s.Returns = []order.Return{
		{ID: idOf(31), State: order.ReturnStateReceived, Lines: []order.LineQuantity{{Line: 1, Quantity: 7}}, Reason: "too green", CreatedAt: at(time.Hour), UpdatedAt: at(3 * time.Hour)},
		{ID: idOf(32), State: order.ReturnStateRequested, Lines: []order.LineQuantity{{Line: 2, Quantity: 1}}, CreatedAt: at(time.Hour), UpdatedAt: at(time.Hour)},
		{ID: idOf(33), State: order.ReturnStateDeclined, Reason: "used", CreatedAt: at(time.Hour), UpdatedAt: at(time.Hour)},
	}
	s.Requests = []order.Request{
		{Key: order.KeyedID("tester", "change", "k-1"), Fingerprint: "00112233445566778899aabbccddeeff", Version: 1},
		{Key: order.KeyedID("tester", "change", "k-2"), Fingerprint: "ffeeddccbbaa99887766554433221100", Version: 2},
	}
	s.Metadata = maps.Clone(s.Metadata)
	s.Metadata["a.b"], s.Metadata["$set"], s.Metadata["empty"] = "dotted", "dollar", ""
	return s
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
