package aws_test

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestLoad places AWS_LOAD_ORDERS orders (10,000), changes each, and holds that each event came through the bus, in
// sequence.
func TestLoad(t *testing.T) {
	c := newCloud(t)
	orders := 10_000
	if text := os.Getenv("AWS_LOAD_ORDERS"); text != "" {
		var err error
		orders, err = strconv.Atoi(text)
		must(t, err)
	}
	queue := c.makeQueue(t, "")
	c.makeBus(t, queue)
	s := start(t, "EVENTS=eventbridge", "EVENT_BUS_NAME="+c.name, "DELIVERY_WORKERS=8")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()

	began := time.Now()
	var mu sync.Mutex
	want := map[string]int{}
	numbers := make(chan int)
	var shops sync.WaitGroup
	for range 16 {
		shops.Go(func() {
			for range numbers {
				id, err := s.place(ctx)
				if err == nil {
					_, err = s.ask(ctx, http.MethodPatch, "/orders/"+id, `{"metadata":{"gift":"yes"}}`, http.StatusOK)
				}
				if err != nil {
					t.Error(err)
					continue
				}
				mu.Lock()
				want[id] = 2
				mu.Unlock()
			}
		})
	}
	shops.Go(func() {
		defer close(numbers)
		for n := range orders {
			numbers <- n
		}
	})
	// They are taken as they come: the emulator gets slow with what lies in a queue.
	schemas := s.schemas(t)
	var events []told
	for _, m := range c.receive(ctx, t, queue, 2*orders) {
		events = append(events, readEnvelope(t, schemas, m))
	}
	shops.Wait()
	t.Logf("%d orders placed and changed, %d events received in %v", orders, len(events), time.Since(began).Round(time.Millisecond))
	s.awaitTold(t)
	for _, m := range c.rest(ctx, t, queue) {
		events = append(events, readEnvelope(t, schemas, m))
	}
	checkSequences(t, events, want, 0)
}
