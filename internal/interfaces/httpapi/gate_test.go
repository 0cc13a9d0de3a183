package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// counted counts what is turned away.
type counted struct {
	httpapi.Meter
	mu      sync.Mutex
	refused map[string]int
}

func (*counted) Begun(string, string)                                              {}
func (*counted) Ended(context.Context, string, string, string, int, time.Duration) {}
func (c *counted) Refused(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[string]int)
	}
	c.refused[reason]++
}

func (c *counted) want(t *testing.T, want map[string]int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if diff := cmp.Diff(want, c.refused); diff != "" {
		t.Errorf("turned away (-want +got):\n%s", diff)
	}
}

// stuck is a store whose reads wait until the test opens it, or their callers leave.
type stuck struct {
	begun chan struct{} // gets one for each that begins
	open  chan struct{}
	left  atomic.Int64 // callers that did not wait for the end
}

func newStuck() *stuck { return &stuck{begun: make(chan struct{}, 10_000), open: make(chan struct{})} }

func (s *stuck) get(ctx context.Context) (*order.Order, error) {
	s.begun <- struct{}{}
	select {
	case <-s.open:
		return nil, order.ErrNotFound
	case <-ctx.Done():
		s.left.Add(1)
		return nil, ctx.Err()
	}
}

// begin has so many reads begin and returns their answers to come, once they are worked on.
func (s *stuck) begin(t *testing.T, on *service, calls int) chan answer {
	t.Helper()
	answers := make(chan answer, calls)
	for range calls {
		go func() {
			a, _ := on.try("GET", nowhere, nil)
			answers <- a
		}()
	}
	for range calls {
		<-s.begun
	}
	return answers
}

// retries tells whether the answer says when to come again: how soon that is depends on what was served lately.
func retries(a answer) bool {
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	return err == nil && seconds >= 1 && seconds <= 20
}

func tooBusy(t *testing.T, a answer) {
	t.Helper()
	if a.status != 503 || !retries(a) || decoded[wire.Problem](t, a).Code != "too_busy" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
}

// TestOverload sends five times what may be worked on and wait, to a store that is stuck. All others are turned away, while nothing of
// those inside gets done; health answers; memory does not grow with what was turned away; and everything goes on in the moment
// that the store does.
func TestOverload(t *testing.T) {
	const working, waiting, times = 8, 16, 5
	store, meter := newStuck(), new(counted)
	s := on(t, &scripted{get: store.get}, func(c *httpapi.Config) {
		c.MaxConcurrent, c.MaxWaiting, c.QueueTimeout, c.Meter = working, waiting, time.Hour, meter
		c.RequestTimeout = time.Hour
	})
	inside := store.begin(t, s, working)
	answers := make(chan answer, (working+waiting)*times)
	const more = (working+waiting)*times - working
	for range more {
		go func() {
			a, _ := s.try("GET", nowhere, nil)
			answers <- a
		}()
	}
	for range more - waiting {
		tooBusy(t, <-answers)
	}
	meter.want(t, map[string]int{httpapi.RefusedQueueFull: more - waiting})

	goroutines := runtime.NumGoroutine()
	for range 200 {
		tooBusy(t, s.do("POST", "/orders", tea))
	}
	if now := runtime.NumGoroutine(); now > goroutines+20 {
		t.Errorf("%d goroutines became %d", goroutines, now)
	}
	for _, path := range []string{"/health", "/health/live", "/health/ready"} {
		if a := s.do("GET", path, ""); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if n := len(store.begun) + len(inside) + len(answers); n != 0 {
		t.Errorf("%d more than may be are worked on or answered", n)
	}

	close(store.open)
	for range working {
		if a := <-inside; a.status != 404 {
			t.Errorf("one inside: %d", a.status)
		}
	}
	for range waiting {
		if a := <-answers; a.status != 404 {
			t.Errorf("one that waited: %d", a.status)
		}
	}
	s.place(tea)
}

// TestWaitsEnd has those who wait leave: the store that is stuck never hears of them.
func TestWaitsEnd(t *testing.T) {
	store, meter := newStuck(), new(counted)
	s := on(t, &scripted{get: store.get}, func(c *httpapi.Config) {
		c.MaxConcurrent, c.MaxWaiting, c.QueueTimeout, c.Meter = 1, 10, 20*time.Millisecond, meter
	})
	inside := store.begin(t, s, 1)
	tooBusy(t, s.do("GET", nowhere, ""))
	tooBusy(t, s.do("POST", "/orders", tea))
	meter.want(t, map[string]int{httpapi.RefusedQueueTimeout: 2})
	close(store.open)
	<-inside
	if n := len(store.begun); n != 0 {
		t.Errorf("the store is asked %d times", n)
	}
	s.place(tea)
}

// awaitWaiting returns once so many requests wait.
func (s *service) awaitWaiting(requests int) {
	s.t.Helper()
	for limit := time.Now().Add(20 * time.Second); s.api.Waiting() != requests; runtime.Gosched() {
		if time.Now().After(limit) {
			s.t.Fatalf("%d wait", s.api.Waiting())
		}
	}
}

// TestLongRequestsLeaveRoom has exports that never end take an eighth of the places, and batches another one.
func TestLongRequestsLeaveRoom(t *testing.T) {
	begun, open := make(chan struct{}), make(chan struct{})
	s := on(t, &scripted{create: func(context.Context) error {
		begun <- struct{}{}
		<-open
		return order.ErrNotFound
	}}, func(c *httpapi.Config) { c.MaxConcurrent = 16 })
	answers := make(chan answer, 2)
	for range 2 {
		go func() {
			a, _ := s.try("POST", "/orders/batch", strings.NewReader(`{"orders":[`+tea+`]}`))
			answers <- a
		}()
		<-begun
	}
	tooBusy(t, s.do("POST", "/orders/batch", `{"orders":[`+tea+`]}`))
	for _, path := range []string{"/orders", "/orders/export"} {
		if a := s.do("GET", path, ""); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	close(open)
	for range 2 {
		if a := <-answers; a.status != 200 {
			t.Errorf("a batch: %d", a.status)
		}
	}
	if a := s.do("POST", "/orders/batch", `{"orders":[]}`); a.status == 503 {
		t.Errorf("afterwards: %d", a.status)
	}
}

// TestSlowSendersKeepNobodyOut has clients that never send their bodies take all places, and gets one all the same.
func TestSlowSendersKeepNobodyOut(t *testing.T) {
	s := start(t, func(c *httpapi.Config, _ *memory.Store) {
		c.MaxConcurrent, c.MaxWaiting, c.QueueTimeout = 2, 1, time.Hour
	})
	first := s.callMany(t, 2, length(len(tea)+len(`{"orders":[]}`)))
	if len(first) != 2 {
		t.Fatal("there is room for two")
	}
	s.awaitPlace(t) // as soon as they are known to be slow
	for _, c := range first {
		c.send(`{"orders":[` + tea + `]}`)
		if a := c.answer(); a.status != 200 {
			t.Errorf("a slow one: %d %s", a.status, a.body)
		}
	}
}

// TestSlowSendersAreBounded has more of them than there may be: the last ones are refused while their bodies are still to come.
func TestSlowSendersAreBounded(t *testing.T) {
	s := start(t, func(c *httpapi.Config, _ *memory.Store) {
		c.MaxConcurrent, c.MaxWaiting, c.QueueTimeout = 1, 2, time.Hour
	})
	calls := s.callMany(t, 4, length(len(tea)))
	s.awaitPlace(t) // once the last of them is known to be slow
	for range 2 {
		c, status := s.call(t, length(len(tea)))
		if status != http.StatusContinue {
			t.Fatalf("status %d", status)
		}
		if a := c.answer(); a.status != 503 {
			t.Errorf("one too many: %d %s", a.status, a.body)
		}
		if _, err := c.r.ReadByte(); err != io.EOF {
			t.Errorf("its connection goes on: %v", err)
		}
	}
	s.awaitPlace(t)
	for _, c := range calls {
		c.send(strings.Repeat(" ", len(tea)))
		if a := c.answer(); a.status != 400 { // it is no JSON
			t.Errorf("one of those that may be slow: %d %s", a.status, a.body)
		}
	}
}

// TestTurnedAwayInOneLine has the log hear of all that were turned away together.
func TestTurnedAwayInOneLine(t *testing.T) {
	store := newStuck()
	s := on(t, &scripted{get: store.get}, func(c *httpapi.Config) { c.MaxConcurrent = 1 })
	inside := store.begin(t, s, 1)
	for range 20 {
		tooBusy(t, s.do("GET", nowhere, ""))
	}
	for limit := time.Now().Add(20 * time.Second); !strings.Contains(s.log.String(), `"queue_full":`); runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatalf("the log says nothing: %s", s.log)
		}
	}
	close(store.open)
	<-inside
	warnings := 0
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, `"WARN"`) {
			warnings++
		}
	}
	if warnings >= 20 { // one a second, and on a slow machine they take some
		t.Errorf("%d warnings of 20 requests: %s", warnings, s.log)
	}
}

// TestRefusedConnectionsRest asks for a rest of each connection that goes on, and closes those whose bodies would have to be read.
func TestRefusedConnectionsRest(t *testing.T) {
	store := newStuck()
	var mu sync.Mutex
	var rests []time.Duration
	s := on(t, &scripted{get: store.get}, func(c *httpapi.Config) {
		c.MaxConcurrent = 1
		c.Rest = func(_ context.Context, most time.Duration) int {
			mu.Lock()
			defer mu.Unlock()
			if most > 0 {
				rests = append(rests, most)
			}
			return 0
		}
	})
	inside := store.begin(t, s, 1)
	tooBusy(t, s.do("POST", "/orders", tea))
	if len(rests) != 1 || rests[0] != 20*time.Second {
		t.Errorf("rests for %v", rests)
	}
	c, _ := s.call(t, length(mebibyte)+"\r\nConnection: keep-alive")
	if _, err := c.r.ReadByte(); err != io.EOF {
		t.Errorf("a connection whose body nobody wants goes on: %v", err)
	}
	if len(rests) != 1 {
		t.Errorf("rests for %v", rests)
	}
	close(store.open)
	<-inside
}
