// Package admission decides which requests are worked on when there are too many.
//
// So many are worked on at once, because more would not be done sooner. So many more may wait for their turn, in the order in which
// they came, each for a short while: that evens out bursts. Whoever finds no place to wait is turned away at once, which costs
// next to nothing.
//
// A queue that never empties evens out nothing: it only makes everybody wait for as long as they may. So once somebody has been
// waiting without a break for as long as one may wait, the wait is cut to a third, until nobody waits (as in Controlled Delay, and
// "Fail at Scale", ACM Queue 13(8), 2015). As many are served as before, but those who are have come a moment ago, and are still
// there for the answer.
package admission

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Reasons to turn somebody away.
var (
	ErrFull    = errors.New("too many requests wait already")
	ErrTimeout = errors.New("the request has waited for too long")
)

// Config says how many may come in. Working must be more than 0.
type Config struct {
	Working int           // at once
	Waiting int           // at once; 0 for nobody
	Timeout time.Duration // of each wait
	Lent    int           // places that are lent at once; 0 for none
}

// hurry is what the timeout is divided by: the part of the timeout that is left when the queue does not empty.
const hurry = 3

// Gate lets requests in. It is safe for concurrent use.
type Gate struct {
	config Config

	mu      sync.Mutex
	working int
	queue   queue     // who has come
	back    queue     // who has come back from a loan
	backs   bool      // whether it is the turn of back, if there are both
	lent    int       // places of those who have yet to come back, or are in back
	busy    time.Time // since when somebody has been in queue, while somebody is
	crowded time.Time // when the last one came who found no place
	waiters sync.Pool
	loans   sync.Pool
}

// New returns a gate that nobody has come through.
func New(c Config) *Gate { return &Gate{config: c} }

// Try tells whether the caller may work at once; it must then call Leave, once.
func (g *Gate) Try() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.working >= g.config.Working {
		return false
	}
	g.working++
	return true
}

// Enter returns nil when the caller may work; it must then call Leave, once. Else the error is ErrFull, ErrTimeout, or that of ctx. A
// caller who has waited elsewhere already has less time left: it waits for a third of what others do at least, but while the queue does
// not empty, Leave passes over it as it does over all whose wait, with that elsewhere, has been longer than that.
func (g *Gate) Enter(ctx context.Context, waited time.Duration) error {
	g.mu.Lock()
	switch {
	case g.working < g.config.Working:
		g.working++
		g.mu.Unlock()
		return nil
	case g.queue.len >= g.config.Waiting:
		g.crowded = time.Now()
		g.mu.Unlock()
		return ErrFull
	}
	w := g.newWaiter()
	g.join(w, waited)
	g.mu.Unlock()
	return g.wait(ctx, w, max(g.config.Timeout-waited, g.config.Timeout/hurry))
}

// Leave makes room for the next one.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave()
}

// leave is Leave; mu is held. Those who have come and those who have come back take turns.
func (g *Gate) leave() {
	w, isBack := g.back.first, g.back.len > 0 && (g.backs || g.queue.len == 0)
	if isBack {
		g.back.remove(w)
	} else {
		w = g.next()
	}
	g.backs = !isBack
	if w == nil {
		g.working--
		return
	}
	w.decided <- nil
}

// next takes from the queue who has the next turn, nil for nobody, and turns away those who have waited for too long; mu is held.
func (g *Gate) next() *waiter {
	if g.queue.len == 0 {
		return nil
	}
	now := time.Now()
	for {
		w := g.queue.first
		g.queue.remove(w)
		if g.queue.len == 0 || now.Sub(w.since) <= g.patience(now) {
			return w
		}
		w.decided <- ErrTimeout
	}
}

// patience is how long one may wait; mu is held.
func (g *Gate) patience(now time.Time) time.Duration {
	if now.Sub(g.busy) > g.config.Timeout {
		return g.config.Timeout / hurry
	}
	return g.config.Timeout
}

// Waiting returns how many wait.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queue.len + g.back.len
}

// calm is how long nobody has had to wait when there is room for those who were turned away.
const calm = 250 * time.Millisecond

// Free returns how many more may work, if that has been so for a while: when many come there is a free place now and then, and one who
// comes in time is to have it.
func (g *Gate) Free() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.crowded) < calm {
		return 0
	}
	return g.config.Working - g.working
}

func (g *Gate) newWaiter() *waiter {
	if w, ok := g.waiters.Get().(*waiter); ok {
		return w
	}
	return &waiter{decided: make(chan error, 1), timer: time.NewTimer(g.config.Timeout)}
}

// join has w wait as the last one; mu is held.
func (g *Gate) join(w *waiter, waited time.Duration) {
	now := time.Now()
	w.since, g.crowded = now.Add(-waited), now
	if g.queue.len == 0 {
		g.busy = now
	}
	g.queue.push(w)
}

// wait returns what becomes of w, which it takes back.
func (g *Gate) wait(ctx context.Context, w *waiter, timeout time.Duration) error {
	w.timer.Reset(timeout)
	defer func() {
		w.timer.Stop()
		g.waiters.Put(w)
	}()
	var gone error
	select {
	case err := <-w.decided:
		return err
	case <-w.timer.C:
		gone = ErrTimeout
	case <-ctx.Done():
		gone = ctx.Err()
	}
	g.mu.Lock()
	undecided := w.in != nil
	if undecided {
		w.in.remove(w)
	}
	g.mu.Unlock()
	if !undecided && <-w.decided == nil { // it got its turn in the same moment
		g.Leave()
	}
	return gone
}
