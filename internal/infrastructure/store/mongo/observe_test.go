package mongo_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/test/mongodb"
)

// TestWritesAreObserved makes writes of each kind; reads are none.
func TestWritesAreObserved(t *testing.T) {
	server := mongodb.Need(t)
	var mu sync.Mutex
	var seen []string // guarded by mu
	s, err := mongo.Open(t.Context(), mongo.Config{
		Client: options.Client().ApplyURI(server.URI), Database: server.Database(t).Name(), Timeout: 5 * time.Second,
		Observe: func(operation string, writes int, took time.Duration) {
			if took <= 0 {
				t.Errorf("a write takes %v", took)
			}
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, fmt.Sprintf("%s %d", operation, writes))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	const n = 3
	orders := drafts(t, n)
	s.Create(t.Context(), orders)
	s.Create(t.Context(), orders[:2]) // they are there already
	if _, err := s.Change(t.Context(), orders[0].Order.ID(), mine(), now, note("n")); err != nil {
		t.Fatal(err)
	}
	var settlements []delivery.Settlement
	for i := range orders {
		settlements = append(settlements, delivery.Settlement{Order: orders[i].Order.ID(), Subscriber: "mail", Owner: "me", Told: 1})
	}
	if _, err := s.Settle(t.Context(), settlements); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backlog(t.Context(), []string{"mail"}, n); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"insert 3", "insert 2", "update 1", "update 3"}; !slices.Equal(seen, want) {
		t.Errorf("seen are %q, want %q", seen, want)
	}
	if depth := s.QueueDepth(); depth != 0 {
		t.Errorf("%d writes wait when none is made", depth)
	}
}
