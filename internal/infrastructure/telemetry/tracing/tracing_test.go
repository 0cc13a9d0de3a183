package tracing_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/resource"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/aws/awstest"
	"order-processing-service/internal/infrastructure/telemetry/attributes"
	"order-processing-service/internal/infrastructure/telemetry/otlp"
	"order-processing-service/internal/infrastructure/telemetry/tracing"
	"order-processing-service/test/collector"
)

// open returns a Tracer and the collector that gets its spans once it is closed.
func open(t *testing.T) (*tracing.Tracer, *collector.Collector) {
	t.Helper()
	c := collector.Start(t)
	tracer, err := tracing.Open(t.Context(), tracing.Config{Target: otlp.Target{Endpoint: c.URL}, Resource: resource.Empty(), XRay: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Close(context.WithoutCancel(t.Context())) })
	return tracer, c
}

// requested is a context within a request that is recorded, and what ends it.
func requested(t *testing.T, tracer *tracing.Tracer) (context.Context, func(status int, cut bool)) {
	t.Helper()
	return tracer.Request(t.Context(), tracing.Request{Method: http.MethodGet, Scheme: "https", Version: "1.1", Route: "/orders", Begun: time.Now()})
}

// What spans tell of the service's own is under the keys of the one table.
func TestOwnAttributes(t *testing.T) {
	tracer, c := open(t)
	_, end := requested(t, tracer)
	end(http.StatusOK, false)
	tracer.Subscriber(failingSubscriber{}, "").Deliver(t.Context(), nil)
	tracer.Flush(t.Context())
	if got := c.One(t, "GET /orders").Attributes; got["url.scheme"] != "https" || got["network.protocol.version"] != "1.1" {
		t.Errorf("a request is %v", got)
	}
	got := c.One(t, "send books").Attributes
	if got[attributes.Subscriber] != "books" || got[attributes.Events] != "0" {
		t.Errorf("what is told is %v", got)
	}
	for key := range got {
		if own := func(a attributes.Attribute) bool { return a.Key == key }; strings.HasPrefix(key, "orders.") && !slices.ContainsFunc(attributes.Own(), own) {
			t.Errorf("%s is not in the table", key)
		}
	}
}

// The answer decides whether a request has failed.
func TestRequestEnds(t *testing.T) {
	for _, tt := range []struct {
		status int
		cut    bool
		failed bool
		kind   string
	}{{200, false, false, ""}, {429, false, false, ""}, {500, false, true, "500"}, {503, false, true, "503"}, {200, true, true, "aborted"}, {0, true, true, "aborted"}} {
		tracer, c := open(t)
		_, end := requested(t, tracer)
		end(tt.status, tt.cut)
		tracer.Flush(t.Context())
		if s := c.One(t, "GET /orders"); s.Failed != tt.failed || s.Attributes["error.type"] != tt.kind {
			t.Errorf("%+v: %+v", tt, s)
		}
	}
}

var errAway = fault.New(fault.Unavailable, "store_away", "it is away, with ana@example.com")

// failing are a store and a subscriber that fail.
type (
	failingStore      struct{ ordering.Store }
	failingSubscriber struct{ panics bool }
)

func (failingStore) List(context.Context, ordering.Query) ([]*order.Order, error) {
	return nil, errAway
}

func (failingStore) Create(_ context.Context, orders []ordering.NewOrder) []ordering.Created {
	answers := make([]ordering.Created, len(orders))
	answers[1].Err = errAway
	return answers
}

func (failingStore) Get(context.Context, order.ID) (*order.Order, error) {
	return nil, order.ErrNotFound
}

func (failingSubscriber) Name() string { return "books" }

func (s failingSubscriber) Deliver(context.Context, []delivery.Message) []delivery.Result {
	if s.panics {
		panic("ana@example.com")
	}
	return []delivery.Result{{Told: 1}, {Err: errAway}}
}

// What fails is told by its code, never by its words.
func TestFailures(t *testing.T) {
	tracer, c := open(t)
	ctx, end := requested(t, tracer)
	store := tracer.Store("sqlite", failingStore{})
	_, _ = store.List(ctx, ordering.Query{})
	store.Create(ctx, make([]ordering.NewOrder, 2))
	_, _ = store.Get(ctx, order.ID{})
	orders := tracer.Orders(ordering.New(ordering.Config{
		Store: failingStore{}, Teller: delivery.Later(nil), Now: time.Now, DefaultCurrency: "EUR",
	}))
	for _, err := range orders.All(ctx, ordering.Caller{}, ordering.Query{}) {
		if !errors.Is(err, errAway) {
			t.Errorf("export: %v", err)
		}
	}
	draft := order.Draft{CustomerID: "ana@example.com", Items: []order.DraftItem{{SKU: "TEA", Quantity: 1, UnitPrice: "1"}}}
	orders.PlaceBatch(ctx, ordering.Caller{}, []ordering.Place{{Draft: draft}, {Draft: draft}, {}})
	end(http.StatusInternalServerError, false)
	tracer.Subscriber(failingSubscriber{}, tracing.SystemSQS).Deliver(t.Context(), nil)
	tracer.Flush(t.Context())
	for name, kind := range map[string]string{
		"list orders": "store_away", "create orders": "store_away", "export orders": "store_away", "place orders": "store_away", "send books": "unavailable",
	} {
		if s := c.One(t, name); !s.Failed || s.Attributes["error.type"] != kind {
			t.Errorf("%q: %+v", name, s)
		}
	}
	if s := c.One(t, "get orders"); s.Failed || s.Attributes["error.type"] != "" {
		t.Errorf("an order that is not there counts as a failure: %+v", s)
	}
	if s := c.One(t, "create orders"); s.Attributes["db.operation.batch.size"] != "2" {
		t.Errorf("two orders are %+v", s)
	}
	for _, s := range c.Spans() {
		for name, value := range s.Attributes {
			if strings.Contains(value, "ana") {
				t.Errorf("the attribute %s of %q is %s", name, s.Name, value)
			}
		}
	}
}

func TestSubscriberThatPanics(t *testing.T) {
	tracer, c := open(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		tracer.Subscriber(failingSubscriber{panics: true}, "").Deliver(t.Context(), nil)
	}()
	tracer.Flush(t.Context())
	c.One(t, "send books")
}

// Outside of recorded work nothing is recorded: not what the dispatcher asks the store, nor what a worker asks its queue.
func TestOutsideOfRecordedWork(t *testing.T) {
	tracer, c := open(t)
	_, _ = tracer.Store("sqlite", failingStore{}).List(t.Context(), ordering.Query{})
	call(t.Context(), t, tracer, http.StatusOK, map[string]any{})
	tracer.Flush(t.Context())
	if c.Calls() > 0 {
		t.Errorf("recorded are %+v", c.Spans())
	}
}

// call calls AWS, which answers as given.
func call(ctx context.Context, t *testing.T, tracer *tracing.Tracer, status int, answer any) {
	t.Helper()
	c := awstest.Serve(t, func(string, []byte) (int, any) { return status, answer })
	c.APIOptions = append(c.APIOptions, tracer.AWS()...)
	_, _ = sqs.NewFromConfig(c).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: awssdk.String("https://queue.example/q")})
}

func TestCallsOfAWS(t *testing.T) {
	tracer, c := open(t)
	ctx, end := requested(t, tracer)
	call(ctx, t, tracer, http.StatusBadRequest, awstest.Refusal("AccessDeniedException"))
	end(http.StatusOK, false)
	tracer.Flush(t.Context())
	s, parent := c.One(t, "SQS/ReceiveMessage"), c.One(t, "GET /orders")
	if !s.Failed || s.Attributes["error.type"] != "AccessDeniedException" || s.ParentID != parent.SpanID || s.Kind != "CLIENT" {
		t.Errorf("a refused call is %+v", s)
	}
}

// What is told of several requests is linked to each of those that are recorded, once.
func TestLinks(t *testing.T) {
	const one, two, unrecorded = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-03",
		"00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00"
	tracer, c := open(t)
	var messages []delivery.Message
	for _, traces := range [][]string{{one, one, ""}, {two, unrecorded, one}, {"<script>"}} {
		var m delivery.Message
		for _, trace := range traces {
			m.Events = append(m.Events, order.Event{Trace: trace})
		}
		messages = append(messages, m)
	}
	tracer.Subscriber(failingSubscriber{}, tracing.SystemSQS).Deliver(t.Context(), messages)
	tracer.Flush(t.Context())
	s := c.One(t, "send books")
	want := []collector.Place{{TraceID: one[3:35], SpanID: one[36:52]}, {TraceID: two[3:35], SpanID: two[36:52]}}
	if diff := cmp.Diff(want, s.Links); diff != "" || s.Attributes["messaging.batch.message_count"] != "7" {
		t.Errorf("%+v has the links (-want +got):\n%s", s, diff)
	}
}

// A message of a worker is a trace of its own, linked to what sent it; its span is the trace of the work.
func TestMessages(t *testing.T) {
	tracer, c := open(t)
	var trace correlation.Trace
	receive := tracer.Receiver(func(ctx context.Context, m receiving.Message) error {
		trace = correlation.TraceOf(ctx)
		if m.ID == "m-1" {
			return errAway
		}
		return order.ErrNotFound
	})
	err := receive(t.Context(), receiving.Message{ID: "m-1", Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
	if !errors.Is(err, errAway) {
		t.Errorf("receive: %v", err)
	}
	tracer.Flush(t.Context())
	s := c.One(t, "process commands")
	want := []collector.Place{{TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", SpanID: "00f067aa0ba902b7"}}
	if diff := cmp.Diff(want, s.Links); diff != "" || s.ParentID != "" || !s.Failed || s.Kind != "CONSUMER" {
		t.Errorf("%+v has the links (-want +got):\n%s", s, diff)
	}
	if trace.TraceID != s.TraceID || trace.SpanID != s.SpanID || trace.Recorded() == "" {
		t.Errorf("the work's trace is %+v, of the span %+v", trace, s)
	}
	_ = receive(t.Context(), receiving.Message{ID: "m-2"})
	tracer.Flush(t.Context())
	if early := c.Named("process commands")[1]; early.Failed || len(early.Links) > 0 || early.Attributes["error.type"] != "order_not_found" {
		t.Errorf("an early message is %+v", early)
	}
}

// A nil Tracer leaves everything as it is.
func TestNoTracer(t *testing.T) {
	var tracer *tracing.Tracer
	store := failingStore{}
	if tracer.Store("sqlite", store) != ordering.Store(store) || tracer.AWS() != nil {
		t.Error("parts are changed though nothing is recorded")
	}
	tracer.Flush(t.Context())
	tracer.Close(t.Context())
}
