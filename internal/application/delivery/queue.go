package delivery

import (
	"slices"
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
	weight   int     // of the message, in bytes; see weigh
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
	capacity   int // of orders
	most       int // bytes of the messages

	mu          sync.Mutex
	filled      sync.Cond // something is ready, or the queue is closed
	held        map[order.ID]*work
	first, last *work // ready, in the order in which they came
	ready       int   // how many those are
	closed      bool
	bytes       int       // what the messages of held and of what comes next weigh
	horizon     time.Time // until when work was put off for want of a place
	health      health

	size                         atomic.Int64 // of held
	unwell                       atomic.Bool  // health.state is not well; read where the lock would be dear
	told, retried, parked, waits atomic.Uint64
}

func newQueue(s Subscriber, capacity, most int) *queue {
	q := &queue{subscriber: s, name: s.Name(), capacity: capacity, most: most, held: make(map[order.ID]*work)}
	q.filled.L = &q.mu
	return q
}

// add takes w in, and reports false if there is no place or the queue is closed. An order that is
// held already needs no place: two deliveries of one track are never under way. A message for which
// there are no bytes left is let go of, and fetched from the store when its turn comes.
func (q *queue) add(w *work) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	held := q.held[w.id]
	if q.closed || held == nil && len(q.held) >= q.capacity {
		return false
	}
	if q.bytes+w.weight > q.most {
		w.message, w.weight = Message{}, 0
	}
	q.bytes += w.weight
	switch {
	case held == nil:
		q.held[w.id] = w
		q.size.Store(int64(len(q.held)))
		q.push(w)
	case held.waiting: // its lease had run out and is ours again
		q.bytes -= held.weight
		held.message, held.weight, held.attempts, held.until = w.message, w.weight, w.attempts, w.until
	default: // it is being told or settled; w's turn comes after that
		q.dropNext(held)
		held.next = w
	}
	return true
}

// take waits for work, and for a subscriber that rests, and moves up to limit of it into batch. It
// returns none when the queue is closed.
func (q *queue) take(batch []*work, limit int) ([]*work, turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && (q.first == nil || !q.health.open()) {
		q.filled.Wait()
	}
	if q.closed {
		return batch, turn{}
	}
	for q.first != nil && len(batch) < limit {
		batch = append(batch, q.pop())
	}
	return batch, q.health.begin()
}

// again puts w, of which there is more to tell, back into the ready list. It reports false if the
// queue is closed.
func (q *queue) again(w *work) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.dropNext(w) // what it would tell is part of the rest
	q.push(w)
	return true
}

// dropNext lets go of what was to come after w.
func (q *queue) dropNext(w *work) {
	if w.next != nil {
		q.bytes -= w.next.weight
		w.next = nil
	}
}

// putBack puts work that was taken and not begun before everything else that is ready. If the queue
// is closed it returns the work.
func (q *queue) putBack(batch []*work) (left []*work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return batch
	}
	for _, w := range slices.Backward(batch) {
		w.waiting, w.link = true, q.first
		q.first = w
		q.ready++
		if q.last == nil {
			q.last = w
		}
		q.filled.Signal()
	}
	return nil
}

// fetched gives w the message that the store had of it.
func (q *queue) fetched(w *work, t *Task) {
	w.message, w.attempts = t.Message, t.Attempts
	weight := weigh(&w.message)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes += weight - w.weight
	w.weight = weight
}

// delivered lets go of the messages of a batch: what is left to do needs none of them.
func (q *queue) delivered(batch []*work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range batch {
		q.bytes -= w.weight
		w.message, w.weight = Message{}, 0
	}
}

// release lets go of w, whose lease is over. If the track was leased anew meanwhile, that takes its
// place, or is returned if the queue is closed.
func (q *queue) release(w *work) (left *work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes -= w.weight
	w.weight = 0
	if w.next != nil && !q.closed {
		q.held[w.id] = w.next
		q.push(w.next)
		return nil
	}
	delete(q.held, w.id)
	q.size.Store(int64(len(q.held)))
	return w.next
}

// quiet reports whether nothing is under way and nothing can begin.
func (q *queue) quiet() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.held) == 0 || q.health.state == resting && len(q.held) == q.ready
}

// weighs returns what the messages weigh that the queue holds.
func (q *queue) weighs() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// close ends the queue: take returns no more, and what was ready is returned, still held.
func (q *queue) close() []*work {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.health.end()
	var left []*work
	for q.first != nil {
		left = append(left, q.pop())
	}
	q.filled.Broadcast()
	return left
}

// The least time between two orders that are put off; what waits for a subscriber that does not take
// it shall keep the store busy only a little, above all when that one is away for long.
const (
	spacing        = 250 * time.Microsecond
	restingSpacing = 2 * time.Millisecond
)

// putOff returns when work that found no place is to come back, and why if the subscriber is away.
func (q *queue) putOff(now time.Time, soonest, latest time.Duration) (time.Time, string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	least, step := now.Add(soonest), spacing
	if q.health.state != well {
		step = restingSpacing
		if q.health.until.After(least) {
			least = q.health.until
		}
	}
	q.horizon = q.horizon.Add(step)
	if q.horizon.Before(least) {
		q.horizon = least
	}
	if t := now.Add(latest); q.horizon.After(t) {
		q.horizon = t
	}
	return q.horizon, q.health.reason
}

func (q *queue) push(w *work) {
	w.waiting = true
	if q.last == nil {
		q.first = w
	} else {
		q.last.link = w
	}
	q.last = w
	q.ready++
	q.filled.Signal()
}

func (q *queue) pop() *work {
	w := q.first
	q.first, w.link, w.waiting = w.link, nil, false
	q.ready--
	if q.first == nil {
		q.last = nil
	}
	return w
}
