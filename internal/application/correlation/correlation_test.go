package correlation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"order-processing-service/internal/application/correlation"
)

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7"
)

func TestContext(t *testing.T) {
	ctx := context.Background()
	if id, trace := correlation.RequestID(ctx), correlation.TraceOf(ctx); id != "" || trace.Valid() {
		t.Errorf("an empty context has %q and %+v", id, trace)
	}
	want := correlation.NewTrace()
	ctx = correlation.WithTrace(correlation.WithRequestID(ctx, "r-1"), want)
	if id, trace := correlation.RequestID(ctx), correlation.TraceOf(ctx); id != "r-1" || trace != want {
		t.Errorf("the context has %q and %+v", id, trace)
	}
}

func TestRequestIDs(t *testing.T) {
	tests := map[string]bool{
		"": false, "a": true, "6f1d…": false, "a b": false, "a\n": false, `a"b`: false, "a\\": false, "<a>": false, "a,b": false,
		"b2ddc1f4-9e2c-4b0e-8e46-5d4dbf3f1c11": true, "Root=1-67891233-abcdef012345678912345678": true,
		strings.Repeat("x", 128): true, strings.Repeat("x", 129): false, correlation.NewRequestID(): true,
	}
	for id, want := range tests {
		if got := correlation.ValidRequestID(id); got != want {
			t.Errorf("ValidRequestID(%q) is %t", id, got)
		}
	}
	if first, second := correlation.NewRequestID(), correlation.NewRequestID(); first == second {
		t.Error("two new ids are equal")
	}
}

func TestParseTraceparent(t *testing.T) {
	tests := map[string]struct {
		header string
		flags  byte
		ok     bool
	}{
		"sampled":                      {"00-" + traceID + "-" + spanID + "-01", 1, true},
		"not sampled":                  {"00-" + traceID + "-" + spanID + "-00", 0, true},
		"random":                       {"00-" + traceID + "-" + spanID + "-03", 3, true},
		"flags not defined":            {"00-" + traceID + "-" + spanID + "-fd", 1, true},
		"later version":                {"cc-" + traceID + "-" + spanID + "-01", 1, true},
		"later version with more":      {"cc-" + traceID + "-" + spanID + "-01-what-comes", 1, true},
		"later version, more unparted": {"cc-" + traceID + "-" + spanID + "-01what", 0, false},
		"version 00 with more":         {"00-" + traceID + "-" + spanID + "-01-what", 0, false},
		"version ff":                   {"ff-" + traceID + "-" + spanID + "-01", 0, false},
		"version in capitals":          {"CC-" + traceID + "-" + spanID + "-01", 0, false},
		"version not hexadecimal":      {"0g-" + traceID + "-" + spanID + "-01", 0, false},
		"flags not hexadecimal":        {"00-" + traceID + "-" + spanID + "-0x", 0, false},
		"capitals":                     {"00-" + strings.ToUpper(traceID) + "-" + spanID + "-01", 0, false},
		"zero trace":                   {"00-" + strings.Repeat("0", 32) + "-" + spanID + "-01", 0, false},
		"zero span":                    {"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01", 0, false},
		"bad span":                     {"00-" + traceID + "-00f067aa0ba902bz-01", 0, false},
		"other dividers":               {"00_" + traceID + "_" + spanID + "_01", 0, false},
		"cut short":                    {"00-" + traceID + "-" + spanID + "-0", 0, false},
		"blank around":                 {" 00-" + traceID + "-" + spanID + "-01", 0, false},
		"empty":                        {"", 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := correlation.Trace{}
			if tt.ok {
				want = correlation.Trace{TraceID: traceID, SpanID: spanID, Flags: tt.flags}
			}
			got, ok := correlation.ParseTraceparent(tt.header)
			if got != want || ok != tt.ok {
				t.Errorf("got %+v, %t; want %+v, %t", got, ok, want, tt.ok)
			}
		})
	}
}

func TestNewTraceAndSpan(t *testing.T) {
	root := correlation.NewTrace()
	child := root.NewSpan()
	if child.TraceID != root.TraceID || child.SpanID == root.SpanID || child.Flags != root.Flags {
		t.Errorf("child %+v of root %+v", child, root)
	}
	for _, trace := range []correlation.Trace{root, child} {
		if got, ok := correlation.ParseTraceparent(trace.Traceparent()); !ok || got != trace {
			t.Errorf("%+v comes back as %+v, %t", trace, got, ok)
		}
	}
	if got := (correlation.Trace{}).Traceparent(); got != "" {
		t.Errorf("the zero trace is written %q", got)
	}
}

func FuzzParseTraceparent(f *testing.F) {
	f.Add("00-" + traceID + "-" + spanID + "-01")
	f.Add("cc-" + traceID + "-" + spanID + "-01-what-comes")
	f.Fuzz(func(t *testing.T, header string) {
		trace, ok := correlation.ParseTraceparent(header)
		if !ok {
			return
		}
		if again, ok := correlation.ParseTraceparent(trace.Traceparent()); !ok || again != trace {
			t.Errorf("%q: %+v comes back as %+v, %t", header, trace, again, ok)
		}
	})
}

func ExampleTrace_NewSpan() {
	caller, _ := correlation.ParseTraceparent("00-" + traceID + "-" + spanID + "-01")
	own := caller.NewSpan()
	fmt.Println(own.TraceID == caller.TraceID, own.SpanID == caller.SpanID)
	// Output: true false
}
