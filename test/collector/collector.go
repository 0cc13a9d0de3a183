// Package collector is an OpenTelemetry collector for tests: it takes spans over HTTP as a real one does, and keeps them.
package collector

import (
	"cmp"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is a span as it came.
type Span struct {
	TraceID, SpanID, ParentID string // in hexadecimal; no ParentID is ""
	Name                      string
	Kind                      string // SERVER, CLIENT, …
	Failed                    bool
	Attributes                map[string]string
	Resource                  map[string]string
	Links                     []Place
}

// Place is a span that another one is linked to.
type Place struct{ TraceID, SpanID string }

// Place is that of the span itself.
func (s Span) Place() Place { return Place{s.TraceID, s.SpanID} }

// Collector is a collector that runs. It is safe for concurrent use.
type Collector struct {
	URL string // for OTEL_EXPORTER_OTLP_ENDPOINT

	mu      sync.Mutex
	spans   []Span
	headers http.Header // of the last export
	calls   int
	refuses bool
	advises *collectortrace.ExportTracePartialSuccess // what each answer has, if anything
	changed chan struct{}                             // closed, and made anew, with each export
}

// Start starts a collector that ends with the test.
func Start(tb testing.TB) *Collector {
	tb.Helper()
	c := &Collector{changed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", c.traces)
	mux.HandleFunc("POST /v1/metrics", func(http.ResponseWriter, *http.Request) {}) // they are taken, and of no interest here
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Refuse has exports refused for good, or no longer.
func (c *Collector) Refuse(refuse bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuses = refuse
}

// Complain has each export taken, with so many of its spans said to be rejected and a complaint.
func (c *Collector) Complain(rejected int64, complaint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advises = &collectortrace.ExportTracePartialSuccess{RejectedSpans: rejected, ErrorMessage: complaint}
}

// maxExport is how large an export may be, in bytes.
const maxExport = 16 << 20

func (c *Collector) traces(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	close(c.changed)
	c.changed = make(chan struct{})
	if c.refuses {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	var body io.Reader = http.MaxBytesReader(w, r.Body, maxExport)
	if r.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = plain
	}
	text, err := io.ReadAll(body)
	var export collectortrace.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(text, &export)
	}
	if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "no spans in protobuf", http.StatusBadRequest)
		return
	}
	c.headers = r.Header.Clone()
	c.keep(&export)
	answer, err := proto.Marshal(&collectortrace.ExportTraceServiceResponse{PartialSuccess: c.advises})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// keep keeps the spans of an export; mu is held.
func (c *Collector) keep(export *collectortrace.ExportTraceServiceRequest) {
	for _, from := range export.GetResourceSpans() {
		resource := attributes(from.GetResource().GetAttributes())
		for _, scope := range from.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, spanOf(s, resource))
			}
		}
	}
}

func spanOf(s *trace.Span, resource map[string]string) Span {
	got := Span{
		TraceID: hexadecimal(s.GetTraceId()), SpanID: hexadecimal(s.GetSpanId()), ParentID: hexadecimal(s.GetParentSpanId()),
		Name: s.GetName(), Kind: s.GetKind().String()[len("SPAN_KIND_"):],
		Failed:     s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR,
		Attributes: attributes(s.GetAttributes()), Resource: resource,
	}
	for _, l := range s.GetLinks() {
		got.Links = append(got.Links, Place{hexadecimal(l.GetTraceId()), hexadecimal(l.GetSpanId())})
	}
	return got
}

func hexadecimal(b []byte) string {
	const digits = "0123456789abcdef"
	var text []byte
	for _, c := range b {
		text = append(text, digits[c>>4], digits[c&15])
	}
	return string(text)
}

// attributes are texts, numbers and truth values as text.
func attributes(all []*common.KeyValue) map[string]string {
	m := make(map[string]string, len(all))
	for _, a := range all {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			m[a.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			m[a.GetKey()] = strconv.FormatInt(v.IntValue, 10)
		case *common.AnyValue_BoolValue:
			m[a.GetKey()] = strconv.FormatBool(v.BoolValue)
		default:
			m[a.GetKey()] = a.GetValue().String()
		}
	}
	return m
}

// Spans are those that have come, by name.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	sorted := slices.Clone(c.spans)
	slices.SortStableFunc(sorted, func(a, b Span) int { return cmp.Compare(a.Name, b.Name) })
	return sorted
}

// Named are the spans of a name that have come.
func (c *Collector) Named(name string) []Span {
	var list []Span
	for _, s := range c.Spans() {
		if s.Name == name {
			list = append(list, s)
		}
	}
	return list
}

// One is the only span of a name; the test ends if there is none, or another one.
func (c *Collector) One(tb testing.TB, name string) Span {
	tb.Helper()
	list := c.Named(name)
	if len(list) != 1 {
		tb.Fatalf("%d spans are named %q among %+v", len(list), name, c.Spans())
	}
	return list[0]
}

// Calls is how many exports were tried.
func (c *Collector) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// Header is a header of the last export.
func (c *Collector) Header(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.headers.Get(name)
}

// patience is how long an export may take.
const patience = 30 * time.Second

// Await waits until so many spans of a name have come, and returns them.
func (c *Collector) Await(tb testing.TB, name string, count int) []Span {
	tb.Helper()
	var list []Span
	c.AwaitThat(tb, strconv.Itoa(count)+" spans "+name, func() bool {
		list = c.Named(name)
		return len(list) >= count
	})
	return list
}

// AwaitThat waits, from export to export, until something is so.
func (c *Collector) AwaitThat(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	late := time.After(patience)
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		if is() {
			return
		}
		select {
		case <-changed:
		case <-late:
			tb.Fatalf("there are no %s, but %+v", what, c.Spans())
		}
	}
}
