package httpapi_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

func TestListPageByPage(t *testing.T) {
	s := start(t, nil)
	for range 7 {
		s.place(tea)
	}
	var seen []string
	path := "/orders?customer_id=c-1&limit=3"
	for pages := 0; path != ""; pages++ {
		a := s.do("GET", path, "")
		page := decoded[wire.OrderPage](t, a)
		for _, o := range page.Orders {
			seen = append(seen, o.ID)
		}
		s.place(tea) // it comes before the page, and is not seen
		link := a.header.Get("Link")
		if (page.NextCursor == nil) != (link == "") || pages > 3 {
			t.Fatalf("page %d goes on at %v, and by its link at %q", pages, page.NextCursor, link)
		}
		path, _ = strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		if path != "" && !strings.Contains(path, "customer_id=c-1") {
			t.Errorf("the link %q forgets the filter", path)
		}
	}
	unique := map[string]bool{}
	for _, id := range seen {
		unique[id] = true
	}
	if len(seen) != 7 || len(unique) != 7 {
		t.Errorf("%d orders were seen, %d of them once", len(seen), len(unique))
	}
}

func TestListFilters(t *testing.T) {
	s := start(t, nil)
	plain := s.place(tea)
	full := s.place(`{"customer_id":"c &+ñ","reference":"A-17","placed_at":"2025-06-01T12:00:00Z","items":[{"sku":"A","quantity":1,"unit_price":0}]}`)
	s.do("PATCH", "/orders/"+full.ID, `{"status":"PAID"}`)
	s.do("PATCH", "/orders/"+full.ID, `{"status":"SHIPPED"}`)
	created := full.CreatedAt.Format(wire.TimeLayout)
	for query, want := range map[string][]string{
		"": {full.ID, plain.ID},
		"status=PENDING&payment_status=UNPAID&fulfillment_status=UNFULFILLED": {plain.ID},
		"status=SHIPPED":                            {full.ID},
		"payment_status=PAID":                       {full.ID},
		"fulfillment_status=SHIPPED":                {full.ID},
		"customer_id=" + url.QueryEscape("c &+ñ"):   {full.ID},
		"customer_id=C-1":                           {},
		"reference=A-17":                            {full.ID},
		"created_after=" + created:                  {full.ID},
		"created_before=" + created:                 {plain.ID},
		"placed_before=2026-01-01T00:00:00%2B01:00": {full.ID},
		"placed_after=2026-01-01T00:00:00Z":         {plain.ID},
		"created_after=9999-01-01T00:00:00Z":        {},
		"limit=1":                                   {full.ID},
	} {
		a := s.do("GET", "/orders?"+query, "")
		got := []string{}
		for _, o := range decoded[wire.OrderPage](t, a).Orders {
			got = append(got, o.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestListRefusesQueries(t *testing.T) {
	s := start(t, nil)
	for query, want := range map[string]string{
		"status=paid":                            "query.status",
		"status=":                                "query.status",
		"payment_status=PENDING":                 "query.payment_status",
		"fulfillment_status=x":                   "query.fulfillment_status",
		"customer_id=":                           "query.customer_id",
		"customer_id=%ff":                        "query.customer_id",
		"reference=" + strings.Repeat("r", 129):  "query.reference",
		"created_after=yesterday":                "query.created_after",
		"created_before=2026-01-15":              "query.created_before",
		"placed_after=2026-01-15T00:00:00+01:00": "query.placed_after",
		"placed_before=0001-01-01T00:00:00Z":     "query.placed_before",
		"limit=0":                                "query.limit",
		"limit=201":                              "query.limit",
		"limit=1.5":                              "query.limit",
		"limit=%2B5":                             "query.limit",
		"limit=":                                 "query.limit",
		"cursor=":                                "query.cursor",
		"cursor=abc":                             "query.cursor",
		"cursor=" + strings.Repeat("A", 28):      "query.cursor",
		"status=PAID&status=PAID":                "query.status",
		"Status=PAID":                            "query.Status",
		"filter[status]=PAID":                    "query.filter[status]",
		"x=1&a=2&status=q":                       "query.a",
	} {
		a := s.do("GET", "/orders?"+query, "")
		if a.status != 422 || decoded[wire.Problem](t, a).Errors[0].Location != want {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
	for _, query := range []string{"status=%zz", "a;b", "%"} {
		if a := s.do("GET", "/orders?"+query, ""); a.status != 400 || decoded[wire.Problem](t, a).Code != "query_malformed" {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

func TestExport(t *testing.T) {
	s := start(t, nil)
	empty := map[string]string{"ndjson": "", "json": `{"orders":[]}`}
	for format, want := range empty {
		if a := s.do("GET", "/orders/export?format="+format, ""); a.status != 200 || a.body != want {
			t.Errorf("nothing as %s: %d %q", format, a.status, a.body)
		}
	}
	comma := s.place(`{"customer_id":"c, \"x\"","items":[{"sku":"A","name":" b ","quantity":1,"unit_price":"12.345"},{"sku":"B","quantity":2,"unit_price":1}]}`)
	for range 450 { // more than two pages of the store, and more than a chunk
		s.place(tea)
	}
	lines := strings.Split(s.do("GET", "/orders/export", "").body, "\n")
	if len(lines) != 452 || lines[451] != "" {
		t.Fatalf("NDJSON has %d lines", len(lines))
	}
	if last := decoded[wire.Order](t, answer{body: lines[450]}); !cmp.Equal(last, comma) {
		t.Error(cmp.Diff(comma, last))
	}
	whole := s.do("GET", "/orders/export?format=json", "")
	if n := len(decoded[wire.OrderExport](t, whole).Orders); n != 451 {
		t.Errorf("JSON has %d orders", n)
	}
	a := s.do("GET", "/orders/export?format=csv&customer_id="+url.QueryEscape(`c, "x"`), "")
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("CSV has %d rows, %v", len(rows), err)
	}
	for i, want := range []string{"line,sku,name,quantity,unit_price,line_total", "1,A, b ,1,12.345,12.34", "2,B,,2,1.00,2.00"} {
		if got := strings.Join(rows[i][12:18], ","); got != want || len(rows[i]) != 22 {
			t.Errorf("row %d has %q, want %q", i, got, want)
		}
	}
	if rows[1][0] != comma.ID || rows[1][1] != `c, "x"` || rows[1][7] != "14.34" {
		t.Errorf("the first row is %v", rows[1])
	}
}

func TestExportFormats(t *testing.T) {
	s := start(t, nil)
	s.place(tea)
	export := func(name, query, accept string, status int, has string) scenario {
		c := scenario{name: name, method: "GET", path: "/orders/export" + query, status: status, has: []string{has}}
		if accept != "" {
			c.headers = []string{"Accept: " + accept}
		}
		return c
	}
	s.run(t, []scenario{
		export("nothing said", "", "", 200, "application/x-ndjson"),
		export("anything", "", "*/*", 200, `filename="orders.ndjson"`),
		export("a browser", "", "text/html,application/xhtml+xml,*/*;q=0.8", 200, "application/x-ndjson"),
		export("csv", "", "text/csv", 200, "text/csv"),
		export("any text", "", "text/*", 200, "text/csv"),
		export("rather json", "", "text/csv;q=0.5, application/json", 200, "Content-Type: application/json"),
		export("not this one", "", "application/x-ndjson;q=0, text/csv;q=0.1, */*;q=0", 200, "text/csv"),
		export("format wins", "?format=csv", "application/json", 200, "text/csv"),
		export("none of these", "", "image/png", 406, "not_acceptable"),
		export("an unknown format", "?format=xml", "", 422, "ndjson, csv, json"),
		export("no pages", "?limit=5", "", 422, "query.limit"),
		{name: "head", method: "HEAD", path: "/orders/export?format=csv", status: 200, has: []string{"text/csv"}, lacks: []string{"TEA"}},
	})
}

// failing is a store whose lists end in an error after some pages.
type failing struct {
	ordering.Store
	pages int
	err   error
}

func (f *failing) List(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
	f.pages--
	if f.pages < 0 {
		return nil, f.err
	}
	return f.Store.List(ctx, q)
}

func TestExportThatFailsIsSeenToFail(t *testing.T) {
	for pages, format := range []string{"ndjson", "csv", "ndjson", "json"} {
		t.Run(fmt.Sprintf("%d pages of %s", pages, format), func(t *testing.T) {
			gone := fault.Wrap(errors.New("disk is gone"), fault.Unavailable, "store_unavailable", "the store is away")
			store := &failing{pages: pages, err: gone}
			s := start(t, func(c *httpapi.Config, m *memory.Store) {
				store.Store = m
				c.Orders = orders(m, store)
			})
			for range 700 {
				s.place(tea)
			}
			a, err := s.try(http.MethodGet, "/orders/export?format="+format, nil)
			if err == nil { // nothing had been sent yet
				if a.status != 503 || strings.Contains(a.body, "disk") || a.header.Get("Content-Disposition") != "" {
					t.Errorf("%d %s %v", a.status, a.body, a.header)
				}
			}
			if pages > 1 && err == nil {
				t.Errorf("an export that was cut off ended well: %d, %d bytes", a.status, len(a.body))
			}
		})
	}
}
