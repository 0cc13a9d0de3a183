package e2e_test

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExport(t *testing.T) {
	shop := inShop()
	run(t, []scenario{
		{
			name: "what is asked for, in the form asked for", orders: 6,
			steps: append(shop,
				step{
					request: "GET /orders/export?customer_id=ann", status: 200, check: exported("A3", "A2", "A1"),
					headers: fields{"Content-Type": "application/x-ndjson", "Content-Disposition": `attachment; filename="orders.ndjson"`},
				},
				step{request: "GET /orders/export?status=CANCELED&placed_after=2026-02-01T00:00:00Z", status: 200, check: exported("B2")},
				step{request: "GET /orders/export?reference=none", status: 200, check: exported()},
				step{
					request: "GET /orders/export?format=json&reference=A2", status: 200,
					has:     `{"orders": [{"id": "{A2}", "status": "SHIPPED"}]}`,
					headers: fields{"Content-Type": "application/json", "Content-Disposition": `attachment; filename="orders.json"`},
				},
				step{request: "GET /orders/export?format=json&reference=none", status: 200, want: `{"orders": []}`},
				step{
					request: "GET /orders/export", header: fields{"Accept": "text/csv"}, status: 200,
					headers: fields{"Content-Disposition": `attachment; filename="orders.csv"`},
				},
				step{
					request: "GET /orders/export", header: fields{"Accept": "text/html, application/json;q=0.5, text/*;q=0.1"},
					status: 200, headers: fields{"Content-Type": "application/json"},
				},
				step{
					request: "GET /orders/export", header: fields{"Accept": "*/*"}, status: 200,
					headers: fields{"Content-Type": "application/x-ndjson"},
				},
				step{request: "GET /orders/export?format=csv", header: fields{"Accept": "image/png"}, status: 200},
				step{
					request: "GET /orders/export", header: fields{"Accept": "image/png"}, status: 406,
					has: `{"code": "not_acceptable"}`, headers: fields{"Content-Disposition": ""},
				},
				step{
					request: "HEAD /orders/export?format=csv", status: 200,
					headers: fields{"Content-Disposition": `attachment; filename="orders.csv"`},
				},
				step{
					request: "GET /orders/export?format=xml", status: 422,
					has: `{"errors": [{"location": "query.format", "message": "must be one of ndjson, csv, json"}]}`,
				},
				step{request: "GET /orders/export?limit=1", status: 422, has: `{"errors": [{"location": "query.limit"}]}`},
				step{request: "GET /orders/export?cursor=x", status: 422},
				step{request: "GET /orders/export?status=x", status: 422, headers: fields{"Content-Disposition": ""}},
			),
		},
	})
}

// exported compares the references in an export as NDJSON.
func exported(references ...string) func(*testing.T, *service, answer) {
	return func(t *testing.T, _ *service, a answer) {
		t.Helper()
		var got []string
		for row := range bytes.Lines(a.body) {
			got = append(got, text(t, row, "reference"))
		}
		if diff := cmp.Diff(references, got); diff != "" {
			t.Errorf("references (-want +got):\n%s", diff)
		}
	}
}

// TestExportCSV reads an export with a CSV reader: a row a line, whatever the texts hold.
func TestExportCSV(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			id := s.place(t, `{"customer_id": "a,\"b\"", "reference": " r ", "currency": "KWD", "placed_at": "2026-01-15T09:30:00Z",
				"items": [
			{"sku": "TEA", "name": "Thé, \"vert\"", "quantity": 2, "unit_price": "1.2345"}, {"sku": "=1+1", "quantity": 1000000,
			"unit_price": 0}]}`)
			order := s.get(t, "/orders/"+id)
			created, updated := text(t, order, "created_at"), text(t, order, "updated_at")
			a := s.ask(t, http.MethodGet, "/orders/export?format=csv", nil, nil)
			if got := a.header.Get("Content-Type"); got != "text/csv; charset=utf-8; header=present" {
				t.Errorf("content type %q", got)
			}
			rows, err := csv.NewReader(bytes.NewReader(a.body)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			head := []string{id, `a,"b"`, " r ", "PENDING", "UNPAID", "UNFULFILLED", "KWD", "2.469", "2026-01-15T09:30:00.000Z", created, updated, "1"}
			want := [][]string{
				strings.Split("order_id,customer_id,reference,status,payment_status,fulfillment_status,currency,total,"+
					"placed_at,created_at,updated_at,version,"+
					"line,sku,name,quantity,unit_price,line_total,canceled,shipped,delivered,returned", ","),
				append(append([]string{}, head...), "1", "TEA", `Thé, "vert"`, "2", "1.2345", "2.469", "0", "0", "0", "0"),
				append(append([]string{}, head...), "2", "'=1+1", "", "1000000", "0.000", "0.000", "0", "0", "0", "0"),
			}
			if diff := cmp.Diff(want, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// TestExportOfManyOrders has every order in it once, in more than one part.
func TestExportOfManyOrders(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on).start(t)
			const orders = 450
			batch := strings.TrimSuffix(strings.Repeat(small+",", orders), ",")
			if a := s.ask(t, http.MethodPost, "/orders/batch", nil, strings.NewReader(`{"orders": [`+batch+`]}`)); a.status != http.StatusOK {
				t.Fatalf("status %d\n%s", a.status, a.body)
			}
			for _, format := range []string{"ndjson", "csv", "json"} {
				a := s.ask(t, http.MethodGet, "/orders/export?format="+format, nil, nil)
				seen := make(map[string]bool)
				for _, id := range idPattern.FindAllString(string(a.body), -1) {
					seen[id] = true
				}
				if len(seen) != orders || len(a.header.Values("Content-Length")) > 0 {
					t.Errorf("%s: %d orders, header %v", format, len(seen), a.header)
				}
			}
		})
	}
}
