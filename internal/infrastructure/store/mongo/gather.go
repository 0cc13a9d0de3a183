package mongo

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"order-processing-service/internal/domain/order"
)

const (
	// gatherers is how many calls of the driver of one kind go on at the same time. What comes meanwhile
	// waits, and goes together in the next one: with fewer calls more goes together. Two, so that one that
	// takes long does not hold up everybody.
	gatherers = 2
	// maxGathered is how many go together at most.
	maxGathered = 200
	// maxWaiting is how many wait at most; more wait to wait.
	maxWaiting = 4_096
)

// gatherer makes one call of what many ask for at the same time: it takes the driver and the server
// little more time to find a hundred documents than to find one. While few ask, nobody waits.
type gatherer[Q any] struct{ queue chan *asked[Q] }

// asked is what one caller asks for. It belongs to whoever serves it until served is closed.
type asked[Q any] struct {
	what   Q
	until  time.Time
	begun  atomic.Int32 // waiting, serving or left
	served chan struct{}
}

// What becomes of what is asked for. It leaves waiting once.
const (
	waiting int32 = iota
	serving       // it is in use until served is closed
	left          // the caller has gone before
)

// newGatherer returns a gatherer that has serve do the work, by the deadline of ctx.
func newGatherer[Q any](workers *sync.WaitGroup, serve func(ctx context.Context, batch []Q)) *gatherer[Q] {
	g := &gatherer[Q]{queue: make(chan *asked[Q], maxWaiting)}
	for range gatherers {
		workers.Go(func() { g.work(serve) })
	}
	return g
}

func (g *gatherer[Q]) work(serve func(context.Context, []Q)) {
	batch, what := make([]*asked[Q], 0, maxGathered), make([]Q, 0, maxGathered)
	for first := range g.queue {
		batch = slices.DeleteFunc(g.more(append(batch[:0], first)), func(a *asked[Q]) bool {
			return !a.begun.CompareAndSwap(waiting, serving)
		})
		if len(batch) == 0 {
			continue
		}
		what = what[:0]
		until := batch[0].until
		for _, a := range batch {
			what = append(what, a.what)
			if a.until.After(until) {
				until = a.until // who may not wait for so long leaves
			}
		}
		ctx, cancel := context.WithDeadline(context.Background(), until)
		serve(ctx, what)
		cancel()
		for _, a := range batch {
			close(a.served)
		}
		clear(batch)
		clear(what)
	}
}

// more adds what waits right now.
func (g *gatherer[Q]) more(batch []*asked[Q]) []*asked[Q] {
	for len(batch) < maxGathered {
		select {
		case next, ok := <-g.queue:
			if !ok {
				return batch
			}
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// ask has what served by its deadline. When it returns an error, ctx has ended; if it was begun by then,
// what is in use.
func (g *gatherer[Q]) ask(ctx context.Context, what Q, until time.Time) (begun bool, err error) {
	a := &asked[Q]{what: what, until: until, served: make(chan struct{})}
	select {
	case g.queue <- a:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case <-a.served:
		return true, nil
	case <-ctx.Done():
		return !a.begun.CompareAndSwap(waiting, left), ctx.Err()
	}
}

// end lets what waits be served, and nothing more.
func (g *gatherer[Q]) end() { close(g.queue) }

// wanted is an order to be read.
type wanted struct {
	id     order.ID
	record record
	err    error
}

// findGathered reads documents for those who want them.
func (s *Store) findGathered(ctx context.Context, batch []*wanted) {
	if len(batch) == 1 {
		batch[0].record, batch[0].err = s.find(ctx, batch[0].id, withoutEvents)
		return
	}
	ids := make([]order.ID, len(batch))
	for i, w := range batch {
		ids[i] = w.id
	}
	found, err := s.findMany(ctx, ids, withoutEvents)
	for _, w := range batch {
		if r := found[w.id]; err != nil {
			w.err = err
		} else if r == nil {
			w.err = order.ErrNotFound
		} else {
			w.record = *r
		}
	}
}

// load reads the document of an order, without its events.
func (s *Store) load(ctx context.Context, id order.ID) (record, error) {
	w := &wanted{id: id}
	if _, err := s.reads.ask(ctx, w, deadlineOf(ctx)); err != nil {
		return record{}, err
	}
	return w.record, w.err
}

func deadlineOf(ctx context.Context) time.Time {
	until, _ := ctx.Deadline() // set by do
	return until
}
