package wire_test

import (
	"testing"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
)

const threeLines = `{"customer_id":"c-4711","currency":"EUR","reference":"A-17","items":[` +
	`{"sku":"TEA-1","quantity":2,"unit_price":12.50,"name":"Green tea"},` +
	`{"sku":"CUP-2","quantity":1,"unit_price":3.95},{"sku":"POT-3","quantity":1,"unit_price":29.90}]}`

func BenchmarkAppendOrder(b *testing.B) {
	draft, err := wire.DecodeNewOrder([]byte(threeLines))
	if err != nil {
		b.Fatal(err)
	}
	o := newOrder(b, draft)
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = wire.AppendOrder(buffer[:0], o)
	}
	b.SetBytes(int64(len(buffer)))
}

func BenchmarkAppendCloudEvent(b *testing.B) {
	o, events := moved(b, tea(), order.StatusPaid)
	s := o.View()
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = wire.AppendCloudEvent(buffer[:0], s.ID, s.CustomerID, &events[0], s.Currency)
	}
}

func BenchmarkDecodeNewOrder(b *testing.B) {
	text := []byte(threeLines)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.DecodeNewOrder(text); err != nil {
			b.Fatal(err)
		}
	}
}

// The struct is decoded by reflection, for comparison.
func BenchmarkUnmarshalNewOrder(b *testing.B) {
	text := []byte(threeLines)
	b.ReportAllocs()
	for b.Loop() {
		var o wire.NewOrder
		if err := json.Unmarshal(text, &o, json.RejectUnknownMembers(true)); err != nil {
			b.Fatal(err)
		}
	}
}
