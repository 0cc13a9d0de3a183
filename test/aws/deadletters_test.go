package aws_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
)

// orders runs a command of the program, which must exit with the code, and returns what it wrote.
func orders(t *testing.T, code int, args ...string) (out, complaint string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := cli.Run(t.Context(), bootstrap.Commands(), args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	if got != code {
		t.Errorf("orders %s exits with %d, not %d: %s%s", strings.Join(args, " "), got, code, &stdout, &stderr)
	}
	return stdout.String(), stderr.String()
}

// listed is what 'orders dlq list' says of each letter.
type listed struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Type   string `json:"type"`
	Order  string `json:"order_id"`
	Group  string `json:"group"`
}

func list(t *testing.T) []listed {
	t.Helper()
	out, _ := orders(t, cli.ExitOK, "dlq", "list", "--output", "json")
	var page struct {
		DeadLetters []listed `json:"dead_letters"`
	}
	must(t, json.Unmarshal([]byte(out), &page, json.RejectUnknownMembers(false)))
	return page.DeadLetters
}

// Dead letters are listed and stay, and are sent again when what was wrong with them has been mended.
func TestDeadLetters(t *testing.T) {
	for _, suffix := range []string{"", ".fifo"} {
		t.Run("orders"+suffix, func(t *testing.T) {
			var id string
			s := newShop(t, suffix, &id)
			t.Setenv("COMMANDS_QUEUE_URL", s.commands)
			// A shipment before its payment is given up at once.
			w := s.work(t, "COMMANDS_EARLY_FOR=1s", "COMMANDS_EARLY_RECEIVES=1")
			s.send(t, "late", `{"type":"ShipmentDispatched","orderId":"`+id+`"}`)
			w.await(t, `"outcome":"dead-lettered"`, 1)
			s.send(t, "other", `{"type":"Nonsense"}`)
			w.await(t, `"outcome":"dead-lettered"`, 2)
			w.stop()

			letters := list(t)
			shipment := letters[0]
			group := ""
			if suffix != "" {
				group = "late"
			}
			want := listed{ID: shipment.ID, Reason: "not_yet", Type: "ShipmentDispatched", Order: id, Group: group}
			if diff := cmp.Diff(want, shipment); diff != "" || len(letters) != 2 || letters[1].Reason != "command_type_unknown" {
				t.Errorf("%d letters; the first (-want +got):\n%s", len(letters), diff)
			}
			if out, _ := orders(t, cli.ExitOK, "dlq", "list", "--limit", "1"); !strings.Contains(out, "the order is PENDING, and must be PAID first") ||
				!strings.Contains(out, "There are more than these 1") {
				t.Errorf("the list is %s", out)
			}

			if out, _ := orders(t, cli.ExitOK, "dlq", "redrive", "--dry-run"); out != "2 dead letters would be sent to the queue again.\n" {
				t.Errorf("the dry run says %q", out)
			}
			if out, _ := orders(t, cli.ExitOK, "dlq", "redrive", shipment.ID, "--output", "json"); !strings.Contains(out, `"sent": 1`) {
				t.Errorf("the redrive says %s", out)
			}
			if left := list(t); len(left) != 1 || left[0].Reason != "command_type_unknown" {
				t.Errorf("left are %v", left)
			}
			s.send(t, "payment", `{"type":"PaymentSucceeded","orderId":"`+id+`"}`)
			w = s.work(t)
			w.await(t, `"outcome":"applied"`, 2)
			if !strings.Contains(w.log.String(), `"message_id":"`+shipment.ID+`"`) {
				t.Error("the letter that was sent again is not known by the id that it had")
			}
			w.stop()
			orders(t, cli.ExitOK, "dlq", "redrive")
			w = s.work(t)
			w.await(t, `"outcome":"dead-lettered"`, 1)
			if diff := cmp.Diff([]string{"PaymentCaptured FulfillmentCreated FulfillmentShipped SHIPPED"}, s.after(t, w, id)); diff != "" {
				t.Errorf("orders (-want +got):\n%s", diff)
			}
			if rest := s.rest(t.Context(), t, s.letters); len(rest) != 1 {
				t.Errorf("%d dead letters, not the one that nothing can be done about", len(rest))
			}
		})
	}
}

// What is asked for wrongly is said in one line.
func TestDeadLetterUsage(t *testing.T) {
	c := newCloud(t)
	for _, command := range []string{"list", "redrive"} {
		if _, complaint := orders(t, cli.ExitUsage, "dlq", command); !strings.Contains(complaint, "COMMANDS_QUEUE_URL") {
			t.Errorf("without settings: %s", complaint)
		}
	}
	if _, complaint := orders(t, cli.ExitUsage, "worker"); complaint != "orders: COMMANDS_QUEUE_URL is not set: give the URL of the SQS queue to take commands from\n" {
		t.Errorf("without settings: %s", complaint)
	}
	queue := c.makeQueue(t, "-bare")
	t.Setenv("COMMANDS_QUEUE_URL", queue)
	if _, complaint := orders(t, cli.ExitFailure, "dlq", "list"); !strings.Contains(complaint, "give the queue "+queue+" a redrive policy") {
		t.Errorf("without a dead-letter queue: %s", complaint)
	}
	t.Setenv("COMMANDS_DEAD_LETTER_QUEUE_URL", queue+"-none")
	if _, complaint := orders(t, cli.ExitFailure, "dlq", "list"); !strings.Contains(complaint, "does not exist") {
		t.Errorf("with a dead-letter queue that is not there: %s", complaint)
	}
}

// slow is an AWS that takes its time to take dead letters.
type slow struct {
	faulty
	letters time.Duration
	sent    atomic.Int32
}

// ServeHTTP implements http.Handler.
func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendMessage") {
		s.sent.Add(1)
		select { // the work on the message takes as long
		case <-time.After(s.letters):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	s.pass(r, body, w)
}

// A message stays hidden as long as the work on it takes, though that is longer than its visibility.
func TestVisibilityIsExtended(t *testing.T) {
	s := newShop(t, "")
	network := &slow{faulty: faulty{to: s.endpoint, client: &http.Client{}}, letters: 6 * time.Second}
	server := httptest.NewServer(network)
	t.Cleanup(server.Close)
	t.Cleanup(network.client.CloseIdleConnections)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	w := s.work(t, "COMMANDS_VISIBILITY=5s")
	s.send(t, "", `{"type":"Nonsense"}`)
	w.await(t, `"outcome":"dead-lettered"`, 1)
	w.stop()
	if n := network.sent.Load(); n != 1 {
		t.Errorf("the message was worked on %d times", n)
	}
	if letters := s.lettersBy(t); letters["command_type_unknown"] != 1 {
		t.Errorf("dead letters: %v", letters)
	}
}

// Most calls of the queues go wrong, in every way; then every command was applied once, or is among the dead letters.
func TestCommandsThroughFaults(t *testing.T) {
	ids := make([]string, 6)
	var pointers []*string
	for i := range ids {
		pointers = append(pointers, &ids[i])
	}
	s := newShop(t, "", pointers...)
	f, url := newFaulty(t, s.endpoint)
	t.Setenv("AWS_ENDPOINT_URL", url)
	f.breaks = map[string][]string{
		"ReceiveMessage":               {"", "error", "", "throttle", "", "reset", ""},
		"DeleteMessageBatch":           {"entries", "", "error", "", "answer lost", "", "reset", "", "throttle", ""},
		"ChangeMessageVisibilityBatch": {"entries", "", "reset", ""},
		"SendMessage":                  {"error", "", "answer lost", "", "throttle", ""},
	}
	for _, kind := range []string{"ShipmentDelivered", "ShipmentDispatched", "PaymentSucceeded", "Nonsense"} {
		for _, id := range ids {
			s.send(t, "", `{"type":"`+kind+`","orderId":"`+id+`"}`)
		}
	}
	w := s.work(t, "COMMANDS_VISIBILITY=2s") // what could not be deleted comes again soon
	w.await(t, `"outcome":"applied"`, 3*len(ids))
	w.await(t, `"outcome":"dead-lettered"`, len(ids))
	f.heal()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s.awaitEmpty(ctx, t)
	want := make([]string, len(ids))
	for i := range want {
		want[i] = delivered
	}
	if diff := cmp.Diff(want, s.after(t, w, ids...)); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if n := strings.Count(w.log.String(), `"outcome":"applied"`); n != 3*len(ids) {
		t.Errorf("%d commands were applied, not %d", n, 3*len(ids))
	}
	letters := map[string]int{}
	for _, m := range s.rest(t.Context(), t, s.letters) {
		letters[aws.ToString(m.MessageAttributes["original-message-id"].StringValue)]++
	}
	if len(letters) != len(ids) {
		t.Errorf("%d messages are dead letters, not %d", len(letters), len(ids))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t.Logf("went wrong: %v", f.kinds)
	if len(f.kinds) < 8 {
		t.Errorf("only this went wrong: %v", f.kinds)
	}
}

// awaitEmpty waits until the queue holds nothing, not even in hand.
func (s *shop) awaitEmpty(ctx context.Context, t *testing.T) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for ; ; <-look.C {
		all, err := s.attributes(ctx, s.commands, sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible)
		must(t, err)
		if all["ApproximateNumberOfMessages"] == "0" && all["ApproximateNumberOfMessagesNotVisible"] == "0" {
			return
		}
	}
}
