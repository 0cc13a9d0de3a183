package tracing

import (
	"context"
	"errors"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// AWS returns functions for aws.Config's APIOptions: each call of AWS, with all its tries, is then a span, if it is made within
// recorded work. There are none for a nil Tracer.
func (t *Tracer) AWS() []func(*middleware.Stack) error {
	if t == nil {
		return nil
	}
	return []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
		// The names of the call are in the context only after the SDK's own first step.
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("OrdersTracing", t.call), middleware.After)
	}}
}

func (t *Tracer) call(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	out middleware.InitializeOutput, metadata middleware.Metadata, err error,
) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return next.HandleInitialize(ctx, in) //nolint:wrapcheck // the SDK looks at what it is
	}
	service, operation := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
	ctx, span := t.begin(ctx, service+"/"+operation, client(), with(
		semconv.RPCSystemNameKey.String("aws-api"), semconv.RPCMethod(service+"/"+operation),
		semconv.CloudRegion(awsmiddleware.GetRegion(ctx))))
	defer span.End()
	out, metadata, err = next.HandleInitialize(ctx, in)
	if id, ok := awsmiddleware.GetRequestIDMetadata(metadata); ok {
		span.SetAttributes(semconv.AWSRequestID(id))
	}
	if err != nil {
		kind := semconv.ErrorTypeOther.Value.AsString()
		if known, ok := errors.AsType[smithy.APIError](err); ok {
			kind = known.ErrorCode()
		}
		fail(span, kind)
	}
	return out, metadata, err //nolint:wrapcheck // as above
}
