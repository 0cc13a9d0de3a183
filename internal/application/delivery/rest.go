package delivery

import (
	"time"

	"order-processing-service/internal/domain/fault"
)

// health is what a queue knows of the outside system behind its subscriber. While that is away the
// subscriber rests: nobody calls it. After the rest one call is made, and what comes of that decides
// for all. The queue's lock guards it.
type health struct {
	state  healthState
	misses int       // calls in a row that found it away; those under way at the same time count once
	reason string    // why it rests; "" when it is well
	until  time.Time // when the rest ends
	timer  *time.Timer
}

type healthState uint8

const (
	well    healthState = iota
	resting             // until the timer says otherwise
	trial               // the next call is the one that decides
	trying              // that call is under way
)

// turn is what a worker has to know of a call when that has ended.
type turn struct {
	misses int  // when it began
	trial  bool // it is the one that decides
}

// begin lets a worker make a call, if one may be made now.
func (h *health) begin() turn {
	t := turn{misses: h.misses, trial: h.state == trial}
	if t.trial {
		h.state = trying
	}
	return t
}

// open reports whether a call may be made now.
func (h *health) open() bool { return h.state == well || h.state == trial }

// away notes that a call found the subscriber away, and has it rest unless it does already. It
// returns when the rest ends and how many misses there were, or 0 misses when others have said so.
func (q *queue) away(t turn, reason string, now time.Time, pause func(misses int) time.Duration, rested func()) (until time.Time, misses int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := &q.health
	if t.misses != h.misses || q.closed {
		return h.until, 0
	}
	h.misses++
	rest := pause(h.misses)
	h.state, h.reason, h.until = resting, reason, now.Add(rest)
	q.unwell.Store(true)
	var timer *time.Timer
	timer = time.AfterFunc(rest, func() {
		q.mu.Lock()
		over := h.timer == timer // else it was ended early, and this comes too late
		if over {
			h.state = trial
			q.filled.Signal()
		}
		q.mu.Unlock()
		if over {
			rested()
		}
	})
	h.timer = timer
	return h.until, h.misses
}

// reached notes that the outside system has answered, and reports whether it was away before.
func (q *queue) reached() bool {
	if !q.unwell.Load() {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.health.state == well {
		return false
	}
	q.health.end()
	q.unwell.Store(false)
	q.filled.Broadcast()
	return true
}

// untried leaves the deciding call to the next worker: this one had nothing to tell.
func (q *queue) untried() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.health.state == trying {
		q.health.state = trial
		q.filled.Signal()
	}
}

func (q *queue) rests() bool {
	if !q.unwell.Load() {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.health.state == resting
}

// end ends a rest early, or for good when the queue is closed.
func (h *health) end() {
	if h.timer != nil {
		h.timer.Stop()
	}
	*h = health{}
}

// isAway reports whether err says that the outside system is away as a whole.
func isAway(err error) bool { return err != nil && fault.KindOf(err) == fault.Unavailable }

// allAway reports whether nothing but that has come of a call.
func allAway(results []Result) bool {
	for i := range results {
		if results[i].Told > 0 || !isAway(results[i].Err) {
			return false
		}
	}
	return true
}

// allRest reports whether there is nobody to tell anything to at the moment.
func (d *Dispatcher) allRest() bool {
	for _, q := range d.queues {
		if !q.rests() {
			return false
		}
	}
	return len(d.queues) > 0
}
