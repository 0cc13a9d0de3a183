package admission

import "time"

// waiter is somebody who waits. Waiters are used again once the one answer, if there was any, has been read.
type waiter struct {
	decided        chan error // has room for it
	timer          *time.Timer
	since          time.Time
	in             *queue // nil once it is decided; guarded by the gate's mu, as what follows
	previous, next *waiter
}

// queue is those who wait, in the order of their turns.
type queue struct {
	first, last *waiter
	len         int
}

// push has w be the last.
func (q *queue) push(w *waiter) {
	w.in, w.previous, w.next = q, q.last, nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
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
	w.in, w.previous, w.next = nil, nil, nil
	q.len--
}
