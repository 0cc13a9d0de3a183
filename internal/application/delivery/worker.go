package delivery

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// round is what a worker needs from one call to the next; it is used again.
type round struct {
	turn
	messages []Message
	outcomes []outcome
}

// serve tells one subscriber, batch after batch, until its queue is closed.
func (d *Dispatcher) serve(ctx context.Context, q *queue) {
	batch := make([]*work, 0, d.c.Batch)
	r := round{messages: make([]Message, 0, d.c.Batch), outcomes: make([]outcome, 0, d.c.Batch)}
	for {
		batch, r.turn = q.take(batch[:0], d.c.Batch)
		if len(batch) == 0 {
			return
		}
		if tellable := d.ready(ctx, q, batch); len(tellable) > 0 {
			d.deliver(ctx, q, &r, tellable)
		} else if r.trial {
			q.untried()
		}
		clear(batch) // keep no orders alive while waiting
	}
}

// maxCallBytes bounds what the messages of a call weigh together, but for the first and for the last one
// that had to be fetched.
const maxCallBytes = 4 << 20

// ready returns the part of batch that can be told now, with its events. What would make the call too
// large is put back.
func (d *Dispatcher) ready(ctx context.Context, q *queue, batch []*work) []*work {
	batch = d.timely(batch)
	tellable := batch[:0]
	bytes := 0
	for i, w := range batch {
		if len(tellable) > 0 && bytes+w.weight > maxCallBytes {
			for _, w := range q.putBack(batch[i:]) {
				d.giveBack(w, d.c.Now())
			}
			break
		}
		if len(w.message.Events) > 0 || d.fetch(ctx, w) {
			tellable = append(tellable, w)
			bytes += w.weight
		}
	}
	return d.timely(tellable) // fetching may have taken long
}

// timely drops work whose lease is nearly over, whoever looks after that is the one to tell, and
// returns the rest, in place.
func (d *Dispatcher) timely(batch []*work) []*work {
	latest := d.c.Now().Add(d.c.Lease/deliverPart + d.c.Lease/settlePart)
	kept := batch[:0]
	for _, w := range batch {
		if w.until.Before(latest) {
			d.free(w)
		} else {
			kept = append(kept, w)
		}
	}
	return kept
}

// fetch reads what is to be told next. It reports false, and gives the lease back, when there is
// nothing or the store can't say.
func (d *Dispatcher) fetch(ctx context.Context, w *work) bool {
	task, err := d.c.Store.Next(ctx, w.id, w.queue.name)
	if err == nil && len(task.Events) > 0 {
		w.queue.fetched(w, &task)
		return true
	}
	at := d.c.Now()
	if err != nil {
		at = at.Add(d.c.PollInterval)
		d.c.Logger.WarnContext(ctx, "Events to deliver can't be read; trying again", "order_id", w.id.String(),
			"subscriber", w.queue.name, "error", errorText(err))
	}
	d.giveBack(w, at)
	return false
}

// deliver tells the subscriber a batch and passes on how each message fared.
func (d *Dispatcher) deliver(ctx context.Context, q *queue, r *round, batch []*work) {
	until := batch[0].until
	r.messages, r.outcomes = r.messages[:0], r.outcomes[:0]
	for _, w := range batch {
		r.messages = append(r.messages, w.message)
		if w.until.Before(until) {
			until = w.until
		}
	}
	limit := until.Sub(d.c.Now()) - d.c.Lease/settlePart
	results := d.call(ctx, q, r.messages, limit)
	clear(r.messages)
	if ctx.Err() != nil {
		return // cut off: no failure of the subscriber, and nobody is left to take note
	}
	if len(results) != len(batch) {
		results = allFailed(len(batch), errNoResult)
	}
	now := d.c.Now()
	again := d.answered(ctx, q, r.turn, results, now, until)
	for i, w := range batch {
		o := outcome{work: w, settlement: d.settlement(w, results[i], now, again), lease: w.until, away: isAway(results[i].Err)}
		if o.settlement.Until.After(w.until) {
			w.until = o.settlement.Until
		}
		o.until = w.until
		r.outcomes = append(r.outcomes, o)
	}
	q.delivered(batch) // before others may have them: settling takes long when the store is away
	d.settler.add(r.outcomes...)
	clear(r.outcomes)
}

// answered notes what a call says of the subscriber as a whole, and returns from when on what found
// it away is to be tried again. Until is when the leases of what was told end.
func (d *Dispatcher) answered(ctx context.Context, q *queue, t turn, results []Result, now, until time.Time) time.Time {
	soonest := now.Add(d.c.backoff(1))
	if !allAway(results) {
		if q.reached() {
			d.c.Logger.InfoContext(ctx, "Subscriber is back", "subscriber", q.name)
		}
		return soonest
	}
	if now.After(until) {
		// Calls are cut off before that: it is this process that stood still, and the subscriber may be well.
		q.untried()
		return soonest
	}
	reason := errorText(results[0].Err)
	rested, misses := q.away(t, reason, now, d.c.rest, d.Wake)
	d.bell.ring()
	if misses == 1 {
		d.c.Logger.WarnContext(ctx, "Subscriber is away; its deliveries wait", "subscriber", q.name, "error", reason)
	}
	if rested.After(soonest) {
		return rested
	}
	return soonest
}

func allFailed(count int, err error) []Result {
	results := make([]Result, count)
	for i := range results {
		results[i].Err = err
	}
	return results
}

var (
	errNoResult = errors.New("the subscriber did not answer each message with a result")
	errNoReason = errors.New("the subscriber did not tell everything and gave no reason")
)

// call calls the subscriber, with what it panics with as the error of every message.
func (d *Dispatcher) call(ctx context.Context, q *queue, messages []Message, limit time.Duration) (results []Result) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		err := fmt.Errorf("the subscriber panicked: %v", p)
		d.c.Logger.ErrorContext(ctx, "Subscriber panicked", "subscriber", q.name, "error", errorText(err),
			"stack", string(debug.Stack()))
		results = allFailed(len(messages), err)
	}()
	return q.subscriber.Deliver(ctx, messages)
}

// settlement says what the store is to note of a delivery; again is when to try what found the
// subscriber away.
func (d *Dispatcher) settlement(w *work, r Result, now, again time.Time) Settlement {
	events := w.message.Events
	told := min(max(r.Told, 0), len(events))
	s := Settlement{
		Order: w.id, Subscriber: w.queue.name, Owner: d.c.Owner, Told: events[0].Sequence - 1 + told,
	}
	w.queue.told.Add(uint64(told))
	switch {
	case told == len(events) && d.stopping.Load():
		s.RetryAt = now
	case told == len(events):
		s.Until = now.Add(d.c.Lease)
	default:
		if r.Err == nil {
			r.Err = errNoReason
		}
		s.Error = errorText(r.Err)
		if told == 0 {
			s.Attempts = w.attempts
		}
		if isAway(r.Err) { // nothing that the order could help
			s.RetryAt = again
			break
		}
		s.Attempts++
		if s.Attempts < d.c.MaxAttempts {
			s.RetryAt = now.Add(d.c.backoff(s.Attempts))
		}
	}
	return s
}

// maxErrorText bounds, in bytes, what is kept and logged of an error.
const maxErrorText = 300

// errorText returns the bounded text of err; it is never empty.
func errorText(err error) string {
	text := err.Error()
	if text == "" {
		return "an error without a text"
	}
	if len(text) > maxErrorText {
		text = text[:maxErrorText] + "…"
	}
	return strings.ToValidUTF8(text, "�")
}
