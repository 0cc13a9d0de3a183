package sqs_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/aws/awstest"
	"order-processing-service/internal/infrastructure/aws/sqs"
)

type call = map[string]any

// answers serves an SQS that answers each operation as the test has it, and returns the URL of its queue "commands".
func answers(t *testing.T, byOperation map[string]func(call) (int, any)) (queue *sqs.Queue, letters func(url string) *sqs.DeadLetters, url string) {
	t.Helper()
	c := awstest.Serve(t, func(operation string, body []byte) (int, any) {
		var input call
		if err := json.Unmarshal(body, &input); err != nil || byOperation[operation] == nil {
			t.Errorf("%s is called with %s: %v", operation, body, err)
			return http.StatusBadRequest, awstest.Refusal("ValidationException")
		}
		return byOperation[operation](input)
	})
	url = *c.BaseEndpoint + "/1/commands"
	return sqs.NewQueue(c, url), func(letters string) *sqs.DeadLetters {
		return sqs.NewDeadLetters(sqs.DeadLettersConfig{AWS: c, URL: letters, QueueURL: url})
	}, url
}

func refuse(code string) func(call) (int, any) {
	return func(call) (int, any) { return http.StatusBadRequest, awstest.Refusal(code) }
}

func answer(with any) func(call) (int, any) {
	return func(call) (int, any) { return http.StatusOK, with }
}

func TestReceive(t *testing.T) {
	var asked call
	q, _, _ := answers(t, map[string]func(call) (int, any){"ReceiveMessage": func(c call) (int, any) {
		asked = c
		return http.StatusOK, call{"Messages": []call{
			{
				"MessageId": "m-1", "ReceiptHandle": "r-1", "Body": "{}", "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
				"Attributes": call{
					"ApproximateReceiveCount": "3", "SentTimestamp": "1764316800123", "MessageGroupId": "fair",
					"AWSTraceHeader": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1",
				},
			},
			{
				"MessageId": "m-2", "ReceiptHandle": "r-2", "Body": "{}", "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
				"MessageAttributes": call{"original-message-id": call{"DataType": "String", "StringValue": "m-0"}},
			},
		}}
	}})
	got, err := q.Receive(t.Context(), 7, 1500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	want := []receiving.Received{
		{Receipt: "r-1", Message: receiving.Message{
			ID: "m-1", Body: []byte("{}"), Receives: 3, SentAt: time.UnixMilli(1764316800123),
			Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		}},
		{Receipt: "r-2", Message: receiving.Message{ID: "m-0", Body: []byte("{}")}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if asked["MaxNumberOfMessages"] != 7.0 || asked["VisibilityTimeout"] != 2.0 || asked["WaitTimeSeconds"] != 20.0 {
		t.Errorf("asked for %v", asked)
	}
}

func TestReceiveFails(t *testing.T) {
	for code, words := range map[string]string{
		"AWS.SimpleQueueService.NonExistentQueue": "COMMANDS_QUEUE_URL", "AccessDeniedException": "sqs:ReceiveMessage",
	} {
		q, _, _ := answers(t, map[string]func(call) (int, any){"ReceiveMessage": refuse(code)})
		if _, err := q.Receive(t.Context(), 1, time.Minute); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", code, err)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	q, _, _ := answers(t, nil)
	if _, err := q.Receive(stopped, 1, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("a poll that is ended: %v", err)
	}
}

// Each entry of a call has an answer of its own; one that is not named has failed.
func TestEntriesFailAlone(t *testing.T) {
	partly := answer(call{
		"Successful": []call{{"Id": "0"}, {"Id": "7"}, {"Id": "x"}}, "Failed": []call{{"Id": "1", "Code": "ReceiptHandleIsInvalid", "SenderFault": true}},
	})
	q, _, _ := answers(t, map[string]func(call) (int, any){"DeleteMessageBatch": partly, "ChangeMessageVisibilityBatch": partly})
	for name, errs := range map[string][]error{
		"delete": q.Delete(t.Context(), []string{"a", "b", "c"}),
		"hide":   q.Hide(t.Context(), []receiving.Hidden{{Receipt: "a"}, {Receipt: "b", For: time.Minute}, {Receipt: "c"}}),
	} {
		if len(errs) != 3 || errs[0] != nil || errs[1] == nil || !strings.Contains(errs[1].Error(), "ReceiptHandleIsInvalid") || errs[2] == nil {
			t.Errorf("%s: %v", name, errs)
		}
	}
	q, _, _ = answers(t, map[string]func(call) (int, any){"DeleteMessageBatch": refuse("RequestThrottled")})
	if errs := q.Delete(t.Context(), []string{"a", "b"}); len(errs) != 2 || errs[0] == nil || errs[1] == nil {
		t.Errorf("a call that fails: %v", errs)
	}
}

// sent answers SendMessage and keeps what was sent.
func sent(all *[]call) func(call) (int, any) {
	return func(c call) (int, any) {
		*all = append(*all, c)
		return http.StatusOK, call{"MessageId": "x"}
	}
}

func TestSetAside(t *testing.T) {
	var all []call
	policy := answer(call{"Attributes": call{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:letters.fifo","maxReceiveCount":5}`}})
	_, letters, url := answers(t, map[string]func(call) (int, any){"SendMessage": sent(&all), "GetQueueAttributes": policy})
	d := letters("")
	m := receiving.Message{ID: "m-1", Body: []byte("{"), Group: "g", Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	why := receiving.Reason{Code: "json_malformed", Text: "a\x00b" + strings.Repeat("é", 2_000)}
	if err := d.Send(t.Context(), m, why); err != nil {
		t.Fatal(err)
	}
	m.Body = make([]byte, 1<<20) // the largest that there is: with attributes it would not be taken
	for i := range m.Body {
		m.Body[i] = 'x'
	}
	if err := d.Send(t.Context(), m, why); err != nil {
		t.Fatal(err)
	}
	if all[1]["MessageAttributes"] != nil {
		t.Error("the largest message has attributes")
	}
	attributes, _ := all[0]["MessageAttributes"].(call)
	value := func(name string) string {
		a, _ := attributes[name].(call)
		text, _ := a["StringValue"].(string)
		return text
	}
	if value("reason") != "json_malformed" || value("original-message-id") != "m-1" || value("message-group-id") != "g" ||
		!strings.HasPrefix(value("reason-text"), "a bé") || len(value("reason-text")) > 1_024 {
		t.Errorf("attributes %v", attributes)
	}
	if all[0]["QueueUrl"] != strings.Replace(url, "/1/commands", "/1/letters.fifo", 1) || all[0]["MessageGroupId"] != "g" ||
		all[0]["MessageDeduplicationId"] == all[1]["MessageDeduplicationId"] || all[0]["MessageSystemAttributes"] == nil {
		t.Errorf("sent %v", all[0])
	}
}

// What can't be set aside comes again, and the words say what to do.
func TestSetAsideFails(t *testing.T) {
	for _, tt := range []struct {
		url, policy, send, words string
		kind                     fault.Kind
	}{
		{"", "", "", "give the queue", fault.Unavailable},
		{"", "nonsense", "", "redrive policy", fault.Internal},
		{"http://x/1/letters", "", "AWS.SimpleQueueService.NonExistentQueue", "COMMANDS_DEAD_LETTER_QUEUE_URL", fault.Unavailable},
		{"http://x/1/letters", "", "InvalidMessageContents", "InvalidMessageContents", fault.Internal},
	} {
		attributes := call{}
		if tt.policy != "" {
			attributes["RedrivePolicy"] = tt.policy
		}
		_, letters, _ := answers(t, map[string]func(call) (int, any){
			"GetQueueAttributes": answer(call{"Attributes": attributes}), "SendMessage": refuse(tt.send),
		})
		err := letters(tt.url).Send(t.Context(), receiving.Message{ID: "m", Body: []byte("{}")}, receiving.Reason{Code: "c"})
		if err == nil || fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// The look after the start says when SQS would set messages aside before the service does, without saying why.
func TestCheck(t *testing.T) {
	policy := func(receives string) func(call) (int, any) {
		return answer(call{"Attributes": call{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:letters","maxReceiveCount":` + receives + `}`}})
	}
	for _, tt := range []struct {
		attributes func(call) (int, any)
		url, words string
	}{
		{policy(`"11"`), "", ""},
		{policy(`10`), "", "maxReceiveCount"},
		{answer(call{}), "", "no dead-letter queue is known"},
		{answer(call{}), "http://x/1/letters", ""},
		{refuse("AccessDeniedException"), "", ""},
		{refuse("AWS.SimpleQueueService.NonExistentQueue"), "http://x/1/letters", "does not exist"},
	} {
		q, _, _ := answers(t, map[string]func(call) (int, any){"GetQueueAttributes": tt.attributes})
		if err := q.Check(t.Context(), tt.url, 10); (err == nil) != (tt.words == "") || err != nil && !strings.Contains(err.Error(), tt.words) {
			t.Errorf("with %q: %v, want %q", tt.url, err, tt.words)
		}
	}
}
