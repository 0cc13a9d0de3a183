//go:build unix

package lambda_test

import (
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/lambda"
)

// message is one record of a batch.
type message struct{ id, group, body string }

// batch is the recorded batch with other messages.
func batch(t *testing.T, name string, messages ...message) []byte {
	t.Helper()
	var all events.SQSEvent
	if err := json.Unmarshal(recorded(t, name), &all); err != nil {
		t.Fatal(err)
	}
	first := all.Records[0]
	all.Records = nil
	for _, m := range messages {
		r := first
		r.MessageId, r.Body = m.id, m.body
		r.Attributes = maps.Clone(first.Attributes)
		if m.group != "" {
			r.Attributes["MessageGroupId"] = m.group
		}
		all.Records = append(all.Records, r)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// failures are the messages that the function reports.
func failures(t *testing.T, payload []byte) []string {
	t.Helper()
	var a events.SQSEventResponse
	if err := json.Unmarshal(payload, &a, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v: %s", err, payload)
	}
	ids := []string{}
	for _, f := range a.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

// status is that of an order.
func status(t *testing.T, r *lambda.Runtime, id string) string {
	t.Helper()
	var a events.APIGatewayV2HTTPResponse
	var o struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(r.Invoke(t, post(t, "GET", "/orders/"+id, "")), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(a.Body), &o, json.RejectUnknownMembers(false)); err != nil {
		t.Fatal(err)
	}
	return o.Status
}

func paid(id string) string      { return `{"type":"PaymentSucceeded","orderId":"` + id + `"}` }
func sent(id string) string      { return `{"type":"ShipmentDispatched","orderId":"` + id + `"}` }
func delivered(id string) string { return `{"type":"ShipmentDelivered","orderId":"` + id + `"}` }

// TestQueue has commands move orders. What is early comes again and is then applied; a repeat changes nothing; and all that
// came of it has been told before the answer.
func TestQueue(t *testing.T) {
	r := lambda.NewRuntime(t)
	bus, _ := withBus(t, r, t.TempDir())
	a := placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
	b := placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))

	got := failures(t, r.Invoke(t, batch(t, "queue",
		message{id: "m-1", body: delivered(a)}, message{id: "m-2", body: paid(b)}, message{id: "m-3", body: "no command"})))
	// The third can't ever be applied. With no queue for dead letters named it comes again, until its own queue gives it up.
	if diff := cmp.Diff([]string{"m-1", "m-3"}, got); diff != "" {
		t.Errorf("failures (-want +reported):\n%s", diff)
	}
	if status(t, r, a) != "PENDING" || status(t, r, b) != "PAID" {
		t.Errorf("the orders are %s and %s", status(t, r, a), status(t, r, b))
	}
	if !toldAll(bus.Events(), b, 3) {
		t.Errorf("not all is told: %v", bus.Events())
	}
	for _, m := range []message{{id: "m-4", body: paid(a)}, {id: "m-5", body: sent(a)}, {id: "m-1", body: delivered(a)}, {id: "m-2", body: paid(b)}} {
		if got := failures(t, r.Invoke(t, batch(t, "queue", m))); len(got) > 0 {
			t.Errorf("%s failed", m.id)
		}
	}
	if status(t, r, a) != "DELIVERED" || status(t, r, b) != "PAID" {
		t.Errorf("the orders are %s and %s", status(t, r, a), status(t, r, b))
	}
	checkSequence(t, bus.Events())
}

// TestFIFOQueue has a message of a group that can't be applied yet: those after it in its group are left alone, so that
// their order is kept, and the other group goes on.
func TestFIFOQueue(t *testing.T) {
	r := lambda.NewRuntime(t)
	lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir()})
	a := placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
	b := placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
	got := failures(t, r.Invoke(t, batch(t, "queue-fifo",
		message{"m-1", a, sent(a)}, message{"m-2", b, paid(b)}, message{"m-3", a, paid(a)}, message{"m-4", b, sent(b)})))
	if diff := cmp.Diff([]string{"m-1", "m-3"}, got); diff != "" {
		t.Errorf("failures (-want +reported):\n%s", diff)
	}
	if status(t, r, a) != "PENDING" || status(t, r, b) != "SHIPPED" {
		t.Errorf("the orders are %s and %s", status(t, r, a), status(t, r, b))
	}
}

// TestQueueWithoutTime has a batch whose time is over before it begins: everything comes again.
func TestQueueWithoutTime(t *testing.T) {
	r := lambda.NewRuntime(t)
	lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir()})
	id := placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
	a := r.Begin(batch(t, "queue", message{id: "m-1", body: paid(id)}, message{id: "m-2", body: sent(id)}), 10*time.Millisecond).Await(t)
	if diff := cmp.Diff([]string{"m-1", "m-2"}, failures(t, a.Payload)); a.Failed || diff != "" {
		t.Errorf("failures (-want +reported):\n%s", diff)
	}
	if s := status(t, r, id); s != "PENDING" {
		t.Errorf("the order is %s", s)
	}
}
