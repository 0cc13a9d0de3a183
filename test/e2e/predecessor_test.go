package e2e_test

import "testing"

// TestPredecessor sends what clients of the service before this one send, and looks at what they look at.
func TestPredecessor(t *testing.T) {
	const small = `{"customer_id": "c-1", "items": [{"sku": "TEA", "quantity": 2, "unit_price": 12.5}]}`
	const asKnown = `{"id": "<id>", "customer_id": "c-1", "status": "PENDING", "created_at": "<time>", "updated_at": "<time>",
		"items": [{"sku": "TEA", "quantity": 2, "unit_price": 12.50}]}`
	place := step{request: "POST /orders", body: small, status: 201, has: asKnown, keep: fields{"order": "id"}}
	run(t, []scenario{
		{
			name:   "an order is placed, read and moved",
			orders: 1,
			told: []string{
				"OrderCreated", "PaymentCaptured", "OrderStatusChanged", "FulfillmentCreated", "FulfillmentShipped",
				"OrderStatusChanged",
			},
			steps: []step{
				{request: "GET /health", status: 200, has: `{"status": "ok"}`},
				place,
				{request: "GET /orders/{order}", status: 200, has: asKnown},
				{request: "PATCH /orders/{order}", body: `{"status": "PAID"}`, status: 200, has: `{"id": "{order}", "status": "PAID"}`},
				{request: "PATCH /orders/{order}", body: `{"status": "SHIPPED"}`, status: 200, has: `{"status": "SHIPPED"}`},
				{request: "GET /orders/{order}", status: 200, has: `{"status": "SHIPPED", "customer_id": "c-1"}`},
			},
		},
		{
			name:   "an id that no order has, malformed or not, is 404 with an error",
			orders: 1,
			steps: []step{
				place,
				{request: "GET /orders/6743f1a0c2d4e6f801234567", status: 404, has: `{"error": "<text>", "code": "order_not_found"}`},
				{request: "GET /orders/42", status: 404, has: `{"error": "<text>", "code": "order_not_found"}`},
				{request: "GET /orders/{order}0", status: 404, has: `{"error": "<text>"}`},
				{request: "GET /orders/xyz3f1a0c2d4e6f801234567", status: 404, has: `{"error": "<text>"}`},
				{request: "PATCH /orders/6743f1a0c2d4e6f801234567", body: `{"status": "PAID"}`, status: 404, has: `{"error": "<text>"}`},
				{request: "PATCH /orders/42", body: `{"status": "PAID"}`, status: 404, has: `{"error": "<text>"}`},
				{request: "GET /orders/42/timeline", status: 404, has: `{"error": "<text>"}`},
			},
		},
		{
			name:   "several lines, whole prices, and a status that does not exist",
			orders: 1,
			steps: []step{
				{
					request: "POST /orders",
					body: `{"customer_id": "42", "items": [{"sku": "A", "quantity": 1, "unit_price": 10}, {"sku": "B", "quantity": 3,
						"unit_price": 0.1}]}`,
					status: 201,
					has: `{"items": [{"sku": "A", "unit_price": 10.00}, {"sku": "B", "quantity": 3, "unit_price": 0.10}],
						"total": 10.30}`,
					keep: fields{"order": "id"},
				},
				{
					request: "PATCH /orders/{order}", body: `{"status": "paid"}`, status: 422,
					has: `{"error": "<text>", "errors": [{"location": "body.status", 
						"message": "must be one of PENDING, PAID, SHIPPED, DELIVERED, CANCELED"}]}`,
				},
				{request: "POST /orders", body: `{"customer_id": "42", "items": []}`, status: 422, has: `{"error": "<text>"}`},
				{
					request: "POST /orders", body: `{"items": [{"sku": "A", "quantity": 1, "unit_price": 10}]}`, status: 422,
					has: `{"error": "<text>"}`,
				},
			},
		},
	})
}

// TestOrderInFull holds an order against the example that was agreed on, member by member.
func TestOrderInFull(t *testing.T) {
	const whole = `{
		"id": "<id>", "customer_id": "c-1", "reference": "A-17", "status": "PENDING", "payment_status": "UNPAID",
		"fulfillment_status": "UNFULFILLED", "currency": "EUR", "total": 25.00,
		"items": [{"line": 1, "sku": "TEA", "name": "Green tea", "quantity": 2, "unit_price": 12.50, "line_total": 25.00,
			"canceled": 0, "shipped": 0, "delivered": 0, "returned": 0}],
		"payments": [], "fulfillments": [], "returns": [],
		"metadata": {"channel": "web"}, "placed_at": "2026-01-15T09:30:00.000Z", "created_at": "<time>", "updated_at": "<time>",
		"version": 1,
		"actions": {"pay": {"allowed": true}, "ship": {"allowed": false, "reason": "the order must be PAID first"},
			"deliver": {"allowed": false, "reason": "the order must be SHIPPED first"}, "cancel": {"allowed": true}}}`
	run(t, []scenario{
		{
			name: "everything that can be sent", orders: 1, told: []string{"OrderCreated"},
			steps: []step{
				{
					request: "POST /orders",
					body: `{"customer_id": "c-1", "reference": "A-17", "currency": "EUR", "placed_at": "2026-01-15T10:30:00+01:00",
						"metadata": {"channel": "web"},
						"items": [{"sku": "TEA", "name": "Green tea", "quantity": 2, "unit_price": 12.5}]}`,
					status: 201, want: whole, keep: fields{"order": "id"},
					headers: fields{
						"Location": "/orders/{order}", "ETag": `"1"`, "Content-Type": "application/json", "Idempotent-Replayed": "",
					},
				},
				{request: "GET /orders/{order}", status: 200, want: whole, headers: fields{"ETag": `"1"`, "Cache-Control": "no-cache"}},
				{
					request: "GET /orders/{order}/timeline", status: 200,
					want: `{"events": [{"id": "{order}-1", "type": "OrderCreated", "sequence": 1, "version": 1, "time": "<time>",
						"actor": "anonymous",
						"data": {"eventId": "{order}-1", "orderId": "{order}", "customerId": "c-1", "status": "PENDING", "version": 1, "sequence": 1,
						"actor": "anonymous",
							"reference": "A-17", "currency": "EUR", "total": 25.00, "placedAt": "2026-01-15T09:30:00.000Z",
							"items": [{"line": 1, "sku": "TEA", "name": "Green tea", "quantity": 2, "unitPrice": 12.50,
							"lineTotal": 25.00}]}}]}`,
				},
			},
		},
		{
			name: "the least that can be sent", orders: 2, settings: []string{"DEFAULT_CURRENCY=GBP"},
			steps: []step{
				{
					request: "POST /orders", body: `{"customer_id": "c-1", "items": [{"sku": "TEA", "quantity": 1, "unit_price": 0}]}`,
					status: 201,
					has: `{"reference": null, "currency": "GBP", "total": 0.00, "metadata": {}, "placed_at": "<time>",
						"items": [{"name": null, "unit_price": 0.00}]}`,
					keep: fields{"placed": "placed_at"},
				},
				{
					name: "null is the same as absent", request: "POST /orders",
					body: `{"customer_id": "c-1", "items": [{"sku": "TEA", "quantity": 1, "unit_price": 0, "name": null}],
						"reference": null, "currency": null, "placed_at": null, "metadata": null}`,
					status: 201, has: `{"reference": null, "currency": "GBP", "metadata": {}, "items": [{"name": null}]}`,
				},
			},
		},
		{
			name: "the same SKU may stand on several lines", orders: 1,
			steps: []step{{
				request: "POST /orders",
				body: `{"customer_id": "c-1", "items": [{"sku": "TEA", "quantity": 1, "unit_price": 2}, {"sku": "TEA", "quantity": 2,
					"unit_price": 1}]}`,
				status: 201,
				has: `{"total": 4.00, "items": [{"line": 1, "sku": "TEA", "line_total": 2.00}, {"line": 2, "sku": "TEA",
					"line_total": 2.00}]}`,
			}},
		},
	})
}
