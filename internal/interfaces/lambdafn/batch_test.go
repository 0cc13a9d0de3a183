package lambdafn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/interfaces/lambdafn"
)

// receiver notes the messages that it gets, and answers as it is told to.
type receiver struct {
	answer func(ctx context.Context, m receiving.Message) error

	mu      sync.Mutex
	got     []receiving.Message
	busy    int
	busiest int
}

func (r *receiver) Receive(ctx context.Context, m receiving.Message) error {
	r.mu.Lock()
	r.got = append(r.got, m)
	r.busy++
	r.busiest = max(r.busiest, r.busy)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.busy--
		r.mu.Unlock()
	}()
	return r.answer(ctx, m)
}

// records is a batch with the given messages, of which those with a colon have a group before it.
func records(arn string, ids ...string) string {
	var all []string
	for _, id := range ids {
		group, _, _ := strings.Cut(id, ":")
		all = append(all, fmt.Sprintf(`{"messageId":%q,"body":"b","eventSource":"aws:sqs","eventSourceARN":%q,"attributes":{"MessageGroupId":%q}}`, id, arn, group))
	}
	return `{"Records":[` + strings.Join(all, ",") + `]}`
}

const (
	standard = "arn:aws:sqs:eu-west-1:111122223333:commands"
	fifo     = standard + ".fifo"
)

// report has a function answer a batch.
func report(ctx context.Context, t *testing.T, r *receiver, concurrency int, batch string) string {
	t.Helper()
	told := new(teller)
	f := lambdafn.New(lambdafn.Config{Teller: told, Receiver: r, Concurrency: concurrency})
	text, err := f.Invoke(ctx, []byte(batch))
	if err != nil || told.flushes != 1 {
		t.Fatalf("%v, told %d times", err, told.flushes)
	}
	return string(text)
}

func reported(ids ...string) string {
	var all []string
	for _, id := range ids {
		all = append(all, `{"itemIdentifier":"`+id+`"}`)
	}
	return `{"batchItemFailures":[` + strings.Join(all, ",") + `]}`
}

func TestBatch(t *testing.T) {
	answer := func(_ context.Context, m receiving.Message) error {
		switch {
		case strings.HasSuffix(m.ID, "!"):
			return errors.New("must come again")
		case strings.HasSuffix(m.ID, "?"):
			panic("x")
		}
		return nil
	}
	for name, tt := range map[string]struct{ batch, want string }{
		"all well":                 {records(standard, "a", "b"), reported()},
		"some fail":                {records(standard, "a", "b!", "c", "d?"), reported("b!", "d?")},
		"groups without an order":  {records(standard, "g:1!", "g:2", "g:3!"), reported("g:1!", "g:3!")},
		"a group in order":         {records(fifo, "g:1", "h:1", "g:2!", "h:2", "g:3", "g:4!"), reported("g:2!", "g:3", "g:4!")},
		"the first of both groups": {records(fifo, "g:1?", "h:1!", "g:2", "h:2"), reported("g:1?", "h:1!", "g:2", "h:2")},
	} {
		if got := report(t.Context(), t, &receiver{answer: answer}, 0, tt.batch); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestBatchIsBounded has messages that all take an hour: so many are worked on at once, and in the time that is left those
// that could not begin come again, as do those that could not end.
func TestBatchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(ctx context.Context, _ receiving.Message) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begun := time.Now()
		got := report(ctx, t, r, 2, records(standard, "a", "b", "c", "d"))
		if got != reported("a", "b", "c", "d") || r.busiest != 2 || len(r.got) != 2 {
			t.Errorf("%s, %d at once, %d begun", got, r.busiest, len(r.got))
		}
		if took := time.Since(begun); took >= time.Hour {
			t.Errorf("it took %v", took)
		}
	})
}

// TestMessages has what is known of a message.
func TestMessages(t *testing.T) {
	const attributes = `"attributes":{"ApproximateReceiveCount":"3","SentTimestamp":"1795512017123","MessageGroupId":"g",
		"AWSTraceHeader":"Root=1-6742f0a1-4c0ffee5ba5eba11decade00;Parent=53995c3f42cd8ad8;Sampled=1"}`
	first := receiving.Message{
		ID: "m", Body: []byte(`{"a":"é"}`), Receives: 3, SentAt: time.UnixMilli(1795512017123),
		Trace: "00-6742f0a14c0ffee5ba5eba11decade00-53995c3f42cd8ad8-01",
	}
	grouped, again := first, first
	grouped.Group = "g"
	again.ID = "first"
	for arn, tt := range map[string]struct {
		more string
		want receiving.Message
	}{
		standard:       {"", first},
		fifo:           {"", grouped},
		standard + "2": {`,"messageAttributes":{"` + receiving.OriginalIDAttribute + `":{"stringValue":"first","dataType":"String"}}`, again},
	} {
		r := &receiver{answer: func(context.Context, receiving.Message) error { return errors.New("again") }}
		event := `{"Records":[{"messageId":"m","body":"{\"a\":\"é\"}","eventSource":"aws:sqs","eventSourceARN":"` + arn + `",` + attributes + tt.more + `}]}`
		if got := report(t.Context(), t, r, 0, event); got != reported("m") {
			t.Errorf("%s: %s", arn, got)
		}
		if diff := cmp.Diff([]receiving.Message{tt.want}, r.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arn, diff)
		}
	}
}

// TestSweep has what comes of draining, and how it is answered.
func TestSweep(t *testing.T) {
	away := errors.New("the store is away")
	for _, tt := range []struct {
		teller teller
		want   string
		err    error
	}{
		{teller{}, `{"left":0,"complete":true}`, nil},
		{teller{left: 7}, `{"left":7,"complete":true}`, nil}, // of a subscriber that is away
		{teller{err: away}, "", away},
	} {
		f := lambdafn.New(lambdafn.Config{Teller: &tt.teller})
		got, err := f.Invoke(t.Context(), []byte(lambdafn.SweepInput))
		if string(got) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s, %v; want %s, %v", got, err, tt.want, tt.err)
		}
	}
}
