package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestIdempotencyKey repeats requests, as they were and with something else.
func TestIdempotencyKey(t *testing.T) {
	const (
		again  = `{"items": [{"unit_price": 12.50, "quantity": 2, "sku": "TEA"}], "currency": "EUR", "customer_id": "c-1"}`
		reused = `{"code": "idempotency_key_reused",
			"detail": "this idempotency key was used before with another request; use a new key for a new request"}`
	)
	keyed := fields{"Idempotency-Key": "k-1"}
	run(t, []scenario{
		{
			name: "a repeated order is the order", orders: 1, told: []string{"OrderCreated", "PaymentCaptured", "OrderStatusChanged"},
			steps: []step{
				{
					request: "POST /orders", header: keyed, body: small, status: 201, keep: fields{"order": "id"},
					headers: fields{"Idempotent-Replayed": "", "Location": "/orders/{order}"},
				},
				{
					request: "POST /orders", header: keyed, body: small, status: 201, has: `{"id": "{order}", "version": 1}`,
					headers: fields{"Idempotent-Replayed": "true", "Location": "/orders/{order}", "ETag": `"1"`},
				},
				{
					name: "the same in other words", request: "POST /orders", header: keyed, body: again, status: 201,
					has: `{"id": "{order}"}`, headers: fields{"Idempotent-Replayed": "true"},
				},
				moved("PAID", `{"version": 2}`),
				{
					name: "as it is by now", request: "POST /orders", header: keyed, body: small, status: 201,
					has: `{"id": "{order}", "status": "PAID", "version": 2}`, headers: fields{"Idempotent-Replayed": "true", "ETag": `"2"`},
				},
				{
					name: "something else", request: "POST /orders", header: keyed, body: strings.Replace(small, "c-1", "c-2", 1),
					status: 422,
					has:    reused, headers: fields{"Location": "", "ETag": ""}, absent: []string{"{order}"},
				},
				{
					name: "a bad order is bad first", request: "POST /orders", header: keyed, body: `{}`, status: 422,
					has: `{"code": "validation_failed"}`,
				},
			},
		},
		{
			name: "an order that was refused keeps no key", orders: 1,
			steps: []step{
				{request: "POST /orders", header: keyed, body: `{"customer_id": "c-1", "items": []}`, status: 422},
				{request: "POST /orders", header: keyed, body: small, status: 201, headers: fields{"Idempotent-Replayed": ""}},
			},
		},
		{
			name: "keys are what they are", orders: 3,
			steps: []step{
				{request: "POST /orders", header: fields{"Idempotency-Key": repeat("k", 255)}, body: small, status: 201},
				{request: "POST /orders", header: fields{"Idempotency-Key": "a b!~"}, body: small, status: 201},
				{
					request: "POST /orders", header: fields{"Idempotency-Key": "A b!~"}, body: small, status: 201,
					headers: fields{"Idempotent-Replayed": ""},
				},
				{
					request: "POST /orders", header: fields{"Idempotency-Key": repeat("k", 256)}, body: small, status: 422,
					has: `{"errors": [{"location": "header.Idempotency-Key", "message": "must have 1 to 255 printable ASCII characters"}]}`,
				},
				{request: "POST /orders", header: fields{"Idempotency-Key": "schlüssel"}, body: small, status: 422},
			},
		},
		{
			name: "a repeated change is made once", orders: 1,
			told: []string{"OrderCreated", "OrderMetadataChanged", "OrderMetadataChanged", "PaymentCaptured", "OrderStatusChanged"},
			steps: []step{
				placed(),
				{
					request: "PATCH /orders/{order}", header: keyed, body: `{"metadata": {"n": "1"}}`, status: 200, has: `{"version": 2}`,
					headers: fields{"Idempotent-Replayed": ""},
				},
				{request: "PATCH /orders/{order}", body: `{"metadata": {"n": "2"}}`, status: 200, has: `{"version": 3}`},
				{
					name: "it does not come back", request: "PATCH /orders/{order}", header: keyed, body: `{"metadata": {"n": "1"}}`,
					status: 200,
					has:    `{"version": 3, "metadata": {"n": "2"}}`, headers: fields{"Idempotent-Replayed": "true", "ETag": `"3"`},
				},
				{
					name: "whatever the version was", request: "PATCH /orders/{order}",
					header: fields{"Idempotency-Key": "k-1", "If-Match": `"1"`},
					body:   `{"metadata": {"n": "1"}}`, status: 200, headers: fields{"Idempotent-Replayed": "true"},
				},
				{request: "PATCH /orders/{order}", header: keyed, body: `{"metadata": {"n": "3"}}`, status: 422, has: reused},
				{request: "PATCH /orders/{order}", header: keyed, body: `{"status": "PAID"}`, status: 422, has: reused},
				{
					request: "PATCH /orders/{order}", header: fields{"Idempotency-Key": "k-2"}, body: `{"status": "PAID"}`, status: 200,
					has: `{"version": 4}`,
				},
				{
					request: "PATCH /orders/{order}", header: fields{"Idempotency-Key": "k-2"}, body: `{"status": "PAID"}`, status: 200,
					has: `{"version": 4}`, headers: fields{"Idempotent-Replayed": "true"},
				},
			},
		},
		{
			name: "a key belongs to one order's changes", orders: 2,
			steps: []step{
				{request: "POST /orders", header: keyed, body: small, status: 201, keep: fields{"order": "id"}},
				{request: "PATCH /orders/{order}", header: keyed, body: `{"status": "PAID"}`, status: 200, has: `{"version": 2}`},
				placed(),
				{
					request: "PATCH /orders/{order}", header: keyed, body: `{"status": "CANCELED"}`, status: 200, has: `{"version": 2}`,
					headers: fields{"Idempotent-Replayed": ""},
				},
			},
		},
	})
}

// writers is how many requests are sent at once.
const writers = 32

// together sends requests at once, each with a header and a body of its own, and counts the answers by what describe
// says of them.
func together(
	t *testing.T, s *service, method, path string, header func(i int) fields, body func(i int) string, describe func(answer) string,
) map[string]int {
	t.Helper()
	const n = writers
	answers := make([]answer, n)
	errs := make([]error, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			answers[i], errs[i] = s.try(context.Background(), method, path, header(i), strings.NewReader(body(i)))
		})
	}
	close(begin)
	all.Wait()
	counts := make(map[string]int)
	for i, a := range answers {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		checkAnswer(t, method, path, a)
		counts[describe(a)]++
	}
	return counts
}

// outcome tells answers apart that matter here.
func outcome(a answer) string {
	if a.header.Get("Idempotent-Replayed") != "" {
		return fmt.Sprint(a.status, " replayed")
	}
	return strconv.Itoa(a.status)
}

func TestConcurrentRepeats(t *testing.T) {
	sameKey := func(int) fields { return fields{"Idempotency-Key": "k-1"} }
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)

			ids := make(map[string]bool)
			got := together(t, s, http.MethodPost, "/orders", sameKey, func(int) string { return small }, func(a answer) string {
				ids[text(t, a.body, "id")] = true
				return outcome(a)
			})
			if got["201"] != 1 || got["201 replayed"] != writers-1 || len(ids) != 1 {
				t.Errorf("%d requests under one key were answered %v, with the orders %v", writers, got, ids)
			}

			id := s.ids(t)[0]
			got = together(t, s, http.MethodPatch, "/orders/"+id, sameKey, func(int) string { return `{"status": "PAID"}` }, outcome)
			if got["200"] != 1 || got["200 replayed"] != writers-1 {
				t.Errorf("%d changes under one key were answered %v", writers, got)
			}

			// Of those who know the same version one may change it.
			known := func(int) fields { return fields{"If-Match": `"2"`} }
			own := func(i int) string { return fmt.Sprintf(`{"metadata": {"writer": "%d"}}`, i) }
			got = together(t, s, http.MethodPatch, "/orders/"+id, known, own, outcome)
			if got["200"] != 1 || got["412"] != writers-1 {
				t.Errorf("%d changes of one version were answered %v", writers, got)
			}

			// Each of those who do not mind is heard.
			apart := func(i int) string { return fmt.Sprintf(`{"metadata": {"writer-%d": "was here"}}`, i) }
			got = together(t, s, http.MethodPatch, "/orders/"+id, func(int) fields { return nil }, apart, outcome)
			order := s.get(t, "/orders/"+id)
			if got["200"] != writers || number(t, order, "version") != 3+writers || strings.Count(string(order), "was here") != writers {
				t.Errorf("%d changes were answered %v; the order is\n%s", writers, got, order)
			}
		})
	}
}
