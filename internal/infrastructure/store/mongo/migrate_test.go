package mongo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/mongo"
)

// everything is every document of a collection, as text.
func (h *history) everything(t *testing.T) []string {
	t.Helper()
	cursor, err := h.orders.Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var documents []bson.Raw
	if err := cursor.All(t.Context(), &documents); err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(documents))
	for i, d := range documents {
		all[i] = d.String()
	}
	return all
}

func TestMigrate(t *testing.T) {
	rounded := bson.E{Key: "items", Value: bson.A{
		bson.D{{Key: "sku", Value: "A"}, {Key: "quantity", Value: 1}, {Key: "unit_price", Value: 1.0}},
		bson.D{{Key: "sku", Value: "B"}, {Key: "quantity", Value: 1}, {Key: "unit_price", Value: 0.30000000000000004}},
		bson.D{{Key: "sku", Value: "C"}, {Key: "quantity", Value: 1}, {Key: "unit_price", Value: 1e-7}},
	}}
	documents := []bson.D{
		kept(5, "LOST"), kept(6, order.StatusPaid, rounded), kept(7, order.StatusPaid, price(-1.0)),
		kept(8, order.StatusPaid, bson.E{Key: "_id", Value: "abc"}),
	}
	for i, status := range order.Statuses() {
		documents = append(documents, kept(i, status))
	}
	h := newHistory(t, documents...)
	var before []string
	for i := range order.Statuses() {
		before = append(before, h.form(t, old(i)))
	}
	if _, err := h.Change(t.Context(), old(0), delivery.Handover{}, now, note("a")); err != nil {
		t.Fatal(err)
	}
	stored := h.everything(t)

	var found []string
	o := mongo.MigrateOptions{DryRun: true, Found: func(f mongo.Finding) error {
		found = append(found, fmt.Sprintf("%s %s", f.ID, f.Reason))
		for _, r := range f.Rounded {
			found[len(found)-1] += fmt.Sprintf("line %d: %s to %s;", r.Line, r.Was, r.Is)
		}
		return nil
	}}
	want := mongo.Migration{Migrated: 5, There: 1, Unconverted: 3, Rounded: 2}
	wantFound := []string{
		`"abc" _id is of type string, not an ObjectID`,
		old(5).String() + ` status is "LOST", which is none of [PENDING PAID SHIPPED DELIVERED CANCELED]`,
		old(6).String() + " line 2: 0.30000000000000004 to 0.30;line 3: 1e-07 to 0.00;",
		old(7).String() + " items[0].unit_price is -1; it must be zero or more",
	}
	if diff := cmp.Diff(want, migrate(t, h.Store, o)); diff != "" {
		t.Errorf("a dry run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantFound, found); diff != "" {
		t.Errorf("a dry run found (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(stored, h.everything(t)); diff != "" {
		t.Errorf("a dry run has written (-before +after):\n%s", diff)
	}

	o.DryRun, found = false, nil
	if diff := cmp.Diff(want, migrate(t, h.Store, o)); diff != "" {
		t.Errorf("the migration (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantFound, found); diff != "" {
		t.Errorf("the migration found (-want +got):\n%s", diff)
	}
	for i := range order.Statuses()[1:] {
		if after := h.form(t, old(i+1)); after != before[i+1] {
			t.Errorf("an order is answered with\n%s\nand was with\n%s", after, before[i+1])
		}
	}
	after := strings.Join(h.everything(t), "\n")
	for _, untouched := range []string{`"LOST"`, `-1.0`, `"abc"`} {
		if !strings.Contains(after, untouched) {
			t.Errorf("the document with %s is gone", untouched)
		}
	}

	found = nil
	if diff := cmp.Diff(mongo.Migration{There: 6, Unconverted: 3}, migrate(t, h.Store, o)); diff != "" || len(found) != 3 {
		t.Errorf("a second time finds %q (-want +got):\n%s", found, diff)
	}
}

// form is what the API shows of a stored order.
func (h *history) form(t *testing.T, id order.ID) string {
	t.Helper()
	o, err := h.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return form(o)
}

// many is n documents, with each status among them.
func many(n int) []bson.D {
	documents := make([]bson.D, n)
	for i := range documents {
		documents[i] = kept(i, order.Statuses()[i%5])
	}
	return documents
}

// TestMigrateIsStoppedAndRunAgain stops a migration between two batches.
func TestMigrateIsStoppedAndRunAgain(t *testing.T) {
	const n = 1_203
	h := newHistory(t, many(n)...)
	ctx, stop := context.WithCancel(t.Context())
	var seen int64
	first, err := migrateWith(ctx, h.Store, mongo.MigrateOptions{Progress: func(p mongo.Progress) {
		if seen = p.Done; p.Total != n || p.Trouble != nil {
			t.Errorf("%+v", p)
		}
		stop()
	}})
	if !errors.Is(err, context.Canceled) || first.Migrated == 0 || first.Migrated == n || seen != first.Migrated {
		t.Fatalf("stopped with %+v after %d, %v", first, seen, err)
	}
	second := migrate(t, h.Store, mongo.MigrateOptions{})
	if second.There != first.Migrated || second.Migrated != n-first.Migrated {
		t.Errorf("first %+v, then %+v", first, second)
	}
	if left, err := h.orders.CountDocuments(t.Context(), bson.D{{Key: "form", Value: 1}, {Key: "items", Value: nil}}); err != nil || left != n {
		t.Errorf("%d documents are migrated, %v", left, err)
	}
}

// TestMigrateDuringWrites has two migrations, the service and the FastAPI service write at the same time.
func TestMigrateDuringWrites(t *testing.T) {
	const n, rounds = 60, 6
	h := newHistory(t, many(n)...)
	other := h.open(t)
	last := make([]order.Status, n) // that the FastAPI service wrote into a document of its own
	for i := range last {
		last[i] = order.Statuses()[i%5]
	}
	var wg sync.WaitGroup
	for worker := range 3 {
		wg.Go(func() {
			for round := range rounds {
				for i := worker; i < n; i += 3 {
					status := order.Statuses()[(i+round)%5]
					if predecessorSets(t, h.orders, old(i), status) {
						last[i] = status
					}
				}
			}
		})
	}
	wg.Go(func() {
		for i := range n {
			if _, err := h.Change(t.Context(), old(n-1-i), delivery.Handover{}, now, note("a")); err != nil {
				t.Errorf("Change: %v", err)
			}
		}
	})
	migrations := make([]mongo.Migration, 2)
	for i, store := range []*mongo.Store{h.Store, other} {
		wg.Go(func() {
			var err error
			if migrations[i], err = migrateWith(t.Context(), store, mongo.MigrateOptions{}); err != nil {
				t.Errorf("Migrate: %v", err)
			}
		})
	}
	wg.Wait()
	for _, m := range migrations {
		if m.Migrated+m.There != n || m.Unconverted != 0 || migrations[0].Migrated+migrations[1].Migrated > n {
			t.Errorf("migrated %+v", migrations)
		}
	}
	for i := range n {
		o, err := h.Get(t.Context(), old(i))
		if err != nil || o.Status() != last[i] || o.View().Metadata["a"] != "x" || o.Version() != 2 {
			t.Errorf("order %d, last written as %s: %s, %v", i, last[i], form(o), err)
		}
		if events, err := h.Events(t.Context(), old(i), 0, 10); err != nil || len(events) != 2 {
			t.Errorf("order %d has %d events, %v", i, len(events), err)
		}
	}
}
