package connections

import (
	"sync"
	"time"
)

// step is the time between two looks at the connections that rest.
const step = 10 * time.Millisecond

// lot is the connections that rest, in the order in which they began: one that came first is read again first.
type lot struct {
	release func() int // Limits.Release

	mu          sync.Mutex
	first, last *Conn
	len         int
	gone        int // came in turn, but were gone
	timer       *time.Timer
}

// size returns how many rest.
func (l *lot) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.len
}

// add has c rest until a time of the listener, or that of the one before it if that is later. c.rest.over has something to receive once that
// is over.
func (l *lot) add(c *Conn, until int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &c.rest
	r.previous, r.next, r.ends = l.last, nil, until
	if l.last == nil {
		l.first = c
	} else {
		l.last.rest.next = c
		r.ends = max(until, l.last.rest.ends)
	}
	l.last = c
	r.inLot = true
	l.len++
	if l.len > 1 {
		return
	}
	if l.timer == nil {
		l.timer = time.AfterFunc(step, l.look)
	} else {
		l.timer.Reset(step)
	}
}

// remove ends the rest of c. It tells whether it was not over yet.
func (l *lot) remove(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.rest.inLot {
		return false
	}
	l.unlink(c)
	return true
}

// unlink is remove for one that is there; mu is held.
func (l *lot) unlink(c *Conn) {
	r := &c.rest
	if r.previous == nil {
		l.first = r.next
	} else {
		r.previous.rest.next = r.next
	}
	if r.next == nil {
		l.last = r.previous
	} else {
		r.next.rest.previous = r.previous
	}
	r.previous, r.next, r.inLot = nil, nil, false
	l.len--
}

// wasGone has the turn of a connection that turned out to be closed be the next one's.
func (l *lot) wasGone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone++
}

// look ends the rests whose time is over, and as many others as may be read again.
func (l *lot) look() {
	early := 0
	if l.release != nil {
		early = l.release()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	early, l.gone = early+l.gone, 0
	for ; l.first != nil; early-- {
		c := l.first
		if early <= 0 && c.rest.ends > c.listener.now() {
			l.timer.Reset(step)
			return
		}
		l.unlink(c)
		c.rest.over <- struct{}{}
	}
}
