//go:build unix

package lambda_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/lambda"
	"order-processing-service/test/process"
)

// post is an event that asks for something with a body.
func post(t *testing.T, method, path, body string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": path, "rawQueryString": "", "body": body, "isBase64Encoded": false,
		"headers": map[string]string{"content-type": "application/json"},
		"requestContext": map[string]any{
			"stage": "$default", "requestId": "r-1", "http": map[string]string{"method": method, "path": path, "sourceIp": "203.0.113.7"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// placed returns the id of the order that an invocation placed.
func placed(t *testing.T, payload []byte) string {
	t.Helper()
	var a events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(payload, &a); err != nil || a.StatusCode != http.StatusCreated {
		t.Fatalf("no order was placed: %v, %s", err, payload)
	}
	return strings.TrimPrefix(a.Headers["Location"], "/orders/")
}

func recorded(t *testing.T, name string) []byte {
	t.Helper()
	text, err := lambda.Recorded.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// withBus starts an instance that tells a bus.
func withBus(t *testing.T, r *lambda.Runtime, dir string, settings ...string) (*lambda.Bus, *lambda.Function) {
	t.Helper()
	bus := lambda.NewBus(t)
	return bus, again(t, r, dir, bus, settings...)
}

// again starts another instance on the same store.
func again(t *testing.T, r *lambda.Runtime, dir string, bus *lambda.Bus, settings ...string) *lambda.Function {
	t.Helper()
	all := bus.Settings()
	for _, pair := range settings {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return lambda.Start(t, lambda.Config{Runtime: r, Dir: dir, Settings: all})
}

// TestToldBeforeTheAnswer freezes the function right after each answer: everything has been told and logged by then.
func TestToldBeforeTheAnswer(t *testing.T) {
	r := lambda.NewRuntime(t)
	bus, f := withBus(t, r, t.TempDir())
	var want []string
	for n := range 5 {
		id := placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
		f.Freeze(t)
		want = append(want, id+"-1")
		if diff := cmp.Diff(want, bus.Events()); diff != "" {
			t.Fatalf("events (-want +told):\n%s", diff)
		}
		requests := 0
		for _, l := range f.Lines(t) {
			if l.Message == "request" {
				requests++
			}
		}
		if requests != n+1 {
			t.Errorf("after %d answers there are %d lines of requests", n+1, requests)
		}
		f.Thaw(t)
	}
}

// TestFrozenWhileTelling freezes an instance that the bus has kept waiting, for longer than its leases. When it goes on it is
// well, and tells nothing out of order.
func TestFrozenWhileTelling(t *testing.T) {
	inTime(t, func() string { return frozenWhileTelling(t) })
}

// tooLate is the problem of a change whose commit took so much of its lease that it was left to a sweep.
const tooLate = "the change was committed too late for its lease"

// frozenWhileTelling tells whether the bus was asked at all before the freeze.
func frozenWhileTelling(t *testing.T) (problem string) {
	t.Helper()
	dir := t.TempDir()
	r := lambda.NewRuntime(t)
	bus, f := withBus(t, r, dir, "DELIVERY_LEASE=1s")
	id := placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))

	bus.Hold()
	answer := r.Begin(post(t, "PATCH", "/orders/"+id, `{"status":"PAID"}`), 3*time.Second).Await(t)
	if answer.Failed || !strings.Contains(string(answer.Payload), `"statusCode":200`) {
		t.Fatalf("the invocation failed: %s", answer.Payload)
	}
	f.Freeze(t)
	if !wasAsked(bus) {
		return tooLate
	}
	lease := time.NewTimer(1200 * time.Millisecond) // longer than the lease
	<-lease.C
	bus.Release()
	f.Thaw(t)
	// The embedded store has one process, so that the same instance sweeps.
	process.Await(t, "all to be told", func() bool {
		answer := string(r.Invoke(t, recorded(t, "scheduler")))
		if answer != `{"left":0,"complete":true}` {
			t.Fatalf("the sweep answers %s", answer)
		}
		return toldAll(bus.Events(), id, 3)
	})
	checkSequence(t, bus.Events())
	if repeats := len(bus.Events()) - 3; repeats > 2 {
		t.Errorf("%d events were repeated, of the 2 that were under way: %v", repeats, bus.Events())
	}
	placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder))) // it goes on as ever
	return ""
}

// wasAsked tells whether events have come to the bus since it was held.
func wasAsked(bus *lambda.Bus) bool {
	select {
	case <-bus.Asked():
		return true
	default:
		return false
	}
}

// TestSweepTellsWhatAKilledInstanceLeft kills an instance after it committed and before the bus has answered.
func TestSweepTellsWhatAKilledInstanceLeft(t *testing.T) {
	for _, schedule := range []string{"scheduler", "scheduled-rule", "sweep"} {
		t.Run(schedule, func(t *testing.T) {
			dir := t.TempDir()
			r := lambda.NewRuntime(t)
			bus, f := withBus(t, r, dir)
			bus.Hold()
			r.Begin(post(t, "POST", "/orders", newOrder), process.Patience)
			awaitAsked(t, bus)
			f.Kill(t)
			bus.Release()
			before := bus.Events()
			again(t, r, dir, bus)
			if got := string(r.Invoke(t, recorded(t, schedule))); got != `{"left":0,"complete":true}` {
				t.Errorf("the sweep answers %s", got)
			}
			told := bus.Events()
			if len(before) != 1 || len(told) != 2 || told[1] != before[0] {
				t.Errorf("before the kill %v was sent, after the sweep %v", before, told)
			}
		})
	}
}

// TestDeadline has a bus that does not answer in the time that the function has. The order is safe, the answer comes in
// time, the log says what is left, and the same instance tells it later without another process.
func TestDeadline(t *testing.T) {
	inTime(t, func() string { return lateness(t) })
}

// lateness tells whether an answer came too late.
func lateness(t *testing.T) (problem string) {
	t.Helper()
	r := lambda.NewRuntime(t)
	bus, f := withBus(t, r, t.TempDir())
	r.Invoke(t, post(t, "GET", "/health", "")) // its start takes none of the time
	bus.Hold()
	const timeout = 3 * time.Second
	begun := time.Now()
	i := r.Begin(post(t, "POST", "/orders", newOrder), timeout)
	first := i.Await(t)
	id := placed(t, first.Payload)
	took := first.Time.Sub(begun)
	if took < timeout/2 {
		t.Errorf("the answer took only %v of %v", took, timeout)
	}
	if !slices.ContainsFunc(f.Lines(t), func(l process.Line) bool { return strings.Contains(l.Text, `"left":1`) }) {
		t.Error("the log does not say that something is left")
	}
	a := r.Begin(recorded(t, "sweep"), timeout).Await(t)
	if got := string(a.Payload); a.Failed || got != `{"left":1,"complete":false}` {
		t.Errorf("a sweep without success answers %s", got)
	}
	bus.Release()
	r.Invoke(t, post(t, "GET", "/orders/"+id, ""))
	if diff := cmp.Diff([]string{id + "-1"}, bus.Events()); diff != "" {
		t.Errorf("events (-want +told):\n%s", diff)
	}
	if first.Time.After(i.Deadline) {
		return fmt.Sprintf("the answer took %v of %v", took, timeout)
	}
	return ""
}

// toldAll reports whether all of the order's events came.
func toldAll(told []string, id string, count int) bool {
	for n := range count {
		if !slices.Contains(told, fmt.Sprintf("%s-%d", id, n+1)) {
			return false
		}
	}
	return true
}

// checkSequence sees to it that no event of an order came before the one before it.
func checkSequence(t *testing.T, told []string) {
	t.Helper()
	seen := make(map[string]bool)
	for _, event := range told {
		id, n, _ := strings.Cut(event, "-")
		var number int
		if _, err := fmt.Sscan(n, &number); err != nil {
			t.Fatal(err)
		}
		if number > 1 && !seen[fmt.Sprintf("%s-%d", id, number-1)] {
			t.Errorf("%s came before the event before it: %v", event, told)
		}
		seen[event] = true
	}
}

// awaitAsked waits until events come to the bus.
func awaitAsked(t *testing.T, bus *lambda.Bus) {
	t.Helper()
	select {
	case <-bus.Asked():
	case <-time.After(process.Patience):
		t.Fatal("nobody asks the bus")
	}
}
