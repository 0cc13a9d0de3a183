package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// inShop places orders that differ in everything they can be listed by.
func inShop() []step {
	order := func(customer, reference, placedAt string) step {
		return step{
			request: "POST /orders", status: 201, keep: fields{reference: "id"},
			body: fmt.Sprintf(
				`{"customer_id": %q, "reference": %q, "placed_at": %q, "items": [{"sku": "A", "quantity": 1, "unit_price": 1}]}`,
				customer, reference, placedAt,
			),
		}
	}
	move := func(reference, to string) step {
		return step{request: "PATCH /orders/{" + reference + "}", body: `{"status": "` + to + `"}`, status: 200}
	}
	return []step{
		order("ann", "A1", "2026-01-01T00:00:00Z"), order("ann", "A2", "2026-02-01T00:00:00Z"), order("ann", "A3", "2026-03-01T00:00:00Z"),
		order("bob", "B1", "2026-01-01T00:00:00Z"), order("bob", "B2", "2026-02-01T00:00:00Z"),
		order("böb & co", "B+3", "2026-03-01T00:00:00Z"),
		move("A1", "PAID"), move("A2", "PAID"), move("A2", "SHIPPED"), move("A3", "PAID"), move("A3", "SHIPPED"), move("A3", "DELIVERED"),
		move("B1", "CANCELED"), move("B2", "PAID"), move("B2", "CANCELED"),
	}
}

// listed asks for a list and compares the references in it, newest first.
func listed(query string, references ...string) step {
	return step{
		request: "GET /orders?" + query, status: 200,
		check: func(t *testing.T, _ *service, a answer) {
			t.Helper()
			if got := referencesOf(t, a.body); !slices.Equal(got, references) {
				t.Errorf("%s lists %q, not %q", query, got, references)
			}
		},
	}
}

func referencesOf(t *testing.T, page []byte) []string {
	t.Helper()
	var references []string
	for i := range list(t, page, "orders") {
		references = append(references, text(t, page, fmt.Sprintf("orders.%d.reference", i)))
	}
	return references
}

func TestListFilters(t *testing.T) {
	wrong := func(query, location, message string) step {
		return step{
			request: "GET /orders?" + query, status: 422,
			has: fmt.Sprintf(`{"code": "validation_failed", "errors": [{"location": %q, "message": %q}]}`, location, message),
		}
	}
	noMoment := "must be a date and time with a zone (RFC 3339), such as 2026-01-15T09:30:00Z; write + as %2B"
	noCursor := "must be the next_cursor of an earlier answer, unchanged"
	run(t, []scenario{
		{
			name: "each filter, and all of them together", orders: 6,
			steps: append(inShop(),
				listed("", "B+3", "B2", "B1", "A3", "A2", "A1"),
				listed("status=PENDING", "B+3"), listed("status=PAID", "A1"), listed("status=SHIPPED", "A2"),
				listed("status=DELIVERED", "A3"), listed("status=CANCELED", "B2", "B1"),
				listed("payment_status=PAID", "A3", "A2", "A1"), listed("payment_status=REFUNDED", "B2"),
				listed("payment_status=UNPAID", "B+3", "B1"), listed("payment_status=VOIDED"),
				listed("fulfillment_status=SHIPPED", "A2"), listed("fulfillment_status=DELIVERED", "A3"),
				listed("fulfillment_status=UNFULFILLED", "B+3", "B2", "B1", "A1"), listed("fulfillment_status=RETURNED"),
				listed("customer_id=ann", "A3", "A2", "A1"), listed("customer_id=b%C3%B6b+%26+co", "B+3"), listed("customer_id=Ann"),
				listed("customer_id=an"),
				listed("reference=A2", "A2"), listed("reference=B%2B3", "B+3"), listed("reference=a2"),
				listed("placed_after=2026-02-01T00:00:00Z", "B+3", "B2", "A3", "A2"),
				listed("placed_before=2026-02-01T00:00:00Z", "B1", "A1"),
				listed("placed_after=2026-02-01T01:00:00%2B01:00&placed_before=2026-03-01T00:00:00Z", "B2", "A2"),
				listed("created_after=2020-01-01T00:00:00Z&limit=2", "B+3", "B2"), listed("created_before=2020-01-01T00:00:00Z"),
				listed("created_after=2999-01-01T00:00:00Z"),
				listed("customer_id=ann&status=PAID&payment_status=PAID&fulfillment_status=UNFULFILLED&reference=A1"+
					"&placed_after=2026-01-01T00:00:00Z"+
					"&placed_before=2026-01-01T00:00:00.001Z&created_after=2020-01-01T00:00:00Z&created_before=2999-01-01T00:00:00Z"+
					"&limit=200", "A1"),
				listed("customer_id=ann&status=PENDING"),
				step{
					request: "GET /orders?reference=A2", status: 200,
					has: `{"orders": [{"id": "{A2}", "items": [{"shipped": 1}]}], "next_cursor": null}`, headers: fields{"Link": ""},
				},
			),
		},
		{
			name: "the window of creation is closed at its beginning and open at its end", orders: 1,
			steps: []step{
				{request: "POST /orders", body: small, status: 201, keep: fields{"at": "created_at", "order": "id"}},
				{request: "GET /orders?created_after={at}", status: 200, has: `{"orders": [{"id": "{order}"}]}`},
				{request: "GET /orders?created_before={at}", status: 200, want: `{"orders": [], "next_cursor": null}`},
			},
		},
		{
			name: "an order that moved is under its new status alone", orders: 1,
			steps: []step{
				placed(),
				{request: "GET /orders?status=PENDING", status: 200, has: `{"orders": [{"id": "{order}"}]}`},
				moved("PAID", `{}`),
				{request: "GET /orders?status=PENDING", status: 200, want: `{"orders": [], "next_cursor": null}`},
				{request: "GET /orders?status=PAID", status: 200, has: `{"orders": [{"id": "{order}"}]}`},
			},
		},
		{
			name: "wrong values",
			steps: []step{
				wrong("status=paid", "query.status", "must be one of PENDING, PAID, SHIPPED, DELIVERED, CANCELED"),
				wrong(
					"payment_status=", "query.payment_status",
					"must be one of UNPAID, AUTHORIZED, PARTIALLY_PAID, PAID, PARTIALLY_REFUNDED, REFUNDED, VOIDED",
				),
				wrong("fulfillment_status=SENT", "query.fulfillment_status",
					"must be one of UNFULFILLED, PARTIALLY_SHIPPED, SHIPPED, PARTIALLY_DELIVERED, DELIVERED, PARTIALLY_RETURNED, RETURNED"),
				wrong("customer_id=", "query.customer_id", "must have 1 to 128 characters"),
				wrong("customer_id="+repeat("x", 129), "query.customer_id", "must have 1 to 128 characters"),
				wrong("reference=%FF", "query.reference", "must be valid UTF-8, its bytes written as %XX"),
				wrong("created_after=yesterday", "query.created_after", noMoment),
				wrong("created_before=2026-01-01", "query.created_before", noMoment),
				wrong("placed_after=2026-01-01T00:00:00", "query.placed_after", noMoment),
				wrong("placed_before=2026-01-01T00:00:00+01:00", "query.placed_before", noMoment),
				wrong("limit=0", "query.limit", "must be a whole number from 1 to 200"),
				wrong("limit=201", "query.limit", "must be a whole number from 1 to 200"),
				wrong("limit=-1", "query.limit", "must be a whole number from 1 to 200"),
				wrong("limit=1.0", "query.limit", "must be a whole number from 1 to 200"),
				wrong("limit=99999999999999999999", "query.limit", "must be a whole number from 1 to 200"),
				wrong("limit=", "query.limit", "must be a whole number from 1 to 200"),
				wrong("cursor=", "query.cursor", noCursor), wrong("cursor=abc", "query.cursor", noCursor),
				wrong("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "query.cursor", noCursor),
				wrong("cursor="+repeat("A", 5000), "query.cursor", noCursor),
				wrong("status=PAID&status=PAID", "query.status", "must be given once"),
				{request: "GET /orders?colour=red", status: 422, has: `{"errors": [{"location": "query.colour"}]}`},
				{request: "GET /orders?limit=0&status=x&reference=", status: 422, has: `{"errors": [{}, {}, {}]}`},
				{request: "GET /orders?status=%zz", status: 400, has: `{"code": "query_malformed"}`},
				{request: "GET /orders?a;b", status: 400, has: `{"code": "query_malformed"}`},
				{
					request: "GET /orders/6743f1a0c2d4e6f801234567?fields=id", status: 422,
					has: `{"errors": [{"location": "query.fields", "message": "is not a parameter here; there are none"}]}`,
				},
			},
		},
	})
}

func TestPaging(t *testing.T) {
	var steps []step
	for i := range 5 {
		steps = append(steps, step{
			request: "POST /orders", status: 201, keep: fields{fmt.Sprint("o", i): "id"},
			body: fmt.Sprintf(`{"customer_id": "a&b", "reference": "r%d", "items": [{"sku": "A", "quantity": 1, "unit_price": 1}]}`, i),
		})
	}
	steps = append(steps,
		step{
			request: "GET /orders?limit=2&customer_id=a%26b", status: 200,
			has:  `{"orders": [{"id": "{o4}"}, {"id": "{o3}"}], "next_cursor": "<text>"}`,
			keep: fields{"next": "next_cursor"}, headers: fields{"Link": `</orders?cursor={next}&customer_id=a%26b&limit=2>; rel="next"`},
		},
		step{
			request: "GET /orders?cursor={next}&customer_id=a%26b&limit=2", status: 200,
			has:  `{"orders": [{"id": "{o2}"}, {"id": "{o1}"}]}`,
			keep: fields{"last": "next_cursor"},
		},
		step{name: "the same place again", request: "GET /orders?cursor={next}&limit=1", status: 200, has: `{"orders": [{"id": "{o2}"}]}`},
		step{
			request: "GET /orders?cursor={last}&customer_id=a%26b&limit=2", status: 200,
			has:     `{"orders": [{"id": "{o0}"}], "next_cursor": null}`,
			headers: fields{"Link": ""},
		},
		step{name: "a full last page is the last", request: "GET /orders?limit=5", status: 200, has: `{"next_cursor": null}`},
		step{request: "GET /orders?cursor={next}x", status: 422},
	)
	run(t, []scenario{{name: "page by page", orders: 5, steps: steps}})
}

// TestPagingWhileTheListGrows follows the links of a list to which four writers add: nothing is seen twice, and nothing
// is left out that was there when the reading began.
func TestPagingWhileTheListGrows(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			for range 60 {
				s.place(t, small)
			}
			before := s.ids(t)
			ctx, enough := context.WithTimeout(t.Context(), patience)
			var writers sync.WaitGroup
			for range 4 {
				writers.Go(func() {
					for ctx.Err() == nil {
						a, err := s.try(context.WithoutCancel(ctx), http.MethodPost, "/orders", nil, strings.NewReader(small))
						if err != nil || a.status != http.StatusCreated {
							t.Errorf("status %d, %v", a.status, err)
							return
						}
					}
				})
			}
			seen := make(map[string]int)
			for next := "/orders?limit=7"; next != ""; {
				a := s.ask(t, http.MethodGet, next, nil, nil)
				for i := range list(t, a.body, "orders") {
					seen[text(t, a.body, fmt.Sprintf("orders.%d.id", i))]++
				}
				next, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
			}
			enough()
			writers.Wait()
			for id, times := range seen {
				if times != 1 {
					t.Errorf("order %s was seen %d times", id, times)
				}
			}
			for _, id := range before {
				if seen[id] == 0 {
					t.Errorf("order %s was left out", id)
				}
			}
			if after := s.ids(t); len(after) <= len(before) {
				t.Error("the list did not grow meanwhile")
			}
		})
	}
}

// TestListOrder holds the lists against the clock: newest first by creation, whatever the customer's date.
func TestListOrder(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			for i := range 5 {
				when := time.Date(2026, 6-time.Month(i), 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
				s.place(t, fmt.Sprintf(`{"customer_id": "c", "placed_at": %q, "items": [{"sku": "A", "quantity": 1,
					"unit_price": 1}]}`, when))
			}
			page := s.get(t, "/orders?"+url.Values{"customer_id": {"c"}}.Encode())
			last := "9999"
			for i := range 5 {
				created := text(t, page, fmt.Sprintf("orders.%d.created_at", i))
				if created > last {
					t.Errorf("%s comes after %s", created, last)
				}
				last = created
			}
		})
	}
}
