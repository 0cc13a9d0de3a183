package document_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

var update = flag.Bool("update", false, "write the golden files anew")

var values = cmp.Options{
	cmp.Comparer(func(a, b money.Currency) bool { return a == b }),
	cmp.Comparer(func(a, b money.Price) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

func at(seconds int) time.Time {
	return time.Date(2026, 11, 24, 10, 0, seconds, 250_000_000, time.UTC)
}

func id(n byte) order.ID { return order.ID{0x67, 0x43, 11: n} }

// full returns an order in which every stored field says something.
func full(t testing.TB) order.Snapshot {
	t.Helper()
	o, err := order.New(id(1), order.Draft{
		CustomerID: "c-1", Reference: "A-17 \"quoted\" \\ <&> é 漢\u2028", Currency: "KWD",
		Items: []order.DraftItem{
			{SKU: "TEA", Name: "Green tea", Quantity: 4, UnitPrice: "12.3456789"},
			{SKU: "CUP", Quantity: 2, UnitPrice: "0"},
		},
		Metadata: map[string]string{"b": "", "a": "x\"y"}, PlacedAt: time.Unix(0, 0),
	}, "0123456789abcdef0123456789abcdef", order.Stamp{Time: at(0), Actor: "anonymous"})
	if err != nil {
		t.Fatal(err)
	}
	s := o.Snapshot()
	s.Version, s.Sequence, s.UpdatedAt = 7, 19, at(9)
	s.Lines[0].Canceled, s.Lines[0].Shipped, s.Lines[0].Delivered, s.Lines[0].Returned = 1, 3, 2, 1
	s.Payments = []order.Payment{{
		ID: id(2), State: order.PaymentStateCaptured, Provider: order.ProviderExternal, Amount: 49383, CreatedAt: at(1), UpdatedAt: at(2),
		Refunds: []order.Refund{
			{ID: id(3), State: order.RefundStateSucceeded, Amount: 1, CreatedAt: at(3), UpdatedAt: at(4)},
			{ID: id(4), State: order.RefundStateFailed, Amount: 2, CreatedAt: at(3), UpdatedAt: at(4)},
		},
	}, {ID: id(5), State: order.PaymentStateVoided, Provider: "card", CreatedAt: at(1), UpdatedAt: at(2)}}
	s.Fulfillments = []order.Fulfillment{{
		ID: id(6), State: order.FulfillmentStateShipped, Lines: []order.LineQuantity{{Line: 1, Quantity: 3}},
		Carrier: "post", Tracking: "T-1", CreatedAt: at(5), UpdatedAt: at(6),
	}}
	s.Returns = []order.Return{{
		ID: id(7), State: order.ReturnStateRequested, Lines: []order.LineQuantity{{Line: 1, Quantity: 1}},
		Reason: "broken", CreatedAt: at(7), UpdatedAt: at(8),
	}}
	s.Requests = []order.Request{{Key: id(8), Fingerprint: "fp", Version: 6}, {Key: id(9), Fingerprint: "fq", Version: 7}}
	return s
}

func history(t testing.TB) []order.Event {
	t.Helper()
	o, err := order.New(id(1), order.Draft{
		CustomerID: "c-1", Reference: "A-17", Currency: "EUR",
		Items: []order.DraftItem{{SKU: "TEA", Name: "Green tea", Quantity: 2, UnitPrice: "12.505"}, {SKU: "CUP", Quantity: 1, UnitPrice: "0"}},
	}, "", order.Stamp{Time: at(0), Actor: "anonymous"})
	if err != nil {
		t.Fatal(err)
	}
	events := o.Events()
	value := "line one"
	steps := []func(*order.Order, order.Stamp) error{
		func(o *order.Order, s order.Stamp) error {
			return o.PatchMetadata(map[string]*string{"note": &value, "gone": nil}, s)
		},
		func(o *order.Order, s order.Stamp) error { return o.PatchMetadata(map[string]*string{"note": nil}, s) },
		func(o *order.Order, s order.Stamp) error { return o.MoveTo(order.StatusPaid, id(2), s) },
		func(o *order.Order, s order.Stamp) error { return o.MoveTo(order.StatusCanceled, id(3), s) },
	}
	for i, step := range steps {
		if o, err = order.Restore(o.Snapshot()); err != nil {
			t.Fatal(err)
		}
		if err := step(o, order.Stamp{Time: at(i + 1), Actor: "clerk"}); err != nil {
			t.Fatal(err)
		}
		events = append(events, o.Events()...)
	}
	return events
}

// golden returns what the file of the given name holds. The files are the forms that were ever
// written: one that is there is never changed, only new ones are added.
func golden(t *testing.T, name string, written []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, written, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func TestOrderForm(t *testing.T) {
	want := full(t)
	written := document.AppendOrder(nil, &want)
	stored := golden(t, "order-v1.json", written)
	if diff := cmp.Diff(string(stored), string(written)); diff != "" {
		t.Errorf("the form of version 1 has changed (-stored +written):\n%s", diff)
	}
	o, err := document.DecodeOrder(want.ID, stored)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, o.Snapshot(), values); diff != "" {
		t.Errorf("the order reads differently (-want +got):\n%s", diff)
	}
}

func TestEventsForm(t *testing.T) {
	want := history(t)
	written := document.AppendEvents(nil, want)
	stored := golden(t, "events-v1.jsonl", written)
	if diff := cmp.Diff(string(stored), string(written)); diff != "" {
		t.Errorf("the form of version 1 has changed (-stored +written):\n%s", diff)
	}
	got, err := document.DecodeEvents(stored, 0, order.MaxEvents)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, values); diff != "" {
		t.Errorf("the events read differently (-want +got):\n%s", diff)
	}
	part, err := document.DecodeEvents(stored, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[2:5], part, values); diff != "" {
		t.Errorf("events after 2, at most 3 (-want +got):\n%s", diff)
	}
	if more := document.AppendEvents(document.AppendEvents(nil, want[:2]), want[2:]); !bytes.Equal(more, written) {
		t.Error("events appended in two steps read differently")
	}
}

func TestTracksForm(t *testing.T) {
	want := delivery.Tracks{
		{Subscriber: "events", Told: 3},
		{Subscriber: "manifests", Told: 1, Attempts: 2, DueAt: at(1), Owner: "p", LastError: "no \"route\"\xff"},
		{Subscriber: "hook", Parked: true},
	}
	stored := golden(t, "tracks-v1.json", document.AppendTracks(nil, want))
	got, err := document.DecodeTracks(stored)
	if err != nil {
		t.Fatal(err)
	}
	want[1].LastError = "no \"route\"\uFFFD" // what can't be read is replaced
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the tracks read differently (-want +got):\n%s", diff)
	}
}

func TestDamageIsTold(t *testing.T) {
	s := full(t)
	form := string(document.AppendOrder(nil, &s))
	for name, bad := range map[string]string{
		"newer form":    strings.Replace(form, `"form":1`, `"form":2`, 1),
		"cut short":     form[:len(form)/2],
		"currency":      strings.Replace(form, "KWD", "XYZ", 1),
		"price":         strings.Replace(form, `"12.3456789"`, `"twelve"`, 1),
		"payment id":    strings.Replace(form, id(2).String(), "no id", 1),
		"counters":      strings.Replace(form, `"shipped":3`, `"shipped":9`, 1),
		"not an object": "[]",
	} {
		if _, err := document.DecodeOrder(s.ID, []byte(bad)); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
	events := string(document.AppendEvents(nil, history(t)))
	if _, err := document.DecodeEvents([]byte(events[strings.Index(events, "\n")+1:]), 0, 10); err == nil {
		t.Error("events with a gap are read without an error")
	}
}

// threeLines is the order that the benchmarks of the service place.
func threeLines(t testing.TB) order.Snapshot {
	t.Helper()
	o, err := order.New(id(1), order.Draft{
		CustomerID: "customer-17", Currency: "EUR",
		Items: []order.DraftItem{
			{SKU: "85123A", Name: "White hanging heart T-light holder", Quantity: 6, UnitPrice: "2.55"},
			{SKU: "71053", Name: "White metal lantern", Quantity: 6, UnitPrice: "3.39"},
			{SKU: "84406B", Name: "Cream cupid hearts coat hanger", Quantity: 8, UnitPrice: "2.75"},
		},
	}, "", order.Stamp{Time: at(0), Actor: "anonymous"})
	if err != nil {
		t.Fatal(err)
	}
	return o.Snapshot()
}

func BenchmarkAppendOrder(b *testing.B) {
	s := threeLines(b)
	var form []byte
	for b.Loop() {
		form = document.AppendOrder(form[:0], &s)
	}
	b.SetBytes(int64(len(form)))
}

func BenchmarkDecodeOrder(b *testing.B) {
	s := threeLines(b)
	form := document.AppendOrder(nil, &s)
	b.SetBytes(int64(len(form)))
	for b.Loop() {
		if _, err := document.DecodeOrder(s.ID, form); err != nil {
			b.Fatal(err)
		}
	}
}
