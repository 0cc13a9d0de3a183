package e2e_test

import "testing"

// small is an order of 25.00 EUR; placed places it.
const small = `{"customer_id": "c-1", "currency": "EUR", "items": [{"sku": "TEA", "quantity": 2, "unit_price": 12.5}]}`

func placed() step {
	return step{request: "POST /orders", body: small, status: 201, keep: fields{"order": "id"}}
}

// moved moves the order to a status, which must be allowed, and looks at a part of the answer.
func moved(to, has string) step {
	return step{request: "PATCH /orders/{order}", body: `{"status": "` + to + `"}`, status: 200, has: has}
}

// refused asks for a status that is not allowed now.
func refused(to, detail string) step {
	return step{
		request: "PATCH /orders/{order}", body: `{"status": "` + to + `"}`, status: 409,
		has: `{"code": "status_not_allowed", "detail": "` + detail + `"}`, headers: fields{"ETag": ""},
	}
}

// TestLifeOfAnOrder moves orders along every way and tries every one that is barred.
func TestLifeOfAnOrder(t *testing.T) {
	const (
		shippedNow   = `"ship": {"allowed": true}`
		noPay        = `"pay": {"allowed": false, "reason": "<text>"}`
		noShip       = `"ship": {"allowed": false, "reason": "<text>"}`
		noDeliver    = `"deliver": {"allowed": false, "reason": "<text>"}`
		noCancel     = `"cancel": {"allowed": false, "reason": "<text>"}`
		afterPayment = `"payments": [{"id": "<id>", "status": "CAPTURED", "provider": "external", "amount": 25.00, "refunds": []}]`
	)
	run(t, []scenario{
		{
			name: "paid, shipped, delivered", orders: 1,
			told: []string{
				"OrderCreated", "PaymentCaptured", "OrderStatusChanged", "FulfillmentCreated", "FulfillmentShipped", "OrderStatusChanged",
				"FulfillmentDelivered", "OrderStatusChanged",
			},
			steps: []step{
				placed(),
				moved("PAID", `{"status": "PAID", "payment_status": "PAID", "fulfillment_status": "UNFULFILLED", "version": 2,
					`+afterPayment+`,
					"actions": {`+noPay+`, `+shippedNow+`, `+noDeliver+`, "cancel": {"allowed": true}}}`),
				moved("SHIPPED", `{"status": "SHIPPED", "fulfillment_status": "SHIPPED", "version": 3, "items": [{"shipped": 2,
					"delivered": 0}],
					"fulfillments": [{"id": "<id>", "status": "SHIPPED", "items": [{"line": 1, "quantity": 2}], "carrier": null,
					"tracking": null}],
					"actions": {`+noPay+`, `+noShip+`, "deliver": {"allowed": true}, `+noCancel+`}}`),
				moved("DELIVERED", `{"status": "DELIVERED", "fulfillment_status": "DELIVERED", "version": 4, "items": [{"shipped": 2,
					"delivered": 2}],
					"fulfillments": [{"status": "DELIVERED"}], "actions": {`+noPay+`, `+noShip+`, `+noDeliver+`, `+noCancel+`}}`),
				{request: "GET /orders/{order}", status: 200, has: `{"status": "DELIVERED", "version": 4}`, headers: fields{"ETag": `"4"`}},
				{
					request: "GET /orders/{order}/timeline", status: 200,
					has: `{"events": [{"sequence": 1, "version": 1, "type": "OrderCreated"},
						{"sequence": 2, "version": 2, "type": "PaymentCaptured", "data": {"paymentId": "<id>", "amount": 25.00,
						"currency": "EUR"}},
						{"sequence": 3, "version": 2, "data": {"previousStatus": "PENDING", "status": "PAID"}},
						{"sequence": 4, "version": 3, "data": {"fulfillmentId": "<id>", "items": [{"line": 1, "quantity": 2}]}},
						{"sequence": 5, "version": 3}, {"sequence": 6, "version": 3, "data": {"previousStatus": "PAID",
						"status": "SHIPPED"}},
						{"sequence": 7, "version": 4}, {"id": "{order}-8", "sequence": 8, "version": 4, "actor": "anonymous",
						"data": {"status": "DELIVERED"}}]}`,
				},
			},
		},
		{
			name: "canceled before it is paid", orders: 1, told: []string{"OrderCreated", "OrderStatusChanged"},
			steps: []step{
				placed(),
				moved("CANCELED", `{"status": "CANCELED", "payment_status": "UNPAID", "version": 2, "items": [{"canceled": 2}],
					"total": 25.00,
					"actions": {`+noPay+`, `+noShip+`, `+noDeliver+`, `+noCancel+`}}`),
			},
		},
		{
			name: "canceled after it is paid gives the money back", orders: 1,
			told: []string{"OrderCreated", "PaymentCaptured", "OrderStatusChanged", "RefundSucceeded", "OrderStatusChanged"},
			steps: []step{
				placed(), moved("PAID", `{"status": "PAID"}`),
				moved("CANCELED", `{"status": "CANCELED", "payment_status": "REFUNDED", "version": 3,
					"payments": [{"amount": 25.00, "refunds": [{"id": "<id>", "status": "SUCCEEDED", "amount": 25.00}]}]}`),
			},
		},
		{
			name: "an order that costs nothing can be paid", orders: 1,
			told: []string{"OrderCreated", "PaymentCaptured", "OrderStatusChanged"},
			steps: []step{
				{
					request: "POST /orders", body: `{"customer_id": "c-1", "items": [{"sku": "GIFT", "quantity": 1, "unit_price": 0}]}`,
					status: 201, has: `{"status": "PENDING", "total": 0.00}`, keep: fields{"order": "id"},
				},
				moved("PAID", `{"status": "PAID", "payments": [{"amount": 0.00}]}`),
			},
		},
		{
			name: "a jump says what is allowed and changes nothing", orders: 1,
			told: []string{
				"OrderCreated", "PaymentCaptured", "OrderStatusChanged", "FulfillmentCreated", "FulfillmentShipped",
				"OrderStatusChanged", "FulfillmentDelivered", "OrderStatusChanged",
			},
			steps: []step{
				placed(),
				refused("SHIPPED", "the order can't go from PENDING to SHIPPED: the order must be PAID first; allowed now: PAID, CANCELED"),
				refused(
					"DELIVERED",
					"the order can't go from PENDING to DELIVERED: the order must be SHIPPED first; allowed now: PAID, CANCELED",
				),
				moved("PAID", `{"version": 2}`),
				refused(
					"PENDING",
					"the order can't go from PAID to PENDING: the order is PAID, which is further on; allowed now: SHIPPED, CANCELED",
				),
				refused(
					"DELIVERED",
					"the order can't go from PAID to DELIVERED: the order must be SHIPPED first; allowed now: SHIPPED, CANCELED",
				),
				moved("SHIPPED", `{"version": 3}`),
				refused(
					"CANCELED",
					"the order can't go from SHIPPED to CANCELED: the order is SHIPPED: "+
						"it can't be canceled any more; what comes later is a return; allowed now: DELIVERED",
				),
				refused(
					"PAID",
					"the order can't go from SHIPPED to PAID: the order is SHIPPED, which is further on; allowed now: DELIVERED",
				),
				moved("DELIVERED", `{"version": 4}`),
				refused(
					"CANCELED",
					"the order can't go from DELIVERED to CANCELED: "+
						"the order is DELIVERED, which is the end; what comes later is a return; "+
						"allowed now: nothing: this status is the end",
				),
				{request: "GET /orders/{order}", status: 200, has: `{"status": "DELIVERED", "version": 4}`},
			},
		},
		{
			name: "nothing leads out of a cancellation", orders: 1, told: []string{"OrderCreated", "OrderStatusChanged"},
			steps: []step{
				placed(), moved("CANCELED", `{"version": 2}`),
				refused(
					"PAID",
					"the order can't go from CANCELED to PAID: the order is CANCELED, which is the end; "+
						"allowed now: nothing: this status is the end",
				),
			},
		},
		{
			name: "the status it has already makes no version", orders: 1,
			told: []string{"OrderCreated", "PaymentCaptured", "OrderStatusChanged"},
			steps: []step{
				placed(), moved("PENDING", `{"version": 1}`), moved("PAID", `{"version": 2}`),
				moved("PAID", `{"version": 2, "status": "PAID"}`),
				{request: "GET /orders/{order}", status: 200, headers: fields{"ETag": `"2"`}},
			},
		},
	})
}

// TestMetadata sets, changes and removes keys.
func TestMetadata(t *testing.T) {
	patched := func(metadata, has string) step {
		return step{request: "PATCH /orders/{order}", body: `{"metadata": ` + metadata + `}`, status: 200, has: has}
	}
	run(t, []scenario{
		{
			name: "null removes, the rest stays", orders: 1, told: []string{"OrderCreated", "OrderMetadataChanged", "OrderMetadataChanged"},
			steps: []step{
				{
					request: "POST /orders",
					body: `{"customer_id": "c", "items": [{"sku": "A", "quantity": 1, "unit_price": 1}], "metadata": {"a": "1",
						"b": "2"}}`,
					status: 201, keep: fields{"order": "id"},
				},
				patched(`{"a": null, "c": "3"}`, `{"version": 2, "metadata": {"b": "2", "c": "3"}}`),
				patched(`{"a": null}`, `{"version": 2}`),
				patched(`{"b": "2"}`, `{"version": 2}`),
				patched(`{}`, `{"version": 2}`),
				patched(`{"b": null, "c": null}`, `{"version": 3, "metadata": {}}`),
				{
					request: "GET /orders/{order}/timeline", status: 200,
					has: `{"events": [{}, {"type": "OrderMetadataChanged", "data": {"metadata": {"a": null, "c": "3"}}},
						{"data": {"metadata": {"b": null, "c": null}}}]}`,
				},
				{request: "GET /orders/{order}", status: 200, check: func(t *testing.T, _ *service, a answer) {
					t.Helper()
					if diff := differ(t, `{}`, []byte(mustMarshal(t, at(t, a.body, "metadata"))), false); diff != "" {
						t.Error(diff)
					}
				}},
			},
		},
		{
			name: "status and metadata at once are one version", orders: 1,
			told: []string{"OrderCreated", "OrderMetadataChanged", "PaymentCaptured", "OrderStatusChanged"},
			steps: []step{
				placed(),
				{
					request: "PATCH /orders/{order}", body: `{"status": "PAID", "metadata": {"till": "7"}}`, status: 200,
					has: `{"version": 2, "status": "PAID", "metadata": {"till": "7"}}`,
				},
			},
		},
		{
			name: "a change is made wholly or not at all", orders: 1, told: []string{"OrderCreated"},
			steps: []step{
				placed(),
				{request: "PATCH /orders/{order}", body: `{"status": "SHIPPED", "metadata": {"till": "7"}}`, status: 409},
				{
					request: "PATCH /orders/{order}", body: `{"status": "PAID", "metadata": {"till": 7}}`, status: 422,
					has: `{"errors": [{"location": "body.metadata.till"}]}`,
				},
				{request: "GET /orders/{order}", status: 200, has: `{"version": 1, "status": "PENDING"}`},
			},
		},
		{
			name: "limits of a change", orders: 1, told: []string{"OrderCreated", "OrderMetadataChanged", "OrderMetadataChanged"},
			steps: []step{
				placed(),
				patched(members(50), `{"version": 2}`),
				{
					request: "PATCH /orders/{order}", body: `{"metadata": {"one more": "1"}}`, status: 422,
					has: `{"errors": [{"location": "body.metadata", "message": "must have at most 50 keys, not 51"}]}`,
				},
				patched(`{"k0": null, "one more": "1"}`, `{"version": 3}`),
				{
					request: "PATCH /orders/{order}",
					body: `{"metadata": {"` + repeat("k", 41) + `": "1", "k1": "` + repeat("v", 501) + `",
						"k2": "` + repeat("v", 500) + `"}}`,
					status: 422,
					has:    `{"errors": [{"location": "body.metadata", "message": "must have at most 50 keys, not 51"}]}`,
				},
				{
					request: "PATCH /orders/{order}",
					body:    `{"metadata": {"k2": null, "` + repeat("k", 41) + `": "1", "k1": "` + repeat("v", 501) + `"}}`, status: 422,
					has: `{"errors": [{"location": "body.metadata.k1", "message": "must have at most 500 characters"},
						{"location": "body.metadata", "message": "each key must have at most 40 characters"}]}`,
				},
				{request: "PATCH /orders/{order}", body: `{"metadata": {"": null}}`, status: 422},
				{request: "PATCH /orders/{order}", body: `{"metadata": {"": "x"}}`, status: 422},
				{
					request: "PATCH /orders/{order}", body: `{"metadata": null}`, status: 422,
					has: `{"errors": [{"location": "body.metadata"}]}`,
				},
				{request: "PATCH /orders/{order}", body: `{"status": null}`, status: 422, has: `{"code": "validation_failed"}`},
				{request: "PATCH /orders/{order}", body: `{}`, status: 422},
				{
					request: "PATCH /orders/{order}", body: `{"customer_id": "c-2"}`, status: 422,
					has: `{"errors": [{"location": "body.customer_id",
						"message": "is not a field here; the fields are status, metadata"}]}`,
				},
			},
		},
	})
}
