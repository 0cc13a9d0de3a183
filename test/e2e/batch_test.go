package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestBatch(t *testing.T) {
	const (
		good  = `{"customer_id": "c-1", "items": [{"sku": "A", "quantity": 1, "unit_price": 1}]}`
		first = `{"idempotency_key": "b-1", "customer_id": "c-1", "items": [{"sku": "A", "quantity": 1, "unit_price": 1}]}`
		other = `{"idempotency_key": "b-1", "customer_id": "c-2", "items": [{"sku": "A", "quantity": 1, "unit_price": 1}]}`
	)
	posting := func(body string) step { return step{request: "POST /orders/batch", body: body, status: 200} }
	whole := func(name, body string, status int, has string) step {
		return step{name: name, request: "POST /orders/batch", body: body, status: status, has: has}
	}
	mixed := posting(`{"orders": [` + first + `, {"customer_id": "", "items": [{"sku": "A", "quantity": 0, "unit_price": 1}]}, ` + good + `,
		{"customer_id": "c", "customer_id": "d", "items": []}, 7, ` + other + `, ` + first + `, {"idempotency_key": "ä",
		"customer_id": "c", "items": [{"sku": "A", "quantity": 1, "unit_price": 1}]}]}`)
	mixed.has = `{"results": [
		{"status": 201, "order": {"customer_id": "c-1", "version": 1}},
		{"status": 422, "problem": {"status": 422, "code": "validation_failed", "error": "<text>", "errors": [
			{"location": "body.orders[1].customer_id", "message": "is required: 1 to 128 characters"},
			{"location": "body.orders[1].items[0].quantity", "message": "must be a whole number from 1 to 1,000,000"}]}},
		{"status": 201, "order": {"customer_id": "c-1"}},
		{"status": 400, "problem": {"code": "json_malformed", "errors": [{"location": "body.orders[3].customer_id"}]}},
		{"status": 422, "problem": {"errors": [{"location": "body.orders[4]"}]}},
		{"status": 422, "problem": {"code": "idempotency_key_reused"}},
		{"status": 201, "replayed": true, "order": {"id": "{first}"}},
		{"status": 422, "problem": {"errors": [{"location": "body.orders[7].idempotency_key"}]}}]}`
	mixed.keep = fields{"first": "results.0.order.id", "second": "results.2.order.id"}
	run(t, []scenario{
		{
			name: "each on its own, answered in the order sent", orders: 2, told: []string{"OrderCreated", "OrderCreated"},
			steps: []step{
				mixed,
				{request: "GET /orders/{first}", status: 200},
				{request: "GET /orders/{second}", status: 200},
				{
					name: "the same key outside a batch", request: "POST /orders", header: fields{"Idempotency-Key": "b-1"}, body: good,
					status: 201,
					has:    `{"id": "{first}"}`, headers: fields{"Idempotent-Replayed": "true"},
				},
			},
		},
		{
			name: "a batch that was sent twice", orders: 1, told: []string{"OrderCreated"},
			steps: []step{
				{
					request: "POST /orders/batch", body: `{"orders": [` + first + `]}`, status: 200,
					keep: fields{"order": "results.0.order.id"},
				},
				{
					request: "POST /orders/batch", body: `{"orders": [` + first + `]}`, status: 200,
					has: `{"results": [{"status": 201, "replayed": true, "order": {"id": "{order}"}}]}`,
				},
			},
		},
		{
			name: "what is no batch",
			steps: []step{
				whole(
					"none", `{"orders": []}`, 422,
					`{"errors": [{"location": "body.orders", "message": "must have 1 to 1000 orders, not 0"}]}`,
				),
				whole(
					"too many", `{"orders": [`+repeat(`{},`, 1000)+`{}]}`, 422,
					`{"errors": [{"location": "body.orders", "message": "must have 1 to 1000 orders, not 1001"}]}`,
				),
				whole("an array", `[]`, 422, `{"errors": [{"location": "body", "message": "must be an object with the field orders"}]}`),
				whole("no array", `{"orders": {}}`, 422, `{"code": "validation_failed"}`),
				whole("nothing", `{}`, 422, `{"code": "validation_failed"}`),
				whole("null", `null`, 422, `{"code": "validation_failed"}`),
				whole("more", `{"orders": [`+good+`], "dry_run": true}`, 422, `{"errors": [{"location": "body.dry_run"}]}`),
				whole("twice", `{"orders": [`+good+`], "orders": []}`, 400, `{"code": "json_malformed"}`),
				whole("cut", `{"orders": [`+good, 400, `{"code": "json_malformed"}`),
				{
					request: "POST /orders/batch", header: fields{"Idempotency-Key": "k"}, body: `{"orders": [` + good + `]}`,
					status: 422, has: `{"errors": [{"location": "header.Idempotency-Key"}]}`,
				},
				{
					request: "POST /orders/batch?as_history=yes", body: `{"orders": [` + good + `]}`, status: 422,
					has: `{"errors": [{"location": "query.as_history"}]}`,
				},
				{
					request: "POST /orders/batch", header: fields{"Content-Type": "text/plain"}, body: `{"orders": [` + good + `]}`,
					status: 415,
				},
				whole("more than 8 MiB", repeat(" ", 8<<20)+"{}", 413, `{"code": "body_too_large"}`),
			},
		},
		{
			name: "more than 1 MiB is well", orders: 1,
			steps: []step{
				{
					request: "POST /orders/batch", body: `{"orders": [` + good + `]}` + repeat(" ", 1<<20), status: 200,
					has: `{"results": [{"status": 201}]}`,
				},
			},
		},
	})
}

// TestBatchOfAThousand takes as many as it may, twice.
func TestBatchOfAThousand(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			var orders []string
			for i := range 1000 {
				orders = append(orders, fmt.Sprintf(`{"idempotency_key": "k-%d", "customer_id": "c-%[1]d", "items": [{"sku": "A",
					"quantity": 1, "unit_price": 1}]}`, i))
			}
			body := `{"orders": [` + strings.Join(orders, ",") + `]}`
			for _, replayed := range []bool{false, true} {
				a := s.ask(t, http.MethodPost, "/orders/batch", nil, strings.NewReader(body))
				results := list(t, a.body, "results")
				if len(results) != len(orders) {
					t.Fatalf("status %d, %d results", a.status, len(results))
				}
				for i, result := range results {
					r, _ := result.(map[string]any)
					order, _ := r["order"].(map[string]any)
					if order["customer_id"] != fmt.Sprint("c-", i) || (r["replayed"] == true) != replayed {
						t.Fatalf("result %d is %v", i, result)
					}
				}
			}
			if n := len(s.ids(t)); n != len(orders) {
				t.Errorf("there are %d orders", n)
			}
		})
	}
}

// TestHistory keeps orders as told already: no subscriber learns of them, but of what happens to them later.
func TestHistory(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			s.untold = true
			a := s.ask(t, http.MethodPost, "/orders/batch?as_history=true", nil, strings.NewReader(`{"orders": [`+small+`]}`))
			id := text(t, a.body, "results.0.order.id")
			if a := s.ask(t, http.MethodPatch, "/orders/"+id, nil, strings.NewReader(`{"metadata": {"n": "1"}}`)); a.status != http.StatusOK {
				t.Fatalf("status %d\n%s", a.status, a.body)
			}
			lines := s.out.await(t, "the change to be told", func(lines []line) bool {
				return keptVersions(lines)[id] == 2 && len(toldEvents(lines)) > 0
			})
			if told := toldEvents(lines); len(told) != 1 || told[0].id != id+"-2" {
				t.Errorf("told was %v", told)
			}
			if diff := differ(t, `{"deliveries": [], "next_cursor": null}`, s.get(t, "/deliveries?state=parked"), false); diff != "" {
				t.Error(diff)
			}
		})
	}
}
