package httpapi_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// record is what was recorded of a request.
type record struct {
	Caller, Method, Scheme, Version, Route string
	Status                                 int
	Cut                                    bool
}

// cutShort is a store whose lists end in the middle of an export.
type cutShort struct{ ordering.Store }

func (c cutShort) List(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
	if !q.After.IsZero() {
		panic("defect")
	}
	return c.Store.List(ctx, q)
}

// Each request but those for health is recorded once, with its route and how it ended, and its work is part of the record.
func TestRecords(t *testing.T) {
	const caller, own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
	records := make(chan record, 1)
	s := start(t, func(c *httpapi.Config, m *memory.Store) {
		c.Orders = orders(m, cutShort{m})
		c.Record = func(ctx context.Context, r httpapi.Request) (context.Context, func(int, bool)) {
			trace, _ := correlation.ParseTraceparent(own)
			return correlation.WithTrace(ctx, trace), func(status int, cut bool) {
				records <- record{r.Caller.Traceparent(), r.Method, r.Scheme, r.Version, r.Route, status, cut}
			}
		}
	})
	for range 201 { // more than a page of an export
		s.place(tea)
		<-records
	}
	s.do("GET", "/health", "") // the next record is not of this
	for _, tt := range []struct {
		method, path string
		want         record
	}{
		{"GET", "/orders", record{caller, "GET", "http", "1.1", "/orders", 200, false}},
		{"HEAD", nowhere, record{caller, "HEAD", "http", "1.1", "/orders/{order_id}", 404, false}},
		{"PUT", nowhere, record{caller, "PUT", "http", "1.1", "", 405, false}},
		{"BREW", "/nowhere", record{caller, "_OTHER", "http", "1.1", "", 404, false}},
		{"GET", "/orders/export", record{caller, "GET", "http", "1.1", "/orders/export", 200, true}},
	} {
		_, err := s.try(tt.method, tt.path, nil, "Traceparent: "+caller)
		if (err != nil) != tt.want.Cut {
			t.Errorf("%s %s: %v", tt.method, tt.path, err)
		}
		if diff := cmp.Diff(tt.want, <-records); diff != "" {
			t.Errorf("%s %s (-want +recorded):\n%s", tt.method, tt.path, diff)
		}
	}
	page, err := s.store.List(t.Context(), ordering.Query{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.store.Events(t.Context(), page[0].View().ID, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if events[0].Trace != own {
		t.Errorf("an event has the trace %q, want that of the record", events[0].Trace)
	}
}

// A request that finds no place is not recorded; one that waits for its place is from when it came.
func TestRefusalsAreNotRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun []time.Time
		f := newFull(func(c *httpapi.Config) {
			c.MaxWaiting, c.QueueTimeout = 1, time.Second
			c.Record = func(ctx context.Context, r httpapi.Request) (context.Context, func(int, bool)) {
				begun = append(begun, r.Begun)
				return ctx, func(int, bool) {}
			}
		})
		came := time.Now()
		f.fill(t)
		if w := ask(t, f, "GET", "/orders", nil); w.Code != 503 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		waited := make(chan int, 1)
		later := time.Now()
		go func() { waited <- ask(t, f, "GET", "/orders", nil).Code }()
		<-time.After(time.Millisecond)
		f.open <- struct{}{} // the first one ends
		if code := <-waited; code != 200 {
			t.Errorf("one that waited: %d", code)
		}
		if diff := cmp.Diff([]time.Time{came, later}, begun); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}
