package correlation_test

import (
	"strings"
	"testing"

	"order-processing-service/internal/application/correlation"
)

func TestParseXRay(t *testing.T) {
	const root, parent = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", "Parent=" + spanID
	trace := func(span string, flags byte) correlation.Trace {
		return correlation.Trace{TraceID: traceID, SpanID: span, Flags: flags}
	}
	none := correlation.Trace{}
	for header, want := range map[string]correlation.Trace{
		root + ";" + parent + ";Sampled=1":                    trace(spanID, 1),
		"Sampled=0; " + parent + " ; " + root:                 trace(spanID, 0),
		root + ";" + parent + ";Sampled=?":                    trace(spanID, 0),
		root + ";" + parent + ";Lineage=25:a1b2c3:0;Self=1-2": trace(spanID, 0),
		root: trace("", 0),
		"Self=1-67891234-12456789abcdef012345678;" + root: trace("", 0),
		"":                                 none,
		parent:                             none,
		root + ";Parent=0000000000000000":  none,
		root + ";Parent=00F067AA0BA902B7":  none,
		root + ";Parent=":                  none,
		root + ";" + parent + ";" + parent: none,
		root + ";" + root:                  none,
		root + ";Sampled=0;Sampled=1":      none,
		root + "0;" + parent:               none,
		"Root=2-4bf92f35-77b34da6a3ce929d0e0e4736;" + parent:                    none,
		"Root=1-4bf92f3577-b34da6a3ce929d0e0e4736;" + parent:                    none,
		"Root=1-00000000-000000000000000000000000;" + parent:                    none,
		"Root=1-4BF92F35-77b34da6a3ce929d0e0e4736;" + parent:                    none,
		root + ";" + parent + ";Lineage=" + strings.Repeat("x", 1024-len(root)): none,
	} {
		got, ok := correlation.ParseXRay(header)
		if got != want || ok != want.Valid() {
			t.Errorf("%q is read as %+v, %t", header, got, ok)
		}
	}
}

// Whatever comes, what is read is a trace that can be written and read again.
func FuzzParseXRay(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	f.Add("Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678")
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=;Sampled=?;Lineage=a:b")
	f.Fuzz(func(t *testing.T, header string) {
		trace, ok := correlation.ParseXRay(header)
		if ok != trace.Valid() {
			t.Fatalf("%q: %+v, %t", header, trace, ok)
		}
		if !ok {
			return
		}
		if again, ok := correlation.ParseXRay(trace.XRay()); !ok || again != trace {
			t.Errorf("%q: %+v comes back as %+v, %t", header, trace, again, ok)
		}
		if trace.SpanID == "" {
			trace = trace.NewSpan()
		}
		if again, ok := correlation.ParseTraceparent(trace.Traceparent()); !ok || again != trace {
			t.Errorf("%q: %+v comes back as %+v, %t", header, trace, again, ok)
		}
	})
}
