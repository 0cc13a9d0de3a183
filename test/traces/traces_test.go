// Package traces_test looks at what the running program has traced, as a collector gets it.
package traces_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/test/collector"
	"order-processing-service/test/mongodb"
)

// service is a program that runs.
type service struct {
	url  string
	log  *output
	stop func()
}

// output is what a program logs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

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
func (o *output) lines(t *testing.T, message string) []line {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var found []line
	for text := range strings.Lines(o.text.String()) {
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

// stopLimit is how long a stop may take in a test.
const stopLimit = 30 * time.Second

// start starts the program with the settings, NAME=value. Stopping it exports what was recorded.
func start(t *testing.T, settings ...string) *service {
	t.Helper()
	environ := append([]string{"PORT=0", "ADMIN_ADDR=off", "DATA_DIR=" + t.TempDir()}, settings...)
	c, err := config.Load(config.Source{Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{log: new(output)}
	program, err := bootstrap.Open(t.Context(), c, s.log)
	if err != nil {
		t.Fatal(err)
	}
	s.url = program.URL()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	stopped := make(chan error, 1)
	go func() { stopped <- program.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-stopped:
			if err != nil {
				t.Errorf("the program ends with %v", err)
			}
		case <-time.After(stopLimit):
			t.Error("the program does not stop")
		}
	})
	t.Cleanup(s.stop)
	return s
}

// send sends a request, whose headers are "Name: value", and returns the status and the body of the answer.
func (s *service) send(t *testing.T, method, path, body string, headers ...string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
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
	client := http.Client{Timeout: stopLimit}
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
func (s *service) place(t *testing.T, headers ...string) string {
	t.Helper()
	status, body := s.send(t, http.MethodPost, "/orders", order, headers...)
	var o struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(body), &o); err != nil || status != http.StatusCreated {
		t.Fatalf("POST /orders: %d %s", status, body)
	}
	return o.ID
}

const order = `{"customer_id":"ana@example.com","items":[{"sku":"TEA-1","quantity":2,"unit_price":12.5}]}`

// only is the one span of a name.
func only(t *testing.T, c *collector.Collector, name string) collector.Span {
	t.Helper()
	list := c.Named(name)
	if len(list) != 1 {
		t.Fatalf("%d spans are named %q among %+v", len(list), name, c.Spans())
	}
	return list[0]
}

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
			s := start(t, append(settings, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test",
				"OTEL_EXPORTER_OTLP_HEADERS=api-key=s3cret")...)
			id := s.place(t)
			c.Await(t, "send events", 1)
			c.Await(t, "send manifests", 1)
			s.stop()
			checkTree(t, c, s, system)
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

func checkTree(t *testing.T, c *collector.Collector, s *service, system string) {
	t.Helper()
	request, use, store := only(t, c, "POST /orders"), only(t, c, "place order"), only(t, c, "create orders")
	if request.ParentID != "" || use.ParentID != request.SpanID || store.ParentID != use.SpanID ||
		use.TraceID != request.TraceID || store.TraceID != request.TraceID {
		t.Errorf("no tree: %+v\n%+v\n%+v", request, use, store)
	}
	if request.Kind != "SERVER" || use.Kind != "INTERNAL" || store.Kind != "CLIENT" {
		t.Errorf("kinds are %s, %s and %s", request.Kind, use.Kind, store.Kind)
	}
	has(t, request, map[string]string{"http.request.method": "POST", "http.route": "/orders", "http.response.status_code": "201", "network.protocol.version": "1.1"})
	has(t, store, map[string]string{"db.system.name": system, "db.operation.name": "create", "db.collection.name": "orders"})
	if diff := cmp.Diff([]string{"order-processing-service", "test"}, []string{request.Resource["service.name"], request.Resource["deployment.environment.name"]}); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
	for _, name := range []string{"events", "manifests"} {
		told := only(t, c, "send "+name)
		if told.Kind != "PRODUCER" || told.ParentID != "" || told.TraceID == request.TraceID {
			t.Errorf("what is told is %+v", told)
		}
		if diff := cmp.Diff([]collector.Place{request.Place()}, told.Links); diff != "" {
			t.Errorf("links of what is told (-want +got):\n%s", diff)
		}
		has(t, told, map[string]string{"orders.subscriber": name, "messaging.operation.type": "send", "messaging.batch.message_count": "1"})
	}
	line := s.log.lines(t, "request")[0]
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

// What is refused is no failure of the service; what it can't do is.
func TestErrors(t *testing.T) {
	c := collector.Start(t)
	s := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL)
	id := s.place(t)
	s.send(t, http.MethodGet, "/orders/0123456789abcdef01234567", "")
	s.send(t, http.MethodPatch, "/orders/"+id, `{"status":"DELIVERED"}`)
	s.send(t, "BREW", "/ana@example.com?token=s3cret", "")
	s.send(t, http.MethodGet, "/health", "")
	s.stop()
	for name, want := range map[string]map[string]string{
		"GET /orders/{order_id}":   {"http.response.status_code": "404"},
		"read order":               {"error.type": "order_not_found"},
		"PATCH /orders/{order_id}": {"http.response.status_code": "409"},
		"change order":             {"error.type": "status_not_allowed"},
		"HTTP":                     {"http.request.method": "_OTHER", "http.response.status_code": "404"},
	} {
		span := only(t, c, name)
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
