package sqs_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/infrastructure/aws/sqs"
)

func redrive(url string) sqs.Redrive { return sqs.Redrive{QueueURL: url, Most: 100} }

// letterOf is a dead letter that has the id, of a message that had another one at first. The clock of
// this SQS is an hour ahead.
func letterOf(id, original string) call {
	return call{
		"MessageId": id, "ReceiptHandle": "r-" + id, "Body": "{}", "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
		"Attributes":        call{"SentTimestamp": strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10)},
		"MessageAttributes": call{"original-message-id": call{"DataType": "String", "StringValue": original}},
	}
}

// letterbox answers the calls of a look at dead letters: each receive with the next letters, then with none.
func letterbox(receives ...[]call) map[string]func(call) (int, any) {
	n := 0
	return map[string]func(call) (int, any){
		"ReceiveMessage": func(call) (int, any) {
			if n == len(receives) {
				return http.StatusOK, call{}
			}
			n++
			return http.StatusOK, call{"Messages": receives[n-1]}
		},
		"DeleteMessageBatch":           answer(call{"Successful": []call{{"Id": "0"}}}),
		"ChangeMessageVisibilityBatch": answer(call{}),
	}
}

// All letters are sent that are there, whatever this machine's clock says of their age, and none twice: not the one that
// could not be deleted, nor the ones that the messages come back as.
func TestRedriveEnds(t *testing.T) {
	var all []call
	inbox := letterbox(
		[]call{letterOf("l-1", "m-1"), letterOf("l-2", "m-2")}, []call{letterOf("l-3", "m-1"), letterOf("l-2", "m-2"), letterOf("l-4", "m-3")},
		[]call{letterOf("l-5", "m-3"), letterOf("l-6", "m-1")}, []call{letterOf("l-6", "m-1")}, []call{letterOf("l-7", "m-4")},
	)
	inbox["SendMessage"] = sent(&all)
	inbox["DeleteMessageBatch"] = func(c call) (int, any) {
		if entries, _ := c["Entries"].([]any); cmp.Equal(entries, []any{call{"Id": "0", "ReceiptHandle": "r-l-2"}}) {
			return refuse("RequestThrottled")(c)
		}
		return http.StatusOK, call{"Successful": []call{{"Id": "0"}}}
	}
	var back []string
	inbox["ChangeMessageVisibilityBatch"] = func(c call) (int, any) {
		entries, _ := c["Entries"].([]any)
		for _, e := range entries {
			entry, _ := e.(call)
			receipt, _ := entry["ReceiptHandle"].(string)
			back = append(back, receipt)
		}
		return http.StatusOK, call{}
	}
	_, letters, url := answers(t, inbox)
	done, err := letters("http://x/1/letters").Redrive(t.Context(), redrive(url))
	if diff := cmp.Diff(sqs.Redriven{Sent: 3, Kept: 1}, done); err != nil || diff != "" || len(all) != 3 {
		t.Errorf("%d messages were sent, %v (-want +got):\n%s", len(all), err, diff)
	}
	if diff := cmp.Diff([]string{"r-l-3", "r-l-2", "r-l-5", "r-l-6", "r-l-6"}, back); diff != "" {
		t.Errorf("given back (-want +got):\n%s", diff)
	}
}
