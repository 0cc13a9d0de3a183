package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

const minimal = `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":2,"unit_price":12.50}]}`

func TestDecodeNewOrder(t *testing.T) {
	item := order.DraftItem{SKU: "TEA", Quantity: 2, UnitPrice: "12.50"}
	minimalDraft := order.Draft{CustomerID: "c-1", Items: []order.DraftItem{item}}
	full := minimalDraft
	full.Items = []order.DraftItem{{SKU: "TEA", Name: "Té \"verde\"", Quantity: 3, UnitPrice: "1.25e1"}, item}
	full.Currency, full.Reference = "EUR", "A-17"
	full.Metadata = map[string]string{"channel": "web"}
	full.PlacedAt = time.Date(2026, 1, 15, 8, 30, 0, 500_000_000, time.UTC)

	for name, c := range map[string]struct {
		text string
		want order.Draft
	}{
		"minimal": {minimal, minimalDraft},
		"white space and a price as text": {
			" {\n\t\"items\" : [ {\"unit_price\":\"12.50\",\"quantity\":2,\"sku\":\"TEA\"} ], \"customer_id\":\"c-1\" } \r\n", minimalDraft,
		},
		"null is absent": {
			`{"customer_id":"c-1","reference":null,"currency":null,"placed_at":null,"metadata":null,` +
				`"items":[{"sku":"TEA","quantity":2.0,"unit_price":12.50,"name":null}]}`, minimalDraft,
		},
		"full": {
			`{"customer_id":"c-1","reference":"A-17","currency":"EUR","placed_at":"2026-01-15T09:30:00.5+01:00",` +
				`"metadata":{"channel":"web"},"items":[{"sku":"T\u0045A","name":"T\u00e9 \"verde\"","quantity":0.3e1,` +
				`"unit_price":1.25e1},` +
				`{"sku":"TEA","quantity":2,"unit_price":12.50}]}`, full,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := wire.DecodeNewOrder([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeNewOrderSaysWhatIsWrongAndWhere(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	for name, c := range map[string]struct {
		text      string
		kind      fault.Kind
		locations string // with a colon and a part of the message
	}{
		"empty":           {"", fault.Malformed, ": is empty"},
		"white space":     {" \n", fault.Malformed, ": is empty"},
		"cut short":       {minimal[:50], fault.Malformed, "items[0]: ends in the middle, after 50 bytes"},
		"trailing":        {minimal + "{}", fault.Malformed, ": is not valid JSON: there is more behind"},
		"trailing comma":  {`{"customer_id":"c",}`, fault.Malformed, ": is not valid JSON"},
		"comment":         {`{/**/}`, fault.Malformed, ": is not valid JSON"},
		"byte-order mark": {"\ufeff" + minimal, fault.Malformed, ": is not valid JSON"},
		"not a number":    {`{"items":[{"quantity":NaN}]}`, fault.Malformed, "items[0].quantity: is not valid JSON"},
		"leading zero":    {`{"items":[{"quantity":01}]}`, fault.Malformed, "items[0]: is not valid JSON"},
		"duplicate":       {`{"customer_id":"a","customer_id":"b"}`, fault.Malformed, "customer_id: stands twice"},
		"duplicate below": {`{"items":[{"sku":"a","sku":"b"}]}`, fault.Malformed, "items[0].sku: stands twice"},
		"duplicate in disguise": {
			`{"metadata":{"a":"1","\u0061":"2"}}`, fault.Malformed, "metadata.a: stands twice",
		},
		"invalid UTF-8":      {"{\"customer_id\":\"\xff\"}", fault.Malformed, "customer_id: is not valid JSON: invalid UTF-8"},
		"lone surrogate":     {`{"customer_id":"\ud800"}`, fault.Malformed, "customer_id: is not valid JSON"},
		"deep":               {`{"items":` + deep, fault.Malformed, "items[0]"},
		"an array":           {`[]`, fault.Invalid, ": must be an object"},
		"null":               {`null`, fault.Invalid, ": must be an object"},
		"a string":           {`"order"`, fault.Invalid, ": must be an object"},
		"unknown":            {`{"customer":"c"}`, fault.Invalid, "customer: is not a field here; the fields are customer_id, items"},
		"another case":       {`{"Customer_ID":"c"}`, fault.Invalid, "Customer_ID: is not a field here"},
		"unknown in a line":  {`{"items":[{"price":{"a":[1]}}]}`, fault.Invalid, "items[0].price: is not a field here"},
		"empty name":         {`{"":1}`, fault.Invalid, ": is not a field here"},
		"key in the body":    {`{"idempotency_key":"k"}`, fault.Invalid, "idempotency_key: is not a field here; send the header"},
		"number for text":    {`{"customer_id":1}`, fault.Invalid, "customer_id: must be a string"},
		"null for text":      {`{"customer_id":null}`, fault.Invalid, "customer_id: must be a string"},
		"array for text":     {`{"reference":[]}`, fault.Invalid, "reference: must be a string"},
		"object for items":   {`{"items":{}}`, fault.Invalid, "items: must be an array of lines"},
		"number for a line":  {`{"items":[1]}`, fault.Invalid, "items[0]: must be an object"},
		"text for quantity":  {`{"items":[{"quantity":"2"}]}`, fault.Invalid, "items[0].quantity: must be a whole number from 1"},
		"fraction":           {`{"items":[{"quantity":1.5}]}`, fault.Invalid, "items[0].quantity: must be a whole number from 1"},
		"a hair above whole": {`{"items":[{"quantity":1.00000000000000001}]}`, fault.Invalid, "items[0].quantity: must be a whole"},
		"huge quantity":      {`{"items":[{"quantity":99999999999999999999}]}`, fault.Invalid, "items[0].quantity: must be a whole"},
		"huge exponent":      {`{"items":[{"quantity":1e999999999}]}`, fault.Invalid, "items[0].quantity: must be a whole"},
		"boolean for price":  {`{"items":[{"unit_price":true}]}`, fault.Invalid, "items[0].unit_price: must be a decimal number"},
		"null for price":     {`{"items":[{"unit_price":null}]}`, fault.Invalid, "items[0].unit_price: must be a decimal number"},
		"day for a moment":   {`{"placed_at":"2026-01-15"}`, fault.Invalid, "placed_at: must be a date and time"},
		"number for moment":  {`{"placed_at":1}`, fault.Invalid, "placed_at: must be a date and time"},
		"no such moment":     {`{"placed_at":"2026-02-30T00:00:00Z"}`, fault.Invalid, "placed_at: must be a date and time"},
		"year 1":             {`{"placed_at":"0001-01-01T00:00:00Z"}`, fault.Invalid, "placed_at: must be a date and time"},
		"number in metadata": {`{"metadata":{"a":1}}`, fault.Invalid, "metadata.a: must be a string"},
		"several": {
			`{"x":1,"items":[{"y":2,"quantity":"3"}]}`, fault.Invalid,
			"x: is not a|items[0].y: is not a|items[0].quantity: must",
		},
		"too many lines": {
			`{"items":[` + strings.Repeat("{},", 1_000) + `{}]}`, fault.Invalid,
			"items: must have 1 to 1000 lines, not 1001",
		},
		"too much metadata": {`{"metadata":{` + members(51) + `}}`, fault.Invalid, "metadata: must have at most 50 keys, not 51"},
		"malformed wins":    {`{"x":1,"y":`, fault.Malformed, "y: ends in the middle"},
		"long name":         {`{"` + strings.Repeat("n", 5_000) + `":1}`, fault.Invalid, strings.Repeat("n", 200) + "…: is not a field"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.DecodeNewOrder([]byte(c.text))
			checkFault(t, err, c.kind, c.locations)
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	_, err := wire.DecodeNewOrder([]byte(`{"items":[` + strings.Repeat("1,", 900) + `1]}`))
	if n := len(fault.Of(err).Fields); n != fault.MaxFields {
		t.Errorf("%d fields are named, want %d", n, fault.MaxFields)
	}
}

func TestDecodeBatchKeepsOrdersApart(t *testing.T) {
	text := `{"orders":[` + strings.Join([]string{
		strings.Replace(minimal, "{", `{"idempotency_key":"k-1",`, 1),
		`{"customer_id":"a","customer_id":"b"}`,
		"{\"customer_id\":\"\xff\"}",
		`{"items":[{"quantity":"2"}]}`,
		`7`,
		minimal,
	}, ",") + `]}`
	entries, err := wire.DecodeBatch([]byte(text), 6)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 6 || entries[0].IdempotencyKey != "k-1" || entries[0].Err != nil || entries[5].Err != nil {
		t.Fatalf("got %+v", entries)
	}
	checkFault(t, entries[1].Err, fault.Malformed, "customer_id: stands twice")
	checkFault(t, entries[2].Err, fault.Malformed, "customer_id: is not valid JSON: invalid UTF-8")
	checkFault(t, entries[3].Err, fault.Invalid, "items[0].quantity: must be a whole")
	checkFault(t, entries[4].Err, fault.Invalid, ": must be an object")
}

func TestDecodeBatchRefusesWhatIsNoBatch(t *testing.T) {
	for name, c := range map[string]struct {
		text      string
		kind      fault.Kind
		locations string
	}{
		"none":      {`{"orders":[]}`, fault.Invalid, "orders: must have 1 to 2 orders, not 0"},
		"absent":    {`{}`, fault.Invalid, "orders: must have 1 to 2 orders, not 0"},
		"too many":  {`{"orders":[{},{},{}]}`, fault.Invalid, "orders: must have 1 to 2 orders, not 3"},
		"twice":     {`{"orders":[{}],"orders":[{}]}`, fault.Malformed, ": stands twice"},
		"unknown":   {`{"orders":[{}],"dry":1}`, fault.Invalid, "dry: is not a field here"},
		"array":     {`[{}]`, fault.Invalid, ": must be an object with the field orders"},
		"object":    {`{"orders":{}}`, fault.Invalid, "orders: must be an array of orders"},
		"cut short": {`{"orders":[{"customer_id":"c`, fault.Malformed, "ends in the middle"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.DecodeBatch([]byte(c.text), 2)
			checkFault(t, err, c.kind, c.locations)
		})
	}
}

func TestDecodePatch(t *testing.T) {
	status, metadata, err := wire.DecodePatch([]byte(`{"status":"PAID","metadata":{"a":"1","b":null}}`))
	one := "1"
	if err != nil || status != order.StatusPaid || !cmp.Equal(metadata, map[string]*string{"a": &one, "b": nil}) {
		t.Errorf("got %q, %v, %v", status, metadata, err)
	}
	if status, metadata, err = wire.DecodePatch([]byte(`{"status":"CANCELED"}`)); err != nil || status != order.StatusCanceled || metadata != nil {
		t.Errorf("got %q, %v, %v", status, metadata, err)
	}
	for text, want := range map[string]string{
		`{}`:                                  ": must have status, metadata or both",
		`[]`:                                  ": must be an object with status",
		`{"status":"paid"}`:                   "status: must be one of PENDING, PAID, SHIPPED, DELIVERED, CANCELED",
		`{"status":null}`:                     "status: must be a string",
		`{"status":""}`:                       "status: must be one of",
		`{"metadata":null}`:                   "metadata: must be an object of strings",
		`{"metadata":{"a":1}}`:                "metadata.a: must be a string",
		`{"items":[]}`:                        "items: is not a field here; the fields are status, metadata",
		`{"status":"PAID","version":{"a":1}}`: "version: is not a field here",
	} {
		_, _, err := wire.DecodePatch([]byte(text))
		checkFault(t, err, fault.Invalid, want)
	}
}

// checkFault holds an error against "location: part of the message", several parted by bars.
func checkFault(t *testing.T, err error, kind fault.Kind, want string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != kind {
		t.Fatalf("got %v, want a fault of kind %d", err, kind)
	}
	for i, part := range strings.Split(want, "|") {
		if i >= len(f.Fields) {
			t.Fatalf("got %+v, want %q", f.Fields, want)
		}
		if got := f.Fields[i].Location + ": " + f.Fields[i].Message; !strings.Contains(got, part) {
			t.Errorf("got %q, want %q in it", got, part)
		}
	}
}

func members(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"k%d":"v"`, i)
	}
	return strings.Join(members, ",")
}
