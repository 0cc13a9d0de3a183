package wire_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// FuzzDecodeNewOrder holds the decoder against the library's own, which reads the struct by
// reflection: what it takes, the library takes and reads the same; every error says where and why.
func FuzzDecodeNewOrder(f *testing.F) {
	for _, seed := range []string{
		"", minimal, threeLines, `{"customer_id":1}`, `{"items":[{"quantity":2e0,"unit_price":"1"}]}`, `{"metadata":{"\u0061":"b"}}`,
		`{"placed_at":"2026-01-15T09:30:00Z","reference":null}`, "\ufeff{}", `{"a":"\ud800"}`, "{\"\xff\":1}", `[[[[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		draft, err := wire.DecodeNewOrder(text)
		if err != nil {
			checkShown(t, err)
			return
		}
		if !jsontext.Value(text).IsValid() {
			t.Fatalf("%q is no JSON, but was taken", text)
		}
		var form struct {
			wire.NewOrder
			Items []struct {
				wire.NewItem
				Quantity float64 `json:"quantity"`
			} `json:"items"`
		}
		if err := json.Unmarshal(text, &form, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%q was taken, but the library says %v", text, err)
		}
		if form.CustomerID != draft.CustomerID || len(form.Items) != len(draft.Items) || len(form.Metadata) != len(draft.Metadata) {
			t.Fatalf("%q was read as %+v, and by the library as %+v", text, draft, form)
		}
		for i, item := range form.Items {
			if got := draft.Items[i]; got.SKU != item.SKU || float64(got.Quantity) != item.Quantity {
				t.Fatalf("line %d of %q was read as %+v, and by the library as %+v", i+1, text, got, item)
			}
		}
	})
}

// FuzzDecodeBatch wants an answer to everything, and every error to be one that can be shown.
func FuzzDecodeBatch(f *testing.F) {
	for _, seed := range []string{`{"orders":[` + minimal + `]}`, `{"orders":[1,{"a":"\ud800"}]}`, `{"orders":[],"orders":[]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := wire.DecodeBatch(text, 10)
		if err != nil {
			checkShown(t, err)
			return
		}
		if len(entries) < 1 || len(entries) > 10 {
			t.Fatalf("%q made %d entries", text, len(entries))
		}
		for _, e := range entries {
			if e.Err != nil {
				checkShown(t, e.Err)
			}
		}
	})
}

// FuzzDecodePatch wants an answer to everything.
func FuzzDecodePatch(f *testing.F) {
	for _, seed := range []string{`{}`, `{"status":"PAID"}`, `{"metadata":{"a":null,"b":"c"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		status, metadata, err := wire.DecodePatch(text)
		if err != nil {
			checkShown(t, err)
			return
		}
		if status != "" && !status.Valid() || status == "" && metadata == nil {
			t.Fatalf("%q was taken as %q, %v", text, status, metadata)
		}
	})
}

func checkShown(t *testing.T, err error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Malformed && f.Kind != fault.Invalid || len(f.Fields) == 0 || f.Message == "" {
		t.Fatalf("%v can't be shown", err)
	}
	for _, field := range f.Fields {
		if field.Message == "" || len(field.Location) > 300 || strings.Contains(field.Message, "\x00") {
			t.Fatalf("%+v can't be shown", field)
		}
	}
}

// FuzzDecodeCommand holds what every command that is taken has, and that every error says why.
func FuzzDecodeCommand(f *testing.F) {
	const id = `"orderId":"610a8efc12a0dd01a3c53be6"`
	for _, seed := range []string{
		"", "{}", `{"type":"PaymentSucceeded",` + id + `,"amount":1e2}`, `{"detail-type":"PaymentFailed","detail":{` + id + `}}`,
		`{"specversion":"1.0","type":"a.b.ShipmentDelivered","subject":"610a8efc12a0dd01a3c53be6","data":{}}`, `{"type":null,"id":"\u00e9"}`,
		`{"detail":[],"data":{}}`, `{"source":"order-processing-service"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := wire.DecodeCommand(text)
		if err != nil {
			checkShown(t, err)
			return
		}
		if !jsontext.Value(text).IsValid() || c.OrderID.IsZero() && !strings.Contains(string(text), strings.Repeat("0", 24)) ||
			!slices.Contains(order.ReportTypes(), c.Report.Type) || len(c.ID) > wire.MaxCommandID || len(c.Source) > wire.MaxCommandSource {
			t.Fatalf("%q was read as %+v", text, c)
		}
	})
}
