package lambdafn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/receiving"
)

var (
	errNoTime   = errors.New("the invocation's time is over")
	errPanicked = errors.New("receiving it panicked")
)

// receive applies the messages of a batch and answers with those that must come again. Messages of one FIFO group are
// applied one after the other, and after the first that fails the rest of its group comes again, untouched. All others are
// applied at the same time, as many as Concurrency says. What can't begin in time comes again.
func (f *Function) receive(ctx context.Context, records []record) ([]byte, error) {
	if f.Receiver == nil {
		return nil, EventError{"this function takes no messages of queues"}
	}
	b := budgetOf(ctx)
	work, cancel := b.work(ctx)
	defer cancel()
	failed := failures{ids: make(map[string]bool)}
	var lanes errgroup.Group
	lanes.SetLimit(f.Concurrency)
	for _, lane := range lanesOf(records) {
		lanes.Go(func() error {
			f.follow(work, lane, &failed)
			return nil
		})
	}
	_ = lanes.Wait() // the lanes return no errors
	if len(failed.ids) > 0 {
		f.Log.Log(ctx, failed.level, "Messages must come again", "count", len(failed.ids), "of", len(records), "error", failed.cause)
	}
	f.flush(ctx, b)
	return failed.answer(records)
}

// lanesOf parts a batch into the messages that are to be applied one after the other.
func lanesOf(records []record) [][]record {
	var lanes [][]record
	groups := make(map[string]int) // the lane of each FIFO group
	for _, r := range records {
		if !r.isFIFO() {
			lanes = append(lanes, []record{r})
			continue
		}
		id := r.Attributes["MessageGroupId"]
		lane, ok := groups[id]
		if !ok {
			lane = len(lanes)
			groups[id] = lane
			lanes = append(lanes, nil)
		}
		lanes[lane] = append(lanes[lane], r)
	}
	return lanes
}

// follow applies messages in their order, up to the first that fails.
func (f *Function) follow(ctx context.Context, lane []record, failed *failures) {
	for i := range lane {
		err := errNoTime
		if ctx.Err() == nil {
			err = f.apply(ctx, &lane[i])
		}
		if err == nil {
			continue
		}
		failed.add(lane[i].MessageID, err)
		for _, later := range lane[i+1:] {
			failed.add(later.MessageID, nil)
		}
		return
	}
}

// apply has one message received, with what it panics with as an error.
func (f *Function) apply(ctx context.Context, r *record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f.Log.ErrorContext(ctx, "Message panicked", "message_id", r.MessageID, "panic", p, "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	return f.Receiver.Receive(ctx, r.message())
}

// message is the record as the application knows it.
func (r *record) message() receiving.Message {
	// A message that was sent again from the dead letters keeps the id by which it is known whether it was applied.
	m := receiving.Message{ID: cmp.Or(r.Sent[receiving.OriginalIDAttribute].StringValue, r.MessageID), Body: []byte(r.Body)}
	if r.isFIFO() {
		m.Group = r.Attributes["MessageGroupId"]
	}
	if n, err := strconv.Atoi(r.Attributes["ApproximateReceiveCount"]); err == nil {
		m.Receives = n
	}
	if ms, err := strconv.ParseInt(r.Attributes["SentTimestamp"], 10, 64); err == nil {
		m.SentAt = time.UnixMilli(ms)
	}
	if t, ok := correlation.ParseXRay(r.Attributes["AWSTraceHeader"]); ok {
		m.Trace = t.Traceparent()
	}
	return m
}

// failures are the messages of a batch that must come again. They are safe for concurrent use.
type failures struct {
	mu    sync.Mutex
	ids   map[string]bool
	cause error      // of one of them, the most severe
	level slog.Level // of the cause
}

// add notes a message and why it must come again: nil for one that waits for another.
func (s *failures) add(id string, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids[id] = true
	level := slog.LevelWarn
	if receiving.IsEarly(cause) { // nothing is wrong
		level = slog.LevelInfo
	}
	if cause != nil && (s.cause == nil || level > s.level) {
		s.cause, s.level = cause, level
	}
}

// answer lists the failures in the order of the batch.
func (s *failures) answer(records []record) ([]byte, error) {
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, r := range records {
		if s.ids[r.MessageID] {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageID})
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write the answer to a batch: %w", err)
	}
	return text, nil
}
