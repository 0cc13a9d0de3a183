package e2e_test

import (
	"fmt"
	"testing"
	"time"
)

// TestText keeps texts as they were sent, and refuses what is too long or holds control characters.
func TestText(t *testing.T) {
	// with places an order whose members are replaced or joined by others.
	with := func(name, members string, status int, has string) step {
		return step{
			name: name, request: "POST /orders", status: status, has: has,
			body: `{` + members + `, "currency": "USD"}`,
		}
	}
	const line = `"items": [{"sku": "A", "quantity": 1, "unit_price": 1}]`
	customer := func(text string, status int, has string) step {
		return with("customer "+text, `"customer_id": "`+text+`", `+line, status, has)
	}
	item := func(members string, status int, has string) step {
		return with("line "+members, `"customer_id": "c", "items": [{"quantity": 1, "unit_price": 1, `+members+`}]`, status, has)
	}
	more := func(members string, status int, has string) step {
		return with(members, `"customer_id": "c", `+line+`, `+members, status, has)
	}
	fault := func(location, message string) string {
		return fmt.Sprintf(`{"code": "validation_failed", "errors": [{"location": %q, "message": %q}]}`, location, message)
	}
	const control, required = "must not contain control characters", "is required: 1 to %d characters"
	tomorrow := time.Now().Add(24 * time.Hour).Format(time.RFC3339)
	run(t, []scenario{
		{
			name: "kept as sent", orders: 12,
			steps: []step{
				customer("Zoë 🚲 ไทย עברית", 201, `{"customer_id": "Zoë 🚲 ไทย עברית"}`),
				customer("e\u0301 is not é", 201, `{"customer_id": "e\u0301 is not é"}`),
				customer("  blanks  ", 201, `{"customer_id": "  blanks  "}`),
				customer(`\ud83d\ude00 \u00e9 \/ \" \\`, 201, `{"customer_id": "😀 é / \" \\"}`),
				customer("<script>alert(1)</script> & ' -- ;", 201, `{"customer_id": "<script>alert(1)</script> & ' -- ;"}`),
				customer(repeat("x", 128), 201, `{"customer_id": "`+repeat("x", 128)+`"}`), customer(repeat("é", 128), 201, `{}`),
				customer(repeat("🚲", 128), 201, `{}`),
				item(`"sku": "`+repeat("é", 64)+`", "name": "`+repeat("🚲", 255)+`"`, 201, `{"items": [{"name": "`+repeat("🚲", 255)+`"}]}`),
				more(`"reference": "`+repeat("r", 128)+`"`, 201, `{"reference": "`+repeat("r", 128)+`"}`),
				more(`"metadata": `+members(50), 201, `{}`),
				more(`"metadata": {"`+repeat("é", 40)+`": "`+repeat("🚲", 500)+`", "$where": "1", "a.b": "", "__proto__": "x"}`, 201,
					`{"metadata": {"`+repeat("é", 40)+`": "`+repeat("🚲", 500)+`", "$where": "1", "a.b": "", "__proto__": "x"}}`),
			},
		},
		{
			name: "refused",
			steps: []step{
				customer("", 422, fault("body.customer_id", fmt.Sprintf(required, 128))),
				customer(repeat("x", 129), 422, fault("body.customer_id", "must have at most 128 characters")),
				customer(repeat("é", 129), 422, fault("body.customer_id", "must have at most 128 characters")),
				customer(`a\u0000b`, 422, fault("body.customer_id", control)), customer(`a\nb`, 422, fault("body.customer_id", control)),
				customer(`a\u007fb`, 422, fault("body.customer_id", control)), customer(`é\u0085`, 422, fault("body.customer_id", control)),
				customer(`\ud83d alone`, 400, `{"code": "json_malformed"}`), customer("a\tb", 400, `{"code": "json_malformed"}`),
				with("no customer", line, 422, fault("body.customer_id", fmt.Sprintf(required, 128))),
				with("customer null", `"customer_id": null, `+line, 422, `{"code": "validation_failed"}`),
				with("customer 42", `"customer_id": 42, `+line, 422, `{"code": "validation_failed"}`),
				item(`"sku": ""`, 422, fault("body.items[0].sku", fmt.Sprintf(required, 64))),
				item(`"name": "x"`, 422, fault("body.items[0].sku", fmt.Sprintf(required, 64))),
				item(`"sku": "`+repeat("x", 65)+`"`, 422, fault("body.items[0].sku", "must have at most 64 characters")),
				item(`"sku": "A", "name": "`+repeat("x", 256)+`"`, 422, fault("body.items[0].name", "must have at most 255 characters")),
				more(`"reference": "`+repeat("r", 129)+`"`, 422, fault("body.reference", "must have at most 128 characters")),
				more(`"reference": "\r\n"`, 422, fault("body.reference", control)),
				more(`"metadata": `+members(51), 422, fault("body.metadata", "must have at most 50 keys, not 51")),
				more(`"metadata": {"`+repeat("k", 41)+`": ""}`, 422, fault("body.metadata", "each key must have at most 40 characters")),
				more(`"metadata": {"": ""}`, 422, `{"code": "validation_failed"}`),
				more(`"metadata": {"k": "`+repeat("v", 501)+`"}`, 422, fault("body.metadata.k", "must have at most 500 characters")),
				more(`"metadata": {"k": 1}`, 422, fault("body.metadata.k", "must be a string")),
				more(`"metadata": {"k": null}`, 422, fault("body.metadata.k", "must be a string")),
				more(`"metadata": {"k": {"deep": "x"}}`, 422, fault("body.metadata.k", "must be a string")),
				more(`"metadata": []`, 422, fault("body.metadata", "must be an object of strings")),
				more(`"metadata": {"k": "a\u0001"}`, 422, fault("body.metadata.k", control)),
				more(`"placed_at": "`+tomorrow+`"`, 422, fault("body.placed_at", "must not be in the future")),
				more(`"placed_at": "1899-12-31T23:59:59Z"`, 422, fault("body.placed_at", "must not be before the year 1900")),
				more(`"placed_at": "2026-02-30T00:00:00Z"`, 422, `{"errors": [{"location": "body.placed_at"}]}`),
				more(`"placed_at": "2026-01-01 00:00:00"`, 422, `{"errors": [{"location": "body.placed_at"}]}`),
				more(`"placed_at": 1767225600`, 422, `{"errors": [{"location": "body.placed_at"}]}`),
				with("no lines", `"customer_id": "c"`, 422, fault("body.items", "must have 1 to 1000 lines, not 0")),
				with("lines null", `"customer_id": "c", "items": null`, 422, `{"code": "validation_failed"}`),
				with("1,001 lines", `"customer_id": "c", "items": [`+repeat(`{"sku": "A", "quantity": 1,
					"unit_price": 1},`, 1000)+`{"sku": "A", "quantity": 1, "unit_price": 1}]`,
					422, fault("body.items", "must have 1 to 1000 lines, not 1001")),
			},
		},
		{
			name: "every fault at once, each with its place",
			steps: []step{{
				request: "POST /orders", body: `{"customer_id": "", "currency": "EURO", "placed_at": "2999-01-01T00:00:00Z", "items": [
					{"sku": "A", "quantity": 1, "unit_price": 1}, {"sku": "", "quantity": 0, "unit_price": -1}]}`, status: 422,
				has: `{"code": "validation_failed", "detail": "body.customer_id is required: 1 to 128 characters (and 4 more, see errors)",
					"errors": [
					{"location": "body.customer_id"}, {"location": "body.placed_at"}, {"location": "body.currency"},
					{"location": "body.items[1].sku"}, {"location": "body.items[1].quantity"}]}`,
			}},
		},
		{
			name: "a thousand lines", orders: 1,
			steps: []step{
				with(
					"1,000 lines",
					`"customer_id": "c", "items": [`+repeat(`{"sku": "A", "quantity": 1, "unit_price": 1},`, 999)+`{"sku": "A",
						"quantity": 1, "unit_price": 1}]`,
					201, `{"total": 1000.00}`,
				),
			},
		},
	})
}
