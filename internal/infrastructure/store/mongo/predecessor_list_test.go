package mongo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/mongo"
)

// TestPredecessorsOrdersAreListed holds lists over documents of which none, every second one or all are
// migrated against each other, with every filter and in pages of several sizes, beside new orders.
func TestPredecessorsOrdersAreListed(t *testing.T) {
	const n = 15
	var documents []bson.D
	for i := range n {
		// Two of a minute, so that ids decide their order.
		made := begun.Add(time.Duration(i/2) * time.Minute)
		documents = append(documents, kept(i, order.Statuses()[i%5], bson.E{Key: "created_at", Value: made}))
	}
	plain, half, whole := newHistory(t, documents...), newHistory(t, documents...), newHistory(t, documents...)
	if m := migrate(t, whole.Store, mongo.MigrateOptions{}); m.Migrated != n {
		t.Fatalf("migrated %+v", m)
	}
	var some []bson.D // a migration of a database with every second document, put into the other
	for i := 0; i < n; i += 2 {
		var d bson.D
		id := bson.D{{Key: "_id", Value: bson.ObjectID(old(i))}}
		if err := whole.orders.FindOne(t.Context(), id).Decode(&d); err != nil {
			t.Fatal(err)
		}
		if _, err := half.orders.DeleteOne(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		some = append(some, d)
	}
	if _, err := half.orders.InsertMany(t.Context(), some); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*history{plain, half, whole} {
		h.createNew(t)
	}

	queries := []ordering.Query{
		{},
		{CustomerID: "c-1"},
		{Reference: "A-17"},
		{CreatedAfter: begun.Add(2 * time.Minute)},
		{CreatedBefore: begun.Add(5 * time.Minute)},
		{PlacedAfter: begun.Add(2 * time.Minute), PlacedBefore: begun.Add(5 * time.Minute)},
		{PlacedBefore: begun.Add(time.Minute + time.Nanosecond)},
		{PlacedAfter: begun.Add(3 * time.Minute), PaymentStatus: order.PaymentStatusPaid, FulfillmentStatus: order.FulfillmentStatusUnfulfilled},
		{
			Status: order.StatusPaid, PaymentStatus: order.PaymentStatusPaid, FulfillmentStatus: order.FulfillmentStatusUnfulfilled,
			CustomerID: "c-1", CreatedAfter: begun, CreatedBefore: now, PlacedAfter: begun, PlacedBefore: now,
		},
	}
	for _, s := range order.Statuses() {
		queries = append(queries, ordering.Query{Status: s}, ordering.Query{Status: s, PaymentStatus: order.PaymentStatusPaid})
	}
	for _, s := range order.PaymentStatuses() {
		queries = append(queries, ordering.Query{PaymentStatus: s}, ordering.Query{PaymentStatus: s, CustomerID: "c-2"})
	}
	for _, s := range order.FulfillmentStatuses() {
		queries = append(queries, ordering.Query{FulfillmentStatus: s}, ordering.Query{FulfillmentStatus: s, CreatedAfter: begun.Add(time.Minute)})
	}
	listed := 0
	for _, q := range queries {
		var want []string // a list of this service's own form is what the kit holds
		for _, o := range pages(t, whole.Store, q, 100) {
			want = append(want, form(o))
		}
		listed += len(want)
		for name, h := range map[string]*history{"none": plain, "half": half, "all": whole} {
			for _, limit := range []int{1, 2, 7, 100} {
				var got []string
				for _, o := range pages(t, h.Store, q, limit) {
					got = append(got, form(o))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%+v, %s migrated, in pages of %d (-want +got):\n%s", q, name, limit, diff)
				}
			}
		}
	}
	if listed < 10*n {
		t.Errorf("the queries find only %d orders", listed)
	}
}

// createNew makes an order of this service in each of some states, at the same times as the others.
func (h *history) createNew(t *testing.T) {
	t.Helper()
	for i := range 4 {
		made := begun.Add(time.Duration(i) * time.Minute)
		o, err := order.New(order.TimedID(made, [8]byte{0: 0xff, 7: byte(i)}), order.Draft{
			CustomerID: fmt.Sprintf("c-%d", i%3), Reference: "A-17", Currency: "EUR", PlacedAt: made.Add(-time.Hour),
			Items: []order.DraftItem{{SKU: "TEA", Quantity: 2, UnitPrice: "1"}},
		}, "", order.Stamp{Time: made})
		if err != nil {
			t.Fatal(err)
		}
		if c := h.Create(t.Context(), []ordering.NewOrder{{Order: o}})[0]; c.Err != nil || c.Existing != nil {
			t.Fatalf("created %+v", c)
		}
		for _, status := range []order.Status{order.StatusPaid, order.StatusShipped, order.StatusDelivered}[:i] {
			_, err := h.Change(t.Context(), o.ID(), delivery.Handover{}, made, func(o *order.Order) error {
				return o.MoveTo(status, order.ID{status[0]}, order.Stamp{Time: made})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// pages reads a list to its end.
func pages(t *testing.T, store *mongo.Store, q ordering.Query, limit int) []*order.Order {
	t.Helper()
	var all []*order.Order
	for q.Limit = limit; ; {
		page, err := store.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page...); len(page) < limit {
			return all
		}
		last := page[len(page)-1]
		q.After = ordering.Cursor{CreatedAt: last.View().CreatedAt, ID: last.ID()}
	}
}

// migrate migrates to the end.
func migrate(t *testing.T, store *mongo.Store, o mongo.MigrateOptions) mongo.Migration {
	t.Helper()
	m, err := migrateWith(t.Context(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func migrateWith(ctx context.Context, store *mongo.Store, o mongo.MigrateOptions) (mongo.Migration, error) {
	if o.Found == nil {
		o.Found = func(mongo.Finding) error { return nil }
	}
	if o.Progress == nil {
		o.Progress = func(mongo.Progress) {}
	}
	return store.Migrate(ctx, o)
}
