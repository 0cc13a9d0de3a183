package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// openLoad is requests that come at a rate of their own, whether those before them have been answered or not, as people's do. A
// request that finds no free connection opens one, as long as there are fewer than conns; else it is lost: its sender sees no answer.
// Connections are used again in the order in which they became free, so that each one's turn comes.
type openLoad struct {
	conns  int
	stages []stage
	script func(conn int) script
	good   time.Duration // the latest that an answer is of use to who asked
	dial   dialer        // nil for overHTTP1
}

// stage is a part of a load.
type stage struct {
	rate  float64 // arrivals a second
	lasts time.Duration
}

// tick is how often arrivals are looked for: those of one tick come at once.
const tick = time.Millisecond

// openRun is an openLoad that goes on.
type openRun struct {
	openLoad

	addr     string
	end      time.Time
	outcomes []*outcome
	free     chan *worker
	workers  []*worker
	working  sync.WaitGroup
}

// worker is one connection.
type worker struct {
	asker asker // nil while there is none
	next  script
	come  chan arrival
}

// arrival is a request that comes.
type arrival struct {
	stage int
	began time.Time     // the stage
	at    time.Duration // from then
}

// run has requests come in each stage, waits for the answers under way, and tells what became of the requests of each stage.
func (l openLoad) run(ctx context.Context, addr string) ([]*outcome, error) {
	r := &openRun{openLoad: l, addr: addr, end: time.Now(), free: make(chan *worker, l.conns)}
	if r.dial == nil {
		r.dial = overHTTP1
	}
	began := r.end
	for _, s := range l.stages {
		r.end = r.end.Add(s.lasts)
		r.outcomes = append(r.outcomes, &outcome{took: s.lasts})
	}
	for i, s := range l.stages {
		r.arrive(ctx, i, began)
		began = began.Add(s.lasts)
	}
	for _, w := range r.workers {
		close(w.come)
	}
	r.working.Wait()
	return r.outcomes, ctx.Err()
}

// arrive has the requests of a stage come, until it is over.
func (r *openRun) arrive(ctx context.Context, i int, began time.Time) {
	s, o := r.stages[i], r.outcomes[i]
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for passed := time.Since(began); passed < s.lasts && ctx.Err() == nil; passed = time.Since(began) {
		for due := int(passed.Seconds() * s.rate); o.offered < due; o.offered++ {
			w := r.freeWorker(ctx)
			if w == nil {
				o.lost++
				continue
			}
			w.come <- arrival{i, began, time.Duration(float64(o.offered) / s.rate * float64(time.Second))}
		}
		<-ticker.C
	}
}

// freeWorker returns a connection that is free or can be opened, or nil.
func (r *openRun) freeWorker(ctx context.Context) *worker {
	select {
	case w := <-r.free:
		return w
	default:
	}
	if len(r.workers) == r.conns {
		return nil
	}
	w := &worker{next: r.script(len(r.workers)), come: make(chan arrival, 1)}
	r.workers = append(r.workers, w)
	r.working.Go(func() {
		for a := range w.come {
			r.exchange(ctx, w, a)
			r.free <- w
		}
		w.hangUp()
	})
	return w
}

// exchange makes one request.
func (r *openRun) exchange(ctx context.Context, w *worker, a arrival) {
	o := r.outcomes[a.stage]
	if w.asker == nil {
		c, err := r.dial(ctx, r.addr)
		if err != nil {
			o.miss()
			return
		}
		w.asker = c
		_ = c.giveUpAt(r.end.Add(patience)) // a connection without a deadline is ended by its server
	}
	status, _, err := w.asker.do(w.next())
	if err != nil {
		o.miss()
		w.hangUp()
		return
	}
	o.answer(status, arrivalTime{a.at, time.Since(a.began) - a.at}, r.good)
	if w.asker.done() {
		w.hangUp()
	}
}

func (w *worker) hangUp() {
	if w.asker != nil {
		w.asker.close()
		w.asker = nil
	}
}

// probe asks a server the same again and again, until stop is called, which tells how long the answers took, in order of length.
func probe(ctx context.Context, addr, path string, every time.Duration) (stop func() ([]time.Duration, error)) {
	var ended atomic.Bool
	var failed error
	var latencies []time.Duration
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !ended.Load() && failed == nil {
			asked := time.Now()
			if _, failed = ask(ctx, addr, newRequest("GET", path, "")); failed == nil {
				latencies = append(latencies, time.Since(asked))
				<-time.After(every)
			}
		}
	}()
	return func() ([]time.Duration, error) {
		ended.Store(true)
		<-done
		slices.Sort(latencies)
		return latencies, failed
	}
}
