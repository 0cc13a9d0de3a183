package delivery

import (
	"context"
	"sync"
	"time"

	"order-processing-service/internal/domain/fault"
)

// maxSettle bounds how many settlements go to the store at once.
const maxSettle = 512

// The waits between tries of a settlement while the store is away.
const (
	firstSettleRetry = 50 * time.Millisecond
	lastSettleRetry  = time.Second
)

// outcome is a settlement to be written while the lease is ours.
type outcome struct {
	work       *work // nil when no queue holds it
	settlement Settlement
	lease      time.Time // when the lease ends as the store knows it
	until      time.Time // when it ends if the settlement prolongs it: to be written by then
	away       bool      // it failed, and not for the order's sake
}

// settler collects outcomes while the store is busy with earlier ones, so that they go out together:
// the outcomes of several subscribers of one order often share a write.
type settler struct {
	mu      sync.Mutex
	pending []outcome
	spare   []outcome
	closed  bool
	busy    bool          // what take returned is being written
	filled  chan struct{} // something is pending, or closed
}

func (s *settler) add(outcomes ...outcome) {
	s.mu.Lock()
	first := len(s.pending) == 0
	s.pending = append(s.pending, outcomes...)
	s.mu.Unlock()
	if first {
		s.signal()
	}
}

func (s *settler) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending)
}

// close lets the settler end once nothing is pending.
func (s *settler) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.signal()
}

func (s *settler) signal() {
	select {
	case s.filled <- struct{}{}:
	default:
	}
}

// take waits for outcomes and returns all of them. The result is good until the next call. It is
// empty when the settler is closed or ctx has ended.
func (s *settler) take(ctx context.Context) []outcome {
	for {
		s.mu.Lock()
		batch, closed := s.pending, s.closed
		if len(batch) > 0 {
			s.pending, s.spare, s.busy = s.spare[:0], batch, true
		}
		s.mu.Unlock()
		if len(batch) > 0 || closed {
			return batch
		}
		select {
		case <-s.filled:
		case <-ctx.Done():
			return nil
		}
	}
}

// written notes that all that take returned has been dealt with.
func (s *settler) written() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
}

// idle reports whether there is nothing to write.
func (s *settler) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending) == 0 && !s.busy
}

// settle writes outcomes until the settler is closed or ctx ends.
func (d *Dispatcher) settle(ctx context.Context) {
	settlements := make([]Settlement, 0, maxSettle)
	for ctx.Err() == nil {
		batch := d.settler.take(ctx)
		if len(batch) == 0 {
			return
		}
		for rest := batch; len(rest) > 0; {
			n := min(len(rest), maxSettle)
			d.write(ctx, rest[:n], settlements)
			rest = rest[n:]
		}
		clear(batch) // keep no orders alive while waiting
		d.settler.written()
		d.bell.ring()
	}
}

// write has the store take note of outcomes. While the store is away it tries again as long as the
// leases last; after that the work is somebody else's. An outcome that makes the store fail for
// another reason is given up alone.
func (d *Dispatcher) write(ctx context.Context, batch []outcome, scratch []Settlement) {
	wait := firstSettleRetry
	for len(batch) > 0 {
		scratch = scratch[:0]
		now := d.c.Now()
		for i := range batch {
			s := batch[i].settlement
			if !batch[i].lease.After(now) {
				// What was told was told; but the lease may be ours anew, for work of its own.
				s.Owner = ""
			}
			scratch = append(scratch, s)
		}
		answers, err := d.c.Store.Settle(ctx, scratch)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			for i := range batch {
				d.settled(ctx, &batch[i], answers[i])
			}
			return
		case fault.KindOf(err) == fault.Unavailable:
			if wait < lastSettleRetry && 2*wait >= lastSettleRetry { // once, and not for a short trouble
				d.c.Logger.WarnContext(ctx, "Deliveries can't be settled; trying on", "error", errorText(err))
			}
			if !sleep(ctx, wait) {
				return
			}
			wait = min(2*wait, lastSettleRetry)
			batch = d.ours(batch)
		case len(batch) == 1:
			s := &batch[0].settlement
			d.c.Logger.ErrorContext(ctx, "A delivery can't be settled; it will be repeated", "order_id", s.Order.String(),
				"subscriber", s.Subscriber, "error", errorText(err))
			d.free(batch[0].work)
			return
		default: // find the one at fault
			half := len(batch) / 2
			d.write(ctx, batch[:half], scratch)
			batch = batch[half:]
		}
	}
}

// ours keeps the outcomes whose lease goes on and lets go of the others.
func (d *Dispatcher) ours(batch []outcome) []outcome {
	now := d.c.Now()
	kept := batch[:0]
	for _, o := range batch {
		if o.until.After(now) {
			kept = append(kept, o)
		} else {
			d.free(o.work)
		}
	}
	return kept
}

// settled goes on from where the store has taken note of an outcome.
func (d *Dispatcher) settled(ctx context.Context, o *outcome, answer Settled) {
	s, w := &o.settlement, o.work
	if w == nil {
		return
	}
	if s.Error != "" && !answer.Lost {
		d.failed(ctx, w.queue, o)
	}
	if !answer.More {
		d.free(w)
		return
	}
	w.attempts = 0
	if !w.queue.again(w) {
		d.giveBack(w, d.c.Now())
	}
}

// failed counts and logs a failed delivery that the store has noted.
func (d *Dispatcher) failed(ctx context.Context, q *queue, o *outcome) {
	s := &o.settlement
	attrs := []any{
		"order_id", s.Order.String(), "subscriber", s.Subscriber, "sequence", s.Told + 1,
		"attempts", s.Attempts, "error", s.Error,
	}
	switch {
	case o.away:
		q.waits.Add(1)
		d.c.Logger.DebugContext(ctx, "Delivery waits for its subscriber", attrs...)
	case s.RetryAt.IsZero():
		q.parked.Add(1)
		d.c.Logger.WarnContext(ctx, "Delivery parked after its last try; redrive or skip it", attrs...)
	default:
		q.retried.Add(1)
		d.c.Logger.DebugContext(ctx, "Delivery failed; trying again", attrs...)
	}
}

// free lets go of work whose lease is over; nil is none.
func (d *Dispatcher) free(w *work) {
	if w == nil {
		return
	}
	if left := w.queue.release(w); left != nil {
		d.settler.add(outcome{settlement: d.release(left, d.c.Now()), lease: left.until, until: left.until})
	}
	d.roomier()
	d.bell.ring()
}

// sleep waits and reports whether ctx went on for so long.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
