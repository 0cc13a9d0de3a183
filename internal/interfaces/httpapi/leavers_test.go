package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/interfaces/httpapi"
)

// endings tells with which statuses requests end.
type endings struct {
	httpapi.Meter
	statuses chan int
}

func (*endings) Begun(string, string) {}
func (*endings) Refused(string)       {}
func (e *endings) Ended(_ context.Context, _, _, _ string, status int, _ time.Duration) {
	e.statuses <- status
}

// watched starts a service with one place on a store that is stuck. It tells how requests end, and what is recorded of those that are.
func watched(t *testing.T, store *stuck) (_ *service, _ *endings, records chan string) {
	t.Helper()
	meter, records := &endings{statuses: make(chan int, 100)}, make(chan string, 100)
	return on(t, &scripted{get: store.get}, func(c *httpapi.Config) {
		c.MaxConcurrent, c.MaxWaiting, c.QueueTimeout, c.RequestTimeout, c.Meter = 1, 10, time.Hour, time.Hour, meter
		c.Record = func(ctx context.Context, _ httpapi.Request) (context.Context, func(int, bool)) {
			return ctx, func(status int, cut bool) { records <- fmt.Sprint(status, cut) }
		}
	}), meter, records
}

// visit has somebody ask who may leave.
func (s *service) visit(t *testing.T) (leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+nowhere, http.NoBody)
		if err == nil {
			_, err = s.client.Do(r) //nolint:bodyclose // there is none
		}
		gone <- err
	}()
	return func() {
		t.Helper()
		cancel()
		if err := <-gone; err == nil {
			t.Error("it was answered")
		}
	}
}

// TestWhoLeavesIsNoFailure has clients go while they wait, while they are worked on, and while they wait to come back with a body that
// was slow. The store never hears of those who waited; nobody is told of a failure.
func TestWhoLeavesIsNoFailure(t *testing.T) {
	store := newStuck()
	s, meter, records := watched(t, store)
	ended := func() {
		t.Helper()
		if status := <-meter.statuses; status != 0 {
			t.Errorf("measured as %d", status)
		}
	}
	atWork := s.visit(t)
	<-store.begun
	waits := s.visit(t)
	s.awaitWaiting(1)
	waits()
	ended()
	s.awaitWaiting(0)
	atWork()
	ended()
	if n := len(store.begun); n != 0 {
		t.Errorf("the store is asked %d times", n)
	}

	slow, status := s.call(t, length(len(tea)))
	if status != http.StatusContinue {
		t.Fatalf("status %d", status)
	}
	inside := store.begin(t, s, 1) // in its place
	slow.send(strings.Repeat(" ", len(tea)))
	s.awaitWaiting(1)
	if err := slow.conn.Close(); err != nil {
		t.Fatal(err)
	}
	ended()

	for range 2 { // which come after the log lines; the one that waited has none
		if r := <-records; r != "0 false" {
			t.Errorf("recorded as %s", r)
		}
	}
	for line := range strings.Lines(s.log.String()) {
		if !strings.Contains(line, `"level":"DEBUG"`) || !strings.Contains(line, `"status":0`) {
			t.Errorf("the log says %s", line)
		}
	}
	close(store.open)
	if a := <-inside; a.status != 404 {
		t.Errorf("the one at work: %d", a.status)
	}
	s.place(tea)
}
