package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// openLoad is requests that come at a rate of their own, whether those before them have been answered or not, as people's do. A
// request that finds all connections taken is lost: its sender sees no answer.
type openLoad struct {
	conns  int
	rate   float64 // arrivals a second
	script func(conn int) script
	good   time.Duration // the latest that an answer is of use to who asked
}

// tick is how often arrivals are looked for: those of one tick come at once.
const tick = time.Millisecond

// outcome is what became of a load.
type outcome struct {
	offered   int           // arrivals
	answered  [600]int      // by status
	lost      int           // found no connection
	broken    int           // connections that ended without an answer, or could not be made
	latencies []arrivalTime // of the answers that were good: of success and in time
	refusals  []time.Duration
	took      time.Duration
}

// arrivalTime is when, from the start of the load, a request came, and how long its answer took from then.
type arrivalTime struct{ at, took time.Duration }

// goodput is in good answers a second.
func (o *outcome) goodput() float64 { return float64(len(o.latencies)) / o.took.Seconds() }

// percentile is of the good answers to requests that came in a span of time from the start.
func (o *outcome) percentile(share float64, from, to time.Duration) time.Duration {
	var in []time.Duration
	for _, a := range o.latencies {
		if a.at >= from && a.at < to {
			in = append(in, a.took)
		}
	}
	slices.Sort(in)
	return percentile(in, share)
}

// worst is the p99 of the worst second.
func (o *outcome) worst() time.Duration {
	worst := time.Duration(0)
	for from := time.Duration(0); from < o.took; from += time.Second {
		worst = max(worst, o.percentile(0.99, from, from+time.Second))
	}
	return worst
}

// calmAfter returns when, from its start, the first second of a load was over that was as it is normally: its p99 is at most twice that
// of the worst second, and nearly as many answers are good.
func (o *outcome) calmAfter(normal *outcome) time.Duration {
	const nearly = 0.9
	for from := time.Duration(0); from < o.took; from += time.Second {
		n := 0
		for _, a := range o.latencies {
			if a.at >= from && a.at < from+time.Second {
				n++
			}
		}
		if float64(n) >= nearly*normal.goodput() && o.percentile(0.99, from, from+time.Second) <= 2*normal.worst() {
			return from + time.Second
		}
	}
	return o.took + time.Second
}

// worker is one connection of an open load.
type worker struct {
	outcome

	client *client
	next   script
	come   chan time.Time // arrivals
}

// run has requests come for d, then waits for the answers under way.
func (l openLoad) run(ctx context.Context, addr string, d time.Duration) (*outcome, error) {
	workers := make([]*worker, l.conns)
	free := make(chan *worker, l.conns)
	for i := range workers {
		c, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		workers[i] = &worker{client: c, next: l.script(i), come: make(chan time.Time, 1)}
		free <- workers[i]
	}
	started := time.Now()
	end := started.Add(d)
	var group sync.WaitGroup
	for _, w := range workers {
		if err := w.client.giveUpAt(end.Add(patience)); err != nil {
			return nil, err
		}
		group.Go(func() {
			defer func() { w.client.close() }()
			for came := range w.come {
				l.exchange(ctx, addr, w, came, started, end)
				free <- w
			}
		})
	}
	offered, lost := l.arrive(ctx, free, started, end)
	for _, w := range workers {
		close(w.come)
	}
	group.Wait()
	all := &outcome{offered: offered, lost: lost, took: d}
	for _, w := range workers {
		all.add(&w.outcome)
	}
	return all, ctx.Err()
}

// arrive hands arrivals to free connections until end.
func (l openLoad) arrive(ctx context.Context, free chan *worker, started, end time.Time) (offered, lost int) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for now := started; now.Before(end) && ctx.Err() == nil; now = <-ticker.C {
		due := max(offered, int(now.Sub(started).Seconds()*l.rate))
	arrivals:
		for ; offered < due; offered++ {
			select {
			case w := <-free:
				w.come <- now
			default:
				break arrivals
			}
		}
		lost += due - offered
		offered = due
	}
	return offered, lost
}

// exchange makes one request.
func (l openLoad) exchange(ctx context.Context, addr string, w *worker, came, started, end time.Time) {
	status, _, err := w.client.do(w.next())
	took := time.Since(came)
	if err != nil {
		w.broken++
		w.client.close()
		if c, err := dial(ctx, addr); err == nil {
			w.client = c
			_ = c.giveUpAt(end.Add(patience)) // a connection without a deadline is ended by its server
		}
		return
	}
	w.answered[status]++
	switch {
	case status/100 == 2 && took <= l.good:
		w.latencies = append(w.latencies, arrivalTime{came.Sub(started), took})
	case status == 503:
		w.refusals = append(w.refusals, took)
	}
}

func (o *outcome) add(other *outcome) {
	o.broken += other.broken
	for status, n := range &other.answered {
		o.answered[status] += n
	}
	o.latencies = append(o.latencies, other.latencies...)
	o.refusals = append(o.refusals, other.refusals...)
}

// String tells what became of the requests.
func (o *outcome) String() string {
	succeeded := 0
	for status, n := range &o.answered {
		if status/100 == 2 {
			succeeded += n
		}
	}
	slices.Sort(o.refusals)
	const everything = time.Hour
	return fmt.Sprintf("%s offered: %s good, p50 %s, p99 %s; %s late; %s answered 503, p50 %s, p99 %s; %s without a connection; %d broken",
		grouped(o.offered), grouped(len(o.latencies)), millis(o.percentile(0.5, 0, everything)), millis(o.percentile(0.99, 0, everything)),
		grouped(succeeded-len(o.latencies)), grouped(o.answered[503]), millis(percentile(o.refusals, 0.5)), millis(percentile(o.refusals, 0.99)),
		grouped(o.lost), o.broken)
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
