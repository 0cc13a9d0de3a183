package tracing_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/telemetry/otlp"
	"order-processing-service/internal/infrastructure/telemetry/tracing"
)

// emptyStore has no orders.
type emptyStore struct{ ordering.Store }

func (emptyStore) List(context.Context, ordering.Query) ([]*order.Order, error) { return nil, nil }

// BenchmarkRequest is what the three spans of a request cost, if its trace is recorded and if it is not. Nobody takes them.
func BenchmarkRequest(b *testing.B) {
	for _, sampler := range []string{"always_on", "always_off"} {
		b.Run(sampler, func(b *testing.B) {
			tracer, err := tracing.Open(b.Context(), tracing.Config{
				Target: otlp.Target{Endpoint: "http://127.0.0.1:1"}, Resource: resource.Empty(), Sampler: sampler, XRay: true,
			})
			if err != nil {
				b.Fatal(err)
			}
			defer tracer.Close(b.Context())
			store := tracer.Store("sqlite", emptyStore{})
			orders := tracer.Orders(ordering.New(ordering.Config{Store: store}))
			r := tracing.Request{Method: http.MethodGet, Scheme: "https", Version: "1.1", Route: "/orders", Begun: time.Now()}
			b.ReportAllocs()
			for b.Loop() {
				ctx, end := tracer.Request(b.Context(), r)
				if _, err := orders.List(ctx, ordering.Caller{}, ordering.Query{Limit: 1}); err != nil {
					b.Fatal(err)
				}
				end(http.StatusOK, false)
			}
		})
	}
}
