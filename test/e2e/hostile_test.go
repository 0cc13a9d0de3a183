package e2e_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestHostileBodies sends what no well-meaning client sends. Nothing of it makes an order, and each answer says what is
// wrong and where.
func TestHostileBodies(t *testing.T) {
	sending := func(name, body string, status int, has string) step {
		return step{name: name, request: "POST /orders", body: body, status: status, has: has}
	}
	malformed := func(name, body, location, message string) step {
		return sending(name, body, 400, fmt.Sprintf(`{"code": "json_malformed", "errors": [{"location": %q,
			"message": %q}]}`, location, message))
	}
	unread := func(name, body string) step { return sending(name, body, 400, `{"code": "json_malformed"}`) }
	invalid := func(name, body, location, message string) step {
		return sending(name, body, 422, fmt.Sprintf(`{"code": "validation_failed", "errors": [{"location": %q,
			"message": %q}]}`, location, message))
	}
	const line = `"items": [{"sku": "A", "quantity": 1, "unit_price": 1}]`
	run(t, []scenario{
		{
			name: "no JSON",
			steps: []step{
				malformed("empty", " ", "body", "is empty; send a JSON object"),
				{name: "nothing", request: "POST /orders", status: 400, has: `{"code": "json_malformed"}`},
				malformed(
					"cut", `{"customer_id": "c", "items": [`, "body.items", "ends in the middle, after 31 bytes; send the whole JSON",
				),
				malformed(
					"twice", `{"customer_id": "c", "customer_id": "d", `+line+`}`, "body.customer_id",
					"stands twice in one object; send it once",
				),
				malformed(
					"twice in a line", `{"customer_id": "c", "items": [{"sku": "A", "sku": "B", "quantity": 1, "unit_price": 1}]}`,
					"body.items[0].sku", "stands twice in one object; send it once",
				),
				malformed(
					"twice in disguise", `{"customer_id": "c", "custom\u0065r_id": "d", `+line+`}`, "body.customer_id",
					"stands twice in one object; send it once",
				),
				malformed(
					"metadata twice", `{"customer_id": "c", `+line+`, "metadata": {"k": "1", "k": "2"}}`, "body.metadata.k",
					"stands twice in one object; send it once",
				),
				unread("invalid UTF-8", "{\"customer_id\": \"\xff\", "+line+"}"),
				unread("overlong UTF-8", "{\"customer_id\": \"\xc0\xaf\", "+line+"}"),
				unread("a surrogate in UTF-8", "{\"customer_id\": \"\xed\xa0\x80\", "+line+"}"),
				unread("a byte-order mark", "\xef\xbb\xbf{\"customer_id\": \"c\", "+line+"}"),
				unread("UTF-16", "{\x00}\x00"), unread("garbage", "\x00\x01\x02"), unread("form", "customer_id=c&items=1"),
				unread("XML", "<order/>"),
				unread("two values", `{"customer_id": "c", `+line+`} {}`), unread("a comment", `{"customer_id": "c", /* */ `+line+`}`),
				unread("a comma too many", `{"customer_id": "c", `+line+`,}`),
				unread("single quotes", `{'customer_id': 'c'}`),
				unread("NaN", `{"customer_id": "c", "items": [{"sku": "A", "quantity": NaN, "unit_price": 1}]}`),
				unread("a leading zero", `{"customer_id": "c", "items": [{"sku": "A", "quantity": 01, "unit_price": 1}]}`),
				unread("deep arrays", repeat("[", 100000)), unread("deep objects", repeat(`{"a":`, 100000)),
				unread("deep within", `{"customer_id": "c", `+line+`, "metadata": {"k": `+repeat("[", 50000)+repeat("]", 50000)+`}}`),
			},
		},
		{
			name: "not an order",
			steps: []step{
				invalid("an array", `[]`, "body", "must be an object: an order"),
				invalid("null", `null`, "body", "must be an object: an order"),
				invalid("a text", `"order"`, "body", "must be an object: an order"),
				invalid("lines as an object", `{"customer_id": "c", "items": {"0": {}}}`, "body.items", "must be an array of lines"),
				invalid("a line as a text", `{"customer_id": "c", "items": ["TEA"]}`, "body.items[0]", "must be an object: a line"),
				invalid("an unknown field", `{"customer_id": "c", `+line+`, "status": "PAID"}`, "body.status",
					"is not a field here; the fields are customer_id, items, currency, reference, placed_at, metadata"),
				invalid("an unknown field of a line", `{"customer_id": "c", "items": [{"sku": "A", "quantity": 1, "unit_price": 1,
					"line_total": 0}]}`, "body.items[0].line_total",
					"is not a field here; the fields are sku, quantity, unit_price, name"),
				invalid("in capitals", `{"customer_id": "c", "Reference": "A", `+line+`}`, "body.Reference",
					"is not a field here; the fields are customer_id, items, currency, reference, placed_at, metadata"),
				sending("a field with an endless name", `{"`+repeat("x", 10000)+`": 1}`, 422, `{"code": "validation_failed"}`),
				sending(
					"a thousand unknown fields", `{"customer_id": "c", `+strings.TrimPrefix(members(1000), "{"), 422,
					`{"code": "validation_failed"}`,
				),
				sending(
					"a huge number",
					`{"customer_id": "c", "items": [{"sku": "A", "quantity": `+repeat("9", 100000)+`, "unit_price": 1}]}`, 422,
					quantityFault,
				),
				sending(
					"a huge price",
					`{"customer_id": "c", "items": [{"sku": "A", "quantity": 1, "unit_price": `+repeat("9", 100000)+`}]}`, 422,
					`{"errors": [{"location": "body.items[0].unit_price"}]}`,
				),
				sending(
					"a very small price",
					`{"customer_id": "c", "items": [{"sku": "A", "quantity": 1, "unit_price": 0.`+repeat("0", 100000)+`1}]}`, 422,
					`{"errors": [{"location": "body.items[0].unit_price"}]}`,
				),
				sending(
					"a huge exponent", `{"customer_id": "c", "items": [{"sku": "A", "quantity": 1e999999999, "unit_price": 1}]}`, 422,
					quantityFault,
				),
			},
		},
		{
			name: "too large, or not JSON by its own account", orders: 2,
			steps: []step{
				sending("1 MiB", `{"customer_id": "c", `+line+`}`+repeat(" ", 1<<20-len(line)-23), 201, `{}`),
				sending(
					"1 MiB and a byte", repeat("x", 1<<20+1), 413,
					`{"code": "body_too_large", "errors": [{"location": "body",
						"message": "must have at most 1048576 bytes; send several smaller requests"}]}`,
				),
				{
					name: "1 MiB and a byte in chunks", request: "POST /orders", stream: repeat(" ", 1<<20+1),
					status: 413, has: `{"code": "body_too_large"}`,
				},
				{
					name: "a change of 1 MiB and a byte", request: "PATCH /orders/6743f1a0c2d4e6f801234567", body: repeat(" ", 1<<20+1),
					status: 413,
				},
				contentType("text/plain", 415), contentType("application/x-www-form-urlencoded", 415),
				contentType("application/json; charset=utf-16", 415),
				contentType("application/problem+json", 415), contentType("application/merge-patch+json", 415),
				contentType("json", 415), contentType("application/json; charset=UTF-8", 201),
				{
					request: "POST /orders", header: fields{"Content-Encoding": "gzip"}, body: small, status: 415,
					has: `{"code": "content_encoding_unsupported"}`,
				},
				{
					request: "PATCH /orders/6743f1a0c2d4e6f801234567", header: fields{"Content-Type": "text/plain"},
					body: `{"status": "PAID"}`, status: 415, has: `{"code": "content_type_unsupported"}`,
				},
			},
		},
	})
}

func contentType(value string, status int) step {
	st := step{name: value, request: "POST /orders", header: fields{"Content-Type": value}, body: small, status: status}
	if status == 415 {
		st.has = `{"code": "content_type_unsupported", "errors": [{"location": "header.Content-Type"}]}`
	}
	return st
}

// endless is a body that never ends; it counts what was read of it.
type endless struct{ read atomic.Int64 }

// Read implements io.Reader.
func (e *endless) Read(b []byte) (int, error) {
	e.read.Add(int64(len(b)))
	return copy(b, bytes.Repeat([]byte(" "), len(b))), nil
}

// TestEndlessBody is answered at the limit, and what comes after it is not read.
func TestEndlessBody(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			body := new(endless)
			a := s.ask(t, http.MethodPost, "/orders", nil, body)
			const buffers = 48 << 20 // of both ends of the connection
			if a.status != http.StatusRequestEntityTooLarge || body.read.Load() > 1<<20+buffers {
				t.Errorf("status %d after %d bytes", a.status, body.read.Load())
			}
		})
	}
}

// converse opens a connection and sends a text.
func (s *service) converse(t *testing.T, text string) *net.TCPConn {
	t.Helper()
	address, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTCP("tcp", nil, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// reply reads the answer to a request of the given method.
func reply(t *testing.T, from *bufio.Reader, method string) answer {
	t.Helper()
	response, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}
}

// TestBodiesThatDoNotArrive ends or stalls connections in the middle of a request: there is an answer where one can be
// heard, and never an order.
func TestBodiesThatDoNotArrive(t *testing.T) {
	const head = "POST /orders HTTP/1.1\r\nHost: orders\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, "READ_TIMEOUT=3s", "READ_HEADER_TIMEOUT=3s").start(t)
			s.unanswered = true

			cut := s.converse(t, head+small[:20])
			if err := cut.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			a := reply(t, bufio.NewReader(cut), http.MethodPost)
			checkAnswer(t, http.MethodPost, "/orders", a)
			if diff := differ(t, `{"status": 400, "code": "body_incomplete", "errors": [{"location": "body"}]}`, a.body, true); diff != "" {
				t.Error(diff)
			}

			stalled := s.converse(t, head+small[:20])
			a = reply(t, bufio.NewReader(stalled), http.MethodPost)
			checkAnswer(t, http.MethodPost, "/orders", a)
			if a.status != http.StatusBadRequest {
				t.Errorf("a body that stalls is answered with %d\n%s", a.status, a.body)
			}

			gone := s.converse(t, head+small[:20])
			gone.Close()

			// A header that never ends keeps a connection no longer than it may.
			slow := s.converse(t, "POST /orders HTTP/1.1\r\nHost: orders\r\n")
			if n, err := io.Copy(io.Discard, slow); err != nil || n > 1000 {
				t.Errorf("%d bytes, %v", n, err)
			}
			if ids := s.ids(t); len(ids) != 0 {
				t.Errorf("there are the orders %v", ids)
			}
		})
	}
}

// TestRequestsThatAreNoHTTP never get to an operation. They are answered like everything else all the same, and do the
// service no harm.
func TestRequestsThatAreNoHTTP(t *testing.T) {
	const post = "POST /orders HTTP/1.1\r\nHost: a\r\n"
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			s.unanswered = true
			for _, tt := range []struct {
				text   string
				status int
				code   string
			}{
				{"hello\r\n\r\n", 400, "request_malformed"},
				{"GET /orders/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request_malformed"},
				{"GET /orders HTTP/1.1\r\n\r\n", 400, "request_malformed"},
				{"GET /orders HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "request_malformed"},
				{"GET /orders HTTP/1.1\r\nHost: a\r\nno header\r\n\r\n", 400, "request_malformed"},
				{post + "Content-Length: -1\r\n\r\n", 400, "request_malformed"},
				{post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345", 400, "request_malformed"},
				{post + "Expect: nonsense\r\nContent-Length: 2\r\n\r\n{}", 417, "expectation_unknown"},
				{"GET /orders HTTP/1.1\r\nHost: a\r\nX: " + repeat("x", 70<<10) + "\r\n\r\n", 431, "header_too_large"},
				{"GET /orders?customer_id=" + repeat("x", 70<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431, "header_too_large"},
				{post + "Transfer-Encoding: nonsense\r\n\r\n", 501, "transfer_encoding_unsupported"},
				{"GET / HTTP/9.9\r\n\r\n", 505, "http_version_unsupported"},
				// The connection answered a request before.
				{"GET /health HTTP/1.1\r\nHost: a\r\n\r\nhello\r\n\r\n", 400, "request_malformed"},
			} {
				from := bufio.NewReader(s.converse(t, tt.text))
				a := reply(t, from, http.MethodGet)
				if a.status == http.StatusOK {
					a = reply(t, from, http.MethodGet)
				}
				checkUnread(t, tt.text, tt.status, tt.code, a)
				// The service does not read on, so that half a second later the end may have become a reset.
				if rest, err := from.ReadByte(); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%.40q: after the answer comes %q, %v", tt.text, rest, err)
				}
			}
			s.place(t, small)
		})
	}
}

// checkUnread checks the answer to what is no request: it is a problem as any other.
func checkUnread(t *testing.T, text string, status int, code string, a answer) {
	t.Helper()
	if a.status != status || a.header.Get("Content-Type") != "application/problem+json" || a.header.Get("X-Request-ID") == "" {
		t.Errorf("%.40q is answered with %d %v", text, a.status, a.header)
	}
	want := fmt.Sprintf(`{"type": "about:blank", "title": %q, "status": %d, "code": %q, "request_id": %q}`,
		http.StatusText(status), status, code, a.header.Get("X-Request-ID"))
	if diff := differ(t, want, a.body, true); diff != "" {
		t.Errorf("%.40q: %s", text, diff)
	}
}
