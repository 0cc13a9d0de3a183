package admission

import (
	"sync"
	"time"
)

// waiter is somebody who waits. Waiters are used again.
type waiter struct {
	decided        chan error // has room for the one answer
	since          time.Time
	queued         bool // guarded by the gate's mu, as what follows
	previous, next *waiter
}

//nolint:gochecknoglobals // a pool shares memory, not state
var waiters = sync.Pool{New: func() any { return &waiter{decided: make(chan error, 1)} }}

func newWaiter() *waiter {
	w, ok := waiters.Get().(*waiter)
	if !ok {
		w = &waiter{decided: make(chan error, 1)} // the pool holds nothing else
	}
	return w
}

// release gives w back, whose answer has been read if there was one.
func (w *waiter) release() { waiters.Put(w) }

// queue is those who wait, in the order of their turns.
type queue struct {
	first, last *waiter
	len         int
}

func (q *queue) pushLast(w *waiter) {
	w.queued, w.previous, w.next = true, q.last, nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.len++
}

func (q *queue) pushFirst(w *waiter) {
	w.queued, w.previous, w.next = true, nil, q.first
	if q.first == nil {
		q.last = w
	} else {
		q.first.previous = w
	}
	q.first = w
	q.len++
}

func (q *queue) remove(w *waiter) {
	if w.previous == nil {
		q.first = w.next
	} else {
		w.previous.next = w.next
	}
	if w.next == nil {
		q.last = w.previous
	} else {
		w.next.previous = w.previous
	}
	w.queued, w.previous, w.next = false, nil, nil
	q.len--
}
