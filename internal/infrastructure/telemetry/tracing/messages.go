package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/infrastructure/telemetry/attributes"
	"order-processing-service/internal/infrastructure/telemetry/failure"
)

// The values of messaging.system for what subscribers stand for; the conventions have none of their own for the second and the third.
const (
	SystemSQS         = "aws_sqs"
	SystemEventBridge = "aws_eventbridge"
	SystemSimulated   = "simulated"
)

// maxLinks bounds the links of a span.
const maxLinks = 128

// Subscriber returns a subscriber each call of which is a span, in a trace of its own that is linked to the requests which made the
// changes that are told. The system is the messaging system that it sends to, one of those above; "" for one that sends no messages but
// keeps files, of which the conventions of messaging say nothing.
func (t *Tracer) Subscriber(s delivery.Subscriber, system string) delivery.Subscriber {
	if t == nil {
		return s
	}
	return subscriber{s, t, system}
}

type subscriber struct {
	delivery.Subscriber

	tracer *Tracer
	system string
}

// Deliver implements delivery.Subscriber.
func (s subscriber) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	events := 0
	for i := range messages {
		events += len(messages[i].Events)
	}
	name := s.Name()
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithLinks(linksOf(messages)...), with(attribute.String(attributes.Subscriber, name))}
	if s.system == "" {
		options = append(options, with(attribute.Int(attributes.Events, events)))
	} else {
		options = append(options, producer(), with(
			semconv.MessagingSystemKey.String(s.system), semconv.MessagingOperationTypeSend, semconv.MessagingOperationName("send"),
			semconv.MessagingBatchMessageCount(events)))
	}
	ctx, span := s.tracer.begin(ctx, "send "+name, options...)
	defer span.End() // also when it panics
	results := s.Subscriber.Deliver(ctx, messages)
	fail(span, failure.OfDelivery(results))
	return results
}

// linksOf are links to what made the changes, each once.
func linksOf(messages []delivery.Message) []trace.Link {
	var links []trace.Link
	seen := make(map[string]bool)
	for i := range messages {
		for j := range messages[i].Events {
			text := messages[i].Events[j].Trace
			if text == "" || seen[text] || len(links) == maxLinks {
				continue
			}
			seen[text] = true
			made, _ := correlation.ParseTraceparent(text)
			if link, ok := linkTo(made); ok {
				links = append(links, link)
			}
		}
	}
	return links
}

// Receiver returns a receiver of messages each of which is a span, linked to what sent it. In AWS Lambda it is part of the
// invocation's trace, elsewhere it begins one.
func (t *Tracer) Receiver(receive func(context.Context, receiving.Message) error) func(context.Context, receiving.Message) error {
	if t == nil {
		return receive
	}
	return func(ctx context.Context, m receiving.Message) error {
		options := []trace.SpanStartOption{consumer(), with(
			semconv.MessagingSystemAWSSQS, semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("process"))}
		sent, _ := correlation.ParseTraceparent(m.Trace)
		if link, ok := linkTo(sent); ok {
			options = append(options, trace.WithLinks(link))
		}
		if i, ok := t.invocation(ctx); ok {
			options = append(options, with(i.attributes("pubsub")...))
			ctx = trace.ContextWithRemoteSpanContext(ctx, remote(i.trace))
		}
		ctx, span := t.begin(ctx, "process commands", options...)
		defer span.End()
		err := receive(ctx, m)
		note(span, err)
		return err
	}
}
