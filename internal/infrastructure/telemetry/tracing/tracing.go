// Package tracing records spans of what the service does, by OpenTelemetry, and has them exported by OTLP. It stands between the
// other parts: each is given to a method of a Tracer and comes back as one that does the same and is recorded, so that none of them
// knows of it. Where spans are not recorded the parts stay as they are.
//
// What is told of the work is its kind, how it ended and how long it took: no text that a caller chose, and no text of an error, is
// an attribute. The span that work belongs to is in its context, as package correlation has it.
package tracing

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/telemetry/otlp"
)

// Config says what is recorded, and where it goes. Target and Resource are needed.
type Config struct {
	Target   otlp.Target
	Resource *resource.Resource
	// Sampler is one of those that OTEL_TRACES_SAMPLER may name; "" is parentbased_always_on.
	Sampler string
	// Ratio is the part of the traces that samplers with a ratio record, from 0 to 1.
	Ratio float64
	// XRay makes ids that AWS X-Ray takes: those of traces begin with the time.
	XRay bool
	// Log is told when spans can't be exported, and when they can be again; nil for nobody.
	Log *slog.Logger
}

// Limits of the queue of spans that are to be exported. What finds no place is dropped, so that nothing waits for an export.
const (
	queueSize   = 4096
	exportSize  = 512
	exportEvery = 2 * time.Second
)

// Tracer makes spans. It is safe for concurrent use. A nil Tracer makes none: its methods return what they are given.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	cut      context.CancelFunc // ends an export that is under way, and all later ones
	warm     atomic.Bool        // an invocation of AWS Lambda was seen
}

// name is the instrumentation scope of all spans.
const name = "order-processing-service"

// Open returns a Tracer that must be closed. It waits for nobody: a collector that is away is no error.
func Open(ctx context.Context, c Config) (*Tracer, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	exporter, err := newExporter(ctx, c.Target)
	if err != nil {
		return nil, err
	}
	life, cut := context.WithCancel(context.WithoutCancel(ctx))
	options := []sdk.TracerProviderOption{
		sdk.WithResource(c.Resource), sdk.WithSampler(samplerOf(c.Sampler, c.Ratio)), sdk.WithoutPanicRecording(),
		sdk.WithBatcher(newPatient(life, exporter, c.Log, time.Now),
			sdk.WithMaxQueueSize(queueSize), sdk.WithMaxExportBatchSize(exportSize), sdk.WithBatchTimeout(exportEvery), sdk.WithExportTimeout(exportTimeout)),
	}
	if c.XRay {
		options = append(options, sdk.WithIDGenerator(xrayIDs{now: time.Now}))
	}
	provider := sdk.NewTracerProvider(options...)
	return &Tracer{provider: provider, tracer: provider.Tracer(name), cut: cut}, nil
}

// Flush exports the spans that have ended, until ctx ends.
func (t *Tracer) Flush(ctx context.Context) {
	if t != nil {
		_ = t.provider.ForceFlush(ctx) // what goes wrong is the exporter's to tell
	}
}

// closeTimeout bounds how long a stop waits for a last export, of which the last fifth is kept to say that it failed.
const (
	closeTimeout = 5 * time.Second
	closePart    = 5
)

// Close is Flush for the last time: later spans are not exported. Closing twice does nothing.
func (t *Tracer) Close(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	limit := closeTimeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	cut := time.AfterFunc(limit-limit/closePart, t.cut)
	defer cut.Stop()
	_ = t.provider.Shutdown(ctx) // as in Flush
	t.cut()
}

// begin begins a span in ctx, and returns a context whose trace it is.
func (t *Tracer) begin(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	ctx, span := t.tracer.Start(ctx, name, options...) //nolint:spancheck // the caller ends it
	s := span.SpanContext()
	return correlation.WithTrace(ctx, correlation.Trace{ //nolint:spancheck // as above
		TraceID: s.TraceID().String(), SpanID: s.SpanID().String(), Flags: byte(s.TraceFlags()) & (correlation.FlagSampled | correlation.FlagRandom),
	}), span
}

// within is begin for work that is a part of other work. If that is not recorded, nor is this: the span is nil.
func (t *Tracer) within(ctx context.Context, name string) (context.Context, trace.Span) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, nil
	}
	return t.begin(ctx, name)
}

// end ends a span of within. Of an error it tells the code of the fault.
func end(span trace.Span, err error) {
	if span == nil {
		return
	}
	note(span, err)
	span.End()
}

// note has a span tell of an error the code of the fault. Work has failed if it is the service that could not do it; what it refused
// to do was done right.
func note(span trace.Span, err error) {
	if err == nil {
		return
	}
	span.SetAttributes(semconv.ErrorTypeKey.String(fault.Of(err).Code))
	if isFailure(err) {
		span.SetStatus(codes.Error, "")
	}
}

// fail has a span tell why what it stands for failed; "" if it did not.
func fail(span trace.Span, kind string) {
	if kind == "" {
		return
	}
	span.SetAttributes(semconv.ErrorTypeKey.String(kind))
	span.SetStatus(codes.Error, "")
}

// isFailure reports whether err is the service's own.
func isFailure(err error) bool {
	kind := fault.KindOf(err)
	return err != nil && (kind == fault.Internal || kind == fault.Unavailable)
}

// remote is a place in a trace that came from outside. It may have no span.
func remote(t correlation.Trace) trace.SpanContext {
	if !t.Valid() {
		return trace.SpanContext{}
	}
	id, err := trace.TraceIDFromHex(t.TraceID)
	if err != nil {
		return trace.SpanContext{}
	}
	span, _ := trace.SpanIDFromHex(t.SpanID) // zero if there is none
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(t.Flags), Remote: true})
}

// linkTo is a link to a span that somebody may have recorded; false for others, as nobody would find anything there.
func linkTo(t correlation.Trace) (trace.Link, bool) {
	s := remote(t)
	return trace.Link{SpanContext: s}, s.IsValid() && s.IsSampled()
}

// kinds of spans.
func server() trace.SpanStartOption   { return trace.WithSpanKind(trace.SpanKindServer) }
func client() trace.SpanStartOption   { return trace.WithSpanKind(trace.SpanKindClient) }
func producer() trace.SpanStartOption { return trace.WithSpanKind(trace.SpanKindProducer) }
func consumer() trace.SpanStartOption { return trace.WithSpanKind(trace.SpanKindConsumer) }

// with are attributes of a span from its beginning.
func with(attributes ...attribute.KeyValue) trace.SpanStartOption {
	return trace.WithAttributes(attributes...)
}
