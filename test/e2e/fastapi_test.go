package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"order-processing-service/test/mongodb"
)

// legacy is a place with documents of the FastAPI service in MongoDB.
type legacy struct {
	*home

	orders *mongo.Collection
}

// newLegacy returns a place with the given documents, which the driver inserts as the FastAPI service did.
func newLegacy(t *testing.T, documents ...bson.D) *legacy {
	t.Helper()
	h := newHome(t, onMongoDB())
	l := &legacy{home: h, orders: mongodb.Need(t).Client.Database(h.settings["MONGO_DB"]).Collection("orders")}
	if _, err := l.orders.InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
	return l
}

// stored returns a document as it stands there.
func (l *legacy) stored(t *testing.T, id any) bson.Raw {
	t.Helper()
	raw, err := l.orders.FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// legacyID is the id of the n-th order of the FastAPI service, which made one a minute.
func legacyID(n int) bson.ObjectID {
	id := bson.NewObjectIDFromTimestamp(legacyTime(n))
	copy(id[4:], []byte{0, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)}) //nolint:gosec // small
	return id
}

func legacyTime(n int) time.Time {
	return time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
}

// legacyOrder is the n-th document of the FastAPI service.
func legacyOrder(n int, status string, price any) bson.D {
	return bson.D{
		{Key: "_id", Value: legacyID(n)},
		{Key: "customer_id", Value: fmt.Sprintf("c-%d", n%2)},
		{Key: "items", Value: bson.A{
			bson.D{{Key: "sku", Value: "TEA"}, {Key: "quantity", Value: 2}, {Key: "unit_price", Value: price}},
		}},
		{Key: "status", Value: status},
		{Key: "created_at", Value: legacyTime(n)},
		{Key: "updated_at", Value: legacyTime(n).Add(time.Hour)},
	}
}

// The orders of the tests below, and the documents that are none.
const (
	pending, paid, shipped, delivered, canceled = 0, 1, 2, 3, 4
	finer, lost, negative                       = 5, 6, 7 // a price to be rounded, a status and a price that nobody knows
)

func legacyOrders() []bson.D {
	return []bson.D{
		legacyOrder(pending, "PENDING", 12.5), legacyOrder(paid, "PAID", 12.5), legacyOrder(shipped, "SHIPPED", 12.5),
		legacyOrder(delivered, "DELIVERED", 12.5), legacyOrder(canceled, "CANCELED", 12.5),
		legacyOrder(finer, "PAID", 0.30000000000000004), legacyOrder(lost, "LOST", 12.5), legacyOrder(negative, "PAID", -1.0),
	}
}

// kept is the ids of the orders for steps, by the status that each had.
func legacyIDs() map[string]string {
	ids := map[string]string{"finer": legacyID(finer).Hex(), "lost": legacyID(lost).Hex(), "negative": legacyID(negative).Hex()}
	for n, status := range []string{"pending", "paid", "shipped", "delivered", "canceled"} {
		ids[status] = legacyID(n).Hex()
	}
	return ids
}

// listsIDs asks for a list and compares the ids in it, newest first.
func listsIDs(query string, numbers ...int) step {
	return step{name: "list", request: "GET /orders?" + query, status: 200, check: func(t *testing.T, _ *service, a answer) {
		t.Helper()
		var got, want []string
		for i := range list(t, a.body, "orders") {
			got = append(got, text(t, a.body, fmt.Sprintf("orders.%d.id", i)))
		}
		for _, n := range numbers {
			want = append(want, legacyID(n).Hex())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s lists %q, not %q", query, got, want)
		}
	}}
}

// legacyReads is what is read of the orders, migrated or not.
func legacyReads() []step {
	const whole = `{
		"id": "{shipped}", "customer_id": "c-0", "reference": null, "status": "SHIPPED", "payment_status": "PAID",
		"fulfillment_status": "SHIPPED", "currency": "USD", "total": 25.00,
		"items": [{"line": 1, "sku": "TEA", "name": null, "quantity": 2, "unit_price": 12.50, "line_total": 25.00,
			"canceled": 0, "shipped": 2, "delivered": 0, "returned": 0}],
		"payments": [{"id": "<id>", "status": "CAPTURED", "provider": "external", "amount": 25.00, "refunds": [],
			"created_at": "2024-03-01T13:02:00.000Z", "updated_at": "2024-03-01T13:02:00.000Z"}],
		"fulfillments": [{"id": "<id>", "status": "SHIPPED", "items": [{"line": 1, "quantity": 2}], "carrier": null, "tracking": null,
			"created_at": "2024-03-01T13:02:00.000Z", "updated_at": "2024-03-01T13:02:00.000Z"}],
		"returns": [], "metadata": {}, "placed_at": "2024-03-01T12:02:00.000Z", "created_at": "2024-03-01T12:02:00.000Z",
		"updated_at": "2024-03-01T13:02:00.000Z", "version": 1,
		"actions": {"pay": {"allowed": false, "reason": "<text>"}, "ship": {"allowed": false, "reason": "<text>"},
			"deliver": {"allowed": true}, "cancel": {"allowed": false, "reason": "<text>"}}}`
	steps := []step{
		{request: "GET /orders/{shipped}", status: 200, want: whole, headers: fields{"ETag": `"1"`}},
		{request: "GET /orders/{finer}", status: 200, has: `{"total": 0.60, "items": [{"unit_price": 0.30}]}`},
		{request: "GET /orders/{canceled}", status: 200, has: `{"payment_status": "UNPAID", "items": [{"canceled": 2}]}`},
		{
			request: "GET /orders/{paid}/timeline", status: 200,
			has: `{"events": [{"id": "{paid}-1", "type": "OrderCreated", "sequence": 1, "version": 1, "time": "2024-03-01T12:01:00.000Z",
				"data": {"status": "PAID", "total": 25.00}}]}`,
		},
		listsIDs("", finer, canceled, delivered, shipped, paid, pending),
		listsIDs("limit=3", finer, canceled, delivered),
		listsIDs("status=PAID", finer, paid),
		listsIDs("payment_status=PAID", finer, delivered, shipped, paid),
		listsIDs("payment_status=UNPAID&customer_id=c-0", canceled, pending),
		listsIDs("payment_status=REFUNDED"),
		listsIDs("fulfillment_status=UNFULFILLED", finer, canceled, paid, pending),
		listsIDs("fulfillment_status=DELIVERED", delivered),
		listsIDs("placed_after=2024-03-01T12:01:00Z&placed_before=2024-03-01T12:03:00Z", shipped, paid),
		listsIDs("created_before=2024-03-01T12:01:00Z", pending),
	}
	for _, id := range []string{"lost", "negative"} {
		const says = `{"code": "order_not_convertible", "detail": "<text>", "error": "<text>"}`
		steps = append(
			steps, step{request: "GET /orders/{" + id + "}", status: 500, has: says},
			step{request: "GET /orders/{" + id + "}/timeline", status: 500, has: says},
			step{request: "PATCH /orders/{" + id + "}", body: `{"status": "SHIPPED"}`, status: 500, has: says},
		)
	}
	return steps
}

// legacyChanges changes orders that nobody has migrated, with all that guards a change.
func legacyChanges() []step {
	again := step{
		request: "PATCH /orders/{pending}", header: fields{"Idempotency-Key": "k-1"}, body: `{"status": "PAID"}`, status: 200,
		has: `{"status": "PAID", "version": 2}`, headers: fields{"ETag": `"2"`, "Idempotent-Replayed": ""},
	}
	replayed := again
	replayed.headers = fields{"ETag": `"2"`, "Idempotent-Replayed": "true"}
	return []step{
		{request: "PATCH /orders/{paid}", header: fields{"If-Match": `"2"`}, body: `{"status": "SHIPPED"}`, status: 412},
		{request: "PATCH /orders/{paid}", body: `{"status": "PENDING"}`, status: 409, has: `{"code": "status_not_allowed"}`},
		{
			request: "PATCH /orders/{paid}", header: fields{"If-Match": `"1"`}, body: `{"status": "SHIPPED"}`, status: 200,
			has: `{"status": "SHIPPED", "version": 2, "payment_status": "PAID", "created_at": "2024-03-01T12:01:00.000Z"}`,
		},
		{request: "GET /orders/{paid}", status: 200, has: `{"status": "SHIPPED", "version": 2}`, headers: fields{"ETag": `"2"`}},
		{
			request: "PATCH /orders/{delivered}", body: `{"metadata": {"till": "7"}}`, status: 200,
			has: `{"status": "DELIVERED", "version": 2, "metadata": {"till": "7"}}`,
		},
		again, replayed,
		{request: "PATCH /orders/{finer}", body: `{"status": "CANCELED"}`, status: 200, has: `{"payment_status": "REFUNDED"}`},
	}
}

// TestFastAPIServicesOrders points the program at a database of the FastAPI service, and goes on.
func TestFastAPIServicesOrders(t *testing.T) {
	l := newLegacy(t, legacyOrders()...)
	s := l.start(t)
	s.untold, s.broken = true, true
	ids := legacyIDs()
	for _, st := range slices.Concat(legacyReads(), legacyChanges()) {
		st.run(t, s, ids)
	}
	a := s.ask(t, http.MethodGet, "/orders/"+ids["lost"], nil, nil)
	if !strings.Contains(text(t, a.body, "detail"), "orders mongo migrate --dry-run") {
		t.Errorf("nobody learns what to do: %s", a.body)
	}
	s.awaitDeliveries(t, "waiting", 0)
	s.end(t)

	// What the FastAPI service did is history; what was done here is told.
	want := []string{
		"FulfillmentCreated", "FulfillmentShipped", "OrderStatusChanged", "OrderMetadataChanged",
		"PaymentCaptured", "OrderStatusChanged", "RefundSucceeded", "OrderStatusChanged",
	}
	got := s.toldTypes()
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events told (-want +got):\n%s", diff)
	}
	lines, _ := s.out.all()
	warnings := make(map[string]int)
	for _, line := range lines {
		if line.Level == "WARNING" && line.Message != mongodb.LateLook {
			warnings[line.Message]++
		}
	}
	wantWarnings := map[string]int{
		"request": 7, // those that were answered 500
		"prices of an order of the FastAPI service are rounded":                                                       1,
		"a document is left out of lists, as it can't be converted to an order; see 'orders mongo migrate --dry-run'": 2,
	}
	if diff := cmp.Diff(wantWarnings, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	for _, untouched := range []int{shipped, canceled, lost, negative} {
		if raw := l.stored(t, legacyID(untouched)); !raw.Lookup("form").IsZero() {
			t.Errorf("a document that was only read has become %s", raw)
		}
	}
}
