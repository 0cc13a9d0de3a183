package aws_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/bootstrap"
)

// shop is a store of orders, with the queues that a worker on it needs. The embedded store has one program at a time.
type shop struct {
	*cloud
	dir               string
	commands, letters string // the URLs of the queues
}

// newShop makes the queues, and orders as many as there are pointers to their ids.
func newShop(t *testing.T, suffix string, ids ...*string) *shop {
	t.Helper()
	c := newCloud(t)
	s := &shop{cloud: c, dir: t.TempDir(), commands: c.makeQueue(t, "-commands"+suffix), letters: c.makeQueue(t, "-letters"+suffix)}
	_, err := c.sqs.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &s.commands, Attributes: map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"1000"}`, c.arn(t, s.letters)),
	}})
	must(t, err)
	serve := start(t, "DATA_DIR="+s.dir)
	for _, id := range ids {
		*id, err = serve.place(t.Context())
		must(t, err)
	}
	serve.stop()
	return s
}

func (s *shop) work(t *testing.T, settings ...string) *service {
	t.Helper()
	return startProgram(t, bootstrap.OpenWorker, append([]string{
		"DATA_DIR=" + s.dir, "COMMANDS_QUEUE_URL=" + s.commands, "COMMANDS_VISIBILITY=10s", "LOG_LEVEL=INFO",
	}, settings...)...)
}

// send puts messages into the queue. In a FIFO queue their group is the group.
func (s *shop) send(t *testing.T, group string, bodies ...string) {
	t.Helper()
	for i, body := range bodies {
		input := &sqs.SendMessageInput{QueueUrl: &s.commands, MessageBody: &body}
		if strings.HasSuffix(s.commands, ".fifo") {
			input.MessageGroupId, input.MessageDeduplicationId = &group, aws.String(fmt.Sprintf("%s-%d", group, i))
		}
		_, err := s.sqs.SendMessage(t.Context(), input)
		must(t, err)
	}
}

// after has the worker stop, and returns what has become of each order: its events and its status.
func (s *shop) after(t *testing.T, worker *service, ids ...string) []string {
	t.Helper()
	worker.stop()
	serve := start(t, "DATA_DIR="+s.dir)
	defer serve.stop()
	var all []string
	for _, id := range ids {
		var o struct {
			Status string `json:"status"`
		}
		must(t, json.Unmarshal(serve.get(t, "/orders/"+id), &o, json.RejectUnknownMembers(false)))
		var timeline struct {
			Events []struct {
				Type string `json:"type"`
			} `json:"events"`
		}
		must(t, json.Unmarshal(serve.get(t, "/orders/"+id+"/timeline"), &timeline, json.RejectUnknownMembers(false)))
		var types []string
		for _, e := range timeline.Events[1:] { // all were placed
			if e.Type != "OrderStatusChanged" {
				types = append(types, e.Type)
			}
		}
		all = append(all, strings.Join(append(types, o.Status), " "))
	}
	return all
}

// lettersBy takes the dead letters, by their reason.
func (s *shop) lettersBy(t *testing.T) map[string]int {
	t.Helper()
	reasons := map[string]int{}
	for _, m := range s.rest(t.Context(), t, s.letters) {
		reasons[aws.ToString(m.MessageAttributes["reason"].StringValue)]++
	}
	return reasons
}

const delivered = "PaymentCaptured FulfillmentCreated FulfillmentShipped FulfillmentDelivered DELIVERED"

// A plain command moves an order.
func TestCommandMovesAnOrder(t *testing.T) {
	var id string
	s := newShop(t, "", &id)
	w := s.work(t)
	s.send(t, "", `{"type":"PaymentSucceeded","orderId":"`+id+`","amount":25.00,"currency":"EUR"}`)
	w.await(t, `"outcome":"applied"`, 1)
	for _, path := range []string{"/health", "/health/live", "/health/ready"} {
		w.get(t, path)
	}
	if _, err := w.ask(t.Context(), http.MethodGet, "/orders", "", http.StatusNotFound); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"PaymentCaptured PAID"}, s.after(t, w, id)); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

// envelope is a command as EventBridge brings it.
func envelope(id, name, detail string) string {
	return `{"version":"0","id":"` + id + `","detail-type":"` + name + `","source":"com.example.shop","account":"123456789012",` +
		`"time":"2026-11-28T08:00:00Z","region":"eu-west-1","resources":[],"detail":` + detail + `}`
}

// Commands in every form, in the wrong order and twice, come to what they would have come to in the right one.
func TestCommandsInAnyOrder(t *testing.T) {
	var plain, bus, cloud, bridged, canceled string
	s := newShop(t, "", &plain, &bus, &cloud, &bridged, &canceled)
	s.makeBus(t, s.commands, "com.example.shop")
	_, err := s.eventBridge.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: &s.name, Source: aws.String("com.example.shop"), DetailType: aws.String("PaymentSucceeded"),
		Detail: aws.String(`{"orderId":"` + bridged + `","paymentId":"p-1"}`),
	}}})
	must(t, err)
	for range 2 {
		s.send(t, "",
			`{"id":"a-3","type":"ShipmentDelivered","orderId":"`+plain+`"}`,
			`{"id":"a-2","type":"ShipmentDispatched","orderId":"`+plain+`","carrier":"Correos","tracking":"PK1"}`,
			`{"id":"a-1","type":"PaymentSucceeded","orderId":"`+plain+`"}`,
			envelope("b-2", "ShipmentDispatched", `{"orderId":"`+bus+`"}`),
			envelope("b-0", "PaymentFailed", `{"orderId":"`+bus+`","reason":"card declined"}`),
			envelope("b-3", "ShipmentDelivered", `{"orderId":"`+bus+`"}`),
			envelope("b-1", "PaymentSucceeded", `{"orderId":"`+bus+`","amount":"25.00"}`),
			`{"specversion":"1.0","id":"c-1","source":"shop","type":"com.example.PaymentSucceeded","subject":"`+cloud+`","data":{"amount":25}}`,
			`{"id":"d-1","type":"OrderCancellationRequested","orderId":"`+canceled+`"}`,
		)
	}
	w := s.work(t)
	w.await(t, `"outcome":"applied"`, 10)
	w.await(t, `"outcome":"repeated"`, 9)
	got := s.after(t, w, plain, bus, cloud, bridged, canceled)
	got[1] = strings.Replace(got[1], "PaymentFailed ", "", 1) // it may come at any time
	if diff := cmp.Diff([]string{delivered, delivered, "PaymentCaptured PAID", "PaymentCaptured PAID", "CANCELED"}, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if n := strings.Count(w.log.String(), `"outcome":"applied"`); n != 10 {
		t.Errorf("%d commands were applied, not 10", n)
	}
	if letters := s.lettersBy(t); len(letters) > 0 {
		t.Errorf("dead letters: %v", letters)
	}
	if rest := s.rest(t.Context(), t, s.commands); len(rest) > 0 {
		t.Errorf("%d messages are left in the queue", len(rest))
	}
}

// What can never be applied is set aside with its reason, and is in nobody's way.
func TestPoisonedCommands(t *testing.T) {
	var paid, canceled, pending string // an order that is paid already takes a payment as repeated, whatever its amount
	s := newShop(t, "", &paid, &canceled, &pending)
	s.send(t, "", `{"type":"OrderCancellationRequested","orderId":"`+canceled+`"}`)
	w := s.work(t, "COMMANDS_EARLY_FOR=1s", "COMMANDS_EARLY_RECEIVES=2")
	w.await(t, `"outcome":"applied"`, 1)
	s.send(t, "",
		`{"type":"PaymentSucceeded"`,
		`[1]`,
		`{"type":"PaymentExploded","orderId":"`+paid+`"}`,
		`{"type":"PaymentSucceeded","orderId":"17"}`,
		`{"type":"PaymentSucceeded","orderId":"`+pending+`","amount":24.99}`,
		`{"type":"PaymentSucceeded","orderId":"`+canceled+`"}`,
		`{"type":"PaymentSucceeded","orderId":"0123456789abcdef01234567"}`,
		`{"type":"ShipmentDelivered","orderId":"`+paid+`"}`,
		envelope("e-1", "PaymentSucceeded", `{"orderId":"`+paid+`"}`),
	)
	w.await(t, `"outcome":"dead-lettered"`, 8)
	w.await(t, `"outcome":"applied"`, 2)
	if diff := cmp.Diff([]string{"PaymentCaptured PAID", "CANCELED", "PENDING"}, s.after(t, w, paid, canceled, pending)); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if counts := `"failed":0,"dead_lettered":{"command_type_unknown":1,"json_malformed":1,"not_yet":1,"order_not_found":1,` +
		`"payment_amount_wrong":1,"status_not_allowed":1,"validation_failed":2}}`; !strings.Contains(w.log.String(), counts) {
		t.Errorf("the log does not say %s", counts)
	}
	want := map[string]int{
		"json_malformed": 1, "validation_failed": 2, "command_type_unknown": 1, "payment_amount_wrong": 1, "status_not_allowed": 1,
		"order_not_found": 1, "not_yet": 1,
	}
	if diff := cmp.Diff(want, s.lettersBy(t)); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if rest := s.rest(t.Context(), t, s.commands); len(rest) > 0 {
		t.Errorf("%d messages are left in the queue", len(rest))
	}
}

// In a FIFO queue each order's commands are applied in their order, past one that can never be.
func TestFIFOCommands(t *testing.T) {
	ids := make([]string, 3)
	s := newShop(t, ".fifo", &ids[0], &ids[1], &ids[2])
	for _, id := range ids {
		order := `","orderId":"` + id + `"}`
		s.send(t, id, `{"type":"PaymentFailed`+order, `{"type":"PaymentSucceeded`+order, `{"type":"Nonsense`+order,
			`{"type":"ShipmentDispatched`+order, `{"type":"ShipmentDelivered`+order)
	}
	w := s.work(t)
	w.await(t, `"outcome":"applied"`, 12)
	w.await(t, `"outcome":"dead-lettered"`, 3)
	want := "PaymentFailed " + delivered
	if diff := cmp.Diff([]string{want, want, want}, s.after(t, w, ids...)); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if strings.Contains(w.log.String(), `"outcome":"early"`) {
		t.Error("a command overtook another one of its group")
	}
	for _, m := range s.rest(t.Context(), t, s.letters) {
		if group := m.Attributes["MessageGroupId"]; !strings.Contains(*m.Body, group) {
			t.Errorf("the group is %s of %s", group, *m.Body)
		}
	}
}
