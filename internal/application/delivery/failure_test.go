package delivery_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// failing returns a subscriber that fails so many calls, then tells.
func failing(t *testing.T, calls int) *recorder {
	t.Helper()
	r := newRecorder(t, "events")
	r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
		r.mu.Lock()
		fail := len(r.calls) <= calls
		r.mu.Unlock()
		if fail {
			return allFailed(messages, errAway)
		}
		return allTold(messages)
	}
	return r
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := failing(t, 8)
		p := newProcess(t, memory.New(), delivery.Config{
			Subscribers: []delivery.Subscriber{r}, PollInterval: time.Millisecond,
			BackoffMin: 4 * time.Second, BackoffMax: time.Minute,
		})
		id := p.place()
		pass(10 * time.Minute)
		calls := r.callTimes()
		// Three quarters of 4, 8, 16, 32 seconds and then of the minute that bounds them.
		want := []int{3, 6, 12, 24, 45, 45, 45, 45}
		if len(calls) != len(want)+1 {
			t.Fatalf("%d calls, want %d", len(calls), len(want)+1)
		}
		for i, w := range want {
			if got := calls[i+1].Sub(calls[i]).Round(5 * time.Millisecond); got != time.Duration(w)*time.Second {
				t.Errorf("try %d came after %v, want %ds", i+2, got, w)
			}
		}
		r.wantTold(id, 1)
		p.toldAll()
	})
}

func TestParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := newRecorder(t, "events")
		long := errors.New(strings.Repeat("ö", 1_000))
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			return allFailed(messages, long)
		}
		p := newProcess(t, memory.New(), delivery.Config{
			Subscribers: []delivery.Subscriber{r}, MaxAttempts: 3,
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		id := p.place()
		pass(time.Hour)
		if n := len(r.callTimes()); n != 3 {
			t.Errorf("%d tries, want 3", n)
		}
		parked := p.deliveries(delivery.StateParked)
		if len(parked) != 1 || parked[0].Order != id || parked[0].Sequence != 1 || parked[0].Track.Attempts != 3 {
			t.Fatalf("parked = %+v, want the order's first event after 3 tries", parked)
		}
		if text := parked[0].Track.LastError; !strings.HasPrefix(text, "öö") || len(text) > 310 {
			t.Errorf("last error has %d bytes, want the bounded beginning of it", len(text))
		}
		for _, part := range []string{"level=WARN", "order_id=" + id.String(), "subscriber=events", "sequence=1", "attempts=3"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("the log lacks %s: %s", part, log.String())
			}
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1 || log.Len() > 700 || strings.Contains(log.String(), "c-1") {
			t.Errorf("the log has %d lines and %d bytes, want one short line without the customer", lines, log.Len())
		}
		if s := p.dispatcher.Stats()[0]; s.Parked != 1 || s.Retried != 2 || s.Told != 0 || s.InHand != 0 {
			t.Errorf("stats = %+v", s)
		}
		p.note(id, "more") // a parked track stays parked
		pass(time.Hour)
		if n := len(r.callTimes()); n != 3 {
			t.Errorf("a parked delivery was tried again: %d tries", n)
		}
	})
}

func TestPartialMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		gate := make(chan struct{})
		first := true
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate
			results := allTold(messages)
			if len(messages[0].Events) > 2 && first {
				first = false
				results[0] = delivery.Result{Told: 2, Err: errAway}
			}
			return results
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}})
		id := p.place()
		synctest.Wait()
		p.notes(id, 5)
		close(gate)
		synctest.Wait()
		r.wantTold(id, 3)
		waiting := p.deliveries(delivery.StateWaiting)
		if len(waiting) != 1 || waiting[0].Sequence != 4 || waiting[0].Track.Attempts != 1 {
			t.Fatalf("waiting = %+v, want event 4 after one try", waiting)
		}
		pass(2 * time.Second)
		r.wantTold(id, 6)
		p.toldAll()
	})
}

// Within a batch, each order fares for itself.
func TestPartialBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		gate := make(chan struct{})
		var mended atomic.Bool
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate
			results := allTold(messages)
			for i := range results {
				if i%2 == 1 && !mended.Load() {
					results[i] = delivery.Result{Err: errAway}
				}
			}
			return results
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, Workers: 1})
		p.place()
		synctest.Wait()
		var ids []order.ID
		for range 10 {
			ids = append(ids, p.place())
		}
		close(gate)
		synctest.Wait()
		for i, id := range ids {
			r.wantTold(id, 1-i%2)
		}
		mended.Store(true)
		pass(2 * time.Second)
		for _, id := range ids {
			r.wantTold(id, 1)
		}
		p.toldAll()
	})
}

// A subscriber that breaks its contract has failed.
func TestBrokenSubscriber(t *testing.T) {
	tests := map[string]struct {
		deliver func(messages []delivery.Message) []delivery.Result
		want    string
	}{
		"panic":        {func([]delivery.Message) []delivery.Result { panic("no such bucket") }, "the subscriber panicked: no such bucket"},
		"no results":   {func([]delivery.Message) []delivery.Result { return nil }, "did not answer each message"},
		"no reason":    {func(m []delivery.Message) []delivery.Result { return make([]delivery.Result, len(m)) }, "gave no reason"},
		"negative":     {func([]delivery.Message) []delivery.Result { return []delivery.Result{{Told: -3, Err: errAway}} }, "away"},
		"no text":      {func([]delivery.Message) []delivery.Result { return []delivery.Result{{Err: errors.New("")}} }, "without a text"},
		"invalid text": {func([]delivery.Message) []delivery.Result { return []delivery.Result{{Err: errors.New("a\xffb")}} }, "a�b"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := subscriber{name: "events", deliver: test.deliver}
				p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, MaxAttempts: 2})
				p.place()
				pass(time.Minute)
				parked := p.deliveries(delivery.StateParked)
				if len(parked) != 1 || !strings.Contains(parked[0].Track.LastError, test.want) {
					t.Errorf("parked = %+v, want the error %q", parked, test.want)
				}
			})
		})
	}
}

// subscriber is a subscriber of a name and a function.
type subscriber struct {
	name    string
	deliver func(messages []delivery.Message) []delivery.Result
}

func (s subscriber) Name() string { return s.name }

func (s subscriber) Deliver(_ context.Context, messages []delivery.Message) []delivery.Result {
	return s.deliver(messages)
}

// A delivery that takes too long is cut off before its lease ends, and counts as failed.
func TestDeliveryIsBoundedByTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		var took time.Duration
		r.deliver = func(ctx context.Context, messages []delivery.Message) []delivery.Result {
			start := time.Now()
			<-ctx.Done()
			took = time.Since(start)
			return allFailed(messages, ctx.Err())
		}
		p := newProcess(t, memory.New(), delivery.Config{
			Subscribers: []delivery.Subscriber{r}, Lease: 30 * time.Second, MaxAttempts: 1,
		})
		p.place()
		pass(time.Minute)
		if took != 25*time.Second {
			t.Errorf("cut off after %v, want 25s", took)
		}
		if parked := p.deliveries(delivery.StateParked); len(parked) != 1 || parked[0].Track.Attempts != 1 {
			t.Errorf("parked = %+v, want it to count as a try", parked)
		}
	})
}
