package delivery

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"order-processing-service/internal/domain/order"
)

// maxClaim bounds how many orders are claimed at once, and with them one write of the store.
const maxClaim = 256

// largeClaim is how many bytes a claim has when the orders are so large that the store may have
// returned fewer than there are.
const largeClaim = 8 << 20

// Dispatcher tells subscribers of changes. What its own process commits is handed to it at once
// (Offer, Accept); what dead processes left and what is to be tried again it claims from the store.
// Each subscriber has a queue and workers of its own. It is safe for concurrent use.
type Dispatcher struct {
	c       Config
	names   []string
	queues  []*queue
	settler settler
	wake    chan struct{}
	bell    bell         // rung when something was told, noted or given up
	offers  atomic.Int64 // places kept for offers that are not answered yet
	missed  atomic.Bool  // something was left in the store for want of a place

	mu       sync.Mutex // guards started and the change of stopping
	started  bool
	stopping atomic.Bool
	cancel   context.CancelFunc // ends everything at once
	unpoll   context.CancelFunc
	poller   sync.WaitGroup
	workers  sync.WaitGroup
	done     chan struct{} // closed when the settler has ended, which is last
}

// New returns a Dispatcher that is not started yet. Work that is handed over before waits for that.
func New(c Config) *Dispatcher {
	d := &Dispatcher{c: withDefaults(c), wake: make(chan struct{}, 1), done: make(chan struct{})}
	d.settler.filled = make(chan struct{}, 1)
	for _, s := range c.Subscribers {
		q := newQueue(s, d.c.Queue, d.c.QueueBytes)
		d.queues, d.names = append(d.queues, q), append(d.names, q.name)
	}
	return d
}

// Start begins to tell, in goroutines of its own, until Stop. When ctx ends before that, everything
// ends at once and what was leased is left to its leases' end. A dispatcher is started once; more
// calls, or one after Stop, do nothing.
func (d *Dispatcher) Start(ctx context.Context) { d.start(ctx, true) }

// StartOnDemand is Start without the look at the store each PollInterval: what nobody hands over is claimed by Poll and
// Drain alone. It is for a process that may be halted whenever it is not at work: what it claimed by itself just before
// would wait until it goes on, or for the end of the lease.
func (d *Dispatcher) StartOnDemand(ctx context.Context) { d.start(ctx, false) }

func (d *Dispatcher) start(ctx context.Context, polling bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.started || d.stopping.Load() {
		return
	}
	d.started = true
	ctx, d.cancel = context.WithCancel(ctx)
	context.AfterFunc(ctx, func() {
		for _, q := range d.queues {
			q.close()
		}
	})
	for _, q := range d.queues {
		for range d.c.Workers {
			d.workers.Go(func() { d.serve(ctx, q) })
		}
	}
	go func() {
		defer close(d.done)
		d.settle(ctx)
	}()
	var looking context.Context
	looking, d.unpoll = context.WithCancel(ctx)
	if polling && len(d.queues) > 0 {
		d.poller.Go(func() { d.watch(looking) })
	}
}

// Stop takes on no more work, waits for the deliveries that are under way and gives back the leases
// of what has not begun. If that takes longer than ctx, it cuts the deliveries off and returns an
// error at once; what is then still leased is told after its lease by whoever is there. It may be
// called more than once: each call waits.
func (d *Dispatcher) Stop(ctx context.Context) error {
	d.mu.Lock()
	first := !d.stopping.Swap(true)
	started := d.started
	d.mu.Unlock()
	if !started {
		return nil
	}
	defer d.cancel()
	if first {
		d.unpoll()
		go d.windDown()
	}
	select {
	case <-d.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the dispatcher: %w", context.Cause(ctx))
	}
}

// windDown ends what Start began, in the order in which the parts hand on their work.
func (d *Dispatcher) windDown() {
	d.poller.Wait()
	for _, q := range d.queues {
		for _, w := range q.close() {
			d.giveBack(w, d.c.Now())
		}
	}
	d.workers.Wait()
	d.settler.close()
}

// Offer names the subscribers that are to be told of a change that is about to be written, and takes
// the work on if there is a place with any of them. It does not block.
func (d *Dispatcher) Offer(now time.Time) Handover {
	h := Handover{Subscribers: d.names}
	if d.reserve() {
		h.Owner, h.Until = d.c.Owner, now.Add(d.c.Lease)
	}
	return h
}

// reserve keeps a place. Only a queue that every subscriber fills has none: what a single one has no
// place for is given back, in the same write in which the others' deliveries are settled.
func (d *Dispatcher) reserve() bool {
	if d.stopping.Load() || d.settler.size() > d.c.Queue*len(d.queues) {
		return false
	}
	offers := d.offers.Add(1)
	if d.room(offers-1) > 0 {
		return true
	}
	d.offers.Add(-1)
	return false
}

// room is how many more orders the emptiest queue can take, with so many offers under way.
func (d *Dispatcher) room(offers int64) int {
	room := 0
	for _, q := range d.queues {
		room = max(room, q.capacity-int(q.size.Load()+offers))
	}
	return room
}

// Decline gives back the place that Offer kept: nothing was written.
func (d *Dispatcher) Decline(h Handover) {
	if h.Owner != "" {
		d.offers.Add(-1)
	}
}

// Accept takes over a committed change: the order, the events that came with it and the tracks that
// the store leased to the offer's owner. It does not block.
func (d *Dispatcher) Accept(h Handover, o *order.Order, events []order.Event, leased []Track) {
	if h.Owner == "" {
		d.leftBehind()
		return
	}
	d.offers.Add(-1)
	works := make([]work, len(leased))
	weight := weigh(&Message{Order: o, Events: events})
	for i := range leased {
		w, t := &works[i], &leased[i]
		w.id, w.attempts, w.until = o.ID(), t.Attempts, h.Until
		if len(events) > 0 && len(events) <= MaxEvents && events[0].Sequence == t.Told+1 {
			w.message, w.weight = Message{Order: o, Events: events}, weight
		}
		d.take(t.Subscriber, w)
	}
}

// take puts work into its subscriber's queue; without a place there its lease is given back.
func (d *Dispatcher) take(subscriber string, w *work) {
	for _, q := range d.queues {
		if q.name != subscriber {
			continue
		}
		w.queue = q
		if !q.add(w) {
			now := d.c.Now()
			s := d.release(w, now)
			if !d.stopping.Load() {
				s.RetryAt, s.Error = q.putOff(now, d.c.PollInterval, d.c.BackoffMax)
				s.Attempts = w.attempts
			}
			d.settler.add(outcome{settlement: s, lease: w.until, until: w.until})
		}
		return
	}
}

// giveBack gives back the lease of work that a queue holds: the rest is due at the given time.
func (d *Dispatcher) giveBack(w *work, at time.Time) {
	d.settler.add(outcome{work: w, settlement: d.release(w, at), lease: w.until, until: w.until})
}

func (d *Dispatcher) release(w *work, at time.Time) Settlement {
	return Settlement{Order: w.id, Subscriber: w.queue.name, Owner: d.c.Owner, RetryAt: at}
}

// leftBehind has the poller look for what was left in the store, now or as soon as there is room.
func (d *Dispatcher) leftBehind() {
	d.missed.Store(true)
	d.roomier()
}

// roomier wakes the poller if something was left behind and there is room for a good part of it.
func (d *Dispatcher) roomier() {
	if d.missed.Load() && d.room(d.offers.Load()) > d.c.Queue/2 && d.missed.CompareAndSwap(true, false) {
		d.Wake()
	}
}

// Wake has the store asked for work now, not at the next interval.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (d *Dispatcher) watch(ctx context.Context) {
	ticker := time.NewTicker(d.c.PollInterval)
	defer ticker.Stop()
	failing := false
	for {
		more, err := true, error(nil)
		for more && err == nil {
			more, err = d.Poll(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			d.c.Logger.WarnContext(ctx, "Deliveries can't be claimed; trying on", "error", errorText(err))
		case err == nil && failing:
			d.c.Logger.InfoContext(ctx, "Deliveries can be claimed again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-d.wake:
		}
	}
}

// Poll is one pass: it claims as much due work as there is room for and queues it. It reports
// whether there may be more. The error is the store's.
func (d *Dispatcher) Poll(ctx context.Context) (more bool, err error) {
	_, more, err = d.claim(ctx)
	return more, err
}

// claim leases what is due, as far as there is room, and queues it. It does not ask the store if there
// is no room, or nobody to tell.
func (d *Dispatcher) claim(ctx context.Context) (claimed int, more bool, err error) {
	limit := min(d.room(d.offers.Load()), maxClaim)
	if d.stopping.Load() || limit < max(1, min(d.c.Queue/4, maxClaim)) { // a few at a time would cost a write each
		d.leftBehind()
		return 0, false, nil
	}
	if d.allRest() {
		return 0, false, nil // the end of a rest wakes the poller
	}
	now := d.c.Now()
	claim := Claim{Owner: d.c.Owner, Subscribers: d.names, Now: now, Until: now.Add(d.c.Lease), Limit: limit}
	tasks, err := d.c.Store.Claim(ctx, claim)
	if err != nil {
		return 0, false, fmt.Errorf("claim deliveries: %w", err)
	}
	bytes := 0
	for i := range tasks {
		t := &tasks[i]
		weight := weigh(&t.Message)
		bytes += weight
		d.take(t.Subscriber, &work{id: t.Order.ID(), message: t.Message, weight: weight, attempts: t.Attempts, until: claim.Until})
	}
	return len(tasks), len(tasks) >= limit || bytes >= largeClaim, nil
}
