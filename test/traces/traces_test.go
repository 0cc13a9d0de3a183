// Package traces_test looks at what the running program has traced, as a collector gets it.
package traces_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/collector"
	"order-processing-service/test/mongodb"
	"order-processing-service/test/program"
)

// line is what is read of a log line.
type line struct {
	Level     string `json:"level"`
	Message   string `json:"message"`
	Route     string `json:"route"`
	RequestID string `json:"request_id"`
	TraceID   string `json:"trace_id"`
	SpanID    string `json:"span_id"`
	XRay      string `json:"xray_trace_id"`
}

// lines are those with a message.
func lines(t *testing.T, p *program.Program, message string) []line {
	t.Helper()
	var found []line
	for text := range strings.Lines(p.Log.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if l.Message == message {
			found = append(found, l)
		}
	}
	return found
}

// start starts the program with the settings, NAME=value. Stopping it exports what was recorded.
func start(t *testing.T, settings ...string) *program.Program {
	t.Helper()
	overrides := make(map[string]string)
	for _, pair := range settings {
		name, value, _ := strings.Cut(pair, "=")
		overrides[name] = value
	}
	return program.Start(t, t.TempDir(), overrides)
}

// answerLimit is how long an answer may take.
const answerLimit = 30 * time.Second

// send sends a request, whose headers are "Name: value", and returns the status and the body of the answer.
func send(t *testing.T, p *program.Program, method, path, body string, headers ...string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	client := http.Client{Timeout: answerLimit}
	defer client.CloseIdleConnections()
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(text)
}

// place places an order and returns its id.
func place(t *testing.T, p *program.Program, headers ...string) string {
	t.Helper()
	status, body := send(t, p, http.MethodPost, "/orders", order, headers...)
	var o struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(body), &o); err != nil || status != http.StatusCreated {
		t.Fatalf("POST /orders: %d %s", status, body)
	}
	return o.ID
}

const order = `{"customer_id":"ana@example.com","items":[{"sku":"TEA-1","quantity":2,"unit_price":12.5}]}`

// has reports what a span lacks of the attributes.
func has(t *testing.T, s collector.Span, want map[string]string) {
	t.Helper()
	got := maps.Clone(s.Attributes)
	maps.DeleteFunc(got, func(name, _ string) bool { _, wanted := want[name]; return !wanted })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes of %q (-want +got):\n%s", s.Name, diff)
	}
}

// The tree of one request, and what is told of it later, on each store.
func TestOneRequest(t *testing.T) {
	for name, system := range map[string]string{"embedded": "sqlite", "mongodb": "mongodb"} {
		t.Run(name, func(t *testing.T) {
			var settings []string
			if name == "mongodb" {
				server := mongodb.Need(t)
				settings = []string{"MONGO_URI=" + server.URI, "MONGO_DB=" + server.Database(t).Name()}
			}
			c := collector.Start(t)
			p := start(t, append(settings, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test",
				"OTEL_EXPORTER_OTLP_HEADERS=api-key=s3cret")...)
			id := place(t, p)
			c.Await(t, "send events", 1)
			c.Await(t, "send manifests", 1)
			p.Stop()
			checkTree(t, c, p, system)
			checkIndex(t, c)
			for _, span := range c.Spans() {
				for name, value := range span.Attributes {
					if strings.Contains(value, id) || strings.Contains(value, "ana") {
						t.Errorf("the attribute %s of %q is %s", name, span.Name, value)
					}
				}
			}
			if got := c.Header("Api-Key"); got != "s3cret" {
				t.Errorf("the collector gets the key %q", got)
			}
		})
	}
}

func checkTree(t *testing.T, c *collector.Collector, p *program.Program, system string) {
	t.Helper()
	request, use, store := c.One(t, "POST /orders"), c.One(t, "place order"), c.One(t, "create orders")
	if request.ParentID != "" || use.ParentID != request.SpanID || store.ParentID != use.SpanID ||
		use.TraceID != request.TraceID || store.TraceID != request.TraceID {
		t.Errorf("no tree: %+v\n%+v\n%+v", request, use, store)
	}
	if request.Kind != "SERVER" || use.Kind != "INTERNAL" || store.Kind != "CLIENT" {
		t.Errorf("kinds are %s, %s and %s", request.Kind, use.Kind, store.Kind)
	}
	has(t, request, map[string]string{"http.request.method": "POST", "url.scheme": "http", "http.route": "/orders", "http.response.status_code": "201", "network.protocol.version": "1.1"})
	has(t, store, map[string]string{"db.system.name": system, "db.operation.name": "create", "db.collection.name": "orders"})
	if diff := cmp.Diff([]string{"order-processing-service", "test"}, []string{request.Resource["service.name"], request.Resource["deployment.environment.name"]}); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
	for name, want := range map[string]struct {
		kind       string
		attributes map[string]string
	}{
		"events": {"PRODUCER", map[string]string{
			"messaging.system": "simulated", "messaging.operation.type": "send", "messaging.operation.name": "send", "messaging.batch.message_count": "1",
		}},
		"manifests": {"INTERNAL", map[string]string{"orders.events": "1"}},
	} {
		told := c.One(t, "send "+name)
		want.attributes["orders.subscriber"] = name
		if told.Kind != want.kind || told.ParentID != "" || told.TraceID == request.TraceID {
			t.Errorf("what is told is %+v", told)
		}
		if diff := cmp.Diff([]collector.Place{request.Place()}, told.Links); diff != "" {
			t.Errorf("links of what is told (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want.attributes, told.Attributes); diff != "" {
			t.Errorf("attributes of %q (-want +got):\n%s", told.Name, diff)
		}
	}
	line := lines(t, p, "request")[0]
	xray := "1-" + request.TraceID[:8] + "-" + request.TraceID[8:]
	if line.TraceID != request.TraceID || line.SpanID != request.SpanID || line.XRay != xray {
		t.Errorf("the request's line has %+v", line)
	}
	for _, span := range c.Spans() {
		if span.Failed {
			t.Errorf("%q has failed", span.Name)
		}
	}
}

// checkIndex holds what the collector's file has X-Ray index against what spans have.
func checkIndex(t *testing.T, c *collector.Collector) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/observability/collector/collector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^ {4}indexed_attributes: \[(.+)\]$`).FindSubmatch(text)
	if list == nil {
		t.Fatal("the collector's file has no indexed attributes")
	}
	for name := range strings.SplitSeq(string(list[1]), ", ") {
		if !slices.ContainsFunc(c.Spans(), func(s collector.Span) bool { return s.Attributes[name] != "" }) {
			t.Errorf("X-Ray is to index %s, which no span has", name)
		}
	}
}

// What is refused is no failure of the service; what it can't do is.
func TestErrors(t *testing.T) {
	c := collector.Start(t)
	p := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL)
	id := place(t, p)
	send(t, p, http.MethodGet, "/orders/0123456789abcdef01234567", "")
	send(t, p, http.MethodPatch, "/orders/"+id, `{"status":"DELIVERED"}`)
	send(t, p, "BREW", "/ana@example.com?token=s3cret", "")
	send(t, p, http.MethodGet, "/health", "")
	p.Stop()
	for name, want := range map[string]map[string]string{
		"GET /orders/{order_id}":   {"http.response.status_code": "404"},
		"read order":               {"error.type": "order_not_found"},
		"PATCH /orders/{order_id}": {"http.response.status_code": "409"},
		"change order":             {"error.type": "status_not_allowed"},
		"HTTP":                     {"http.request.method": "_OTHER", "http.response.status_code": "404"},
	} {
		span := c.One(t, name)
		has(t, span, want)
		if span.Failed {
			t.Errorf("%q counts as a failure", name)
		}
	}
	for _, span := range c.Spans() {
		if strings.Contains(span.Name, "health") {
			t.Errorf("there is a span %q", span.Name)
		}
		for name, value := range span.Attributes {
			if strings.Contains(value, "s3cret") || strings.Contains(value, "ana") || strings.Contains(value, "BREW") {
				t.Errorf("the attribute %s of %q is %s", name, span.Name, value)
			}
		}
	}
}
