package e2e_test

import "testing"

// TestConditionalRequests tries If-Match on PATCH and If-None-Match on GET.
func TestConditionalRequests(t *testing.T) {
	paying := func(ifMatch string, status int, headers fields) step {
		return step{
			name: "If-Match " + ifMatch, request: "PATCH /orders/{order}", header: fields{"If-Match": ifMatch},
			body: `{"status": "PAID"}`, status: status, headers: headers,
		}
	}
	reading := func(ifNoneMatch string, status int) step {
		return step{
			name: "If-None-Match " + ifNoneMatch, request: "GET /orders/{order}", header: fields{"If-None-Match": ifNoneMatch},
			status: status, headers: fields{"ETag": `"2"`},
		}
	}
	run(t, []scenario{
		{
			name: "a change of a version that is gone is refused", orders: 1,
			told: []string{"OrderCreated", "PaymentCaptured", "OrderStatusChanged", "OrderMetadataChanged"},
			steps: []step{
				placed(),
				{
					request: "PATCH /orders/{order}", header: fields{"If-Match": `"2"`}, body: `{"status": "PAID"}`, status: 412,
					has: `{"code": "version_stale",
						"detail": "the order is not in the version you know: its version is 1 now; read it again and decide anew"}`,
				},
				paying(`W/"1"`, 412, nil), paying(`"01"`, 412, nil), paying(`"abc"`, 412, nil), paying(`"0"`, 412, nil),
				paying(`1`, 422, nil), paying(`"1`, 422, nil), paying(`"1" "2"`, 422, nil), paying(`*, "1"`, 422, nil),
				{request: "GET /orders/{order}", status: 200, has: `{"version": 1}`},
				paying(`"1"`, 200, fields{"ETag": `"2"`}),
				paying(`"1"`, 412, nil), paying(`"7", "2"`, 200, fields{"ETag": `"2"`}), paying(`*`, 200, fields{"ETag": `"2"`}),
				{
					request: "PATCH /orders/{order}", header: fields{"If-Match": `*`}, body: `{"metadata": {"a": "1"}}`, status: 200,
					has: `{"version": 3}`,
				},
				{
					request: "PATCH /orders/6743f1a0c2d4e6f801234567", header: fields{"If-Match": `*`}, body: `{"status": "PAID"}`,
					status: 404,
				},
			},
		},
		{
			name: "what has not changed is not sent again", orders: 1,
			steps: []step{
				placed(), moved("PAID", `{}`),
				reading(`"2"`, 304), reading(`W/"2"`, 304), reading(`"1", "2"`, 304), reading(`*`, 304),
				reading(`"1"`, 200), reading(`2`, 200), reading(`"2`, 200),
				{request: "HEAD /orders/{order}", status: 200, headers: fields{"ETag": `"2"`, "Content-Type": "application/json"}},
				{request: "HEAD /orders/{order}", header: fields{"If-None-Match": `"2"`}, status: 304},
				{
					request: "GET /orders/6743f1a0c2d4e6f801234567", header: fields{"If-None-Match": `*`}, status: 404,
					headers: fields{"ETag": ""},
				},
			},
		},
	})
}
