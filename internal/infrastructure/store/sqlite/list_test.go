package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// TestBothWaysOfFindingPlacedOrders pages through random windows of placed_at in both ways: by sorting
// what was placed in them, and by going through all orders from the newest on.
func TestBothWaysOfFindingPlacedOrders(t *testing.T) {
	sorting, walking := openStore(t), openStore(t)
	walking.SortNothing()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same orders in every run
	for i := range 300 {
		created := start.Add(time.Duration(i) * time.Hour)
		o, err := order.New(order.TimedID(created, [8]byte{byte(i >> 8), byte(i)}), order.Draft{
			CustomerID: fmt.Sprint("c-", i%3), Currency: "EUR",
			PlacedAt: created.Add(-time.Duration(random.IntN(400)) * time.Hour),
			Items:    []order.DraftItem{{SKU: "TEA", Quantity: 1, UnitPrice: "1"}},
		}, "", order.Stamp{Time: created})
		if err != nil {
			t.Fatal(err)
		}
		if i%4 == 0 {
			if err := o.MoveTo(order.StatusPaid, order.ID{1}, order.Stamp{Time: created}); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range []ordering.Store{sorting, walking} {
			if c := s.Create(t.Context(), []ordering.NewOrder{{Order: o, Handover: told}})[0]; c.Err != nil {
				t.Fatal(c.Err)
			}
		}
	}
	for range 200 {
		after := start.Add(time.Duration(random.IntN(400)-100) * time.Hour)
		q := ordering.Query{PlacedAfter: after, PlacedBefore: after.Add(time.Duration(random.IntN(200)) * time.Hour), Limit: 1 + random.IntN(20)}
		if random.IntN(3) == 0 {
			q.Status = order.StatusPaid
		}
		if random.IntN(3) == 0 {
			q.CustomerID = "c-1"
		}
		var lists [2][]string
		for i, s := range []ordering.Store{sorting, walking} {
			for page := q; ; {
				orders, err := s.List(t.Context(), page)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range orders {
					lists[i] = append(lists[i], o.ID().String())
					page.After = ordering.Cursor{CreatedAt: o.View().CreatedAt, ID: o.ID()}
				}
				if len(orders) < q.Limit {
					break
				}
			}
		}
		if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
			t.Fatalf("%+v (-sorting +walking):\n%s", q, diff)
		}
	}
}
