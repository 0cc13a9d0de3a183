package delivery

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Flush waits until what is in hand is told and noted, or has failed and waits for its next try. It is
// for a process that may be halted as soon as it has answered, such as a Lambda function: what it
// committed is then told before its answer. It returns early when ctx ends, which should leave time
// for the answer, and does not wait for a subscriber that rests. Left is how many deliveries are in
// hand then. They go on being told while the process runs; if it does not, whoever looks for due work
// after their leases tells them. It needs a dispatcher that was started, and may be called any number
// of times, also at once.
func (d *Dispatcher) Flush(ctx context.Context) (left int) {
	for {
		rung := d.bell.next()
		if d.quiet() {
			return d.inHand()
		}
		select {
		case <-rung:
		case <-d.done:
			return d.inHand()
		case <-ctx.Done():
			return d.inHand()
		}
	}
}

// Drain tells what is due, in hand and in the store, until nothing is: one sweep, for a process that
// is started for that alone. It ends as Flush does, with an error if ctx ended before all was told or
// if the store could not be asked; it may then be called again. What waits for its next try is left,
// and what waits for a subscriber that rests.
func (d *Dispatcher) Drain(ctx context.Context) (left int, err error) {
	for {
		left = d.Flush(ctx)
		claimed, err := 0, ctx.Err()
		if err == nil {
			claimed, _, err = d.claim(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return d.inHand(), fmt.Errorf("drain the dispatcher: %w", context.Cause(ctx))
		case err != nil:
			return d.inHand(), err
		case claimed == 0:
			return left, nil
		}
	}
}

// quiet reports whether nothing is being told or noted, and nothing could be.
func (d *Dispatcher) quiet() bool {
	for _, q := range d.queues {
		if !q.quiet() {
			return false
		}
	}
	return d.settler.idle()
}

func (d *Dispatcher) inHand() int {
	n := 0
	for _, q := range d.queues {
		n += int(q.size.Load())
	}
	return n
}

// bell wakes everybody who waits for something to have changed.
type bell struct {
	heard atomic.Bool // somebody waits: ringing costs nothing otherwise
	mu    sync.Mutex
	rung  chan struct{}
}

// next returns what is closed with the next ring. Ask for it before looking at what might change.
func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	b.heard.Store(true)
	return b.rung
}

func (b *bell) ring() {
	if !b.heard.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
	b.heard.Store(false)
}
