package admission

import (
	"context"
	"sync"
	"time"
)

// Loan is a place at work whose holder waits for something outside, such as a client that sends slowly. If that takes long, others
// work there meanwhile. Nobody may use it once Return or End has been called: it may be somebody else's then.
type Loan struct {
	gate  *Gate
	timer *time.Timer

	mu     sync.Mutex
	state  loanState
	recall func()
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
	l, ok := g.loans.Get().(*Loan)
	if !ok {
		l = &Loan{gate: g}
		l.timer = time.AfterFunc(time.Hour, l.lend) // until it is set, just below
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state, l.recall = held, recall
	l.timer.Reset(after)
	return l
}

func (l *Loan) lend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.state != held:
	case l.gate.lend():
		l.state = lent
	default:
		l.state = called
		l.recall()
	}
}

// Return ends the loan. Whoever has lost the place is among the next to get one, however many wait: what has been done for the
// request by now is not to be in vain. With an error the caller has no place, and must not Leave: ErrFull when it was recalled,
// ErrTimeout, or that of ctx.
func (l *Loan) Return(ctx context.Context) error {
	g := l.gate
	switch l.end() {
	case held:
		return nil
	case lent:
		return g.enterAgain(ctx)
	default:
		g.Leave()
		return ErrFull
	}
}

// End ends the loan for somebody who will not go on. It tells whether the caller still has the place, and must Leave; recalled is
// that it was. Either this or Return is called, once.
func (l *Loan) End() (inside, recalled bool) {
	g, state := l.gate, l.end()
	if state == lent {
		g.giveUp()
	}
	return state != lent, state == called
}

// end returns what the loan was until now, and keeps it for the next one unless its timer has gone off: lend may be at work then.
func (l *Loan) end() loanState {
	unused := l.timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.state
	l.state, l.recall = over, nil
	if unused {
		l.gate.loans.Put(l)
	}
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
