package traces_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"order-processing-service/test/collector"
	"order-processing-service/test/program"
)

// A trace of a caller, and its forms.
const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7"
	w3c     = "Traceparent: 00-" + traceID + "-" + spanID
	xray    = "X-Amzn-Trace-Id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736"
)

// caller is who sends a request with the headers, and which trace and which span it is part of; "" for none.
type caller struct {
	name          string
	headers       []string
	trace, parent string
}

func callers() []caller {
	return []caller{
		{"nothing", nil, "", ""},
		{"W3C", []string{w3c + "-01"}, traceID, spanID},
		{"W3C, later version", []string{"Traceparent: cc-" + traceID + "-" + spanID + "-01-more"}, traceID, spanID},
		{"X-Ray", []string{xray + ";Parent=" + spanID + ";Sampled=1"}, traceID, spanID},
		{"X-Ray, of a balancer", []string{"X-Amzn-Trace-Id: Self=1-67891234-12456789abcdef012345678;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736"}, traceID, ""},
		{"both", []string{w3c + "-01", "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=" + spanID + ";Sampled=1"}, traceID, spanID},
		{"X-Ray beside what is malformed", []string{"Traceparent: 00-x", xray + ";Parent=" + spanID + ";Sampled=1"}, traceID, spanID},
		{"W3C, twice", []string{w3c + "-01", w3c + "-01"}, "", ""},
		{"W3C, malformed", []string{"Traceparent: 00-" + strings.ToUpper(traceID) + "-" + spanID + "-01"}, "", ""},
		{"W3C, endless", []string{w3c + "-01" + strings.Repeat("0", 30_000)}, "", ""},
		{"W3C, no trace", []string{"Traceparent: 00-" + strings.Repeat("0", 32) + "-" + spanID + "-01"}, "", ""},
		{"X-Ray, twice", []string{xray, xray}, "", ""},
		{"X-Ray, two roots", []string{xray + ";Root=1-5759e988-bd862e3fe1be46a994272793"}, "", ""},
		{"X-Ray, bad parent", []string{xray + ";Parent=<script>;Sampled=1"}, "", ""},
		{"X-Ray, endless", []string{xray + strings.Repeat(";a=b", 7_000)}, "", ""},
		{"X-Ray, injected", []string{xray + `"},{"level":"ERROR`}, "", ""},
	}
}

// ask asks the service as each caller does, and returns the log lines of the requests in the same order.
func ask(t *testing.T, p *program.Program, all []caller) []line {
	t.Helper()
	for i, caller := range all {
		id := "X-Request-Id: " + strconv.Itoa(i)
		if status, _ := send(t, p, http.MethodGet, "/orders", "", append(caller.headers, id)...); status != http.StatusOK {
			t.Fatalf("%s: status %d", caller.name, status)
		}
	}
	p.Stop()
	logged := make([]line, len(all))
	for _, l := range lines(t, p, "request") {
		i, err := strconv.Atoi(l.RequestID)
		if err != nil {
			t.Fatalf("the line of a request has the id %q", l.RequestID)
		}
		logged[i] = l
	}
	return logged
}

// Each request is part of the trace that its caller names, whether traces are recorded or not, and of a new one if the caller
// names none that can be believed.
func TestCallers(t *testing.T) {
	c := collector.Start(t)
	for mode, settings := range map[string][]string{"not recorded": nil, "recorded": {"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL}} {
		for i, line := range ask(t, start(t, settings...), callers()) {
			want := callers()[i]
			isNew := len(line.TraceID) == 32 && line.TraceID != traceID && !strings.HasPrefix(line.TraceID, "5759e988")
			if want.trace != line.TraceID && (want.trace != "" || !isNew) {
				t.Errorf("%s, %s: the line has the trace %s, want %s", mode, want.name, line.TraceID, want.trace)
			}
			if len(line.TraceID) < 8 || line.XRay != "1-"+line.TraceID[:8]+"-"+line.TraceID[8:] {
				t.Errorf("%s, %s: the line has the X-Ray trace %q", mode, want.name, line.XRay)
			}
			if settings == nil {
				continue
			}
			if span := spanAt(t, c, line); span.TraceID != line.TraceID || span.ParentID != want.parent {
				t.Errorf("%s: the span is in trace %s, below %q; want %s, %q", want.name, span.TraceID, span.ParentID, line.TraceID, want.parent)
			}
		}
	}
}

// spanAt is the span that a log line belongs to.
func spanAt(t *testing.T, c *collector.Collector, l line) collector.Span {
	t.Helper()
	for _, s := range c.Spans() {
		if s.SpanID == l.SpanID {
			return s
		}
	}
	t.Fatalf("there is no span of %+v", l)
	return collector.Span{}
}

// What is not to be propagated is not looked at.
func TestPropagators(t *testing.T) {
	both := []caller{{name: "W3C", headers: []string{w3c + "-01"}}, {name: "X-Ray", headers: []string{xray}}}
	for propagators, want := range map[string][2]bool{
		"tracecontext,xray": {true, true}, "xray": {false, true}, "tracecontext,baggage": {true, false}, "none": {false, false}, "": {true, true},
	} {
		for i, line := range ask(t, start(t, "OTEL_PROPAGATORS="+propagators), both) {
			if (line.TraceID == traceID) != want[i] {
				t.Errorf("OTEL_PROPAGATORS=%s: %s leads to the trace %s", propagators, both[i].name, line.TraceID)
			}
		}
	}
}

// What the caller does not record is not recorded either, and is linked to nothing; but it keeps the caller's trace.
func TestUnsampledCallers(t *testing.T) {
	for name, header := range map[string]string{"W3C": w3c + "-00", "X-Ray": xray + ";Parent=" + spanID + ";Sampled=0"} {
		c := collector.Start(t)
		p := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL)
		place(t, p, header)
		told := c.Await(t, "send events", 1)[0]
		p.Stop()
		if len(c.Named("POST /orders"))+len(c.Named("place order"))+len(c.Named("create orders")) > 0 {
			t.Errorf("%s: recorded are %+v", name, c.Spans())
		}
		if len(told.Links) > 0 || told.TraceID == traceID {
			t.Errorf("%s: what is told is %+v", name, told)
		}
		if line := lines(t, p, "request")[0]; line.TraceID != traceID {
			t.Errorf("%s: the line has the trace %s", name, line.TraceID)
		}
	}
}

// The sampler decides about requests whose callers don't, and what is told goes with the request.
func TestSamplers(t *testing.T) {
	const all, none = true, false
	for sampler, want := range map[string][2]bool{ // of a request that the caller records, and of one that it has no trace for
		"always_on": {all, all}, "always_off": {none, none}, "traceidratio": {none, none},
		"parentbased_always_on": {all, all}, "parentbased_always_off": {all, none}, "parentbased_traceidratio": {all, none},
	} {
		for i, headers := range [][]string{{w3c + "-01"}, nil} {
			c := collector.Start(t)
			p := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_TRACES_SAMPLER="+sampler, "OTEL_TRACES_SAMPLER_ARG=0")
			place(t, p, headers...)
			p.AwaitTold(t)
			p.Stop()
			for _, name := range []string{"POST /orders", "send events"} {
				if (len(c.Named(name)) == 1) != want[i] {
					t.Errorf("%s, %v: %q is recorded %d times", sampler, headers, name, len(c.Named(name)))
				}
			}
		}
	}
}

// Ids are such that X-Ray takes them, unless it is left out.
func TestIDs(t *testing.T) {
	for propagators, isTime := range map[string]bool{"": true, "tracecontext": false} {
		c := collector.Start(t)
		p := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_PROPAGATORS="+propagators)
		before := time.Now().Unix()
		for range 3 {
			place(t, p)
		}
		p.Stop()
		timed := 0
		for _, request := range c.Named("POST /orders") {
			began, err := strconv.ParseInt(request.TraceID[:8], 16, 64)
			if err == nil && began >= before && began <= time.Now().Unix() {
				timed++
			}
		}
		if (timed == 3) != isTime {
			t.Errorf("OTEL_PROPAGATORS=%s: %d of 3 traces begin with the time", propagators, timed)
		}
	}
}
