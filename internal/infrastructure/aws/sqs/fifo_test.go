package sqs_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/infrastructure/aws/awstest"
)

// fifo answers SendMessage as a FIFO queue does: what has the deduplication id of a message of the last minutes is
// acknowledged and not kept, though that message may be gone.
func fifo(kept *[]call) func(call) (int, any) {
	refused := func(r rune) bool { return r < '!' || r > '~' }
	seen := map[string]bool{}
	return func(c call) (int, any) {
		id, _ := c["MessageDeduplicationId"].(string)
		group, _ := c["MessageGroupId"].(string)
		for _, text := range []string{id, group} {
			if text == "" || len(text) > 128 || strings.ContainsFunc(text, refused) {
				return http.StatusBadRequest, awstest.Refusal("InvalidParameterValue")
			}
		}
		if !seen[id] {
			seen[id] = true
			*kept = append(*kept, c)
		}
		return http.StatusOK, call{"MessageId": "x"}
	}
}

// A message that is received again is set aside once; one that was sent again, after a redrive, is set aside again.
func TestSetAsideAgain(t *testing.T) {
	var kept []call
	_, letters, _ := answers(t, map[string]func(call) (int, any){"SendMessage": fifo(&kept)})
	d := letters("http://x/1/letters.fifo")
	sent := time.UnixMilli(1764316800123)
	for _, step := range []struct {
		message receiving.Message
		kept    int
	}{
		{receiving.Message{ID: "m-1", SentAt: sent, Receives: 1}, 1},
		{receiving.Message{ID: "m-1", SentAt: sent, Receives: 2}, 1},
		{receiving.Message{ID: "m-1", SentAt: sent.Add(time.Minute), Receives: 1}, 2},
		{receiving.Message{ID: "m-2", SentAt: sent, Receives: 1}, 3},
	} {
		step.message.Body, step.message.Group = []byte("{"), "g"
		if err := d.Send(t.Context(), step.message, receiving.Reason{Code: "json_malformed"}); err != nil {
			t.Fatal(err)
		}
		if len(kept) != step.kept {
			t.Errorf("after %+v there are %d dead letters, not %d", step.message, len(kept), step.kept)
		}
	}
}

// The id that a message names as its first is any text. It is set aside and sent again all the same, in a group of its own.
func TestSetAsideWithAnyID(t *testing.T) {
	for _, id := range []string{"m-1", strings.Repeat("x", 128), strings.Repeat("x", 129), "with a space", "é", "a\tb", strings.Repeat("x", 2_000)} {
		t.Run(fmt.Sprintf("%.20q of %d", id, len(id)), func(t *testing.T) {
			var kept []call
			inbox := letterbox([]call{letterOf("l-1", id)})
			inbox["SendMessage"] = fifo(&kept)
			_, letters, url := answers(t, inbox)
			d := letters("http://x/1/letters.fifo")
			if err := d.Send(t.Context(), receiving.Message{ID: id, Body: []byte("{")}, receiving.Reason{Code: "c"}); err != nil {
				t.Fatal(err)
			}
			if done, err := d.Redrive(t.Context(), redrive(url+".fifo")); err != nil || done.Sent != 1 || len(kept) != 2 {
				t.Fatalf("%+v, %v; kept are %v", done, err, kept)
			}
			if short := len(id) <= 128 && !strings.ContainsAny(id, " é\t"); (kept[0]["MessageGroupId"] == id) != short {
				t.Errorf("the group is %v", kept[0]["MessageGroupId"])
			}
			if kept[0]["MessageGroupId"] != kept[1]["MessageGroupId"] {
				t.Errorf("the groups are %v and %v", kept[0]["MessageGroupId"], kept[1]["MessageGroupId"])
			}
		})
	}
}
