package mongo_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// TestPredecessorsMembersStay gives documents of the FastAPI service members by names that this service uses as well: a
// claim leaves them alone, lists of deliveries pass over them, and a change takes them along.
func TestPredecessorsMembersStay(t *testing.T) {
	due := bson.E{Key: "due_at", Value: bson.NewDateTimeFromTime(begun)}
	parked := bson.E{Key: "parked", Value: true}
	history := bson.E{Key: "events", Value: bson.A{"called the customer"}}
	h := newHistory(t, append(kept(1, order.StatusPending), due, parked, history), bson.D{{Key: "_id", Value: "a note"}, due, parked})
	tasks, err := h.Claim(t.Context(), delivery.Claim{Owner: "me", Subscribers: []string{"mail"}, Now: now, Until: now, Limit: 10})
	if err != nil || len(tasks) > 0 {
		t.Errorf("claimed %v, %v", tasks, err)
	}
	for _, state := range []delivery.State{delivery.StateWaiting, delivery.StateParked} {
		if page, err := h.Deliveries(t.Context(), delivery.Query{State: state, Limit: 10}); err != nil || len(page.Deliveries) > 0 {
			t.Errorf("%s deliveries %+v, %v", state, page, err)
		}
	}
	if _, err := h.Change(t.Context(), old(1), delivery.Handover{}, now, note("n")); err != nil {
		t.Fatal(err)
	}
	raw, err := h.orders.FindOne(t.Context(), bson.D{{Key: "_id", Value: bson.ObjectID(old(1))}}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	if kept, ok := raw.Lookup("predecessor").DocumentOK(); !ok || kept.Lookup("events", "0").StringValue() != "called the customer" {
		t.Errorf("of what was there is left: %s", raw.Lookup("predecessor"))
	}
	if events, err := h.Events(t.Context(), old(1), 0, 10); err != nil || len(events) != 2 {
		t.Errorf("%d events, %v", len(events), err)
	}
}
