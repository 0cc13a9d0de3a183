package admission

import (
	"context"
	"sync/atomic"
	"time"
)

// Loan is a place at work whose holder waits for something outside, such as a client that sends slowly. If that takes long, others
// work there meanwhile.
type Loan struct {
	gate  *Gate
	timer *time.Timer
	state atomic.Int32
}

const (
	held     int32 = iota // the holder has the place
	lent                  // it has not
	returned              // the loan is over
)

// Lend lets others have the caller's place if Return is not called within a while.
func (g *Gate) Lend(after time.Duration) *Loan {
	l := &Loan{gate: g}
	l.timer = time.AfterFunc(after, func() {
		if l.state.CompareAndSwap(held, lent) {
			g.Leave()
		}
	})
	return l
}

// Return ends the loan. Whoever has lost the place is the next to get one, however many wait: what has been done for the request
// by now is not to be in vain. With an error, ErrTimeout or that of ctx, the caller has none, and must not Leave.
func (l *Loan) Return(ctx context.Context) error {
	if l.End() {
		return nil
	}
	return l.gate.enterNext(ctx)
}

// End ends the loan for somebody who will not go on. It tells whether the caller still has the place, and must Leave. Either this or
// Return is called, once.
func (l *Loan) End() bool {
	l.timer.Stop()
	return l.state.CompareAndSwap(held, returned)
}

// enterNext is Enter for somebody who has been inside before.
func (g *Gate) enterNext(ctx context.Context) error {
	g.mu.Lock()
	if g.working < g.config.Working {
		g.working++
		g.mu.Unlock()
		return nil
	}
	w := g.newWaiter()
	g.join(w, 0, true)
	g.mu.Unlock()
	return g.wait(ctx, w, g.config.Timeout)
}
