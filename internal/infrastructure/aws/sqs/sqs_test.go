package sqs_test

import (
	"crypto/md5" //nolint:gosec // what SQS answers with
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/aws/awstest"
	"order-processing-service/internal/infrastructure/aws/sqs"
)

type attribute struct{ DataType, StringValue string }

type message struct {
	ID                                                  string `json:"Id"`
	MessageBody, MessageGroupId, MessageDeduplicationId string //nolint:revive // AWS's names
	MessageAttributes, MessageSystemAttributes          map[string]attribute
}

func (m message) eventID(t *testing.T) string {
	t.Helper()
	var event struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(m.MessageBody), &event); err != nil {
		t.Errorf("body %s: %v", m.MessageBody, err)
	}
	return event.ID
}

// queue is an SQS queue that answers as the test wants it.
type queue struct {
	refuse func(id string) (code string, silent bool) // of an entry; silent ones are not answered
	fail   string                                     // the error code of every call
	mu     sync.Mutex
	calls  [][]message
}

func (q *queue) events(t *testing.T, name string) *sqs.Events {
	t.Helper()
	c := awstest.Serve(t, func(operation string, body []byte) (int, any) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.fail != "" {
			return http.StatusBadRequest, awstest.Refusal(q.fail)
		}
		if operation == "GetQueueAttributes" {
			return http.StatusOK, map[string]any{}
		}
		var input struct {
			QueueURL string `json:"QueueUrl"`
			Entries  []message
		}
		if err := json.Unmarshal(body, &input); err != nil || operation != "SendMessageBatch" || !strings.HasSuffix(input.QueueURL, name) {
			t.Errorf("%s of %s: %v", operation, input.QueueURL, err)
		}
		return http.StatusOK, q.send(t, input.Entries)
	})
	return sqs.New(sqs.Config{AWS: c, QueueURL: *c.BaseEndpoint + "/1/" + name, DataRef: func(id order.ID) string { return "/orders/" + id.String() }})
}

func (q *queue) send(t *testing.T, entries []message) any {
	t.Helper()
	var taken []message
	good, bad := []any{}, []any{}
	for _, m := range entries {
		if q.refuse != nil {
			code, silent := q.refuse(m.eventID(t))
			if code != "" {
				bad = append(bad, map[string]any{"Id": m.ID, "Code": code, "SenderFault": false})
			}
			if code != "" || silent {
				continue
			}
		}
		sum := md5.Sum([]byte(m.MessageBody)) //nolint:gosec // the SDK checks it
		good = append(good, map[string]any{"Id": m.ID, "MessageId": "x", "MD5OfMessageBody": hex.EncodeToString(sum[:])})
		taken = append(taken, m)
	}
	q.calls = append(q.calls, taken)
	return map[string]any{"Successful": good, "Failed": bad}
}

func TestMessage(t *testing.T) {
	var q queue
	m := awstest.Message(t, 7, 0)
	id := m.Order.ID().String()
	if diff := cmp.Diff([]delivery.Result{{Told: 1}}, q.events(t, "orders").Deliver(t.Context(), []delivery.Message{m})); diff != "" {
		t.Fatalf("results (-want +got):\n%s", diff)
	}
	got := q.calls[0][0]
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	want := `{"specversion":"1.0","id":"` + id + `-1","source":"order-processing-service","type":"OrderCreated","subject":"` + id +
		`","time":"2026-03-01T12:00:00.120Z","traceparent":"` + traceparent + `","datacontenttype":"application/json","data":{"eventId":"`
	if !strings.HasPrefix(got.MessageBody, want) {
		t.Errorf("body %s\nwant %s…", got.MessageBody, want)
	}
	got.MessageBody = ""
	if diff := cmp.Diff(message{
		ID: "0", MessageAttributes: map[string]attribute{"content-type": {"String", "application/cloudevents+json"}},
		MessageSystemAttributes: map[string]attribute{
			"AWSTraceHeader": {"String", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"},
		},
	}, got); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func TestFIFO(t *testing.T) {
	var q queue
	m := awstest.Message(t, 7, 1)
	if r := q.events(t, "orders.fifo").Deliver(t.Context(), []delivery.Message{m})[0]; r.Told != 2 || r.Err != nil {
		t.Fatalf("result %+v", r)
	}
	id := m.Order.ID().String()
	for n, call := range q.calls {
		if len(call) != 1 || call[0].MessageGroupId != id || call[0].MessageDeduplicationId != fmt.Sprintf("%s-%d", id, n+1) {
			t.Errorf("call %d: %+v", n, call)
		}
	}
}

// A message that was refused keeps back the later ones of its order, and nothing else; one that the answer does not name
// was not taken.
func TestRefusedMessages(t *testing.T) {
	messages := []delivery.Message{awstest.Message(t, 1, 2), awstest.Message(t, 2, 2), awstest.Message(t, 3, 0), awstest.Message(t, 4, 0)}
	id := func(i, sequence int) string { return order.EventID(messages[i].Order.ID(), sequence) }
	q := queue{refuse: func(event string) (string, bool) {
		return map[string]string{id(0, 2): "InternalError", id(1, 1): "RequestThrottled"}[event], event == id(3, 1)
	}}
	results := q.events(t, "orders").Deliver(t.Context(), messages)
	if results[0].Told != 1 || results[0].Err == nil || fault.KindOf(results[0].Err) == fault.Unavailable {
		t.Errorf("the refused one: %+v", results[0])
	}
	for _, i := range []int{1, 3} {
		if results[i].Told != 0 || fault.KindOf(results[i].Err) != fault.Unavailable {
			t.Errorf("result %d: %+v", i, results[i])
		}
	}
	if results[2].Told != 1 || results[2].Err != nil {
		t.Errorf("the one that was taken: %+v", results[2])
	}
}

func TestAway(t *testing.T) {
	for code, words := range map[string]string{
		"AWS.SimpleQueueService.NonExistentQueue": "EVENTS_QUEUE_URL", "AccessDeniedException": "sqs:SendMessage", "RequestThrottled": "takes no more",
	} {
		q := queue{fail: code}
		events := q.events(t, "orders")
		if r := events.Deliver(t.Context(), []delivery.Message{awstest.Message(t, 1, 2)})[0]; r.Told != 0 || fault.KindOf(r.Err) != fault.Unavailable ||
			!strings.Contains(r.Err.Error(), words) {
			t.Errorf("%s: %+v", code, r)
		}
		if err := events.Check(t.Context()); (err == nil) != (code == "AccessDeniedException") {
			t.Errorf("%s: the check says %v", code, err)
		}
	}
}

func TestLargeEvents(t *testing.T) {
	var q queue
	large := awstest.Large(t, 1, 1, 900)
	if r := q.events(t, "orders").Deliver(t.Context(), []delivery.Message{large})[0]; r.Told != 2 || r.Err != nil {
		t.Fatalf("result %+v", r)
	}
	if body := q.calls[0][0].MessageBody; !strings.HasSuffix(body, `,"dataref":"/orders/`+large.Order.ID().String()+`"}}`) {
		t.Errorf("body %s", body)
	}
}
