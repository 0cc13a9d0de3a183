package e2e_test

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRoutesAndMethods(t *testing.T) {
	noRoute := func(request string) step {
		return step{request: request, status: 404, has: `{"code": "route_not_found",
			"detail": "there is nothing at this path; see /docs for what there is"}`}
	}
	noMethod := func(request, allow string) step {
		return step{request: request, status: 405, headers: fields{"Allow": allow}, has: `{"code": "method_not_allowed",
			"detail": "this path takes ` + allow + ` only"}`}
	}
	run(t, []scenario{
		{
			name: "what is not there", orders: 1,
			steps: []step{
				placed(),
				noRoute("GET /order"), noRoute("GET /orders/"), noRoute("GET //orders"), noRoute("GET /orders//timeline"),
				noRoute("GET /orders/{order}/"),
				noRoute("GET /orders/{order}/timelines"), noRoute("GET /orders/{order}/timeline/1"), noRoute("GET /Orders"),
				noRoute("GET /health/dead"), noRoute("POST /api/orders"),
				noRoute("GET /orders/../health/x"), noRoute("GET /orders/%2e%2e/health"), noRoute("GET /docs/../openapi.json"),
				noRoute("GET /docs/secret.txt"),
				noRoute("GET /.env"), noRoute("GET /" + repeat("x", 5000)), noRoute("GET /deliveries/{order}"),
				noMethod("PUT /orders/{order}", "GET, HEAD, PATCH"), noMethod("DELETE /orders/{order}", "GET, HEAD, PATCH"),
				noMethod("POST /orders/{order}", "GET, HEAD, PATCH"),
				noMethod("PUT /orders", "GET, HEAD, POST"), noMethod("DELETE /orders", "GET, HEAD, POST"),
				noMethod("OPTIONS /orders", "GET, HEAD, POST"),
				noMethod("GET /orders/batch", "POST"), noMethod("POST /orders/export", "GET, HEAD"),
				noMethod("POST /orders/{order}/timeline", "GET, HEAD"),
				noMethod("POST /deliveries", "GET, HEAD"), noMethod("POST /health", "GET, HEAD"),
				noMethod("BREW /orders", "GET, HEAD, POST"), noMethod("POST /openapi.json", "GET, HEAD"),
				{request: "DELETE /orders/42", status: 405},
				{request: "HEAD /orders/42", status: 404},
				{request: "HEAD /nothing", status: 404},
				{request: "HEAD /orders", status: 200},
			},
		},
		{
			name: "health and documents",
			steps: []step{
				{request: "GET /health", status: 200, want: `{"status": "ok", "service": "order-processing-service", "version": "<text>"}`},
				{
					request: "GET /health/live", status: 200,
					want: `{"status": "ok", "service": "order-processing-service", "version": "<text>"}`,
				},
				{
					request: "GET /health/ready", status: 200,
					want: `{"status": "ok", "service": "order-processing-service", "version": "<text>"}`,
				},
				{name: "probes add what they like", request: "GET /health?probe=1", status: 200},
				{request: "HEAD /health/ready", status: 200},
				{request: "GET /", status: 307, headers: fields{"Location": "/docs"}},
				{request: "GET /docs", status: 200, headers: fields{"Content-Type": "text/html; charset=utf-8"}, check: noOtherHosts},
				{request: "GET /docs/swagger-ui-bundle.js", status: 200},
				{request: "GET /docs/swagger-ui.css", status: 200},
				{
					request: "GET /openapi.json", status: 200, headers: fields{"Content-Type": "application/json"}, check: everyOperation,
					has: `{"openapi": "3.1.0", "info": {"title": "Order Processing Service", "version": "<text>"}}`,
				},
				{request: "GET /asyncapi.json", status: 200, has: `{"asyncapi": "3.0.0"}`},
			},
		},
	})
}

// noOtherHosts refuses a page that loads anything from elsewhere.
func noOtherHosts(t *testing.T, _ *service, a answer) {
	t.Helper()
	if foreign := foreignLink.Find(a.body); foreign != nil {
		t.Errorf("the page has %s in it", foreign)
	}
	if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("Content-Security-Policy %q", policy)
	}
}

// foreignLink is a link to another host in a page.
var foreignLink = regexp.MustCompile(`(src|href|action)="(https?:)?//[^"]*"`)

// everyOperation compares the operations in the document with those that were agreed on.
func everyOperation(t *testing.T, _ *service, a answer) {
	t.Helper()
	var got []string
	paths, _ := at(t, a.body, "paths").(map[string]any)
	for path, item := range paths {
		verbs, _ := item.(map[string]any)
		for verb := range verbs {
			got = append(got, strings.ToUpper(verb)+" "+path)
		}
	}
	slices.Sort(got)
	want := []string{
		"GET /deliveries", "GET /health", "GET /health/live", "GET /health/ready", "GET /orders", "GET /orders/export",
		"GET /orders/{order_id}", "GET /orders/{order_id}/timeline", "PATCH /orders/{order_id}",
		"POST /deliveries/redrive", "POST /deliveries/{order_id}/{subscriber}/redrive", "POST /deliveries/{order_id}/{subscriber}/skip", "POST /orders",
		"POST /orders/batch",
	}
	if !slices.Equal(got, want) {
		t.Errorf("operations %q, not %q", got, want)
	}
}

// TestRequestIDs takes a caller's id if it is well-formed, and makes one otherwise.
func TestRequestIDs(t *testing.T) {
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			ask := func(header map[string]string) (id string, l line) {
				t.Helper()
				a := s.ask(t, http.MethodGet, "/orders/42", header, nil)
				id = a.header.Get("X-Request-ID")
				s.out.await(t, "the request's line", func(lines []line) bool {
					i := slices.IndexFunc(lines, func(l line) bool {
						return l.Message == "request" && l.RequestID == id && l.Route == "/orders/{order_id}"
					})
					if i >= 0 {
						l = lines[i]
					}
					return i >= 0
				})
				return id, l
			}
			for _, sent := range []string{
				"abc", "b2ddc1f4-9e2c-4b0e-8e46-5d4dbf3f1c11", "Root=1-67891233-abcdef012345678912345678", repeat("x", 128),
			} {
				id, l := ask(fields{"X-Request-ID": sent})
				if id != sent || l.Status != http.StatusNotFound || l.Method != http.MethodGet || l.Bytes == 0 {
					t.Errorf("for %q the id is %q, the line %s", sent, id, l.text)
				}
			}
			for _, sent := range []string{repeat("x", 129), "a b", `a"b`, "ä", "<script>"} {
				if id, _ := ask(fields{"X-Request-ID": sent}); id == sent || len(id) < 20 {
					t.Errorf("for %q the id is %q", sent, id)
				}
			}
			if first, _ := ask(nil); len(first) < 20 {
				t.Errorf("the id is %q", first)
			}
			if _, l := ask(fields{"Traceparent": "00-" + trace + "-" + span + "-01"}); l.TraceID != trace || l.SpanID == span {
				t.Errorf("the trace is lost: %s", l.text)
			}
			if _, l := ask(fields{"Traceparent": "00-" + repeat("0", 32) + "-" + span + "-01"}); l.TraceID == repeat("0", 32) {
				t.Errorf("a trace that is none was taken: %s", l.text)
			}
		})
	}
}

// TestNothingOfCustomersIsLogged plants values in every place that a caller can fill and searches all that is written.
// The check that ends every test looks for them as well; here nothing is told, so that no line at all may have them.
func TestNothingOfCustomersIsLogged(t *testing.T) {
	const body = `{"customer_id": "zebra-customer", "reference": "zebra-reference", "metadata": {"zebra-key": "zebra-value"},
		"items": [{"sku": "zebra-sku", "name": "zebra-name", "quantity": 1, "unit_price": 1}]}`
	planted := []step{
		{request: "POST /orders", header: fields{"Idempotency-Key": "zebra-key"}, body: body, status: 201, keep: fields{"order": "id"}},
		{request: "POST /orders", header: fields{"Idempotency-Key": "zebra-key"}, body: small, status: 422, absent: []string{"zebra"}},
		{
			request: "PATCH /orders/{order}", header: fields{"Idempotency-Key": "zebra-2"},
			body: `{"status": "PAID", "metadata": {"zebra": "zebra"}}`, status: 200,
		},
		{request: "PATCH /orders/{order}", body: `{"status": "zebra"}`, status: 422},
		{request: "PATCH /orders/{order}", body: `{"metadata": {"zebra": 1}}`, status: 422},
		{request: "POST /orders", body: `{"zebra": "zebra"}`, status: 422},
		{request: "POST /orders", body: `zebra`, status: 400},
		{request: "POST /orders", body: `{"customer_id": "zebra", "customer_id": "zebra"}`, status: 400},
		{request: "POST /orders/batch", body: `{"orders": [{"zebra": 1}]}`, status: 200},
		{request: "GET /orders?customer_id=zebra-customer&reference=zebra-reference", status: 200, has: `{"orders": [{}]}`},
		{request: "GET /orders?zebra=zebra", status: 422},
		{request: "GET /orders?cursor=zebra", status: 422},
		{request: "GET /orders/export?reference=zebra", status: 200},
		{request: "GET /zebra?zebra", status: 404},
		{request: "GET /orders/zebra", status: 404},
		{request: "ZEBRA /orders", status: 405, absent: []string{"zebra", "ZEBRA"}},
		{request: "POST /deliveries/{order}/zebra/skip", status: 404, absent: []string{"zebra"}},
		{
			request: "GET /orders",
			header: fields{
				"Accept": "zebra", "Authorization": "Bearer zebra", "Cookie": "zebra=1", "User-Agent": "zebra", "Referer": "zebra",
			},
			status: 200,
		},
		{request: "GET /orders/{order}", header: fields{"If-None-Match": "zebra"}, status: 200},
		{request: "PATCH /orders/{order}", header: fields{"If-Match": "zebra"}, body: `{}`, status: 422},
	}
	run(t, []scenario{{name: "told", orders: 1, steps: planted}})
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, "EVENTS=none", "MANIFESTS=none", "LOG_LEVEL=DEBUG").start(t)
			s.untold, s.unanswered = true, true // health checks have lines as well
			kept := map[string]string{}
			for _, st := range planted[:len(planted)-4] {
				if !strings.Contains(st.request, "/deliveries") {
					st.run(t, s, kept)
				}
			}
			s.end(t)
			lines, _ := s.out.all()
			if strings.Contains(strings.ToLower(joined(lines)), marker) {
				t.Errorf("a customer's data was written:\n%s", joined(lines))
			}
		})
	}
}

// TestConcurrencyIsBounded answers what is too much at once with 503.
func TestConcurrencyIsBounded(t *testing.T) {
	const calls = 32
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, "MAX_CONCURRENT_REQUESTS=1", "MAX_QUEUED_REQUESTS=0").start(t)
			for limit := time.Now().Add(patience); ; {
				answers := make(chan answer, calls)
				for range calls {
					go func() { answers <- s.ask(t, http.MethodGet, "/orders", nil, nil) }()
				}
				refused := 0
				for range calls {
					if a := <-answers; a.status == http.StatusServiceUnavailable {
						refused++
						wait, err := strconv.Atoi(a.header.Get("Retry-After"))
						if diff := differ(t, `{"code": "too_busy"}`, a.body, true); diff != "" || err != nil || wait < 1 || wait > 20 {
							t.Error(diff, a.header)
						}
					}
				}
				if refused > 0 {
					break
				}
				if time.Now().After(limit) {
					t.Fatal("as many at once as one likes are worked on")
				}
			}
			s.get(t, "/health/ready")
			s.get(t, "/orders")
		})
	}
}

// TestSlowBodiesKeepNobodyOut has others worked on while a body that is slow to come has the only place.
func TestSlowBodiesKeepNobodyOut(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, "MAX_CONCURRENT_REQUESTS=1", "QUEUE_TIMEOUT=1m").start(t)
			under := s.begin(t, small)
			s.get(t, "/orders")
			if a := under.finish(t); a.status != http.StatusCreated {
				t.Errorf("status %d\n%s", a.status, a.body)
			}
			s.get(t, "/orders")
		})
	}
}

func TestBodiesHeldAtOnceAreBounded(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, "MAX_BODY_BYTES=65536", "MAX_BATCH_BODY_BYTES=65536", "MAX_IN_FLIGHT_BYTES=65536").start(t)
			under := s.begin(t, small+strings.Repeat(" ", 63<<10))
			a := s.ask(t, http.MethodPost, "/orders", nil, strings.NewReader(small))
			if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
				t.Errorf("status %d, %v\n%s", a.status, a.header, a.body)
			}
			if diff := differ(t, `{"code": "too_busy"}`, a.body, true); diff != "" {
				t.Error(diff)
			}
			s.get(t, "/orders")
			if a := under.finish(t); a.status != http.StatusCreated {
				t.Errorf("status %d\n%s", a.status, a.body)
			}
		})
	}
}
