package mongo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/test/mongodb"
)

// TestCopyNamesWhatIsNoOrder copies from a collection in which there are documents that are no orders, before and behind
// the orders in the sequence of _id.
func TestCopyNamesWhatIsNoOrder(t *testing.T) {
	database := filled(t, 3)
	foreign := []any{
		bson.D{{Key: "_id", Value: "a name"}},
		bson.D{{Key: "_id", Value: 7}},
		bson.D{{Key: "_id", Value: true}},
		bson.D{{Key: "_id", Value: bson.ObjectID{0: 1}}, {Key: "form", Value: "odd"}},
	}
	if _, err := database.Collection(mongo.Collection).InsertMany(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	store, err := mongo.Open(t.Context(), mongo.Config{
		Client: options.Client().ApplyURI(mongodb.Need(t).URI), Database: database.Name(), KeepIndexes: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	var troubles strings.Builder
	summary, err := copying.Run(t.Context(), copying.Options{Trouble: func(trouble copying.Trouble) {
		troubles.WriteString(trouble.ID + ": " + trouble.Err.Error() + "\n")
	}}, store, memory.New().Open())
	if want := (copying.Summary{Created: 3, Failed: 4}); err != nil || summary != want {
		t.Errorf("Run = %+v, %v, want %+v", summary, err, want)
	}
	for _, want := range []string{`"a name": `, "7", "true: ", bson.ObjectID{0: 1}.Hex() + ": "} {
		if !strings.Contains(troubles.String(), want) {
			t.Errorf("no %q in\n%s", want, troubles.String())
		}
	}
}

// TestCopyTakesThePredecessorsOrders copies documents of the FastAPI service to another store and from there to another
// database: they are the same orders everywhere, and nobody is told of them.
func TestCopyTakesThePredecessorsOrders(t *testing.T) {
	var documents []bson.D
	for i, status := range order.Statuses() {
		documents = append(documents, kept(i, status))
	}
	n := int64(len(documents))
	h := newHistory(t, append(documents, kept(len(documents), "LOST"), kept(len(documents)+1, order.StatusPending, price(0.0000005)))...)
	middle, other := memory.New().Open(), newHistory(t)
	for _, leg := range []struct {
		from copying.Source
		to   copying.Destination
		want copying.Summary
	}{
		{h, middle, copying.Summary{Created: n + 1, Failed: 1}},
		{middle, other, copying.Summary{Created: n + 1}},
		{h, other, copying.Summary{Existing: n + 1, Failed: 1}},
		{other, h, copying.Summary{Existing: n + 1}},
	} {
		var troubles []string
		got, err := copying.Run(t.Context(), copying.Options{Trouble: func(trouble copying.Trouble) {
			troubles = append(troubles, fmt.Sprint(trouble.ID, ": ", trouble.Differs, trouble.Err))
		}}, leg.from, leg.to)
		if err != nil || got != leg.want {
			t.Errorf("Run = %+v, %v, want %+v; troubles %q", got, err, leg.want, troubles)
		}
		if leg.want.Failed == 1 && (len(troubles) != 1 || !strings.Contains(troubles[0], "LOST")) {
			t.Errorf("troubles are %q, want the status that nobody knows", troubles)
		}
	}
	for i := range documents {
		want, err := h.Get(t.Context(), old(i))
		if err != nil {
			t.Fatal(err)
		}
		got, err := other.Get(t.Context(), old(i))
		if err != nil {
			t.Fatal(err)
		}
		if form(got) != form(want) {
			t.Errorf("the copy is\n%s\nwant\n%s", form(got), form(want))
		}
	}
	if h.log.count("are rounded") != 1 {
		t.Error("nothing is said of a price that was rounded")
	}
	if tasks, err := other.Claim(t.Context(), delivery.Claim{Owner: "me", Now: now, Until: now.Add(time.Minute), Limit: 10, Subscribers: []string{"mail"}}); err != nil || len(tasks) > 0 {
		t.Errorf("Claim = %+v, %v, want that nobody is told", tasks, err)
	}
}
