package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// outcome is what became of a load.
type outcome struct {
	took    time.Duration
	offered int // arrivals
	lost    int // found no connection

	mu        sync.Mutex
	answered  [600]int      // by status
	broken    int           // connections that ended without an answer, or could not be made
	latencies []arrivalTime // of the answers that were good: of success and in time
	refusals  []time.Duration
}

// arrivalTime is when, from the start of the load, a request came, and how long its answer took from then.
type arrivalTime struct{ at, took time.Duration }

// answer counts an answer, which is of use to who asked if it comes within good.
func (o *outcome) answer(status int, a arrivalTime, good time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answered[status]++
	switch {
	case status/100 == 2 && a.took <= good:
		o.latencies = append(o.latencies, a)
	case status == 503:
		o.refusals = append(o.refusals, a.took)
	}
}

// miss counts an answer that does not come.
func (o *outcome) miss() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken++
}

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

// calmAfter returns when, from its start, the first second of a load was over that was as it is normally, as the one after it was: its p99 is
// at most twice that of the worst second, and nearly as many answers are good.
func (o *outcome) calmAfter(normal *outcome) time.Duration {
	const nearly = 0.9
	worst := normal.worst()
	calm := func(from time.Duration) bool {
		n := 0
		for _, a := range o.latencies {
			if a.at >= from && a.at < from+time.Second {
				n++
			}
		}
		return from >= o.took || float64(n) >= nearly*normal.goodput() && o.percentile(0.99, from, from+time.Second) <= 2*worst
	}
	for from := time.Duration(0); from < o.took; from += time.Second {
		if calm(from) && calm(from+time.Second) {
			return from + time.Second
		}
	}
	return o.took + time.Second
}

// String tells what became of the requests.
func (o *outcome) String() string {
	succeeded, sent := 0, o.broken
	for status, n := range &o.answered {
		sent += n
		if status/100 == 2 {
			succeeded += n
		}
	}
	slices.Sort(o.refusals)
	const everything = time.Hour
	return fmt.Sprintf("%s offered, %s sent: %s good, p50 %s, p99 %s; %s late; %s answered 503, p50 %s, p99 %s; %s closed unanswered",
		grouped(o.offered), grouped(sent), grouped(len(o.latencies)), millis(o.percentile(0.5, 0, everything)),
		millis(o.percentile(0.99, 0, everything)), grouped(succeeded-len(o.latencies)), grouped(o.answered[503]),
		millis(percentile(o.refusals, 0.5)), millis(percentile(o.refusals, 0.99)), grouped(o.broken))
}
