package tracing

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"order-processing-service/internal/application/correlation"
)

// Request is what is told of an HTTP request; see httpapi.Request.
type Request struct {
	Caller                         correlation.Trace
	Method, Scheme, Version, Route string
	Begun                          time.Time
}

// Request begins the span of an HTTP request in the caller's trace, or in a new one; see httpapi.Config.Record. The path is left
// out, though the conventions ask for it: it is the caller's text, which may be anything, where it is not the route's. So is the
// method's original text, and the server's address, which behind a proxy only that knows.
func (t *Tracer) Request(ctx context.Context, r Request) (context.Context, func(status int, cut bool)) {
	title := r.Method
	if title == semconv.HTTPRequestMethodOther.Value.AsString() {
		title = "HTTP"
	}
	if r.Route != "" {
		title += " " + r.Route
	}
	options := append(make([]trace.SpanStartOption, 0, 3), server(), trace.WithTimestamp(r.Begun))
	of, invoked := t.invocation(ctx)
	if link, ok := linkTo(of.trace); ok && of.trace.TraceID != r.Caller.TraceID {
		options = append(options, trace.WithLinks(link)) // the caller has a trace of its own
	}
	ctx, span := t.begin(trace.ContextWithRemoteSpanContext(ctx, remote(r.Caller)), title, options...)
	if span.IsRecording() { // the samplers ask for none of it
		span.SetAttributes(semconv.HTTPRequestMethodKey.String(r.Method), semconv.URLScheme(r.Scheme), semconv.NetworkProtocolVersion(r.Version))
		if r.Route != "" {
			span.SetAttributes(semconv.HTTPRoute(r.Route))
		}
		if invoked {
			span.SetAttributes(of.attributes("http")...)
		}
	}
	return ctx, func(status int, cut bool) { endRequest(span, status, cut) }
}

// endRequest ends the span of a request. What was answered to a wrong request is no failure of the service.
func endRequest(span trace.Span, status int, cut bool) {
	if span.IsRecording() {
		if status != 0 {
			span.SetAttributes(semconv.HTTPResponseStatusCode(status))
		}
		switch {
		case cut:
			fail(span, "aborted")
		case status >= http.StatusInternalServerError:
			fail(span, strconv.Itoa(status))
		}
	}
	span.End()
}

// invocation is one of AWS Lambda.
type invocation struct {
	id, function string
	trace        correlation.Trace // that X-Ray knows it by, if any
	cold         bool              // the first of its process
}

// invocation returns that which ctx belongs to.
func (t *Tracer) invocation(ctx context.Context) (invocation, bool) {
	known, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return invocation{}, false
	}
	i := invocation{id: known.AwsRequestID, function: known.InvokedFunctionArn, cold: !t.warm.Swap(true)}
	if header, ok := ctx.Value("x-amzn-trace-id").(string); ok { // where the runtime puts it
		i.trace, _ = correlation.ParseXRay(header)
	}
	return i, true
}

// attributes are those of a span that is an invocation with the trigger.
func (i invocation) attributes(trigger string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.FaaSTriggerKey.String(trigger), semconv.FaaSInvocationID(i.id), semconv.CloudResourceID(i.function), semconv.FaaSColdstart(i.cold),
	}
}
