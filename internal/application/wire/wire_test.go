package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
)

func at(minute int) order.Stamp {
	return order.Stamp{Time: time.Date(2026, 1, 15, 9, minute, 7, 45_000_000, time.UTC), Actor: "ana"}
}

func id(n byte) order.ID { return order.ID{0x67, 0x43, 11: n} }

func newOrder(t testing.TB, d order.Draft) *order.Order {
	t.Helper()
	o, err := order.New(id(1), d, "", at(0))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func tea() order.Draft {
	return order.Draft{
		CustomerID: "c-1", Reference: "A-17", Currency: "EUR",
		Items: []order.DraftItem{
			{SKU: "TEA", Name: "Green tea", Quantity: 2, UnitPrice: "12.5"},
			{SKU: "CUP", Quantity: 1, UnitPrice: "3.3333"},
		},
		Metadata: map[string]string{"z": "last", "channel": "web"},
	}
}

// moved is an order that went through the given statuses, with all its events.
func moved(t testing.TB, d order.Draft, through ...order.Status) (*order.Order, []order.Event) {
	t.Helper()
	o := newOrder(t, d)
	events := o.Events()
	for i, status := range through {
		restored, err := order.Restore(o.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		o = restored
		if err := o.MoveTo(status, id(byte(10+i)), at(i+1)); err != nil {
			t.Fatal(err)
		}
		events = append(events, o.Events()...)
	}
	return o, events
}

// strict decodes into the struct that stands for the form: nothing unknown, nothing twice.
func strict(t testing.TB, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func TestOrderIsWrittenAsDocumented(t *testing.T) {
	got := string(wire.AppendOrder(nil, newOrder(t, tea())))
	want := `{"id":"674300000000000000000001","customer_id":"c-1","reference":"A-17","status":"PENDING",` +
		`"payment_status":"UNPAID","fulfillment_status":"UNFULFILLED","currency":"EUR","total":28.33,` +
		`"items":[{"line":1,"sku":"TEA","name":"Green tea","quantity":2,"unit_price":12.50,"line_total":25.00,` +
		`"canceled":0,"shipped":0,"delivered":0,"returned":0},` +
		`{"line":2,"sku":"CUP","name":null,"quantity":1,"unit_price":3.3333,"line_total":3.33,` +
		`"canceled":0,"shipped":0,"delivered":0,"returned":0}],` +
		`"payments":[],"fulfillments":[],"returns":[],"metadata":{"channel":"web","z":"last"},` +
		`"placed_at":"2026-01-15T09:00:07.045Z","created_at":"2026-01-15T09:00:07.045Z",` +
		`"updated_at":"2026-01-15T09:00:07.045Z","version":1,"actions":{"pay":{"allowed":true},` +
		`"ship":{"allowed":false,"reason":"the order must be PAID first"},` +
		`"deliver":{"allowed":false,"reason":"the order must be SHIPPED first"},"cancel":{"allowed":true}}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOrderIsReadBackByItsStruct(t *testing.T) {
	plain := order.Draft{
		CustomerID: "ñ \"quoted\" \\ \u2028", Currency: "JPY",
		Items: []order.DraftItem{{SKU: "\u65e5\u672c", Quantity: 1, UnitPrice: "0"}},
	}
	cases := map[string]*order.Order{"plain": newOrder(t, plain)}
	for _, through := range [][]order.Status{
		{order.StatusPaid},
		{order.StatusPaid, order.StatusShipped, order.StatusDelivered},
		{order.StatusCanceled},
		{order.StatusPaid, order.StatusCanceled},
	} {
		o, _ := moved(t, tea(), through...)
		cases[fmt.Sprint(through)] = o
	}
	s := cases["[PAID SHIPPED DELIVERED]"].Snapshot()
	s.Fulfillments[0].Carrier, s.Fulfillments[0].Tracking = "Correos", "PK1"
	s.Returns = []order.Return{{
		ID: id(9), State: order.ReturnStateRequested, Lines: []order.LineQuantity{{Line: 1, Quantity: 1}},
		Reason: "too green", CreatedAt: at(9).Time, UpdatedAt: at(9).Time,
	}}
	returned, err := order.Restore(s)
	if err != nil {
		t.Fatal(err)
	}
	cases["returned"] = returned

	for name, o := range cases {
		t.Run(name, func(t *testing.T) {
			var got wire.Order
			strict(t, wire.AppendOrder(nil, o), &got)
			if diff := cmp.Diff(orderForm(o), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTextIsAlwaysValidJSON(t *testing.T) {
	for _, s := range []string{
		"", "plain", `"`, `\`, "\x00\x1f\x7f", "\u0080\u2028", "\u65e5\u672c", "\xff\xfe", "a\xc3", strings.Repeat("x", 300), "tab\there",
	} {
		got := jsontext.Value(wire.AppendString(nil, s))
		if !got.IsValid() {
			t.Errorf("%q became %s", s, got)
		}
		var back string
		if err := json.Unmarshal(got, &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") && s != "\xff\xfe" {
			t.Errorf("%q came back as %q, %v", s, back, err)
		}
	}
}

func TestTimeIsOfOneWidth(t *testing.T) {
	for _, text := range []string{
		"1900-01-01T00:00:00.000Z", "2026-11-30T23:59:59.999Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.010Z",
		"2024-02-29T12:00:00.100Z",
	} {
		moment, err := time.Parse(wire.TimeLayout, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(wire.AppendTime(nil, moment.In(time.FixedZone("", 3600)))); got != `"`+text+`"` {
			t.Errorf("got %s, want %q", got, text)
		}
	}
}
