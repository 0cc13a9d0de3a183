package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"order-processing-service/internal/application/wire"
)

func TestHostileOrders(t *testing.T) {
	s := start(t, nil)
	post := func(name, body string, status int, code string, has ...string) scenario {
		return scenario{
			name: name, method: "POST", path: "/orders", body: body,
			status: status, code: code, has: has, lacks: []string{"jsontext", "goroutine"},
		}
	}
	order := func(more string) string { return strings.Replace(tea, "{", "{"+more+",", 1) }
	line := func(more string) string {
		return `{"customer_id":"c","items":[{"sku":"TEA","quantity":2,"unit_price":1},{` + more + `}]}`
	}
	deep := strings.Repeat(`{"a":`, 100_000)
	s.run(t, []scenario{
		post("nothing", "", 400, "json_malformed", `"location":"body"`),
		post("cut short", tea[:30], 400, "json_malformed", `"location":"body.items"`, "send the whole JSON"),
		post("two bodies", tea+tea, 400, "json_malformed", "more behind"),
		post("a form", "customer_id=c", 400, "json_malformed"),
		post("HTML", "<script>alert(1)</script>", 400, "json_malformed"),
		post("deep", deep, 400, "json_malformed", "body."),
		post("deep in a known field", `{"items":`+strings.Repeat("[", 100_000), 400, "json_malformed", "body.items[0]"),
		post("twice", `{"customer_id":"a","customer_id":"b"}`, 400, "json_malformed", "body.customer_id", "stands twice"),
		post("not UTF-8", "{\"customer_id\":\"\xc3\x28\"}", 400, "json_malformed", "body.customer_id", "invalid UTF-8"),
		post("unknown field", order(`"discount":5`), 422, "validation_failed", "body.discount", "is not a field here"),
		post("unknown field in a line", line(`"sku":"A","quantity":1,"unit_price":1,"tax":1`),
			422, "validation_failed", "body.items[1].tax"),
		post("server's fields", order(`"id":"6743f1a0c2d4e6f801234567"`), 422, "validation_failed", "body.id"),
		post("no customer", `{"items":[{"sku":"A","quantity":1,"unit_price":1}]}`,
			422, "validation_failed", "body.customer_id", "is required"),
		post("no items", `{"customer_id":"c"}`, 422, "validation_failed", "body.items", "1 to 1000"),
		post("empty items", `{"customer_id":"c","items":[]}`, 422, "validation_failed", "body.items"),
		post("wrong types", `{"customer_id":7,"items":[{"sku":[],"quantity":"2","unit_price":{}}]}`, 422, "validation_failed",
			"body.customer_id", "body.items[0].sku", "body.items[0].quantity", "body.items[0].unit_price"),
		post("no quantity", line(`"sku":"A","unit_price":1`), 422, "validation_failed", "body.items[1].quantity"),
		post("no price", line(`"sku":"A","quantity":1`), 422, "validation_failed", "body.items[1].unit_price", "is required"),
		post("zero", line(`"sku":"A","quantity":0,"unit_price":1`), 422, "validation_failed", "body.items[1].quantity"),
		post("negative", line(`"sku":"A","quantity":-1,"unit_price":-1`),
			422, "validation_failed", "body.items[1].quantity", "body.items[1].unit_price"),
		post("too many", line(`"sku":"A","quantity":1000001,"unit_price":1`), 422, "validation_failed", "1 to 1,000,000"),
		post("beyond 64 bits", line(`"sku":"A","quantity":99999999999999999999,"unit_price":1`),
			422, "validation_failed", "body.items[1].quantity"),
		post("huge price", line(`"sku":"A","quantity":1,"unit_price":1e999999999`), 422, "validation_failed", "body.items[1].unit_price"),
		post("tiny price", line(`"sku":"A","quantity":1,"unit_price":1e-999999999`), 422, "validation_failed", "body.items[1].unit_price"),
		post("long price", line(`"sku":"A","quantity":1,"unit_price":0.`+strings.Repeat("1", 500_000)),
			422, "validation_failed", "body.items[1].unit_price"),
		post("16 digits", line(`"sku":"A","quantity":1,"unit_price":1234567890123.456`), 422, "validation_failed", "15 significant digits"),
		post("price as words", line(`"sku":"A","quantity":1,"unit_price":"free"`), 422, "validation_failed", "body.items[1].unit_price"),
		post("overflow", line(`"sku":"A","quantity":1000000,"unit_price":999999999999`),
			422, "validation_failed", "body.items[1].unit_price", "times quantity"),
		post("control characters", order(`"reference":"a\u0000b"`), 422, "validation_failed", "body.reference", "control characters"),
		post("long text", order(`"reference":"`+strings.Repeat("ñ", 129)+`"`), 422, "validation_failed", "body.reference", "128"),
		post("unknown currency", order(`"currency":"eur"`), 422, "validation_failed", "body.currency"),
		post("the future", order(`"placed_at":"2199-01-01T00:00:00Z"`), 422, "validation_failed", "body.placed_at", "future"),
		post("the past", order(`"placed_at":"1850-01-01T00:00:00Z"`), 422, "validation_failed", "body.placed_at", "1900"),
		post("metadata of numbers", order(`"metadata":{"a":1}`), 422, "validation_failed", "body.metadata.a"),
		post("a thousand faults", `{"customer_id":"c","items":[`+strings.Repeat("{},", 999)+`{}]}`,
			422, "validation_failed", "and 99 more"),
		post("too large", `{"customer_id":"`+strings.Repeat("x", 1<<20)+`"}`, 413, "body_too_large", "1048576 bytes"),
		{
			name: "as a form", method: "POST", path: "/orders",
			headers: []string{"Content-Type: application/x-www-form-urlencoded"}, body: tea,
			status: 415, code: "content_type_unsupported", has: []string{"header.Content-Type"},
		},
		{
			name: "in Latin 1", method: "POST", path: "/orders",
			headers: []string{"Content-Type: application/json; charset=latin1"}, body: tea, status: 415,
		},
		{
			name: "compressed", method: "POST", path: "/orders", headers: []string{"Content-Encoding: gzip"}, body: tea,
			status: 415, code: "content_encoding_unsupported",
		},
		{name: "patched as a form", method: "PATCH", path: nowhere, headers: []string{"Content-Type: text/plain"}, body: `{}`, status: 415},
		{
			name: "in UTF-8", method: "POST", path: "/orders",
			headers: []string{`Content-Type: Application/JSON;charset="UTF-8"`}, body: tea, status: 201,
		},
		{name: "of no type", method: "POST", path: "/orders", headers: []string{"Content-Type: "}, body: tea, status: 201},
		{name: "with a query", method: "POST", path: "/orders?dry_run=1", body: tea, status: 422, has: []string{"query.dry_run"}},
	})
}

func TestRoutesAndMethods(t *testing.T) {
	s := start(t, nil)
	none := func(path string) scenario {
		return scenario{
			name: "GET " + path, method: "GET", path: path,
			status: 404, code: "route_not_found", has: []string{"see /docs", "application/problem+json"},
		}
	}
	wrong := func(method, path, allow string) scenario {
		return scenario{
			name: method + " " + path, method: method, path: path,
			status: 405, code: "method_not_allowed", has: []string{"Allow: " + allow + "\r\n"},
		}
	}
	s.run(t, []scenario{
		none("/nothing"), none("/orders/"), none("//orders"), none("/orders/x/y"),
		none("/orders/../orders/x/y"), none("/docs/../../etc/passwd"),
		none("/docs/index.html"), none("/deliveries/a"), none("/%2e%2e/orders"), none("/orders/x/timeline/"),
		wrong("DELETE", "/orders", "GET, HEAD, POST"), wrong("PUT", "/orders/6743f1a0c2d4e6f801234567", "GET, HEAD, PATCH"),
		wrong("POST", "/orders/export", "GET, HEAD"), wrong("GET", "/orders/batch", "POST"), wrong("OPTIONS", "/orders", "GET, HEAD, POST"),
		wrong("TRACE", "/health", "GET, HEAD"), wrong("MERKEN", "/orders", "GET, HEAD, POST"), wrong("POST", "/docs", "GET, HEAD"),
		wrong("GET", "/deliveries/6743f1a0c2d4e6f801234567/books/skip", "POST"),
		{name: "the root", method: "GET", path: "/", status: 307, has: []string{"Location: /docs"}},
		{name: "head of nothing", method: "HEAD", path: "/nothing", status: 404},
	})
}

// A client that goes away in the middle of its body is answered if it still listens, and does no harm.
func TestBodyThatEndsEarly(t *testing.T) {
	s := start(t, nil)
	address, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTCP("tcp", nil, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{\"customer_id\":")
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("%d %s %v", response.StatusCode, body, err)
	}
	if p := decoded[wire.Problem](t, answer{body: string(body)}); p.Code != "body_incomplete" {
		t.Errorf("got %+v", p)
	}
}
