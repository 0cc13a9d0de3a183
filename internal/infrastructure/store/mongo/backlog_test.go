package mongo_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// Documents of the FastAPI service have nobody to be told, whatever members they have. Once this service has changed one,
// what waits is as old as that change, not as the order.
func TestPredecessorsHaveNoBacklog(t *testing.T) {
	due := bson.E{Key: "due_at", Value: begun}
	parked := bson.E{Key: "parked", Value: true}
	h := newHistory(t, kept(1, order.StatusPending), kept(2, order.StatusPaid, due, parked), kept(3, order.StatusPending, due))
	want := func(what string, want delivery.Backlog) {
		t.Helper()
		got, err := h.Backlog(t.Context(), []string{want.Subscriber}, 1)
		if diff := cmp.Diff([]delivery.Backlog{want}, got); err != nil || diff != "" {
			t.Errorf("%s: Backlog differs (-want +got): %v\n%s", what, err, diff)
		}
	}
	want("untouched", delivery.Backlog{Subscriber: "mail"})
	value := "web"
	handover := delivery.Handover{Subscribers: []string{"mail"}}
	_, err := h.Change(t.Context(), old(3), handover, now.Add(time.Minute), func(o *order.Order) error {
		return o.PatchMetadata(map[string]*string{"channel": &value}, order.Stamp{Time: now})
	})
	if err != nil {
		t.Fatal(err)
	}
	want("one of them changed", delivery.Backlog{Subscriber: "mail", Waiting: 1, Oldest: now})
}
