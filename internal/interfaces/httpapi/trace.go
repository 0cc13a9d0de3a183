package httpapi

import (
	"net/http"

	"order-processing-service/internal/application/correlation"
)

// Propagators are the headers by which a caller may say which trace its request is part of. The zero value is all of them.
type Propagators struct {
	NoW3C  bool // traceparent does not count
	NoXRay bool // X-Amzn-Trace-Id, which AWS's load balancers and gateways send, does not count
}

// of is the caller's trace; traceparent wins. It is false when no header names one: what is malformed, or comes more than once, is
// as if it had not come.
func (p Propagators) of(h http.Header) (correlation.Trace, bool) {
	if sent := h["Traceparent"]; len(sent) == 1 && !p.NoW3C {
		if t, ok := correlation.ParseTraceparent(sent[0]); ok {
			return t, true
		}
	}
	if sent := h["X-Amzn-Trace-Id"]; len(sent) == 1 && !p.NoXRay {
		return correlation.ParseXRay(sent[0])
	}
	return correlation.Trace{}, false
}

// trace makes the exchange a span of the caller's trace, or of a new one, and has it recorded.
func (x *exchange) trace() {
	caller, ok := x.api.Propagators.of(x.r.Header)
	if x.api.Record != nil {
		if route, quiet := x.api.routeOf(x.r); !quiet {
			x.ctx, x.record = x.api.Record(x.ctx, caller, x.r, route)
			return
		}
	}
	if ok {
		caller = caller.NewSpan()
	} else {
		caller = correlation.NewTrace()
	}
	x.ctx = correlation.WithTrace(x.ctx, caller)
}

// routeOf finds the path of the operation that a request is for, "" for none, and whether it is one that nobody wants to hear of.
func (a *api) routeOf(r *http.Request) (path string, quiet bool) {
	place, _ := a.routes.find(r.URL.Path)
	if place == nil || place.operations[r.Method] == nil {
		return "", false
	}
	op := place.operations[r.Method]
	return op.path, op.quiet
}
