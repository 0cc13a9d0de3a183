package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// marker begins the values that stand for customers' data: none of them may be in a log line, but for the simulated
// calls, which hold what subscribers get.
const marker = "zebra"

// ids returns the ids of all orders, newest first.
func (s *service) ids(t *testing.T) []string {
	t.Helper()
	var ids []string
	for row := range bytes.Lines(s.get(t, "/orders/export?format=ndjson")) {
		ids = append(ids, text(t, row, "id"))
	}
	return ids
}

// checkOrders waits until everything was told, and checks what is true of every order at any time.
func (s *service) checkOrders(t *testing.T) {
	t.Helper()
	type state struct {
		order    []byte
		version  int
		timeline []toldEvent
	}
	states := make(map[string]state)
	for order := range bytes.Lines(s.get(t, "/orders/export?format=ndjson")) {
		id := text(t, order, "id")
		st := state{order: bytes.TrimSuffix(order, []byte("\n")), version: number(t, order, "version")}
		timeline := s.get(t, "/orders/"+id+"/timeline")
		version := 0
		events := list(t, timeline, "events")
		for i := range events {
			place := fmt.Sprintf("events.%d.", i)
			if sequence := number(t, timeline, place+"sequence"); sequence != i+1 {
				t.Errorf("event %d of order %s has the sequence %d", i+1, id, sequence)
			}
			v := number(t, timeline, place+"version")
			if v < version || v > version+1 {
				t.Errorf("event %d of order %s is of version %d, after version %d", i+1, id, v, version)
			}
			version = v
			st.timeline = append(st.timeline, toldEvent{
				id:    text(t, timeline, place+"id"),
				entry: entry{DetailType: text(t, timeline, place+"type"), Time: text(t, timeline, place+"time")},
			})
		}
		if version != st.version {
			t.Errorf("the newest event of order %s is of version %d, the order of version %d", id, version, st.version)
		}
		states[id] = st
	}
	if s.untold {
		return
	}
	lines := s.out.await(t, "every event to be told and every manifest to be kept", func(lines []line) bool {
		told, kept := make(map[string]int), keptVersions(lines)
		for _, e := range toldEvents(lines) {
			told[e.id]++
		}
		for id, st := range states {
			for _, e := range st.timeline {
				if told[e.id] == 0 {
					return false
				}
			}
			if kept[id] < st.version {
				return false
			}
		}
		return true
	})
	told := make(map[string][]toldEvent)
	for _, e := range toldEvents(lines) {
		id, _, _ := strings.Cut(e.id, "-")
		told[id] = append(told[id], e)
	}
	for id, st := range states {
		checkTold(t, id, st.timeline, told[id])
		if diff := cmp.Diff(string(st.order), string(s.manifest(t, id))); diff != "" {
			t.Errorf("manifest of order %s (-order +manifest):\n%s", id, diff)
		}
		delete(told, id)
	}
	if len(told) > 0 {
		t.Errorf("events of orders that are not there: %v", told)
	}
	if files, err := os.ReadDir(s.bucket()); len(files) != len(states) {
		t.Errorf("%d manifests of %d orders (%v)", len(files), len(states), err)
	}
}

// checkTold checks that what was told of an order is its timeline, each event once: nothing here makes a delivery fail
// after it was made.
func checkTold(t *testing.T, id string, timeline, told []toldEvent) {
	t.Helper()
	if len(told) != len(timeline) {
		t.Errorf("%d events of order %s were told %d times", len(timeline), id, len(told))
		return
	}
	for i, e := range told {
		want := timeline[i]
		want.Source, want.EventBusName, want.Resources = "order-processing-service", "orders-bus", []string{"orders/" + id}
		want.Detail = e.Detail
		if diff := cmp.Diff(want, e, cmp.AllowUnexported(toldEvent{})); diff != "" {
			t.Errorf("event %d of order %s (-timeline +told):\n%s", i+1, id, diff)
		}
		if got := text(t, []byte(e.Detail), "orderId"); got != id {
			t.Errorf("the detail of event %s is about order %s", e.id, got)
		}
		if got := number(t, []byte(e.Detail), "sequence"); got != i+1 {
			t.Errorf("the detail of event %s has the sequence %d", e.id, got)
		}
	}
}

// toldTypes returns the types of all events that were told, those of one order together.
func (s *service) toldTypes() []string {
	lines, _ := s.out.all()
	var orders []string
	types := make(map[string][]string)
	for _, e := range toldEvents(lines) {
		id, _, _ := strings.Cut(e.id, "-")
		if types[id] == nil {
			orders = append(orders, id)
		}
		types[id] = append(types[id], e.DetailType)
	}
	all := []string{}
	for _, id := range orders {
		all = append(all, types[id]...)
	}
	return all
}

// checkOutput checks every line that a service has written that has stopped.
func (s *service) checkOutput(t *testing.T) {
	t.Helper()
	lines, _ := s.out.all()
	if len(s.out.strange) > 0 {
		t.Errorf("no lines of JSON: %q", s.out.strange)
	}
	requests := 0
	for _, l := range lines {
		if !placeholders["<time>"].MatchString(l.Timestamp) ||
			l.Message == "" || l.Service != "order-processing-service" || l.Version == "" ||
			!slices.Contains([]string{"DEBUG", "INFO", "WARNING", "ERROR"}, l.Level) {
			t.Errorf("a log line lacks something: %s", l.text)
		}
		if l.Level == "ERROR" && !s.broken {
			t.Errorf("an error was logged: %s", l.text)
		}
		if l.AWS.Operation == "" && strings.Contains(l.text, marker) {
			t.Errorf("a customer's data is in a log line: %s", l.text)
		}
		if l.Message != "request" {
			continue
		}
		requests++
		nowhere := l.Code == "route_not_found" || l.Code == "method_not_allowed"
		if l.Method == "" || l.Route == "" && !nowhere || l.Status < http.StatusOK || l.Duration < 0 || l.Bytes < 0 ||
			l.RequestID == "" || len(l.TraceID) != 32 || len(l.SpanID) != 16 || len(l.XRay) != 2+8+1+24 {
			t.Errorf("a request's line lacks something: %s", l.text)
		}
	}
	if asked := int(s.asked.Load()); requests != asked && !s.unanswered {
		t.Errorf("%d requests have %d log lines", asked, requests)
	}
}
