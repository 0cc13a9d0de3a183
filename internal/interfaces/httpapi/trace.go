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

// trace makes the exchange a span of the caller's trace, or of a new one, and has it recorded if it was let in.
func (x *exchange) trace(admitted bool) {
	caller, ok := x.api.Propagators.of(x.r.Header)
	if x.api.Record != nil && admitted && (x.op == nil || !x.op.quiet) {
		x.ctx, x.record = x.api.Record(x.ctx, Request{
			Caller: caller, Method: x.method, Scheme: x.scheme, Version: versionOf(x.r), Route: x.route(), Begun: x.begun,
		})
		return
	}
	if ok {
		caller = caller.NewSpan()
	} else {
		caller = correlation.NewTrace()
	}
	x.ctx = correlation.WithTrace(x.ctx, caller)
}
