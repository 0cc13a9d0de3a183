package admission

import (
	"sync"
	"time"
)

// Pace keeps what is turned away from costing more than a small part of what is served: it says for how long a client that was
// turned away is to be kept from coming again, so that there are so many served for each one that is not. It is safe for concurrent
// use.
type Pace struct {
	Served  int           // for each one turned away
	Longest time.Duration // to keep a client

	mu    sync.Mutex
	next  time.Time     // when the last one of those who are kept may come again
	count int           // served since then
	since time.Time     // the first of them was served, or there was none yet
	gap   time.Duration // between two who come again
}

// The served are counted for a span at least, for the gap of the next one. Those of a longer time, in which nobody was turned away,
// count as those of a long span.
const (
	span     = 100 * time.Millisecond
	longSpan = time.Minute
)

// longestGap is for when hardly anybody is served: the first one who is turned away is not to be kept for long.
const longestGap = time.Second

// Serve counts one who was served.
func (p *Pace) Serve() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		p.since = time.Now()
	}
	p.count++
}

// Turn returns for how long to keep who is turned away now.
func (p *Pace) Turn() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if passed := now.Sub(p.since); passed > span {
		p.gap = min(min(passed, longSpan)*time.Duration(p.Served)/time.Duration(max(p.count, 1)), p.Longest, longestGap)
		p.count, p.since = 0, now // for the case that nobody is served in the next span
	}
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(p.gap)
	if latest := now.Add(p.Longest); p.next.After(latest) {
		p.next = latest
	}
	return p.next.Sub(now)
}
