package simulated_test

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/simulated"
)

// putEvents is a line of the event bus.
type putEvents struct {
	Service   string   `json:"service"`
	Operation string   `json:"operation"`
	EventIDs  []string `json:"event_ids"`
	Entries   []struct {
		Source, DetailType, Detail, Time, EventBusName string
		Resources                                      []string
	} `json:"entries"`
}

func newEvents(j *journal) *simulated.Events {
	return simulated.NewEvents(simulated.EventsConfig{Logger: j.logger, BusName: "orders", Encode: wire.AppendEventData})
}

func TestEventsLine(t *testing.T) {
	j := newJournal()
	m := newMessage(t, 7)
	results := newEvents(j).Deliver(t.Context(), []delivery.Message{m})
	if diff := cmp.Diff([]delivery.Result{{Told: 1}}, results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	calls := lines[putEvents](t, j)
	if len(calls) != 1 || len(calls[0].Entries) != 1 {
		t.Fatalf("calls = %+v, want one with one entry", calls)
	}
	c := calls[0]
	if c.Service != "events" || c.Operation != "PutEvents" {
		t.Errorf("the call is %s of %s", c.Operation, c.Service)
	}
	if diff := cmp.Diff([]string{order.EventID(m.Order.ID(), 1)}, c.EventIDs); diff != "" {
		t.Errorf("event ids (-want +got):\n%s", diff)
	}
	e := c.Entries[0]
	if e.Source != "order-processing-service" || e.DetailType != "OrderCreated" || e.EventBusName != "orders" ||
		e.Time != "2026-03-01T12:00:00.120Z" || len(e.Resources) != 1 || e.Resources[0] != "orders/"+m.Order.ID().String() {
		t.Errorf("entry = %+v", e)
	}
	var detail struct {
		OrderID    string `json:"orderId"`
		CustomerID string `json:"customerId"`
		Sequence   int    `json:"sequence"`
	}
	if err := json.Unmarshal([]byte(e.Detail), &detail); err != nil {
		t.Fatalf("detail %s: %v", e.Detail, err)
	}
	if detail.OrderID != m.Order.ID().String() || detail.CustomerID != "c-1" || detail.Sequence != 1 {
		t.Errorf("detail = %+v", detail)
	}
}

// A call takes ten entries, across orders, and keeps each order's sequence.
func TestEventsCalls(t *testing.T) {
	j := newJournal()
	var messages []delivery.Message
	var want []string
	for number := range byte(4) {
		m := newMessage(t, number)
		all := m.Events
		for range 6 {
			m = changed(t, m)
			all = append(all, m.Events...)
		}
		messages = append(messages, delivery.Message{Order: m.Order, Events: all})
		for _, e := range all {
			want = append(want, order.EventID(m.Order.ID(), e.Sequence))
		}
	}
	for i, r := range newEvents(j).Deliver(t.Context(), messages) {
		if r.Told != 7 || r.Err != nil {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	var sizes []int
	var got []string
	for _, c := range lines[putEvents](t, j) {
		sizes = append(sizes, len(c.Entries))
		got = append(got, c.EventIDs...)
	}
	if diff := cmp.Diff([]int{10, 10, 8}, sizes); diff != "" {
		t.Errorf("entries a call (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// A call carries no more bytes than EventBridge takes; what is too large goes alone.
func TestEventsCallsAreBounded(t *testing.T) {
	j := newJournal()
	sizes := map[int]int{1: 100 << 10, 2: 100 << 10, 3: 100 << 10, 4: 400 << 10, 5: 1}
	encode := func(dst []byte, _ order.ID, _ string, e *order.Event, _ money.Currency) []byte {
		dst = append(dst, '"')
		for range sizes[e.Sequence] {
			dst = append(dst, 'x')
		}
		return append(dst, '"')
	}
	events := simulated.NewEvents(simulated.EventsConfig{Logger: j.logger, BusName: "orders", Encode: encode})
	var all []order.Event
	last := delivery.Message{}
	for _, m := range versions(t, 5) {
		all, last = append(all, m.Events...), m
	}
	events.Deliver(t.Context(), []delivery.Message{{Order: last.Order, Events: all}})
	var got []int
	for _, c := range lines[putEvents](t, j) {
		got = append(got, len(c.Entries))
	}
	if diff := cmp.Diff([]int{2, 1, 1, 1}, got); diff != "" {
		t.Errorf("entries a call (-want +got):\n%s", diff)
	}
}
