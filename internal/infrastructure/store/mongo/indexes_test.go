package mongo_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/test/mongodb"
)

// TestNoQueryScans has the server explain each query of lists, claims and deliveries. A server that can't explain, as few
// but MongoDB can, is asked for nothing more than the indexes.
func TestNoQueryScans(t *testing.T) {
	database := filled(t, 60)
	var q ordering.Query
	at := time.Now()
	filters := map[string]func(*ordering.Query){
		"all":         func(*ordering.Query) {},
		"status":      func(q *ordering.Query) { q.Status = order.StatusPending },
		"payment":     func(q *ordering.Query) { q.PaymentStatus = order.PaymentStatusUnpaid },
		"fulfillment": func(q *ordering.Query) { q.FulfillmentStatus = order.FulfillmentStatusUnfulfilled },
		"customer":    func(q *ordering.Query) { q.CustomerID = "c-1" },
		"reference":   func(q *ordering.Query) { q.Reference = "r-1" },
		"created":     func(q *ordering.Query) { q.CreatedAfter, q.CreatedBefore = at.Add(-time.Hour), at },
		"placed":      func(q *ordering.Query) { q.PlacedAfter, q.PlacedBefore = at.Add(-time.Hour), at },
		"everything": func(q *ordering.Query) {
			q.Status, q.CustomerID, q.PlacedAfter = order.StatusPending, "c-1", at.Add(-time.Hour)
		},
	}
	for name, set := range filters {
		for _, after := range []ordering.Cursor{{}, {CreatedAt: at, ID: order.ID{1}}} {
			q = ordering.Query{After: after}
			set(&q)
			filter, sort := mongo.ListQuery(q)
			wantNoScan(t, database, "list of "+name, filter, sort)
		}
	}
	now := bson.NewDateTimeFromTime(at)
	wantNoScan(t, database, "claim", mongo.DueQuery(now), nil)
	filter, sort := mongo.WaitingQuery(now, order.ID{1})
	wantNoScan(t, database, "waiting deliveries", filter, sort)
	filter, sort = mongo.ParkedQuery(order.ID{1})
	wantNoScan(t, database, "parked deliveries", filter, sort)
	waiting, parked := mongo.BacklogQueries()
	wantNoScan(t, database, "backlog that waits", waiting, nil)
	wantNoScan(t, database, "backlog that is parked", parked, nil)
}

// filled returns a database with the store's indexes and n orders, made by the store.
func filled(t *testing.T, n int) *driver.Database {
	t.Helper()
	server := mongodb.Need(t)
	database := server.Database(t)
	store, err := mongo.Open(t.Context(), mongo.Config{
		Client: options.Client().ApplyURI(server.URI), Database: database.Name(), MustBeThere: true, // so that the indexes are made now
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	for i := range n {
		o, err := order.New(order.ID{11: byte(i + 1)}, order.Draft{
			CustomerID: "c-1", Currency: "EUR", Items: []order.DraftItem{{SKU: "TEA", Quantity: 1, UnitPrice: "1"}},
		}, "", order.Stamp{Time: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		h := delivery.Handover{Subscribers: []string{"mail"}, AsTold: i%2 == 0}
		if c := store.Create(t.Context(), []ordering.NewOrder{{Order: o, Handover: h}})[0]; c.Err != nil {
			t.Fatal(c.Err)
		}
	}
	return database
}

func wantNoScan(t *testing.T, database *driver.Database, what string, filter, sort bson.D) {
	t.Helper()
	find := bson.D{{Key: "find", Value: mongo.Collection}, {Key: "filter", Value: filter}, {Key: "limit", Value: 50}}
	if sort != nil {
		find = append(find, bson.E{Key: "sort", Value: sort})
	}
	plan, err := database.RunCommand(t.Context(), bson.D{{Key: "explain", Value: find}, {Key: "verbosity", Value: "queryPlanner"}}).Raw()
	var refused driver.CommandError
	if errors.As(err, &refused) && refused.HasErrorCode(59) {
		return // it has no such command
	}
	if err != nil {
		t.Fatalf("explain the %s: %v", what, err)
	}
	winning := plan.Lookup("queryPlanner", "winningPlan").String()
	if !strings.Contains(winning, "IXSCAN") || strings.Contains(winning, "COLLSCAN") {
		t.Errorf("the %s is not answered from an index: %s", what, winning)
	}
}

// TestIndexesAreMade looks at what there is on the server once a store was open on it, and again with three more.
func TestIndexesAreMade(t *testing.T) {
	database := filled(t, 1)
	cursor, err := database.Collection(mongo.Collection).Indexes().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var there []struct {
		Name string `bson:"name"`
	}
	if err := cursor.All(t.Context(), &there); err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, index := range there {
		names[index.Name] = true
	}
	for _, index := range mongo.Indexes() {
		if !names[index.Name] {
			t.Errorf("there is no index %s", index.Name)
		}
	}
}

func TestIndexCommands(t *testing.T) {
	for _, index := range mongo.Indexes() {
		command := index.Command()
		if !strings.HasPrefix(command, `db.orders.createIndex({`) || !strings.HasSuffix(command, `})`) || index.For == "" {
			t.Errorf("%s: %s (%s)", index.Name, command, index.For)
		}
	}
}
