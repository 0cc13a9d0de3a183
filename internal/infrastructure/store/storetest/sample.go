package storetest

import (
	"encoding/binary"
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

// nobody returns a handover without subscribers.
func nobody() delivery.Handover { return delivery.Handover{} }
