package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// impatient has failing deliveries parked soon.
func impatient(attempts int) []string {
	return []string{
		fmt.Sprint("DELIVERY_MAX_ATTEMPTS=", attempts), "DELIVERY_BACKOFF_MIN=1ms", "DELIVERY_BACKOFF_MAX=5ms",
		"DELIVERY_POLL_INTERVAL=10ms",
	}
}

// breakManifests makes every delivery to the manifests fail, with a file where their folder must be, until mended.
func (s *service) breakManifests(t *testing.T) (mend func()) {
	t.Helper()
	obstacle := filepath.Join(s.dir, "s3")
	if err := os.WriteFile(obstacle, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.Remove(obstacle); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitDeliveries asks for the deliveries of a state until there are so many, and returns the answer.
func (s *service) awaitDeliveries(t *testing.T, state string, count int) []byte {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for {
		page := s.get(t, "/deliveries?state="+state)
		if len(list(t, page, "deliveries")) == count {
			return page
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("waited in vain for %d deliveries that are %s; there is\n%s", count, state, page)
		}
	}
}

// act redrives or skips a delivery to the manifests.
func (s *service) act(t *testing.T, id, action string, status int, has string) {
	t.Helper()
	path := "/deliveries/" + id + "/manifests/" + action
	a := s.ask(t, http.MethodPost, path, nil, nil)
	if a.status != status {
		t.Errorf("POST %s: status %d, not %d\n%s", path, a.status, status, a.body)
	}
	if diff := differ(t, has, a.body, true); diff != "" {
		t.Errorf("POST %s (-want +got):\n%s", path, diff)
	}
}

// TestRedrive parks what can't be delivered, shows it, and sends it again when the cause is mended. The other subscriber
// and other orders are not held up.
func TestRedrive(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, impatient(3)...).start(t)
			mend := s.breakManifests(t)
			id, other := s.place(t, small), s.place(t, small)
			parked := s.awaitDeliveries(t, "parked", 2)
			for i := range 2 {
				place := fmt.Sprintf("deliveries.%d.", i)
				if of := text(t, parked, place+"order_id"); of != id && of != other {
					t.Errorf("a delivery of order %s", of)
				}
				if at(t, parked, place+"next_attempt_at") != nil {
					t.Error("a parked delivery has a next attempt")
				}
			}
			const delivery = `{"order_id": "<id>", "subscriber": "manifests", "state": "parked", "sequence": 1, "attempts": 3,
				"next_attempt_at": null, "last_error": "<text>"}`
			if diff := differ(t, `{"deliveries": [`+delivery+`, `+delivery+`], "next_cursor": null}`, parked, false); diff != "" {
				t.Errorf("parked deliveries (-want +got):\n%s", diff)
			}
			// What comes later waits behind what is parked; the events are told.
			if a := s.ask(t, http.MethodPatch, "/orders/"+id, nil, strings.NewReader(`{"status": "PAID"}`)); a.status != http.StatusOK {
				t.Fatalf("status %d\n%s", a.status, a.body)
			}
			s.out.await(t, "the events to be told", func(lines []line) bool { return len(toldEvents(lines)) == 4 })
			if diff := differ(t, `{"deliveries": [], "next_cursor": null}`, s.awaitDeliveries(t, "waiting", 0), false); diff != "" {
				t.Error(diff)
			}

			mend()
			s.act(t, id, "redrive", http.StatusAccepted, `{"order_id": "`+id+`", "subscriber": "manifests", "action": "redrive"}`)
			s.out.await(t, "the manifest of version 2", func(lines []line) bool { return keptVersions(lines)[id] == 2 })
			s.awaitDeliveries(t, "parked", 1)
			s.act(t, other, "redrive", http.StatusAccepted, `{}`)
			s.awaitDeliveries(t, "parked", 0)
			s.awaitDeliveries(t, "waiting", 0)
		})
	}
}

// TestWaitingDelivery looks at a delivery between two tries, and sends it at once.
func TestWaitingDelivery(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, "DELIVERY_BACKOFF_MIN=1h", "DELIVERY_BACKOFF_MAX=1h", "DELIVERY_POLL_INTERVAL=1m").start(t)
			mend := s.breakManifests(t)
			id := s.place(t, small)
			var waiting []byte
			for waiting = s.awaitDeliveries(t, "waiting", 1); number(t, waiting, "deliveries.0.attempts") == 0; {
				waiting = s.awaitDeliveries(t, "waiting", 1)
			}
			const want = `{"deliveries": [{"order_id": "<id>", "subscriber": "manifests", "state": "waiting", "sequence": 1, "attempts": 1,
			"next_attempt_at": "<time>", "last_error": "<text>"}], "next_cursor": null}`
			if diff := differ(t, want, waiting, false); diff != "" {
				t.Errorf("waiting deliveries (-want +got):\n%s", diff)
			}
			mend()
			s.act(t, id, "redrive", http.StatusAccepted, `{"action": "redrive"}`) // it need not wait for an hour
			s.awaitDeliveries(t, "waiting", 0)
		})
	}
}

// TestSkip passes over an event, and only that.
func TestSkip(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, impatient(1)...).start(t)
			mend := s.breakManifests(t)
			gone, kept := s.place(t, small), s.place(t, small)
			s.awaitDeliveries(t, "parked", 2)
			s.act(t, gone, "skip", http.StatusAccepted, `{"order_id": "`+gone+`", "subscriber": "manifests", "action": "skip"}`)
			s.awaitDeliveries(t, "parked", 1)
			s.act(t, gone, "skip", http.StatusConflict, `{"code": "delivery_not_waiting"}`)
			mend()
			if m := s.manifest(t, gone); m != nil {
				t.Errorf("what was skipped was delivered: %s", m)
			}
			// With a change the order that was skipped is told on, from where it is.
			if a := s.ask(t, http.MethodPatch, "/orders/"+gone, nil, strings.NewReader(`{"status": "CANCELED"}`)); a.status != http.StatusOK {
				t.Fatalf("status %d\n%s", a.status, a.body)
			}
			s.out.await(t, "the manifest of version 2", func(lines []line) bool { return keptVersions(lines)[gone] == 2 })
			s.act(t, kept, "redrive", http.StatusAccepted, `{"order_id": "`+kept+`"}`)
		})
	}
}

// TestParkedDeliveriesArePaged shows each of them once.
func TestParkedDeliveriesArePaged(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, impatient(1)...).start(t)
			mend := s.breakManifests(t)
			for range 7 {
				s.place(t, small)
			}
			s.awaitDeliveries(t, "parked", 7)
			seen := make(map[string]bool)
			pages := 0
			for next := "/deliveries?limit=3"; next != ""; pages++ { // parked is what is listed when nothing is said
				a := s.ask(t, http.MethodGet, next, nil, nil)
				for i := range list(t, a.body, "deliveries") {
					seen[text(t, a.body, fmt.Sprintf("deliveries.%d.order_id", i))] = true
				}
				next, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
			}
			if len(seen) != 7 || pages != 3 {
				t.Errorf("%d orders on %d pages", len(seen), pages)
			}
			mend()
			for id := range seen {
				s.act(t, id, "redrive", http.StatusAccepted, `{}`)
			}
		})
	}
}

// TestRedriveParked sends all that is parked of one subscriber again.
func TestRedriveParked(t *testing.T) {
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			s := newHome(t, on, impatient(1)...).start(t)
			mend := s.breakManifests(t)
			for range 7 {
				s.place(t, small)
			}
			s.awaitDeliveries(t, "parked", 7)
			mend()
			redrive := func(query, want string) {
				t.Helper()
				a := s.ask(t, http.MethodPost, "/deliveries/redrive"+query, nil, nil)
				if diff := differ(t, want, a.body, false); a.status != http.StatusAccepted || diff != "" {
					t.Errorf("status %d (-want +got):\n%s", a.status, diff)
				}
			}
			redrive("?subscriber=events", `{"redriven": 0, "next_cursor": null}`)
			redrive("?subscriber=manifests", `{"redriven": 7, "next_cursor": null}`)
			s.awaitDeliveries(t, "parked", 0)
			s.awaitDeliveries(t, "waiting", 0)
			redrive("", `{"redriven": 0, "next_cursor": null}`)
		})
	}
}

func TestDeliveriesRefused(t *testing.T) {
	refused := func(request, location string) step {
		return step{request: request, status: 422, has: `{"errors": [{"location": "` + location + `", "message": "<text>"}]}`}
	}
	wrong := func(query, location string) step { return refused("GET /deliveries?"+query, location) }
	wrongRedrive := func(query, location string) step { return refused("POST /deliveries/redrive?"+query, location) }
	settled := step{request: "GET /health", status: 200, check: func(t *testing.T, s *service, _ answer) {
		t.Helper()
		s.awaitDeliveries(t, "waiting", 0)
	}}
	run(t, []scenario{{
		name: "what can't be done", orders: 1, told: []string{"OrderCreated"},
		steps: []step{
			placed(), settled,
			{request: "GET /deliveries?state=waiting", status: 200, want: `{"deliveries": [], "next_cursor": null}`},
			{request: "POST /deliveries/{order}/manifests/redrive", status: 409, has: `{"code": "delivery_not_waiting"}`},
			{request: "POST /deliveries/{order}/events/skip", status: 409, has: `{"code": "delivery_not_waiting"}`},
			{request: "POST /deliveries/{order}/nobody/redrive", status: 404, has: `{"code": "delivery_not_found"}`},
			{request: "POST /deliveries/6743f1a0c2d4e6f801234567/manifests/redrive", status: 404, has: `{"code": "order_not_found"}`},
			{request: "POST /deliveries/42/manifests/skip", status: 404, has: `{"code": "order_not_found"}`},
			{request: "POST /deliveries/{order}/manifests/resend", status: 404, has: `{"code": "route_not_found"}`},
			{request: "GET /deliveries/{order}/manifests/redrive", status: 405, headers: fields{"Allow": "POST"}},
			{request: "GET /deliveries/redrive", status: 405, headers: fields{"Allow": "POST"}},
			wrongRedrive("cursor=", "query.cursor"), wrongRedrive("cursor=%21", "query.cursor"),
			wrongRedrive("subscriber=", "query.subscriber"), wrongRedrive("state=parked", "query.state"),
			wrong("state=lost", "query.state"), wrong("limit=0", "query.limit"), wrong("limit=201", "query.limit"),
			wrong("cursor=", "query.cursor"),
			wrong("cursor=%21", "query.cursor"), wrong("order_id=1", "query.order_id"),
		},
	}})
}
