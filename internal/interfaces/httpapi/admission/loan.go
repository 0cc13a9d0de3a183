package admission

import (
	"context"
	"sync"
	"time"
)

// Loan is a place at work whose holder waits for something outside, such as a client that sends slowly. If that takes long, others
// work there meanwhile.
type Loan struct {
	gate  *Gate
	timer *time.Timer

	mu    sync.Mutex
	state loanState
}

type loanState int

const (
	held   loanState = iota // the holder has the place
	lent                    // it has not
	called                  // it has, but is not to go on
	over                    // the loan has ended
)

// Lend lets others have the caller's place if Return is not called within a while. If as many places are lent as may be, the caller
// is to give up what it waits for: recall is called, once, which must not block or call the loan. It is not called, and not at work any
// more, once Return or End has returned.
func (g *Gate) Lend(after time.Duration, recall func()) *Loan {
	l := &Loan{gate: g}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(after, func() { l.lend(recall) })
	return l
}

func (l *Loan) lend(recall func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.state != held:
	case l.gate.lend():
		l.state = lent
	default:
		l.state = called
		recall()
	}
}

// Return ends the loan. Whoever has lost the place is among the next to get one, however many wait: what has been done for the
// request by now is not to be in vain. With an error the caller has no place, and must not Leave: ErrFull when it was recalled,
// ErrTimeout, or that of ctx.
func (l *Loan) Return(ctx context.Context) error {
	switch l.end() {
	case held:
		return nil
	case lent:
		return l.gate.enterAgain(ctx)
	default:
		l.gate.Leave()
		return ErrFull
	}
}

// End ends the loan for somebody who will not go on. It tells whether the caller still has the place, and must Leave; recalled is
// that it was. Either this or Return is called, once.
func (l *Loan) End() (inside, recalled bool) {
	state := l.end()
	if state == lent {
		l.gate.giveUp()
	}
	return state != lent, state == called
}

// end returns what the loan was until now.
func (l *Loan) end() loanState {
	l.timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.state
	l.state = over
	return was
}

// lend is Leave for somebody who comes back. It tells whether that is allowed.
func (g *Gate) lend() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lent >= g.config.Lent {
		return false
	}
	g.lent++
	g.leave()
	return true
}

// giveUp is for somebody who does not come back.
func (g *Gate) giveUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lent--
}

// enterAgain is Enter for somebody who comes back.
func (g *Gate) enterAgain(ctx context.Context) error {
	g.mu.Lock()
	if g.working < g.config.Working {
		g.working++
		g.lent--
		g.mu.Unlock()
		return nil
	}
	w := g.newWaiter()
	g.back.push(w)
	g.mu.Unlock()
	defer g.giveUp() // it counts until it is inside, or gone
	return g.wait(ctx, w, g.config.Timeout)
}
