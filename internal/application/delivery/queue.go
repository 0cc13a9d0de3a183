package delivery

import (
	"sync"
	"sync/atomic"
	"time"

	"order-processing-service/internal/domain/order"
)

// work is one track that this dispatcher holds the lease of.
type work struct {
	queue    *queue
	id       order.ID
	message  Message // without events: they are to be fetched from the store
	attempts int
	until    time.Time // when the lease ends

	waiting bool  // in the queue's ready list
	link    *work // the next one in the ready list
	next    *work // the same track, leased anew while this one is being told or settled
}

// queue holds the work for one subscriber. A slow subscriber fills its own queue and nobody else's.
type queue struct {
	subscriber Subscriber
	name       string
	capacity   int

	mu          sync.Mutex
	filled      sync.Cond // something is ready, or the queue is closed
	held        map[order.ID]*work
	first, last *work // ready, in the order in which they came
	closed      bool
	horizon     time.Time // until when work was put off for want of a place

	size                  atomic.Int64 // of held
	told, retried, parked atomic.Uint64
}

func newQueue(s Subscriber, capacity int) *queue {
	q := &queue{subscriber: s, name: s.Name(), capacity: capacity, held: make(map[order.ID]*work)}
	q.filled.L = &q.mu
	return q
}

// add takes w in, and reports false if there is no place or the queue is closed. An order that is
// held already needs no place: two deliveries of one track are never under way.
func (q *queue) add(w *work) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	switch held := q.held[w.id]; {
	case held == nil:
		if len(q.held) >= q.capacity {
			return false
		}
		q.held[w.id] = w
		q.size.Store(int64(len(q.held)))
		q.push(w)
	case held.waiting: // its lease had run out and is ours again
		held.message, held.attempts, held.until = w.message, w.attempts, w.until
	default: // it is being told or settled; w's turn comes after that
		held.next = w
	}
	return true
}

// take waits for work and moves up to limit of it into batch. It returns none when the queue is
// closed.
func (q *queue) take(batch []*work, limit int) []*work {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.first == nil && !q.closed {
		q.filled.Wait()
	}
	for q.first != nil && len(batch) < limit {
		batch = append(batch, q.pop())
	}
	return batch
}

// again puts w, of which there is more to tell, back into the ready list. It reports false if the
// queue is closed.
func (q *queue) again(w *work) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	w.next = nil // what it would tell is part of the rest
	q.push(w)
	return true
}

// release lets go of w, whose lease is over. If the track was leased anew meanwhile, that takes its
// place, or is returned if the queue is closed.
func (q *queue) release(w *work) (left *work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.next != nil && !q.closed {
		q.held[w.id] = w.next
		q.push(w.next)
		return nil
	}
	delete(q.held, w.id)
	q.size.Store(int64(len(q.held)))
	return w.next
}

// close ends the queue: take returns no more, and what was ready is returned, still held.
func (q *queue) close() []*work {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	var left []*work
	for q.first != nil {
		left = append(left, q.pop())
	}
	q.filled.Broadcast()
	return left
}

// putOff returns when work that found no place is to come back: spaced out, so that what waits for a
// stuck subscriber keeps the store busy only a little.
func (q *queue) putOff(now time.Time, soonest, latest time.Duration) time.Time {
	const spacing = 250 * time.Microsecond
	q.mu.Lock()
	defer q.mu.Unlock()
	q.horizon = q.horizon.Add(spacing)
	if t := now.Add(soonest); q.horizon.Before(t) {
		q.horizon = t
	}
	if t := now.Add(latest); q.horizon.After(t) {
		q.horizon = t
	}
	return q.horizon
}

func (q *queue) push(w *work) {
	w.waiting = true
	if q.last == nil {
		q.first = w
	} else {
		q.last.link = w
	}
	q.last = w
	q.filled.Signal()
}

func (q *queue) pop() *work {
	w := q.first
	q.first, w.link, w.waiting = w.link, nil, false
	if q.first == nil {
		q.last = nil
	}
	return w
}
