package aws_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
		"DATA_DIR=" + s.dir, "COMMANDS_QUEUE_URL=" + s.commands, "COMMANDS_VISIBILITY=2s", "LOG_LEVEL=INFO",
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

// await waits until the program has written text count times.
func (s *service) await(t *testing.T, text string, count int) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); strings.Count(s.log.String(), text) < count; <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("the program wrote %s %d times, not %d", text, strings.Count(s.log.String(), text), count)
		}
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
