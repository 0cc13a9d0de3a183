package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// underway is a request that the service has begun to work on and that waits for its body.
type underway struct {
	s    *service
	conn net.Conn
	from *bufio.Reader
	body string
}

// begin sends the header of a request to place an order, and returns when the service asks for its body.
func (s *service) begin(t *testing.T, body string) *underway {
	t.Helper()
	conn := s.converse(t, fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: orders\r\nContent-Type: application/json\r\n"+
		"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body)))
	from := bufio.NewReader(conn)
	if first, err := from.ReadString('\n'); err != nil || !strings.Contains(first, "100 Continue") {
		t.Fatalf("%q, %v", first, err)
	}
	if blank, err := from.ReadString('\n'); err != nil || blank != "\r\n" {
		t.Fatalf("%q, %v", blank, err)
	}
	s.asked.Add(1)
	return &underway{s, conn, from, body}
}

// finish sends the body and returns the answer.
func (u *underway) finish(t *testing.T) answer {
	t.Helper()
	if _, err := io.WriteString(u.conn, u.body); err != nil {
		t.Fatal(err)
	}
	a := reply(t, u.from, http.MethodPost)
	checkAnswer(t, http.MethodPost, "/orders", a)
	return a
}

// TestGracefulStop finishes what is under way, takes nothing new, and the next start finds everything.
func TestGracefulStop(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			h := newHome(t, on)
			s := h.start(t)
			for range 20 {
				s.place(t, small)
			}
			keyed := fields{"Idempotency-Key": "k-1"}
			first := s.ask(t, http.MethodPost, "/orders", keyed, strings.NewReader(small))
			under := s.begin(t, small)
			s.stop()
			s.out.awaitMessage(t, "stopping")
			s.awaitRefusal(t)
			a := under.finish(t)
			if a.status != http.StatusCreated {
				t.Errorf("what was under way is answered with %d\n%s", a.status, a.body)
			}
			s.end(t)
			s.out.awaitMessage(t, "stopped")

			next := h.start(t)
			next.untold = true // the one before has told most of it; below is what they told together
			if ids := next.ids(t); len(ids) != 22 {
				t.Errorf("%d orders are left of 22", len(ids))
			}
			if diff := cmp.Diff(string(a.body), string(next.get(t, "/orders/"+text(t, a.body, "id")))); diff != "" {
				t.Errorf("the order that was under way (-answer +order):\n%s", diff)
			}
			again := next.ask(t, http.MethodPost, "/orders", keyed, strings.NewReader(small))
			if again.header.Get("Idempotent-Replayed") != "true" || text(t, again.body, "id") != text(t, first.body, "id") {
				t.Errorf("the key is forgotten: %s", again.body)
			}
			before, _ := s.out.all()
			next.awaitDeliveries(t, "waiting", 0)
			after, _ := next.out.all()
			told := make(map[string]int)
			for _, e := range toldEvents(append(before, after...)) {
				told[e.id]++
			}
			if len(told) != 22 {
				t.Errorf("%d events were told of 22: %v", len(told), told)
			}
			for id, times := range told {
				if times != 1 {
					t.Errorf("event %s was told %d times, though nothing failed", id, times)
				}
			}
		})
	}
}

// awaitRefusal waits until the service takes no new connections.
func (s *service) awaitRefusal(t *testing.T) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-again.C:
		case <-limit:
			t.Fatal("the service still takes connections")
		}
	}
}

// TestStopDoesNotWaitForEver cuts off what does not end in time, says so, and loses nothing.
func TestStopDoesNotWaitForEver(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			h := newHome(t, on, "SHUTDOWN_TIMEOUT=200ms")
			s := h.start(t)
			s.unanswered = true
			s.place(t, small)
			s.begin(t, small)
			s.checkOrders(t)
			s.stop()
			select {
			case <-s.stopped:
			case <-time.After(patience):
				t.Fatal("the service does not stop")
			}
			if s.err == nil || !strings.Contains(s.err.Error(), "some requests were cut off by the stop") {
				t.Errorf("the service ended with %v", s.err)
			}
			s.err = nil
			h.settings["SHUTDOWN_TIMEOUT"] = "15s" // the next one has nothing to cut off
			next := h.start(t)
			next.untold = true // the one before did
			if ids := next.ids(t); len(ids) != 1 {
				t.Errorf("there are the orders %v", ids)
			}
		})
	}
}

// TestStoreAway takes the store away: the process lives, says that it is not ready, refuses in time, and goes on when
// the store is back. What was sent meanwhile is there once when it is sent again.
func TestStoreAway(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, "REQUEST_TIMEOUT=2s", "MONGO_TIMEOUT=3s").start(t)
			id := s.place(t, small)
			s.awaitDeliveries(t, "waiting", 0)
			giveBack := on.lose(t, s.dir)

			s.get(t, "/health")
			s.get(t, "/health/live")
			keyed := fields{"Idempotency-Key": "k-1"}
			for _, request := range []struct{ method, path, body string }{
				{http.MethodGet, "/health/ready", ""},
				{http.MethodPost, "/orders", small},
				{http.MethodPatch, "/orders/" + id, `{"status": "PAID"}`},
			} {
				begun := time.Now()
				a := s.ask(t, request.method, request.path, keyed, strings.NewReader(request.body))
				if took := time.Since(begun); a.status != http.StatusServiceUnavailable || took > 8*time.Second {
					t.Errorf("%s %s: status %d after %s\n%s", request.method, request.path, a.status, took, a.body)
				}
			}

			giveBack()
			s.awaitReady(t)
			if a := s.ask(t, http.MethodPost, "/orders", keyed, strings.NewReader(small)); a.status != http.StatusCreated {
				t.Errorf("status %d\n%s", a.status, a.body)
			}
			a := s.ask(t, http.MethodPatch, "/orders/"+id, keyed, strings.NewReader(`{"status": "PAID"}`))
			if a.status != http.StatusOK || number(t, a.body, "version") != 2 {
				t.Errorf("status %d\n%s", a.status, a.body)
			}
			if ids := s.ids(t); len(ids) != 2 {
				t.Errorf("there are the orders %v", ids)
			}
		})
	}
}

// awaitReady waits until the service says that it is ready.
func (s *service) awaitReady(t *testing.T) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for s.ask(t, http.MethodGet, "/health/ready", nil, nil).status != http.StatusOK {
		select {
		case <-again.C:
		case <-limit:
			t.Fatal("the service does not become ready")
		}
	}
}
