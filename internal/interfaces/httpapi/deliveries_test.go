package httpapi_test

import (
	"testing"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
)

// park has the order's delivery given up.
func (s *service) park(id string) {
	s.t.Helper()
	now := ticks()()
	tasks, err := s.store.Claim(s.t.Context(), delivery.Claim{
		Owner: "test", Subscribers: []string{subscriberName}, Now: now.AddDate(1, 0, 0), Until: now.AddDate(1, 0, 1), Limit: 100,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, task := range tasks {
		settlement := delivery.Settlement{
			Order: task.Order.ID(), Subscriber: subscriberName, Owner: "test", Error: "books: \"closed\"", Attempts: 10,
		}
		if task.Order.ID().String() != id {
			settlement.RetryAt = now.AddDate(2, 0, 0)
		}
		if _, err := s.store.Settle(s.t.Context(), []delivery.Settlement{settlement}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestDeliveries(t *testing.T) {
	s := start(t, nil)
	parked, waits := s.place(tea).ID, s.place(tea).ID
	s.park(parked)

	list := func(query string) []wire.Delivery {
		t.Helper()
		return decoded[wire.DeliveryPage](t, s.do("GET", "/deliveries"+query, "")).Deliveries
	}
	got := list("?state=waiting")
	if len(got) != 1 || got[0].OrderID != waits || got[0].NextAttemptAt.IsZero() || got[0].State != "waiting" {
		t.Errorf("waiting are %+v", got)
	}
	want := wire.Delivery{
		OrderID: parked, Subscriber: subscriberName, State: "parked", Sequence: 1, Attempts: 10, LastError: `books: "closed"`,
	}
	for _, query := range []string{"", "?state=parked", "?limit=200&state=parked"} {
		if got := list(query); len(got) != 1 || got[0] != want {
			t.Errorf("%s: parked are %+v", query, got)
		}
	}
	at := "/deliveries/" + parked + "/" + subscriberName
	s.run(t, []scenario{
		{name: "redrive", method: "POST", path: at + "/redrive", status: 202, has: []string{`"action":"redrive"`}},
		{
			name: "redrive what is parked", method: "POST", path: "/deliveries/redrive?subscriber=" + subscriberName, status: 202,
			has: []string{`{"redriven":0,"next_cursor":null}`},
		},
		{name: "skip", method: "POST", path: at + "/skip", status: 202, has: []string{`"action":"skip"`}},
		{name: "nothing waits", method: "POST", path: at + "/skip", status: 409, code: "delivery_not_waiting"},
		{
			name: "another subscriber", method: "POST", path: "/deliveries/" + parked + "/films/skip",
			status: 404, code: "delivery_not_found",
		},
		{
			name: "another order", method: "POST", path: "/deliveries/6743f1a0c2d4e6f801234567/books/redrive",
			status: 404, code: "order_not_found",
		},
		{name: "a malformed order", method: "POST", path: "/deliveries/x/books/redrive", status: 404, code: "order_not_found"},
		{
			name: "an unknown state", method: "GET", path: "/deliveries?state=told",
			status: 422, has: []string{"query.state", "waiting, parked"},
		},
		{name: "a wrong limit", method: "GET", path: "/deliveries?limit=0", status: 422, has: []string{"query.limit"}},
		{name: "a wrong cursor", method: "GET", path: "/deliveries?cursor=x", status: 422, has: []string{"query.cursor"}},
		{name: "an empty cursor", method: "GET", path: "/deliveries?cursor=", status: 422, has: []string{"query.cursor"}},
		{name: "a filter of orders", method: "GET", path: "/deliveries?status=PAID", status: 422, has: []string{"query.status"}},
	})
	s.place(tea)
	page := decoded[wire.DeliveryPage](t, s.do("GET", "/deliveries?state=waiting&limit=1", ""))
	if page.NextCursor == nil {
		t.Fatalf("the page does not go on: %+v", page)
	}
	a := s.do("GET", "/deliveries?state=waiting&limit=1&cursor="+*page.NextCursor, "")
	if next := decoded[wire.DeliveryPage](t, a); len(next.Deliveries) != 1 || next.Deliveries[0] == page.Deliveries[0] {
		t.Errorf("after %+v comes %+v", page, next)
	}
}
