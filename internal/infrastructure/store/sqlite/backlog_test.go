package sqlite_test

import (
	"slices"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// TestBacklogGoesAlongIndexes asks SQLite how it finds what waits and what is parked: along the partial
// indexes, in their order, so that it can stop at the bound.
func TestBacklogGoesAlongIndexes(t *testing.T) {
	plans, err := openStore(t).BacklogPlans(t.Context())
	want := []string{"SEARCH orders USING INDEX orders_due (due_at>?)", "SCAN orders USING INDEX orders_parked"}
	if err != nil || !slices.Equal(plans, want) {
		t.Errorf("the plans are %q, %v; want %q", plans, err, want)
	}
}

// TestBacklogReadsNoMoreThanItsBytes bounds the histories that are read to find the oldest event.
func TestBacklogReadsNoMoreThanItsBytes(t *testing.T) {
	s := openStore(t)
	s.LimitBacklogs(1) // the first history that is read is the last
	const n = 3
	start := time.Now().UTC().Truncate(time.Millisecond)
	handover := delivery.Handover{Subscribers: []string{"events"}}
	asTold := handover
	asTold.AsTold = true
	for i := range n {
		// The one changed last is older than the others, so that its history must be read.
		o := newOrder(t, start.Add(-time.Duration(i)*time.Hour))
		if c := s.Create(t.Context(), []ordering.NewOrder{{Order: o, Handover: asTold}})[0]; c.Err != nil {
			t.Fatal(c.Err)
		}
		now := start.Add(time.Duration(i) * time.Minute)
		value := "yes"
		_, err := s.Change(t.Context(), o.ID(), handover, now, func(o *order.Order) error {
			return o.PatchMetadata(map[string]*string{"seen": &value}, order.Stamp{Time: now})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Backlog(t.Context(), []string{"events"}, n)
	want := []delivery.Backlog{{Subscriber: "events", Waiting: 1, More: true, Oldest: start}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Backlog = %+v, %v; want %+v", got, err, want)
	}
}
