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

// TestLoad places AWS_LOAD_ORDERS orders (10,000), changes every tenth, and holds that each event came through the bus, in
// sequence. No more than inFlight orders are ahead of what was received: the emulator gets slow with what lies in a queue.
func TestLoad(t *testing.T) {
	c := newCloud(t)
	orders := 10_000
	if text := os.Getenv("AWS_LOAD_ORDERS"); text != "" {
		var err error
		orders, err = strconv.Atoi(text)
		must(t, err)
	}
	queue := c.makeQueue(t, "")
	c.makeBus(t, queue, "order-processing-service")
	s := start(t, "EVENTS=eventbridge", "EVENT_BUS_NAME="+c.name, "DELIVERY_WORKERS=8")
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()

	const inFlight, shops = 32, 16
	began := time.Now()
	var mu sync.Mutex
	want := map[string]int{}
	numbers := make(chan int, inFlight)
	var open sync.WaitGroup
	for range shops {
		open.Go(func() {
			for n := range numbers {
				id, err := s.place(ctx)
				events := 1
				if err == nil && n%10 == 0 {
					_, err = s.ask(ctx, http.MethodPatch, "/orders/"+id, `{"metadata":{"gift":"yes"}}`, http.StatusOK)
					events++
				}
				if err != nil {
					t.Errorf("order %d: %v", n, err)
					continue
				}
				mu.Lock()
				want[id] = events
				mu.Unlock()
			}
		})
	}
	next := 0
	order := func() {
		if next < orders {
			numbers <- next
			next++
		}
	}
	for range inFlight {
		order()
	}
	schemas := s.schemas(t)
	var events []told
	for len(events) < orders+(orders+9)/10 {
		for _, m := range c.receive(ctx, t, queue, 1) {
			e := readEnvelope(t, schemas, m)
			events = append(events, e)
			if e.sequence == 1 {
				order()
			}
		}
	}
	close(numbers)
	open.Wait()
	t.Logf("%d orders placed, %d events received in %v", orders, len(events), time.Since(began).Round(time.Millisecond))
	s.awaitTold(t)
	for _, m := range c.rest(ctx, t, queue) {
		events = append(events, readEnvelope(t, schemas, m))
	}
	checkSequences(t, events, want, 0)
}
