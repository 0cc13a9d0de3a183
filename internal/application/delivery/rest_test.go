package delivery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// errOutage is what subscribers say when the outside system is away as a whole.
var errOutage = fmt.Errorf("put events: %w", fault.Wrap(errors.New("connection refused"), fault.Unavailable, "bus_away", "no bus"))

// outage returns a subscriber whose outside system is away until back is called.
func outage(t *testing.T) (r *recorder, back func()) {
	t.Helper()
	r = newRecorder(t, "events")
	var up atomic.Bool
	r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
		<-time.After(time.Millisecond)
		if !up.Load() {
			return allFailed(messages, errOutage)
		}
		return allTold(messages)
	}
	return r, func() { up.Store(true) }
}

// However long an outside system is away, no order pays for it, and nobody else waits.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		away, back := outage(t)
		quick := newRecorder(t, "quick")
		p := newProcess(t, memory.New(), delivery.Config{
			Subscribers: []delivery.Subscriber{away, quick}, MaxAttempts: 2, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		var ids []order.ID
		for range 100 {
			ids = append(ids, p.place())
			pass(10 * time.Millisecond)
			quick.wantTold(ids[len(ids)-1], 1)
		}
		pass(3 * time.Hour)
		if parked := p.deliveries(delivery.StateParked); len(parked) != 0 {
			t.Errorf("%d deliveries are parked, want none", len(parked))
		}
		waiting := p.deliveries(delivery.StateWaiting)
		named := 0
		for _, d := range waiting {
			if d.Track.Attempts != 0 {
				t.Errorf("%d tries are counted of a delivery to a subscriber that is away", d.Track.Attempts)
			}
			if strings.Contains(d.Track.LastError, "connection refused") {
				named++
			}
		}
		if len(waiting) != len(ids) || named == 0 {
			t.Errorf("%d deliveries wait and %d of them say why; want %d, and some", len(waiting), named, len(ids))
		}
		if s := p.dispatcher.Stats()[0]; !s.Rests || s.Waits == 0 || s.Retried != 0 || s.Parked != 0 {
			t.Errorf("stats = %+v, want that it rests", s)
		}
		// Three quarters of the rests, the longest of which are 30 seconds.
		if calls, most := len(away.callTimes()), 3*3600/22+10; calls > most {
			t.Errorf("%d calls in three hours, want %d at most", calls, most)
		}
		back()
		pass(time.Minute)
		for _, id := range ids {
			away.wantTold(id, 1)
		}
		p.toldAll()
		if s := p.dispatcher.Stats()[0]; s.Rests || s.InHand != 0 {
			t.Errorf("stats = %+v, want that it is well", s)
		}
		if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "is away") || !strings.Contains(text, "is back") {
			t.Errorf("the log is\n%swant a line when it went away and one when it came back", text)
		}
	})
}

// A call during which the process stood still, as a frozen function does, says nothing of the subscriber: what comes next is
// told at once, and what was under way when its lease has ended.
func TestStandstillIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		var calls atomic.Int32
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			if calls.Add(1) > 1 {
				return allTold(messages)
			}
			<-time.After(40 * time.Second) // longer than the lease, though the call's time is over before that
			return allFailed(messages, errOutage)
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, Workers: 1})
		first := p.place()
		pass(40*time.Second + time.Millisecond)
		second := p.place()
		pass(time.Millisecond)
		r.wantTold(second, 1)
		if s := p.dispatcher.Stats()[0]; s.Rests {
			t.Error("the subscriber rests")
		}
		pass(time.Minute)
		r.wantTold(first, 1)
	})
}

// The rests grow up to their bound, and after each of them one call is made, whoever is idle.
func TestRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, back := outage(t)
		p := newProcess(t, memory.New(), delivery.Config{
			Subscribers: []delivery.Subscriber{r}, Workers: 4, Batch: 1, BackoffMin: 4 * time.Second, RestMax: 20 * time.Second,
		})
		var ids []order.ID
		for range 50 {
			ids = append(ids, p.place())
		}
		pass(time.Minute)
		calls := r.callTimes()
		first := 0
		for first < len(calls) && calls[first].Equal(calls[0]) {
			first++
		}
		if first != 4 {
			t.Errorf("%d calls at first, want one of each worker", first)
		}
		// Three quarters of 4, 8, 16 and 20 seconds, and a millisecond for each call.
		for i, w := range []time.Duration{3 * time.Second, 6 * time.Second, 12 * time.Second, 15 * time.Second, 15 * time.Second} {
			at := first + i
			if len(calls) <= at {
				t.Fatalf("%d calls, want more", len(calls))
			}
			if got := calls[at].Sub(calls[at-1]); got != w+time.Millisecond {
				t.Errorf("rest %d took %v, want %v", i+1, got, w)
			}
		}
		back()
		pass(time.Minute)
		for _, id := range ids {
			r.wantTold(id, 1)
		}
		p.toldAll()
	})
}

// What finds no place while the subscriber is away comes back seldom, says why, and is told in the end.
func TestOutageOfAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away, back := outage(t)
		quick := newRecorder(t, "quick")
		m := memory.New()
		store := &watched{Store: m.Open()}
		p := newProcess(t, m, delivery.Config{
			Store: store, Subscribers: []delivery.Subscriber{away, quick}, Queue: 16,
		})
		var ids []order.ID
		for range 150 {
			ids = append(ids, p.place())
			synctest.Wait()
			quick.wantTold(ids[len(ids)-1], 1)
		}
		pass(2 * time.Minute)
		for _, d := range p.deliveries(delivery.StateWaiting) {
			if d.Track.Attempts != 0 || d.Track.Owner == "" && !strings.Contains(d.Track.LastError, "connection refused") {
				t.Errorf("waiting is %+v, want no tries and the reason", d.Track)
			}
		}
		before := store.settled.Load()
		pass(time.Hour)
		if settled, most := store.settled.Load()-before, int64(150*3600/15); settled > most {
			t.Errorf("%d settlements in an hour, want %d at most", settled, most)
		}
		back()
		pass(10 * time.Minute)
		for _, id := range ids {
			away.wantTold(id, 1)
		}
		p.toldAll()
	})
}

// A part of a call that was throttled costs its orders nothing, and the subscriber goes on.
func TestThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		gate := make(chan struct{})
		var enough atomic.Bool
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate
			results := allTold(messages)
			for i := range results {
				if i > 2 && !enough.Load() {
					results[i] = delivery.Result{Err: errOutage}
				}
			}
			return results
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, Workers: 1, MaxAttempts: 1})
		p.place()
		synctest.Wait()
		var ids []order.ID
		for range 20 {
			ids = append(ids, p.place())
		}
		close(gate)
		synctest.Wait()
		if n := len(r.callTimes()); n != 3 {
			t.Errorf("%d calls at once, want one for each batch: the subscriber is not away", n)
		}
		for _, d := range p.deliveries(delivery.StateWaiting) {
			if wait := time.Until(d.Track.DueAt); d.Track.Attempts != 0 || wait < 500*time.Millisecond {
				t.Errorf("waiting is %+v, want no try counted, and a pause", d.Track)
			}
		}
		enough.Store(true)
		pass(5 * time.Second)
		for _, id := range ids {
			r.wantTold(id, 1)
		}
		p.toldAll()
	})
}

// Tries that were counted before the outside system went away still count when it is back.
func TestOutageKeepsTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		answers := []error{errAway, errAway, errOutage, errOutage, errOutage, errAway}
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			err := answers[0]
			answers = answers[1:]
			return allFailed(messages, err)
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, MaxAttempts: 3})
		p.place()
		pass(time.Hour)
		if parked := p.deliveries(delivery.StateParked); len(parked) != 1 || parked[0].Track.Attempts != 3 || len(answers) != 0 {
			t.Errorf("parked = %+v and %d answers are left, want it parked after 3 tries that count", parked, len(answers))
		}
	})
}

// A call that gets somewhere before the outside system goes away begins the count of tries anew.
func TestOutageMidway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(t, "events")
		gate, calls := make(chan struct{}), 0
		r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
			<-gate
			calls++
			if calls == 2 {
				return []delivery.Result{{Told: 1, Err: errOutage}}
			}
			return allTold(messages)
		}
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, MaxAttempts: 1})
		id := p.place()
		synctest.Wait()
		p.notes(id, 3)
		close(gate)
		synctest.Wait()
		r.wantTold(id, 2)
		if w := p.deliveries(delivery.StateWaiting); len(w) != 1 || w[0].Sequence != 3 || w[0].Track.Attempts != 0 {
			t.Errorf("waiting = %+v, want event 3, not tried yet", w)
		}
		pass(time.Minute)
		r.wantTold(id, 4)
		p.toldAll()
	})
}

// A stop does not wait for the end of a rest, and gives back what waits for it.
func TestStopWhileResting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := outage(t)
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, BackoffMin: time.Hour, BackoffMax: time.Hour})
		p.place()
		pass(time.Second)
		p.place()
		start := time.Now()
		p.stop()
		if took := time.Since(start); took > 0 {
			t.Errorf("the stop took %v", took)
		}
		for _, d := range p.deliveries(delivery.StateWaiting) {
			if d.Track.Owner != "" {
				t.Errorf("left behind: %+v, want it nobody's", d.Track)
			}
		}
	})
}
