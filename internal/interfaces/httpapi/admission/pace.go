package admission

import (
	"sync"
	"sync/atomic"
	"time"
)

// Pace keeps what is turned away from costing more than a small part of what is served: of the clients that were turned away, and are
// kept from coming again, it lets one come for so many that are served. It is safe for concurrent use.
type Pace struct {
	Served int // for each one that comes again

	served atomic.Int64 // ever

	mu    sync.Mutex
	spent int64 // of served, for those who came again
	last  struct {
		at     time.Time
		served int64
	}
	gap time.Duration // between two who come again, lately
}

// lately is over how long the gap is measured.
const lately = 100 * time.Millisecond

// longestGap is for when hardly anybody is served.
const longestGap = time.Second

// Serve counts one who was served.
func (p *Pace) Serve() { p.served.Add(1) }

// Come returns how many of those who are kept may come again now: it is to be called often while somebody is. What was served some time
// before that does not count.
func (p *Pace) Come() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	served := p.measure()
	n := (served - p.spent) / int64(p.Served)
	p.spent += n * int64(p.Served)
	return int(n)
}

// measure measures the gap, if that was not done lately, and returns how many were served; mu is held.
func (p *Pace) measure() (served int64) {
	now, served := time.Now(), p.served.Load()
	passed := now.Sub(p.last.at)
	if passed <= lately {
		return served
	}
	since := served - p.last.served
	passed = min(passed, time.Hour) // or it is too long for what follows
	if !p.last.at.IsZero() {
		p.gap = min(passed*time.Duration(p.Served)/time.Duration(max(since, 1)), longestGap)
	}
	p.spent = max(p.spent, served-max(since*int64(lately)/int64(passed), int64(p.Served)))
	p.last.at, p.last.served = now, served
	return served
}

// Wait returns how long it will be until n of those who are kept have come again, if as many are served as lately.
func (p *Pace) Wait(n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.measure()
	return time.Duration(n) * p.gap
}
