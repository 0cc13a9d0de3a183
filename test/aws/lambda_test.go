package aws_test

import (
	"os"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/lambda"
)

func TestMain(m *testing.M) {
	if os.Getenv("TEST_AWS_ENDPOINT_URL") == "" { // then no function is started
		m.Run()
		return
	}
	lambda.Main(m)
}

// batch takes messages off the queue and returns them as Lambda hands them to a function, with their ids by their bodies.
func (s *shop) batch(t *testing.T, count int) (event []byte, ids map[string]string) {
	t.Helper()
	var all events.SQSEvent
	ids = map[string]string{}
	for _, m := range s.receive(t.Context(), t, s.commands, count) {
		ids[*m.Body] = *m.MessageId
		all.Records = append(all.Records, events.SQSMessage{
			MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body, Attributes: m.Attributes,
			EventSource: "aws:sqs", EventSourceARN: s.arn(t, s.commands), AWSRegion: region,
		})
	}
	event, err := json.Marshal(all)
	must(t, err)
	return event, ids
}

// In Lambda too, what can never be applied is set aside with its reason, and is not reported as failed; what is early is.
func TestLambdaSetsAside(t *testing.T) {
	for _, suffix := range []string{"", ".fifo"} {
		t.Run("orders"+suffix, func(t *testing.T) {
			var paid, pending string
			s := newShop(t, suffix, &paid, &pending)
			runtime := lambda.NewRuntime(t)
			function := lambda.Start(t, lambda.Config{Runtime: runtime, Dir: t.TempDir(), Settings: map[string]string{
				"DATA_DIR": s.dir, "AWS_ENDPOINT_URL": s.endpoint, "EVENTS": "none", "MANIFESTS": "none", "LOG_LEVEL": "INFO",
				"COMMANDS_DEAD_LETTER_QUEUE_URL": s.letters,
			}})
			reasons := map[string]string{
				`{"type":"PaymentSucceeded"`:                                             "json_malformed",
				`{"type":"Nonsense","orderId":"` + paid + `"}`:                           "command_type_unknown",
				`{"type":"PaymentSucceeded","orderId":"` + pending + `","amount":24.99}`: "payment_amount_wrong",
			}
			early := `{"type":"ShipmentDelivered","orderId":"` + pending + `"}`
			s.send(t, "good", `{"type":"PaymentSucceeded","orderId":"`+paid+`"}`)
			s.send(t, "early", early)
			for body, reason := range reasons {
				s.send(t, reason, body)
			}
			event, ids := s.batch(t, 2+len(reasons))
			var answer events.SQSEventResponse
			must(t, json.Unmarshal(runtime.Invoke(t, event), &answer))
			want := []events.SQSBatchItemFailure{{ItemIdentifier: ids[early]}}
			if diff := cmp.Diff(want, answer.BatchItemFailures); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
			letters := map[string]string{}
			for _, m := range s.rest(t.Context(), t, s.letters) {
				letters[*m.Body] = aws.ToString(m.MessageAttributes["reason"].StringValue)
				if id := aws.ToString(m.MessageAttributes["original-message-id"].StringValue); id != ids[*m.Body] {
					t.Errorf("the id at first of %s is %s, not %s", *m.Body, id, ids[*m.Body])
				}
			}
			if diff := cmp.Diff(reasons, letters); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
			function.Kill(t)
			serve := start(t, "DATA_DIR="+s.dir)
			for id, status := range map[string]string{paid: "PAID", pending: "PENDING"} {
				var o struct {
					Status string `json:"status"`
				}
				must(t, json.Unmarshal(serve.get(t, "/orders/"+id), &o, json.RejectUnknownMembers(false)))
				if o.Status != status {
					t.Errorf("the order is %s, not %s", o.Status, status)
				}
			}
		})
	}
}
