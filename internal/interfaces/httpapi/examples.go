package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"order-processing-service/internal/application/wire"
)

// object is a JSON object in an example.
type object = map[string]any

func newOrderExamples() []example {
	return []example{
		{"small", "The least that an order needs", object{
			"customer_id": "c-1",
			"items":       []object{{"sku": "TEA", "quantity": 2, "unit_price": 12.5}},
		}},
		{"full", "Everything that can be said", object{
			"customer_id": "c-1", "reference": "A-17", "currency": "EUR", "placed_at": "2026-01-15T09:30:00Z",
			"items": []object{
				{"sku": "TEA", "name": "Green tea", "quantity": 2, "unit_price": 12.5},
				{"sku": "CUP", "quantity": 1, "unit_price": "3.95"},
			},
			"metadata": object{"channel": "web"},
		}},
	}
}

func batchExamples() []example {
	return []example{{"two", "Two orders, each with a key of its own", object{"orders": []object{
		{
			"customer_id": "c-1", "idempotency_key": "import-1",
			"items": []object{{"sku": "TEA", "quantity": 2, "unit_price": 12.5}},
		},
		{
			"customer_id": "c-2", "idempotency_key": "import-2", "currency": "GBP",
			"items": []object{{"sku": "CUP", "quantity": 1, "unit_price": 12.345}},
		},
	}}}}
}

func patchExamples() []example {
	return []example{
		{"pay", "The order is paid", object{"status": "PAID"}},
		{"note", "One metadata key is set, another removed", object{"metadata": object{"note": "gift", "channel": nil}}},
	}
}

func exportContent(f exportFormat) content {
	switch f.name {
	case "json":
		return content{mediaType: f.mediaType, body: wire.OrderExport{}}
	case "csv":
		return content{
			mediaType: f.mediaType, schema: &huma.Schema{Type: huma.TypeString},
			example: csvHead + "6743f1a0c2d4e6f801234567,c-1,A-17,PENDING,UNPAID,UNFULFILLED,EUR,25.00,2026-01-15T09:30:00.000Z," +
				"2026-01-15T09:30:00.000Z,2026-01-15T09:30:00.000Z,1,1,TEA,Green tea,2,12.50,25.00,0,0,0,0\r\n",
		}
	default:
		return content{
			mediaType: f.mediaType, schema: &huma.Schema{Type: huma.TypeString, Description: "An order in full on each line."},
			example: `{"id":"6743f1a0c2d4e6f801234567","customer_id":"c-1","status":"PENDING"}` + "\n",
		}
	}
}

// problemExamples has a typical problem for each status that an operation may be answered with.
func problemExamples() map[int]wire.Problem {
	example := func(status int, title, code, message string, fields ...wire.ProblemField) wire.Problem {
		return wire.Problem{
			Type: "about:blank", Title: title, Status: status, Detail: message, Code: code, Error: message,
			RequestID: "2V5WQZGJ7N4KXTC3MBHRDPL6YS", Errors: fields,
		}
	}
	return map[int]wire.Problem{
		400: example(400, "Bad Request", "json_malformed", "the body ends in the middle, after 50 bytes; send the whole JSON",
			wire.ProblemField{Location: "body", Message: "ends in the middle, after 50 bytes; send the whole JSON"}),
		401: example(401, "Unauthorized", "token_missing", "this needs a token; send it as Authorization: Bearer TOKEN"),
		403: example(403, "Forbidden", "scope_missing", "this needs the scope orders:write; ask for a token that has it"),
		404: example(404, "Not Found", "order_not_found", "there is no order with this id; check the id (24 hexadecimal digits)"),
		405: example(405, "Method Not Allowed", "method_not_allowed", "this path takes GET, HEAD, PATCH only"),
		406: example(406, "Not Acceptable", "not_acceptable",
			"header.Accept must allow application/x-ndjson, text/csv or application/json; or say format=ndjson|csv|json"),
		409: example(409, "Conflict", "status_not_allowed",
			"the order can't go from PENDING to SHIPPED: the order must be PAID first; allowed now: PAID, CANCELED"),
		412: example(412, "Precondition Failed", "version_stale",
			"the order is not in the version you know: its version is 3 now; read it again and decide anew"),
		413: example(413, "Request Entity Too Large", "body_too_large",
			"body must have at most 1048576 bytes; send several smaller requests"),
		415: example(415, "Unsupported Media Type", "content_type_unsupported",
			"header.Content-Type must be application/json, in UTF-8 (curl needs -H 'Content-Type: application/json')"),
		422: example(422, "Unprocessable Entity", "validation_failed", "items[0].quantity must be a whole number from 1 to 1,000,000",
			wire.ProblemField{Location: "body.items[0].quantity", Message: "must be a whole number from 1 to 1,000,000"}),
		429: example(429, "Too Many Requests", "rate_limited",
			"these are more requests than one caller may make; wait for as long as the header Retry-After says"),
		500: example(500, "Internal Server Error", "internal",
			"something went wrong inside the service; try again, and if it lasts, report the request id"),
		503: example(503, "Service Unavailable", "too_busy", "the service is working on as many requests as it can; try again"),
	}
}
